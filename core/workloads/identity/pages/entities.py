"""The pages of published entities: looking a record up, what an entity is made of, why two records are one or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from core.charts import weight_bar
from core.errors import ConfigError
from core.matching.quality.explain import READINGS, Explanation
from core.pages.access.needs import Reviewer, Viewer
from core.pages.accounts.roles import Person
from core.pages.kit import Key, Kit, kit_of
from core.pages.masking import Personal
from core.pages.rendering import show
from core.pages.tables import Column, Table
from core.workloads.identity.pages import addresses, entity_desk
from core.workloads.identity.pages.links import Link

router = APIRouter(include_in_schema=False)

LINKS_SHOWN = 100
LINKS = (
    Column("a", "record"),
    Column("b", "record"),
    Column("bits", "bits", "number"),
    Column("probability", "probability", "amount"),
    Column("rule", "met by"),
    Column("why", "", "link"),
)
FOUND = (
    Column("record", "record"),
    Column("entity", "entity", "link"),
    Column("bits", "bits", "number"),
    Column("probability", "probability", "amount"),
    Column("decision", "decision", "state"),
    Column("joined", "it would join"),
    Column("why", "what each field weighs"),
)
STEPS = (
    Column("field", "field"),
    Column("level", "compared"),
    Column("bits", "bits", "number"),
    Column("drawn", ""),
)
RUNS = (Column("what", "from the first to the second"), Column("n", "", "count"))
DIFFERENCES = {
    "entities_gained": "entities that only the second has",
    "entities_lost": "entities that only the first has",
    "entities_merged": "entities made of several",
    "entities_split": "entities that came apart",
    "records_moved": "records with another entity",
    "records_added": "records that only the second has",
    "records_removed": "records that only the first has",
}
RecordId = Annotated[str, Query(max_length=entity_desk.ID_MAX, pattern=entity_desk.NO_NUL)]


async def given_fields(request: Request) -> dict[str, str]:
    """The fields of a form whose names are those of a data set; blank ones are left out."""
    form = await request.form(max_files=0, max_fields=entity_desk.FIELDS_MAX)
    return {name: value for name, value in form.items() if isinstance(value, str) and value.strip()}


@router.get("/{dataset:path}/lookup")
def lookup(request: Request, person: Viewer, dataset: str, record_id: RecordId = "") -> Response:
    """Where a record is, by its id; and the form for a record by its values."""
    kit = kit_of(request)
    if not record_id:
        return _lookup(request, dataset, {}, None)
    found = entity_desk.places(kit.db, dataset, record_id)
    return RedirectResponse(addresses.entity(dataset, found[0].entity_id), 303)


@router.post("/{dataset:path}/lookup")
def look_up(
    request: Request, person: Reviewer, dataset: str, given: Annotated[dict[str, str], Depends(given_fields)]
) -> Response:
    """The entity that a record of these values would join; they stand in no address and no log."""
    answer = entity_desk.look_up(kit_of(request), dataset, given)
    return _lookup(request, dataset, given, answer)


@router.get("/{dataset:path}/entities/{entity_id}")
def entity(request: Request, person: Viewer, dataset: str, entity_id: str) -> Response:
    """An entity: its records, what survives of them, what holds it together."""
    found = entity_desk.entity(kit_of(request).db, dataset, entity_id)
    links = [_link(dataset, link) for link in found.links[:LINKS_SHOWN]]
    return show(
        request,
        "identity/entity.html.j2",
        "Entity",
        dataset=dataset,
        entity=found,
        lookup=addresses.lookup(dataset),
        why=addresses.why(dataset),
        records=_records(found, person),
        golden=_golden(found, person),
        links=Table("Pairs that hold it together, the strongest first", LINKS, links),
        weakest=None if found.weakest is None or found.weakest.link is None else _link(dataset, found.weakest.link),
        keys=(Key("l", "look a record up"),),
    )


@router.get("/{dataset:path}/why")
def why(request: Request, person: Viewer, dataset: str, a: RecordId = "", b: RecordId = "") -> Response:
    """Two records: whether they are one entity, and what speaks for and against."""
    found = entity_desk.why(kit_of(request), dataset, a, b) if a and b else None
    told = None if found is None else found.told
    return show(
        request,
        "identity/why.html.j2",
        "Why, or why not",
        dataset=dataset,
        asked=(a, b),
        found=found,
        entities=[] if found is None else [addresses.entity(dataset, end.entity_id) for end in (found.a, found.b)],
        table=None if told is None else Table("Evidence in bits", STEPS, _steps(told)),
        missed=[] if told is None else list(zip(told.missed_by, told.missed_why, strict=True)),
        address=addresses.why(dataset),
        lookup=addresses.lookup(dataset),
    )


@router.get("/{dataset:path}/runs")
def runs(
    request: Request,
    person: Viewer,
    dataset: str,
    a: entity_desk.JobId | None = None,
    b: entity_desk.JobId | None = None,
) -> Response:
    """Two published jobs of a data set: what became of the entities of the one in the other."""
    kit = kit_of(request)
    there = entity_desk.runs(kit.db, dataset)
    found = entity_desk.compared(kit, dataset, a, b) if a is not None and b is not None else None
    rows = [] if found is None else [{"what": said, "n": getattr(found, name)} for name, said in DIFFERENCES.items()]
    newest = [run.job_id for run in there[:2]]
    return show(
        request,
        "identity/runs.html.j2",
        "Two runs",
        dataset=dataset,
        runs=there,
        chosen=(a if a is not None else newest[-1], b if b is not None else newest[0]) if newest else (None, None),
        table=None if found is None else Table("What became of the entities", RUNS, rows),
        address=addresses.runs(dataset),
    )


def _lookup(request: Request, dataset: str, given: Mapping[str, str], answer: Mapping[str, Any] | None) -> Response:
    columns, cannot = _columns(kit_of(request), dataset)
    rows = [] if answer is None else [_matched(dataset, one) for one in answer["matched"]]
    return show(
        request,
        "identity/lookup.html.j2",
        "Look a record up",
        dataset=dataset,
        columns=columns,
        cannot=cannot,
        given=given,
        answer=answer,
        joins=addresses.entity(dataset, answer["entity_id"]) if answer and answer["entity_id"] else None,
        table=Table("Records worth a look, the best first", FOUND, rows),
        address=addresses.lookup(dataset),
        why=addresses.why(dataset),
    )


def _columns(kit: Kit, dataset: str) -> tuple[Sequence[str], str]:
    """The fields that a record may be looked up by; none, and why, where the data set cannot be looked up in."""
    entity_desk.published(kit.db, dataset)
    try:
        return entity_desk.lookup_in(kit, dataset).columns, ""
    except ConfigError as error:
        return (), error.message


def _records(found: entity_desk.Entity, person: Person) -> Table:
    fields = list(dict.fromkeys(name for record in found.records for name in record.values))
    columns = [Column("record", "record"), *(Column(f"f {name}", name.replace("_", " ")) for name in fields)]
    rows = [
        {
            "record": _named((record.source, record.record_id), found),
            **{f"f {name}": Personal(record.values.get(name, "")).shown_to(person) for name in fields},
        }
        for record in found.records
    ]
    return Table("Records", columns, rows)


def _golden(found: entity_desk.Entity, person: Person) -> Table:
    columns = (Column("field", "field"), Column("value", "value"), Column("record", "from record"))
    rows = [
        {
            "field": name.replace("_", " "),
            "value": Personal(value).shown_to(person),
            "record": found.lineage.get(name),
        }
        for name, value in found.golden.items()
    ]
    return Table("What survives", columns, rows)


def _named(end: tuple[int, str], found: entity_desk.Entity) -> str:
    """A record's id, with its file where there are several."""
    several = len({record.source for record in found.records}) > 1
    return f"{end[0]}:{end[1]}" if several else end[1]


def _link(dataset: str, link: Link) -> dict[str, Any]:
    return {
        "a": link.a[1],
        "b": link.b[1],
        "bits": link.bits,
        "probability": f"{link.confidence:.4f}",
        "rule": link.rule,
        "why": ("why", addresses.why(dataset, link.a[1], link.b[1])),
    }


def _matched(dataset: str, one: Mapping[str, Any]) -> dict[str, Any]:
    said = [f"{step['field'].replace('_', ' ')} {step['level'].replace('_', ' ')} {step['bits']:+.1f}"
            for step in sorted(one["evidence"], key=lambda step: -abs(step["bits"])) if step["bits"]]  # fmt: skip
    return {
        "record": one["record_id"],
        "entity": (one["entity_id"][:13] + "…", addresses.entity(dataset, one["entity_id"])),
        "bits": one["bits"],
        "probability": f"{one['confidence']:.4f}",
        "decision": one["decision"],
        "joined": "yes" if one["joined"] else "",
        "why": ", ".join(said),
    }


def _steps(told: Explanation) -> list[dict[str, Any]]:
    """A row a step, from the prior to the whole."""
    steps = [("the prior", "how rare matches are", told.prior_bits)]
    steps += [
        (each.name.replace("_", " "), each.level.replace("_", " "), each.bits + each.rarity_bits)
        for each in told.fields
        if each.level != "missing"
    ]
    steps.append(("other readings", f"{READINGS[told.reading]}, or {READINGS[told.rival]}", told.other_readings_bits))
    most = max(abs(bits) for _, _, bits in steps)
    rows = [{"field": name, "level": said, "bits": bits, "drawn": weight_bar(bits, most)} for name, said, bits in steps]
    return [
        *rows,
        {"field": "in all", "level": f"probability {told.probability:.4f}", "bits": told.total_bits, "drawn": ""},
    ]
