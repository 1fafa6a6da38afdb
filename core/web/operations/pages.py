"""The pages of operations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from core.charts import bar
from core.database import DatabaseManager
from core.monitoring.top import DEAD_MAX, FlowFigures, Frame, WorkerFigures
from core.pages.access.needs import Admin, Viewer
from core.pages.accounts.roles import Person
from core.pages.etags import tagged
from core.pages.kit import Link, Section, Waiting, kit_of
from core.pages.rendering import show
from core.pages.tables import LIMIT_DEFAULT, Column, Table
from core.queue.leases import dead_letters as letters
from core.queue.leases.dead_letters import Which
from core.web.operations import lists
from core.web.operations.readings import Readings

router = APIRouter(include_in_schema=False)

Filter = Annotated[str, Query(max_length=200)]
Cursor = Annotated[str | None, Query(max_length=2_000)]
# One page request bounds what it does; the next goes on.
REDRIVE_AT_ONCE = 10_000

FLOWS = (
    Column("flow", "flow"),
    Column("state", "state", "state"),
    Column("backlog", "rows to do", "count"),
    Column("drawn", ""),
    Column("ready", "ready batches", "count"),
    Column("running", "running", "count"),
    Column("oldest", "oldest waits", "age"),
    Column("in_per_s", "in/s", "number"),
    Column("out_per_s", "out/s", "number"),
    Column("eta", "done in"),
    Column("retries", "retries", "count"),
    Column("dead", "dead letters", "link"),
)
WORKERS = (
    Column("worker", "worker"),
    Column("host", "host"),
    Column("leases", "leases", "count"),
    Column("rows_per_s", "rows/s", "number"),
    Column("silent", "last heard of", "age"),
)
GROUPS = (
    Column("flow", "flow", "link"),
    Column("error_class", "error", "link"),
    Column("fault", "fault", "state"),
    Column("rows", "rows", "count"),
    Column("letters", "letters", "count"),
    Column("first", "first", "time"),
    Column("last", "last", "time"),
    Column("redrive", "", "link"),
)
LETTERS = (
    Column("died_at", "died", "time"),
    Column("flow_name", "flow"),
    Column("error_class", "error"),
    Column("reason", "place"),
    Column("n_items", "rows", "count"),
    Column("attempts", "attempts", "count"),
    Column("origin_batch_id", "batch"),
    Column("seq", "row"),
    Column("worker_id", "worker"),
)
DECISIONS = (
    Column("decided_at", "when", "time"),
    Column("flow_name", "flow"),
    Column("fleet", "consumers"),
    Column("reason", "why"),
    Column("done", "done"),
    Column("holder", "by"),
)


def readings_of(request: Request) -> Readings:
    """The reading that all viewers share."""
    found: Readings = request.app.state.readings
    return found


@router.get("/queue")
def queue(request: Request, person: Viewer) -> Response:
    """Flows: depth, rates, when they are done."""
    readings = readings_of(request)
    return tagged(request, person, readings.version(), lambda: _queue(request, readings.frame()))


@router.get("/workers")
def workers(request: Request, person: Viewer) -> Response:
    """Who works on what, and how fast."""
    readings = readings_of(request)
    return tagged(request, person, readings.version(), lambda: _workers(request, readings.frame()))


@router.get("/dead-letters")
def dead_letters(
    request: Request, person: Viewer, flow: Filter = "", error_class: Filter = "", cursor: Cursor = None
) -> Response:
    """What died of what; each letter of a flow or error below."""
    db = kit_of(request).db
    found = lists.dead_letters(db, flow or None, error_class or None, cursor, LIMIT_DEFAULT)
    return show(
        request,
        "operations/dead_letters.html.j2",
        "Dead letters",
        groups=Table("Dead letters by what they died of", GROUPS, [_group(one, person) for one in letters.groups(db)]),
        letters=Table(
            "Dead letters, newest first",
            LETTERS,
            [asdict(letter) for letter in found.rows],
            found.next_href("/operations/dead-letters", request.query_params),
        ),
        flow=flow,
        error_class=error_class,
    )


@router.get("/dead-letters/redrive")
def preview_redrive(request: Request, person: Admin, flow: Filter, error_class: Filter) -> Response:
    """What would run again, before anybody confirms."""
    found = letters.would_redrive(kit_of(request).db, flow, Which(error_class))
    values = {"n_rows": sum(one.n_items for one in found), "n_kept": sum(one.n_kept for one in found)}
    return show(
        request,
        "operations/redrive.html.j2",
        "Redrive",
        flow=flow,
        error_class=error_class,
        most=REDRIVE_AT_ONCE,
        **values,
    )


@router.post("/dead-letters/redrive")
def redrive(
    request: Request,
    person: Admin,
    flow: Annotated[str, Form(max_length=200)],
    error_class: Annotated[str, Form(max_length=200)],
) -> Response:
    """Put them back to work; the next worker runs them."""
    letters.redrive(kit_of(request).db, flow, Which(error_class), REDRIVE_AT_ONCE)
    return RedirectResponse("/operations/dead-letters?" + urlencode({"flow": flow}), 303)


@router.get("/scaling")
def scaling(request: Request, person: Viewer, flow: Filter = "", cursor: Cursor = None) -> Response:
    """What autoscalers decided, in words."""
    found = lists.decisions(kit_of(request).db, flow or None, cursor, LIMIT_DEFAULT)
    rows = [
        {
            **asdict(one),
            "fleet": f"{one.working + one.starting} → {one.desired}",
            "done": one.error or f"+{one.started or 0} −{one.stopped or 0}",
        }
        for one in found.rows
    ]
    table = Table(
        "Decisions, newest first", DECISIONS, rows, found.next_href("/operations/scaling", request.query_params)
    )
    return show(request, "operations/scaling.html.j2", "Scaling", table=table, flow=flow)


def waiting(db: DatabaseManager, person: Person) -> Sequence[Waiting]:
    """Dead letters, for who may bring them back."""
    if not person.may("admin"):
        return ()
    n_rows = sum(group.n_items for group in letters.groups(db))
    return (Waiting(n_rows, "rows are dead letters", "/operations/dead-letters"),) if n_rows else ()


SECTION = Section(
    "operations",
    "Operations",
    (
        Link("Queue", "/operations/queue", "q"),
        Link("Workers", "/operations/workers", "w"),
        Link("Dead letters", "/operations/dead-letters", "d"),
        Link("Scaling", "/operations/scaling", "s"),
    ),
    Path(__file__).parent / "templates",
    waiting,
)


def _queue(request: Request, frame: Frame) -> Response:
    most = max((flow.backlog_rows for flow in frame.flows), default=0)
    table = Table("Flows of the queue", FLOWS, [_flow(flow, most) for flow in frame.flows])
    return show(request, "operations/queue.html.j2", "Queue", table=table, frame=frame)


def _workers(request: Request, frame: Frame) -> Response:
    table = Table("Workers", WORKERS, [_worker(worker) for worker in frame.workers])
    return show(request, "operations/workers.html.j2", "Workers", table=table, frame=frame)


def _flow(flow: FlowFigures, most: int) -> dict[str, Any]:
    dead = f"{flow.dead:,}" if flow.dead <= DEAD_MAX else f"{DEAD_MAX:,}+"
    return {
        "flow": flow.flow,
        "state": state_of(flow),
        "backlog": flow.backlog_rows,
        "drawn": bar(flow.backlog_rows, most),
        "ready": flow.ready_batches,
        "running": flow.running_batches,
        "oldest": flow.oldest_age_s or None,
        "in_per_s": flow.in_per_s,
        "out_per_s": flow.out_per_s,
        "eta": eta_words(flow),
        "retries": flow.retries or None,
        "dead": (dead, "/operations/dead-letters?" + urlencode({"flow": flow.flow})) if flow.dead else None,
    }


def state_of(flow: FlowFigures) -> str:
    """One word: paused, late (a lease ran out), busy, waits or idle."""
    if flow.paused:
        return "paused"
    if flow.expired_batches:
        return "late"
    return "busy" if flow.running_batches else "waits" if flow.backlog_rows else "idle"


def eta_words(flow: FlowFigures) -> str:
    """When the backlog is gone, if both rates stay."""
    if not flow.backlog_rows:
        return ""
    if flow.paused or flow.eta_s is None:
        return "no end in sight"
    return f"{flow.eta_s / 60:,.0f} min" if flow.eta_s >= 120 else f"{flow.eta_s:.0f} s"


def _worker(worker: WorkerFigures) -> dict[str, Any]:
    return {
        "worker": worker.worker_id,
        "host": worker.host,
        "leases": worker.n_leases,
        "rows_per_s": worker.rows_per_s,
        "silent": worker.silent_s,
    }


def _group(group: letters.DeadGroup, person: Person) -> dict[str, Any]:
    flow, both = {"flow": group.flow_name}, {"flow": group.flow_name, "error_class": group.error_class}
    return {
        "flow": (group.flow_name, "/operations/dead-letters?" + urlencode(flow)),
        "error_class": (group.error_class, "/operations/dead-letters?" + urlencode(both)),
        "fault": group.fault,
        "rows": group.n_items,
        "letters": group.n_letters,
        "first": group.first_at,
        "last": group.last_at,
        "redrive": ("Redrive…", "/operations/dead-letters/redrive?" + urlencode(both)) if person.may("admin") else None,
    }
