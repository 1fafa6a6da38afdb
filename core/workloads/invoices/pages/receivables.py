"""The pages of receivables."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from core.charts import bar
from core.currencies import amount_text
from core.pages.access.needs import Reviewer, Viewer
from core.pages.kit import Key, kit_of
from core.pages.rendering import show
from core.pages.tables import LIMIT_DEFAULT, Column, Table
from core.workloads.invoices.pages import desk, match
from core.workloads.invoices.publishing.accept import OPEN_STATES
from core.workloads.invoices.publishing.aging import BANDS

router = APIRouter(include_in_schema=False)

PAYMENTS = (
    Column("payment", "bank line", "link"),
    Column("booked_on", "booked"),
    Column("amount", "amount", "amount"),
    Column("currency", "currency"),
    Column("why", "held by"),
    Column("event", "event", "link"),
)
ALLOCATIONS = (
    Column("event", "event", "link"),
    Column("kind", "what"),
    Column("number", "invoice"),
    Column("customer_id", "customer"),
    Column("amount", "applied", "amount"),
    Column("currency", "currency"),
    Column("residual", "difference", "amount"),
    Column("residual_kind", "of what"),
    Column("effective_on", "counts from"),
    Column("actor", "by whom"),
    Column("recorded_at", "recorded", "time"),
)
AGING = (
    Column("currency", "currency"),
    Column("band", "days past due"),
    Column("amount", "open", "amount"),
    Column("drawn", ""),
)
BAND_WORDS = {"not_due": "not due", "over_90": "over 90"}


@router.get("/payments")
def payments(
    request: Request,
    person: Viewer,
    state: Annotated[str, Query(max_length=20)] = "exception",
    cursor: Annotated[str | None, Query(max_length=2_000)] = None,
) -> Response:
    """Bank lines of one state, the oldest first; how many there are of each."""
    db = kit_of(request).db
    found = desk.payments(db, state, cursor, LIMIT_DEFAULT)
    next_href = found.next_href("/invoices/payments", request.query_params)
    table = Table("Bank lines, oldest first", PAYMENTS, [_payment(one) for one in found.rows], next_href)
    states = [(name, desk.STATES[name], _counted(n)) for name, n in desk.counts(db).items()]
    return show(request, "invoices/payments.html.j2", "Bank lines", table=table, states=states, state=state)


@router.get("/payment")
def payment(request: Request, person: Viewer, payment_id: desk.PaymentId) -> Response:
    """One bank line: what was applied of it, by whom, and taking that back."""
    found, told = desk.payment(kit_of(request).db, payment_id)
    return show(
        request,
        "invoices/payment.html.j2",
        "Bank line",
        payment=found,
        words=desk.STATES[found.state],
        clear=f"{match.ADDRESS}?{urlencode({'id': payment_id})}" if found.state in OPEN_STATES else None,
        table=Table("What was applied, and taken back", ALLOCATIONS, [_allocation(one) for one in told]),
        today=desk.now().date(),
        reason_max=desk.REASON_MAX,
        back=desk.list_address(found.state),
        keys=(Key("b", "back to the list"),),
    )


@router.post("/payment/unmatch")
def unmatch(request: Request, person: Reviewer, said: Annotated[desk.TakenBack, Form()]) -> Response:
    """Take it back by another event of the ledger; the page then shows the line as it stands."""
    desk.take_back(kit_of(request).db, person, said)
    return RedirectResponse(desk.address(said.id), 303)


@router.get("/aging")
def aging(request: Request, person: Viewer, as_of: Annotated[str, Query(max_length=10)] = "") -> Response:
    """What was open at the end of a day, by days past due."""
    day = desk.day_of(as_of)
    found = desk.aged(kit_of(request).db, day)
    totals = [(row["currency"], amount_text(row["total"], row["currency"]), row["items"]) for row in found]
    rows = [line for row in found for line in _bands(row)]
    table = Table("Open by days past due", AGING, rows)
    return show(request, "invoices/aging.html.j2", "Aging", table=table, totals=totals, day=day)


def _payment(one: desk.Payment) -> dict[str, Any]:
    event = None if one.event_id is None else (str(one.event_id), f"/audit/{one.event_id}")
    return {
        **asdict(one),
        "amount": one.amount,
        "why": one.why,
        "payment": (one.payment_id, desk.address(one.payment_id)),
        "event": event,
    }


def _allocation(one: desk.Allocation) -> dict[str, Any]:
    return {
        **asdict(one),
        "event": (str(one.event_id), f"/audit/{one.event_id}"),
        "amount": amount_text(one.amount_minor, one.currency),
        "residual": amount_text(one.residual_minor, one.currency) if one.residual_minor else None,
    }


def _bands(row: dict[str, Any]) -> list[dict[str, Any]]:
    most = max(abs(row[band]) for band in BANDS)
    return [
        {
            "currency": row["currency"],
            "band": BAND_WORDS.get(band, band),
            "amount": amount_text(row[band], row["currency"]),
            "drawn": bar(abs(row[band]), most, "main" if row[band] >= 0 else "against"),
        }
        for band in BANDS
    ]


def _counted(n: int) -> str:
    return f"{n:,}" if n <= desk.COUNTED_MOST else f"{desk.COUNTED_MOST:,}+"
