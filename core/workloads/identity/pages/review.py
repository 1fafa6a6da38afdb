"""The pages on which people decide pairs. With the script the next pair is there at once; without it each is a form."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from core.errors import Conflict
from core.pages.access.needs import Reviewer, Viewer
from core.pages.kit import Key, kit_of
from core.pages.rendering import show
from core.review.items import Item
from core.review.verdicts import KEY_MAX, Said
from core.workloads.identity.pages import addresses, desk
from core.workloads.identity.reviewing.cases import DIFFERENT, SAME

router = APIRouter(include_in_schema=False)

VERDICTS = (
    (SAME, "Same", "a"),
    (DIFFERENT, "Different", "x"),
    ("unsure", "Unsure", "u"),
)
KEYS = (
    *(Key(press, words.lower()) for _, words, press in VERDICTS),
    Key("z", "undo the last verdict"),
    Key("j", "the next pair"),
    Key("k", "the pair before"),
    Key("w", "why: the evidence"),
)
RequestKey = Annotated[str, Form(max_length=KEY_MAX)]


class Verdict(BaseModel):
    """The form of a verdict."""

    item_id: int
    version: int
    verdict: str = Field(max_length=20)
    request_key: str = Field(max_length=KEY_MAX)


@router.get("/{dataset:path}/review")
def review(request: Request, person: Viewer, dataset: str) -> Response:
    """The pairs that this person holds, one shown; what their verdicts say so far."""
    db = kit_of(request).db
    found = desk.dataset(db, dataset)
    items = desk.held(db, dataset, person) if person.may("reviewer") else []
    bands, n_said, looks = desk.bands(db, dataset)
    return show(
        request,
        "identity/review.html.j2",
        "Review",
        dataset=found,
        address=addresses.review(dataset),
        cases=desk.shown(db, items, person),
        recent=desk.recent(db, dataset, person),
        bands=bands,
        n_said=n_said,
        looks=looks,
        verdicts=VERDICTS,
        keys=KEYS,
    )


@router.post("/{dataset:path}/review/take")
def take(
    request: Request, person: Reviewer, dataset: str, held: Annotated[list[int] | None, Query(max_length=100)] = None
) -> Response:
    """Take cases; for the script (`?part=cases`) those it does not hold yet, else the page shows them."""
    db = kit_of(request).db
    items = desk.take(db, dataset, person, held or [])
    return _cases(request, person, dataset, items) if "part" in request.query_params else _back(dataset)


@router.get("/{dataset:path}/review/items/{item_id}")
def item(request: Request, person: Reviewer, dataset: str, item_id: int) -> Response:
    """One case as it stands, to look at it again."""
    return _cases(request, person, dataset, [desk.item_of(kit_of(request).db, item_id, dataset)])


@router.post("/{dataset:path}/review/verdicts")
def judge(
    request: Request,
    person: Reviewer,
    dataset: str,
    said: Annotated[Verdict, Form()],
) -> Response:
    """A verdict by a form; the page then shows the next pair. The script asks the API."""
    db = kit_of(request).db
    desk.item_of(db, said.item_id, dataset)
    try:
        desk.judge(db, person, Said(said.item_id, said.version, said.verdict, said.request_key))
    except Conflict as error:
        again = [desk.item_of(db, said.item_id, dataset)]
        return _cases(request, person, dataset, again, status=409, said=error.message)
    if not desk.held(db, dataset, person):
        desk.take(db, dataset, person, [])
    return _back(dataset)


@router.post("/{dataset:path}/review/undo")
def undo(
    request: Request, person: Reviewer, dataset: str, event_id: Annotated[int, Form()], request_key: RequestKey
) -> Response:
    """Take back a verdict by a form; its pair is the first one again."""
    desk.undo(kit_of(request).db, person, event_id, request_key)
    return _back(dataset)


def _cases(
    request: Request, person: Reviewer, dataset: str, items: list[Item], *, status: int = 200, said: str = ""
) -> Response:
    """Some cases, alone or as the part `cases` of the page."""
    cases = desk.shown(kit_of(request).db, items, person)
    values = {"address": addresses.review(dataset), "cases": cases, "verdicts": VERDICTS, "said": said, "keys": KEYS}
    return show(request, "identity/cases.html.j2", "Review", status=status, **values)


def _back(dataset: str) -> Response:
    return RedirectResponse(addresses.review(dataset), 303)
