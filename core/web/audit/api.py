"""`/api/v1/audit`: the ledger for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from core.pages.access.needs import Viewer
from core.pages.kit import kit_of
from core.pages.tables import LIMIT_DEFAULT, LIMIT_MAX
from core.web.audit import ledger
from core.web.audit.pages import sources_of

api = APIRouter(tags=["audit"])


@api.get("/events", summary="Events of the ledger, newest first.")
def events(
    request: Request,
    person: Viewer,
    cursor: Annotated[str | None, Query(max_length=2_000)] = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT,
) -> dict[str, Any]:
    """A page by its cursor."""
    return ledger.events(kit_of(request).db, cursor, limit).answer(asdict)


@api.get("/events/{event_id}", summary="One event with its decisions.")
def event(request: Request, person: Viewer, event_id: int) -> dict[str, Any]:
    """Ids, levels and amounts; no value of a person."""
    return asdict(ledger.event(kit_of(request).db, event_id, sources_of(request)))


@api.post("/check", summary="Recompute the chain, and name what is not as it was written.")
def check(request: Request, person: Viewer) -> dict[str, Any]:
    """Of chains of up to 20,000 links; `headrace audit verify` checks longer ones."""
    report = ledger.check(kit_of(request).db, sources_of(request))
    return {**asdict(report), "sound": report.sound, "head": str(report.head)}
