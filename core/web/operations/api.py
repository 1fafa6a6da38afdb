"""`/api/v1/operations`: what the pages of operations show and do."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request
from starlette.responses import JSONResponse, Response

from core.pages.access.needs import Admin, Viewer
from core.pages.etags import tagged
from core.pages.kit import kit_of
from core.pages.tables import LIMIT_DEFAULT, LIMIT_MAX
from core.queue.leases import dead_letters as letters
from core.queue.leases.dead_letters import Which
from core.web.operations import lists
from core.web.operations.pages import REDRIVE_AT_ONCE, readings_of

api = APIRouter(tags=["operations"])

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Lines of one answer.")]
Cursor = Annotated[str | None, Query(max_length=2_000, description="`end_cursor` of the answer before.")]
Flow = Annotated[str | None, Query(max_length=200, description="One flow; without it all.", examples=["survey"])]


@api.get("/queue", summary="Flows: depth, rates in rows a second, seconds until they are done.")
def queue(request: Request, person: Viewer) -> Response:
    """One reading for all who ask; an ETag answers a poll without a query."""
    readings = readings_of(request)

    def answer() -> Response:
        frame = readings.frame()
        return JSONResponse({"at_s": frame.at_s, "data": [asdict(flow) for flow in frame.flows]})

    return tagged(request, person, readings.version(), answer)


@api.get("/workers", summary="Workers: leases, rows a second, seconds since they were heard of.")
def workers(request: Request, person: Viewer) -> Response:
    """Of the same reading."""
    readings = readings_of(request)

    def answer() -> Response:
        frame = readings.frame()
        return JSONResponse({"at_s": frame.at_s, "data": [asdict(worker) for worker in frame.workers]})

    return tagged(request, person, readings.version(), answer)


@api.get("/dead-letters", summary="Dead letters, newest first, without payloads.")
def dead_letters(
    request: Request,
    person: Viewer,
    flow: Flow = None,
    error_class: Annotated[str | None, Query(max_length=200, examples=["TimeoutError"])] = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT_DEFAULT,
) -> dict[str, Any]:
    """A page by its cursor."""
    found = lists.dead_letters(kit_of(request).db, flow, error_class, cursor, limit)
    return found.answer(lambda letter: {name: value for name, value in asdict(letter).items() if name != "payload"})


@api.get("/dead-letters/groups", summary="What died of what.")
def groups(request: Request, person: Viewer, flow: Flow = None) -> dict[str, Any]:
    """The largest group first."""
    return {"data": [asdict(group) for group in letters.groups(kit_of(request).db, flow)]}


@api.post("/dead-letters/redrive", summary="Put dead letters of one error back to work.")
def redrive(
    request: Request,
    person: Admin,
    flow: Annotated[str, Body(max_length=200, examples=["survey"])],
    error_class: Annotated[str, Body(max_length=200, examples=["TimeoutError"])],
) -> dict[str, int]:
    """At most 10,000 rows a request; those that remain are there to be asked for again."""
    return {"items": letters.redrive(kit_of(request).db, flow, Which(error_class), REDRIVE_AT_ONCE)}


@api.get("/scaling", summary="Decisions of autoscalers, newest first, with what they saw.")
def scaling(
    request: Request, person: Viewer, flow: Flow = None, cursor: Cursor = None, limit: Limit = LIMIT_DEFAULT
) -> dict[str, Any]:
    """A page by its cursor."""
    return lists.decisions(kit_of(request).db, flow, cursor, limit).answer(asdict)
