"""`/api/v1/identity`: data sets, and the pairs that people decide."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from core.errors import InputError
from core.pages.access.needs import Reviewer, Viewer
from core.pages.kit import kit_of
from core.pages.problems import KeyTaken
from core.review.items import CLAIM_MAX
from core.review.verdicts import KEY_MAX, Outcome, Said
from core.workloads.identity.pages import desk

api = APIRouter(tags=["identity"])

Name = Annotated[str, Query(max_length=1_000, description="Data set.", examples=["persons:people.csv"])]
RequestKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=KEY_MAX,
        description="Names this request: sent again, it counts once.",
        examples=["b7d9-1"],
    ),
]


@api.get("/datasets", summary="Published data sets, and how many pairs of each wait for people.")
def datasets(request: Request, person: Viewer) -> dict[str, Any]:
    """All of them; a database has a few dozen."""
    return {"data": [asdict(each) for each in desk.datasets(kit_of(request).db)]}


@api.get("/review", summary="What verdicts of a data set say about its stated probabilities; whether people agree.")
def review(request: Request, person: Viewer, dataset: Name) -> dict[str, Any]:
    """Bands from 50 verdicts on."""
    db = kit_of(request).db
    found = desk.dataset(db, dataset)
    bands, n_said, looks = desk.bands(db, dataset)
    return {
        "dataset": asdict(found),
        "verdicts": n_said,
        "bands": [band.to_dict() for band in bands],
        "second_looks": None if looks is None else asdict(looks),
    }


@api.post("/review/take", summary="Take pairs for five minutes, those whose answer is worth most first.")
def take(
    request: Request,
    person: Reviewer,
    dataset: Annotated[str, Body(max_length=1_000, examples=["persons:people.csv"])],
    limit: Annotated[int, Body(ge=1, le=CLAIM_MAX)] = desk.TAKEN_AT_ONCE,
    held: Annotated[list[int] | None, Body(max_length=CLAIM_MAX, description="Items held already.")] = None,
) -> dict[str, Any]:
    """With the values of both records, for who decides needs them."""
    db = kit_of(request).db
    desk.dataset(db, dataset)
    items = desk.take(db, dataset, person, held or [], limit)
    return {"data": [desk.as_json(case) for case in desk.shown(db, items, person)]}


@api.get("/review/items/{item_id}", summary="One pair as it stands.")
def item(request: Request, person: Viewer, item_id: int) -> dict[str, Any]:
    """Values are masked for viewers."""
    db = kit_of(request).db
    (case,) = desk.shown(db, [desk.item_of(db, item_id)], person)
    return desk.as_json(case)


class Verdict(BaseModel):
    """What somebody says of a pair."""

    model_config = ConfigDict(extra="forbid")

    item_id: int = Field(examples=[17])
    version: int = Field(description="Of the item, as it was seen.", examples=[1])
    verdict: str = Field(max_length=20, description="match, differ or unsure.", examples=["match"])
    reason: str | None = Field(None, max_length=100, description="One of those offered.", examples=["relatives"])


@api.post("/review/verdicts", summary="Say whether a pair is one person; 409 where somebody was first.")
def judge(request: Request, person: Reviewer, key: RequestKey, said: Verdict) -> dict[str, Any]:
    """It holds in every later match of the data set, until it is taken back."""
    try:
        return _outcome_json(
            desk.judge(kit_of(request).db, person, Said(said.item_id, said.version, said.verdict, key, said.reason))
        )
    except InputError as error:
        raise _named(error) from None


@api.post("/review/undo", summary="Take a verdict back, by another event of the ledger.")
def undo(request: Request, person: Reviewer, key: RequestKey, event_id: Annotated[int, Body(embed=True)]) -> Any:
    """One's own; an admin may those of others."""
    try:
        return _outcome_json(desk.undo(kit_of(request).db, person, event_id, key))
    except InputError as error:
        raise _named(error) from None


def _outcome_json(outcome: Outcome) -> dict[str, Any]:
    return {**asdict(outcome), "at": outcome.at.isoformat()}


def _named(error: InputError) -> InputError:
    """A key that was used for another request is a problem of its own."""
    taken = error.facts.get("field") == "request_key" and "before" in error.message
    return KeyTaken(error.message, field="Idempotency-Key") if taken else error
