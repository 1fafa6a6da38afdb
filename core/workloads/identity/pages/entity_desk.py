"""What pages and API do with published entities: what one is made of, where a record would go, why two are one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query

from core.cache import open_cache
from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import ConfigError, InputError
from core.matching.quality.explain import Explanation
from core.pages.kit import Kit
from core.pages.problems import NotFound
from core.review.items import Item, items_of
from core.workloads.identity.lookup import IdentityLookup
from core.workloads.identity.pages.links import Link, Weakest, weakest_of
from core.workloads.identity.publishing.published import JobsDiff, diff
from core.workloads.identity.reviewing.cases import topic

Q = load("identity")
RECORDS_SHOWN = 50
RECORDS_LINKED = 500
"""An entity of more records is shown without its weakest link, which wants all of them."""
LINKS_MAX = 20_000
ID_MAX = 1_000
FIELDS_MAX = 200
VALUE_MAX = 2_000
NO_NUL = r"^[^\x00]*$"
KEPT = ("bits", "confidence", "rule", "decision", "joined", "levels")
JobId = Annotated[int, Query(ge=1, lt=1 << 62, description="Of a published job.", examples=[3])]


@dataclass(frozen=True, slots=True)
class Record:
    """A record of an entity. values: field -> value; empty where the job did not publish values."""

    source: int
    record_id: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Entity:
    """A published entity. records: the first RECORDS_SHOWN. golden, lineage: surviving values, and whose they are.

    links: the pairs that hold it together, the strongest first; weakest: the one at which it would come apart, None
    where it has one record or more than RECORDS_LINKED.
    """

    entity_id: str
    job_id: int
    n_records: int
    records: Sequence[Record]
    golden: Mapping[str, str]
    lineage: Mapping[str, str]
    links: Sequence[Link]
    weakest: Weakest | None


@dataclass(frozen=True, slots=True)
class Place:
    """A record, and the entity that it is in."""

    record_id: str
    source: int
    entity_id: str


@dataclass(frozen=True, slots=True)
class Why:
    """What is known of two records of a published job.

    kept: what the job kept of the pair, by the names of KEPT; None where it was
    neither accepted nor worth a look. told: each field's say and the passes, None where the job cannot be looked up in.
    said: the case that people decided or were asked.
    """

    job_id: int
    a: Place
    b: Place
    kept: Mapping[str, Any] | None
    told: Explanation | None
    said: Item | None

    @property
    def is_one(self) -> bool:
        """Whether they are one entity."""
        return self.a.entity_id == self.b.entity_id


@dataclass(frozen=True, slots=True)
class Run:
    """A job that was published for a data set, and when last."""

    job_id: int
    published_at: datetime


def lookup_in(kit: Kit, name: str) -> IdentityLookup:
    """What looks records up in a data set; made once a process. Raises ConfigError: it cannot be looked up in."""
    cache = kit.kept.get("identity cache", lambda: open_cache(kit.settings))
    ttl_s = kit.settings.cache.version_ttl_s
    return kit.kept.get(f"identity lookup {name}", lambda: IdentityLookup(kit.db, cache, name, version_ttl_s=ttl_s))


def look_up(kit: Kit, name: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """The entity that a record would join, with what each field weighs; `core.workloads.identity.lookup.Answer`.

    Raises NotFound: no such data set; ConfigError: it cannot be looked up in; InputError: no value, one too long, or as
    `IdentityLookup.find`.
    """
    published(kit.db, name)
    long = next((field for field, value in record.items() if len(str(value)) > VALUE_MAX), None)
    if long is not None:
        raise InputError(f"field {long} has more than {VALUE_MAX:,} characters", field=long)
    if not any(str(value or "").strip() for value in record.values()):
        raise InputError("no field has a value; give at least one")
    return lookup_in(kit, name).find(record, with_evidence=True)


def published(db: DatabaseManager, name: str) -> int:
    """The job that counts for a data set. Raises NotFound."""
    with db.transaction() as conn:
        found = run(conn, Q["published_job"], {"dataset": name})
    if not found:
        raise NotFound("no data set of that name is published; /identity lists those there are")
    return int(found[0][0])


def entity(db: DatabaseManager, name: str, entity_id: str) -> Entity:
    """An entity of what is published now. Raises NotFound."""
    job_id = published(db, name)
    uuid = _uuid(entity_id)
    known = {"job_id": job_id, "entity_id": uuid}
    with db.transaction() as conn:
        told = run(conn, Q["entity_told"], known)
        if not told:
            raise NotFound("there is no entity of that id in what is published; look a record of it up")
        ((n_records, golden, lineage),) = told
        ends = [(row[0], row[1]) for row in run(conn, Q["entity_records"], known | {"limit": RECORDS_LINKED})]
        said = run(conn, Q["entity_values"], known | {"limit": RECORDS_SHOWN})
        few = 1 < n_records <= RECORDS_LINKED
        asked = {"job_id": job_id, "ids": [record_id for _, record_id in ends], "limit": LINKS_MAX}
        links = [_link(row) for row in run(conn, Q["entity_links"], asked)] if few else []
    values = {(source, record_id): {**own, **(more or {})} for source, record_id, own, more in said}
    inside = [link for link in links if link.a in ends and link.b in ends]
    return Entity(
        entity_id=uuid,
        job_id=job_id,
        n_records=n_records,
        records=[Record(*end, _present(values.get(end, {}))) for end in ends[:RECORDS_SHOWN]],
        golden=_present(golden or {}),
        lineage=_present(lineage or {}),
        links=inside,
        weakest=weakest_of(ends, inside) if few else None,
    )


def places(db: DatabaseManager, name: str, record_id: str) -> list[Place]:
    """Where a record is; several where linked files have the same id. Raises NotFound."""
    found = _places(db, published(db, name), record_id)
    if not found:
        raise NotFound("no record of that id is published in this data set; look it up by its values")
    return found


def why(kit: Kit, name: str, a: str, b: str) -> Why:
    """Why two records are one, or not. Raises NotFound: one is not there; InputError: they are the same."""
    if a == b:
        raise InputError("both ids are the same record; name two", field="b")
    job_id = published(kit.db, name)
    ends = [_places(kit.db, job_id, record_id) for record_id in (a, b)]
    if not all(ends):
        raise NotFound(f"the {'first' if not ends[0] else 'second'} of the two is no published record of this data set")
    with kit.db.transaction() as conn:
        kept = run(conn, Q["pair_told"], {"job_id": job_id, "a": a, "b": b})
        rows: dict[str, int] = dict(run(conn, Q["record_rows"], {"job_id": job_id, "ids": [a, b]}))
    said = items_of(kit.db, topic(name), [tuple(sorted((a, b)))])
    return Why(
        job_id,
        ends[0][0],
        ends[1][-1],
        dict(zip(("bits", "confidence", "rule", "decision", "joined", "levels"), kept[0], strict=True))
        if kept
        else None,
        _explained(kit, name, job_id, rows, a, b),
        said[0] if said else None,
    )


def runs(db: DatabaseManager, name: str) -> list[Run]:
    """Jobs that can be compared, the newest first. Raises NotFound: no such data set."""
    published(db, name)
    with db.transaction() as conn:
        return [Run(*row) for row in run(conn, Q["dataset_runs"], {"dataset": name})]


def compared(kit: Kit, name: str, job_a: int, job_b: int) -> JobsDiff:
    """What became of the entities of one published job of a data set in another.

    Jobs never change, so it is reckoned once a process. Raises NotFound: one is no job of the data set; StoreError: it
    takes longer than a page may, which the command `headrace jobs diff` does not mind.
    """
    known = {each.job_id for each in runs(kit.db, name)}
    strange = next((job_id for job_id in (job_a, job_b) if job_id not in known), None)
    if strange is not None:
        raise NotFound(f"job {strange} is none that was published for this data set, or its answers are gone")
    return kit.kept.get(f"identity diff {job_a} {job_b}", lambda: diff(kit.db, job_a, job_b))


def _places(db: DatabaseManager, job_id: int, record_id: str) -> list[Place]:
    with db.transaction() as conn:
        rows = run(conn, Q["entities_of_record"], {"job_id": job_id, "record_id": record_id})
    return [Place(record, source, found) for found, source, record in rows]


def _explained(kit: Kit, name: str, job_id: int, rows: Mapping[str, int], a: str, b: str) -> Explanation | None:
    if a not in rows or b not in rows:
        return None
    try:
        return lookup_in(kit, name).explain(job_id, rows[a], rows[b])
    except (ConfigError, InputError):
        return None


def _link(row: Sequence[Any]) -> Link:
    source_a, id_a, source_b, id_b, score, confidence, rule, levels = row
    return Link((source_a, id_a), (source_b, id_b), float(score), float(confidence), rule, levels or "")


def _present(found: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in found.items() if value is not None}


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise NotFound("that is no id of an entity; they look like 691c2d0a-cbaf-8f79-8122-11e21ad8cd8a") from None
