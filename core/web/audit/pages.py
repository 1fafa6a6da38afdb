"""The pages of the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from core.pages.access.needs import Viewer
from core.pages.kit import Link, Section, kit_of
from core.pages.rendering import show
from core.pages.tables import LIMIT_DEFAULT, Column, Table
from core.review.audit.faults import Report
from core.review.audit.leaves import LeafSource
from core.web.audit import ledger

router = APIRouter(include_in_schema=False)

EVENTS = (
    Column("event", "event", "link"),
    Column("recorded_at", "recorded", "time"),
    Column("kind", "what"),
    Column("actor", "by whom"),
    Column("effective_on", "effective"),
    Column("n_leaves", "decisions", "count"),
    Column("sealed", "place in the chain"),
)
SECTION = Section("audit", "Audit", (Link("Audit", "/audit", "a"),), Path(__file__).parent / "templates")


def sources_of(request: Request) -> Mapping[str, LeafSource]:
    """Who keeps the decisions of events."""
    found: Mapping[str, LeafSource] = request.app.state.leaf_sources
    return found


@router.get("")
def events(request: Request, person: Viewer, cursor: Annotated[str | None, Query(max_length=2_000)] = None) -> Response:
    """Who decided what, newest first."""
    return _events(request, cursor, None)


@router.post("/check")
def check(request: Request, person: Viewer) -> Response:
    """The same page with what a check of the whole chain finds."""
    return _events(request, None, ledger.check(kit_of(request).db, sources_of(request)))


@router.get("/{event_id}")
def event(request: Request, person: Viewer, event_id: int) -> Response:
    """One event, with the decisions it stands for. They hold ids, levels and amounts, never a value of a person."""
    found = ledger.event(kit_of(request).db, event_id, sources_of(request))
    return show(request, "audit/event.html.j2", f"Event {event_id}", told=found, shown_most=ledger.LEAVES_SHOWN)


def _events(request: Request, cursor: str | None, report: Report | None) -> Response:
    db = kit_of(request).db
    found = ledger.events(db, cursor, LIMIT_DEFAULT)
    table = Table(
        "Events, newest first",
        EVENTS,
        [_line(one) for one in found.rows],
        found.next_href("/audit", request.query_params),
    )
    return show(request, "audit/events.html.j2", "Audit", table=table, head=ledger.head(db), report=report)


def _line(one: ledger.Recorded) -> dict[str, Any]:
    sealed = "not sealed yet" if one.seq is None else f"{one.seq:,}"
    return {**asdict(one), "event": (str(one.event_id), f"/audit/{one.event_id}"), "sealed": sealed}
