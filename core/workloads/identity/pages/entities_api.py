"""`/api/v1/identity`: published entities, looking a record up, two records, two runs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from core.pages.access.needs import Reviewer, Viewer
from core.pages.accounts.roles import Person
from core.pages.kit import kit_of
from core.pages.masking import Personal
from core.workloads.identity.pages import entity_desk
from core.workloads.identity.pages.links import Link
from core.workloads.identity.pages.review_api import Name

api = APIRouter(tags=["identity"])

RecordId = Annotated[
    str,
    Query(min_length=1, max_length=entity_desk.ID_MAX, pattern=entity_desk.NO_NUL, examples=["P0000017"]),
]


class Asked(BaseModel):
    """A record to look up."""

    model_config = ConfigDict(extra="forbid")

    dataset: str = Field(max_length=entity_desk.ID_MAX, examples=["persons:people.csv"])
    record: dict[str, str | int | float | None] = Field(
        max_length=entity_desk.FIELDS_MAX, examples=[{"first_name": "Ann", "last_name": "Oak", "dob": "1990-02-03"}]
    )


@api.post("/lookup", summary="The entity that one record would join; nothing is written.")
def look_up(request: Request, person: Reviewer, asked: Asked) -> dict[str, Any]:
    """A POST, so that values stand in no address; the answer has ids, bits and what each field weighs."""
    return entity_desk.look_up(kit_of(request), asked.dataset, asked.record)


@api.get("/records", summary="The entity of a record; several where linked files have the same id.")
def records(request: Request, person: Viewer, dataset: Name, record_id: RecordId) -> dict[str, Any]:
    """By id; `source` is the number of the file."""
    return {"data": [asdict(place) for place in entity_desk.places(kit_of(request).db, dataset, record_id)]}


@api.get("/entities/{entity_id}", summary="A published entity: records, surviving values, what holds it together.")
def entity(request: Request, person: Viewer, entity_id: str, dataset: Name) -> dict[str, Any]:
    """The first 50 records and all their pairs; values are masked for viewers."""
    found = entity_desk.entity(kit_of(request).db, dataset, entity_id)
    weakest = found.weakest
    return {
        "entity_id": found.entity_id,
        "job_id": found.job_id,
        "n_records": found.n_records,
        "records": [
            {"source": each.source, "id": each.record_id, "values": _shown(each.values, person)}
            for each in found.records
        ],
        "golden": _shown(found.golden, person),
        "lineage": dict(found.lineage),
        "links": [_link(link) for link in found.links],
        "weakest": None
        if weakest is None or weakest.link is None
        else {**_link(weakest.link), "n_a": weakest.n_a, "n_b": weakest.n_b},
    }


@api.get("/why", summary="Whether two records are one entity, and what speaks for and against.")
def why(request: Request, person: Viewer, dataset: Name, a: RecordId, b: RecordId) -> dict[str, Any]:
    """`kept`: what the job kept of the pair; `evidence`: null where the job was published without `--lookup`."""
    found = entity_desk.why(kit_of(request), dataset, a, b)
    told = found.told
    return {
        "job_id": found.job_id,
        "one": found.is_one,
        "records": [asdict(found.a), asdict(found.b)],
        "kept": found.kept,
        "evidence": None
        if told is None
        else {
            "prior_bits": told.prior_bits,
            "fields": [
                {"field": each.name, "level": each.level, "bits": round(each.bits + each.rarity_bits, 3)}
                for each in told.fields
            ],
            "other_readings_bits": told.other_readings_bits,
            "total_bits": told.total_bits,
            "probability": told.probability,
            "met_by": list(told.compared_by),
            "missed_by": dict(zip(told.missed_by, told.missed_why, strict=True)),
        },
        "verdict": None if found.said is None else {"verdict": found.said.verdict, "by": found.said.decided_by},
    }


@api.get("/runs", summary="Jobs that were published for a data set, the newest first.")
def runs(request: Request, person: Viewer, dataset: Name) -> dict[str, Any]:
    """As far as their answers are still there."""
    return {"data": [asdict(run) for run in entity_desk.runs(kit_of(request).db, dataset)]}


@api.get("/runs/diff", summary="What became of the entities of one published job in another.")
def diff(request: Request, person: Viewer, dataset: Name, a: entity_desk.JobId, b: entity_desk.JobId) -> dict[str, Any]:
    """Counts of entities gained, lost, merged and split, and of records that moved."""
    return asdict(entity_desk.compared(kit_of(request), dataset, a, b))


def _shown(values: Any, person: Person) -> dict[str, str]:
    return {name: Personal(value).shown_to(person) for name, value in values.items()}


def _link(link: Link) -> dict[str, Any]:
    return {
        "a": {"source": link.a[0], "id": link.a[1]},
        "b": {"source": link.b[0], "id": link.b[1]},
        "bits": round(link.bits, 3),
        "probability": link.confidence,
        "pass": link.rule,
        "levels": link.levels,
    }
