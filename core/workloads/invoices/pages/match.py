"""The page on which bank lines are cleared: one line, what a run suggests for it, one key to accept, one to undo."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from core.currencies import amount_text
from core.pages.access.needs import Reviewer, Viewer
from core.pages.kit import Key, kit_of
from core.pages.rendering import show
from core.pages.tables import Column, Table
from core.workloads.invoices.pages import desk, match_desk
from core.workloads.invoices.publishing.accept import OPEN_STATES, SuggestedLine

router = APIRouter(include_in_schema=False)

ADDRESS = "/invoices/match"
LINES = (
    Column("number", "invoice"),
    Column("customer", "customer"),
    Column("open", "open", "amount"),
    Column("amount", "would be applied", "amount"),
    Column("currency", "currency"),
    Column("residual", "difference", "amount"),
    Column("kind", "of what"),
)
KEYS = (
    Key("1", "accept the likeliest; 2 and 3 the next ones"),
    Key("j", "leave this line, to the next"),
    Key("z", "take the last one back"),
)
UNDONE = "taken back at once, on the page of bank lines to clear"
State = Annotated[str, Query(max_length=20)]


@router.get("/match")
def match(
    request: Request,
    person: Viewer,
    state: State = "suggested",
    cursor: Annotated[str | None, Query(max_length=2_000)] = None,
    payment_id: Annotated[str, Query(alias="id", pattern=desk.NO_NUL, max_length=desk.ID_MAX)] = "",
    done: Annotated[str, Query(pattern=desk.NO_NUL, max_length=desk.ID_MAX)] = "",
) -> Response:
    """The next line of a list with its suggestions, or the one named; what was done last, with its undo."""
    db = kit_of(request).db
    page = desk.payments(db, state, cursor, 1)
    shown = desk.payment(db, payment_id)[0] if payment_id else next(iter(page.rows), None)
    found = [] if shown is None else match_desk.suggestions(db, shown.payment_id)
    before = desk.payment(db, done)[0] if done else None
    return show(
        request,
        "invoices/match.html.j2",
        "Bank lines to clear",
        states=[(name, desk.STATES[name]) for name in OPEN_STATES],
        state=state,
        line=shown,
        words="" if shown is None else desk.STATES[shown.state],
        may_take=shown is not None and shown.state in OPEN_STATES,
        suggestions=[
            (one, Table(f"Suggestion {one.rank}", LINES, [_line(each) for each in one.lines])) for one in found
        ],
        before=before if before is not None and before.state == "applied" else None,
        next_href=page.next_href(ADDRESS, {"state": state}),
        address=ADDRESS,
        line_address=None if shown is None else desk.address(shown.payment_id),
        keys=KEYS,
    )


@router.post("/match/accept")
def accept(
    request: Request, person: Reviewer, said: Annotated[match_desk.Accepted, Form()], state: State = "suggested"
) -> Response:
    """Accept a suggestion; the page then shows the next line of the same list."""
    match_desk.accept_one(kit_of(request).db, person, said)
    return RedirectResponse(f"{ADDRESS}?{urlencode({'state': state, 'done': said.id})}", 303)


@router.post("/match/undo")
def undo(
    request: Request, person: Reviewer, said: Annotated[desk.Seen, Form()], state: State = "suggested"
) -> Response:
    """Take back what was accepted; the page then shows that line again."""
    taken = desk.TakenBack(id=said.id, version=said.version, reason=UNDONE, effective_on=None)
    desk.take_back(kit_of(request).db, person, taken)
    return RedirectResponse(f"{ADDRESS}?{urlencode({'state': state, 'id': said.id})}", 303)


@router.get("/export.csv")
def export(request: Request, person: Viewer, state: State = "exception") -> Response:
    """The lines of a state as a file, with its digest in a header."""
    made = match_desk.exported(kit_of(request).db, state)
    headers = {
        "Content-Disposition": f'attachment; filename="bank-lines-{state}.csv"',
        "X-Content-SHA256": made.sha256,
        "X-Rows": str(made.n_rows),
    }
    return Response(made.body, media_type="text/csv; charset=utf-8", headers=headers)


def _line(line: SuggestedLine) -> dict[str, Any]:
    has_item = line.item_id is not None
    return {
        "number": line.number or line.item_id,
        "customer": line.customer_id,
        "open": None if line.open_minor is None else amount_text(line.open_minor, line.currency),
        "amount": amount_text(line.amount_minor, line.currency) if has_item else None,
        "currency": line.currency,
        "residual": amount_text(line.residual_minor, line.currency) if line.residual_minor else None,
        "kind": line.residual_kind.replace("_", " "),
    }
