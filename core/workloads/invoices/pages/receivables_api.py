"""`/api/v1/invoices`: bank lines, what was applied of them, and what is due."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from core.pages.access.needs import Reviewer, Viewer
from core.pages.kit import kit_of
from core.pages.tables import LIMIT_DEFAULT, LIMIT_MAX
from core.workloads.invoices.pages import desk, match_desk

api = APIRouter(tags=["invoices"])


@api.get("/payments", summary="Bank lines of a state, oldest first.")
def payments(
    request: Request,
    person: Viewer,
    state: Annotated[str, Query(max_length=20, description="How they stand.", examples=["exception"])] = "exception",
    cursor: Annotated[str | None, Query(max_length=2_000)] = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT,
) -> dict[str, Any]:
    """A page by its cursor; amounts are in the smallest unit of their currency."""
    return desk.payments(kit_of(request).db, state, cursor, limit).answer(asdict)


@api.get("/payments/counts", summary="How many bank lines stand in each state; 10,001 means more than 10,000.")
def counts(request: Request, person: Viewer) -> dict[str, Any]:
    """All states, also those without a line."""
    return {"data": desk.counts(kit_of(request).db)}


@api.get("/payment", summary="One bank line with all that was applied of it and taken back.")
def payment(request: Request, person: Viewer, payment_id: desk.PaymentId) -> dict[str, Any]:
    """`version` is what taking it back names."""
    found, told = desk.payment(kit_of(request).db, payment_id)
    return {**asdict(found), "allocations": [asdict(one) for one in told]}


@api.get("/payment/suggestions", summary="What the last run suggests for a bank line, the likeliest first.")
def suggestions(request: Request, person: Viewer, payment_id: desk.PaymentId) -> dict[str, Any]:
    """`fits`: whether all of it can still be applied; amounts are in the smallest unit of their currency."""
    db = kit_of(request).db
    desk.payment(db, payment_id)
    found = match_desk.suggestions(db, payment_id)
    return {"data": [{**asdict(one), "fits": one.fits} for one in found]}


@api.post("/payment/accept", summary="Apply a suggestion to a bank line; 409 where somebody was first.")
def accept(request: Request, person: Reviewer, said: match_desk.Accepted) -> dict[str, Any]:
    """An event of the ledger; `unmatch` takes it back. Said twice of one version, it is done once."""
    return {"id": said.id, "event_id": match_desk.accept_one(kit_of(request).db, person, said)}


@api.post("/payment/unmatch", summary="Take back what was applied of a bank line; 409 where somebody was first.")
def unmatch(request: Request, person: Reviewer, said: desk.TakenBack) -> dict[str, Any]:
    """Its items are open again, and no run applies it anew. Said twice of one version, it is done once."""
    event_id = desk.take_back(kit_of(request).db, person, said)
    return {"id": said.id, "event_id": event_id}


@api.get("/aging", summary="What was open at the end of a day, by days past due, in smallest units.")
def aging(
    request: Request,
    person: Viewer,
    as_of: Annotated[date | None, Query(description="The day; today unless said.", examples=["2026-01-31"])] = None,
    known_at: Annotated[datetime | None, Query(description="As it was known then; now unless said.")] = None,
) -> dict[str, Any]:
    """A row a currency."""
    known = known_at.replace(tzinfo=known_at.tzinfo or UTC) if known_at else None
    return {"data": desk.aged(kit_of(request).db, as_of, known)}
