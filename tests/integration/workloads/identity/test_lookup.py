"""Looking one record up: the answer of an increment of this one record, whatever is cached, whatever is published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.cache import MemoryCache, TieredCache
from core.database import DatabaseManager
from core.errors import ConfigError, InputError
from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.linkage.stages import survive
from core.made_records.persons.generator import generate_persons
from core.workloads.identity.lookup import IdentityLookup
from core.workloads.identity.publishing.published import rollback
from tests.integration.linkage.test_parity import through_the_queue
from tests.profiles import is_long

ROWS, OLD = 3_000, 2_700
SAMPLE = 40 if is_long() else 12
# Entities that people told apart, and that they joined.
DIFFER, JOINED = (10, 10) if is_long() else (4, 4)
DATASET = "persons:old.csv"


def tiered() -> TieredCache:
    return TieredCache(MemoryCache(1_000, 1 << 24, 60))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, db: DatabaseManager) -> Path:
    """Persons in two files, and the first of them published with all that lookups need, by several batches."""
    folder = tmp_path_factory.mktemp("lookup")
    persons = generate_persons(ROWS, seed=11, duplicates=0.4).sample(fraction=1.0, shuffle=True, seed=5)
    # Some have a second telephone, which is that of somebody else.
    second = pl.when(pl.int_range(pl.len()) % 40 == 0).then(pl.col("phone").shift(7))
    old = persons[:OLD].with_columns(phone=pl.concat_str("phone", second, separator="; ", ignore_nulls=True))
    old.write_csv(folder / "old.csv")
    persons[OLD:].write_csv(folder / "new.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(survive, "ROWS_MIN", 1)
        publish(db, folder, "old.csv", "base")
    return folder


@pytest.fixture(scope="module")
def added(db: DatabaseManager, folder: Path) -> int:
    """The job of an increment upon the first, with decisions: records of one entity told apart, two entities joined."""
    pl.read_csv(folder / "new.csv", infer_schema=False)[200:].write_csv(folder / "later.csv")
    several = entities_of_several(folder)
    rows = [(several[at][0], several[at][1], "differ") for at in range(10)]
    rows += [(several[at][0], several[at + 1][0], "match") for at in range(20, 30, 2)]
    pl.DataFrame(rows, schema=["id_a", "id_b", "decision"], orient="row").write_csv(folder / "decisions.csv")
    return publish(
        db, folder, "later.csv", "added", against=str(folder / "base.parquet"), allow_drift=True,
        decisions=str(folder / "decisions.csv"),
    )  # fmt: skip


def entities_of_several(folder: Path) -> list[list[str]]:
    base = pl.read_parquet(folder / "base.parquet")
    return (
        base.filter(pl.len().over("entity_id") > 1).group_by("entity_id", maintain_order=True).agg("id")["id"].to_list()
    )


@pytest.fixture
def first(db: DatabaseManager, folder: Path) -> int:
    """The first job, which is published again whatever other tests published."""
    (job_id,) = db.execute_query("test", "SELECT min(job_id) FROM lookup_jobs")[0]
    rollback(db, job_id)
    return int(job_id)


def publish(db: DatabaseManager, folder: Path, name: str, out: str, **extra: Any) -> int:
    request = MatchRequest(
        input=str(folder / name), id_column="id", out=str(folder / f"{out}.parquet"), lookup=True, **extra
    )
    return int(str(through_the_queue(request, db, folder)["job_id"]))


def records_of(path: Path) -> list[dict[str, Any]]:
    fields = ["first_name", "last_name", "dob", "ssn", "phone", "street", "city", "state", "zip", "email"]
    return pl.read_csv(path, infer_schema=False).select("id", *fields).to_dicts()


def ask(lookup: IdentityLookup, record: dict[str, Any], **options: Any) -> dict[str, Any]:
    return lookup.find({name: value for name, value in record.items() if name != "id"}, **options)


def increment(folder: Path, record: dict[str, Any], base: str = "base") -> tuple[pl.DataFrame, str, set[str]]:
    """Pairs that a match of one more record adds, the entity the record is in, and the other records of that."""
    pl.DataFrame([record], schema=dict.fromkeys(record, pl.String)).write_csv(folder / "one.csv")
    request = MatchRequest(
        input=str(folder / "one.csv"), id_column="id", out=str(folder / "one.parquet"), allow_drift=True,
        against=str(folder / f"{base}.parquet"),
    )  # fmt: skip
    resolve(request, folder / "work")
    members = pl.read_parquet(folder / "one.parquet")
    entity = members.filter(pl.col("id") == record["id"])["entity_id"][0]
    others = set(members.filter((pl.col("entity_id") == entity) & (pl.col("id") != record["id"]))["id"])
    return pl.read_parquet(folder / "one.pairs.parquet").filter(pl.col("id_b") == record["id"]), entity, others


def assert_equal_answers(folder: Path, found: dict[str, Any], record: dict[str, Any], base: str) -> None:
    """Lookup and increment agree on pairs, weights to the last bit, entity, and who is in it."""
    before = dict(pl.read_parquet(folder / f"{base}.parquet").select("id", "entity_id").iter_rows())
    pairs, entity, others = increment(folder, record, base)
    mine = {(one["record_id"], one["bits"], one["decision"], one["joined"]) for one in found["matched"]}
    theirs = set(pairs.select("id_a", "score", "decision", "joined").iter_rows())
    assert mine == theirs
    assert found["complete"]
    assert found["decision"] == ("match" if others else "review" if pairs.height else "new")
    if entity in before.values():
        assert found["entity_id"] == entity
        assert set(found["merged"]) == {before[other] for other in others} - {entity}
    else:
        assert found["entity_id"] is None


def test_lookup_is_what_an_increment_of_one_record_adds(db: DatabaseManager, folder: Path, first: int) -> None:
    lookup = IdentityLookup(db, tiered(), DATASET)
    decisions = []
    for record in records_of(folder / "new.csv")[:SAMPLE]:
        found = ask(lookup, record, record_id=record["id"])
        assert_equal_answers(folder, found, record, "base")
        decisions.append(found["decision"])
    assert {"match", "new"} <= set(decisions)


def test_a_record_is_looked_up_by_each_of_its_values(db: DatabaseManager, folder: Path, first: int) -> None:
    """Also where it has more of them than any record that is published has room for."""
    lookup = IdentityLookup(db, tiered(), DATASET)
    new, old = records_of(folder / "new.csv"), records_of(folder / "old.csv")
    numbers = [record["phone"] for record in old if record["phone"] and record["first_name"] == new[3]["first_name"]]
    mails = [record["email"] for record in old if record["email"]]
    record = new[3] | {"phone": "; ".join(dict.fromkeys(numbers[:3])), "email": ", ".join(mails[5:7])}
    found = ask(lookup, record, record_id=record["id"])
    assert found["candidates"] >= ask(lookup, new[3])["candidates"] + 3
    assert_equal_answers(folder, found, record, "base")


def test_lookup_follows_decisions_and_merges_as_an_increment_does(
    db: DatabaseManager, folder: Path, added: int
) -> None:
    """A record between two entities, told apart or not by people, on top of an increment with entities of two ages."""
    rollback(db, added)
    several = entities_of_several(folder)
    old = {record["id"]: record for record in records_of(folder / "old.csv")}
    between = [old[several[at][0]] | {"id": f"again-{at}"} for at in (*range(DIFFER), *range(20, 20 + JOINED))]
    lookup = IdentityLookup(db, tiered(), DATASET)
    merged = 0
    for record in [*between, *records_of(folder / "new.csv")[: 10 if is_long() else 4]]:
        found = ask(lookup, record, record_id=record["id"])
        assert_equal_answers(folder, found, record, "added")
        merged += bool(found["merged"])
    assert merged
    began = "SELECT DISTINCT began FROM lookup_records WHERE job_id = :j"
    assert {row[0] for row in db.execute_query("test", began, {"j": added})} == {0, 1}


def test_lookup_of_a_published_record_finds_its_own_entity(db: DatabaseManager, folder: Path, first: int) -> None:
    lookup = IdentityLookup(db, tiered(), DATASET)
    entity = dict(pl.read_parquet(folder / "base.parquet").select("id", "entity_id").iter_rows())
    for record in records_of(folder / "old.csv")[:300]:
        found = ask(lookup, record)
        assert found["decision"] == "match"
        assert found["entity_id"] == entity[record["id"]]
        assert record["id"] in {one["record_id"] for one in found["matched"] if one["joined"]}


def test_lookup_keeps_answers_and_notices_a_new_version(
    db: DatabaseManager, folder: Path, first: int, added: int
) -> None:
    now = added
    rollback(db, now)
    clock, cache = [0.0], tiered()
    lookup = IdentityLookup(db, cache, DATASET, version_ttl_s=1.0, clock=lambda: clock[0])
    record, other = records_of(folder / "old.csv")[:2]
    assert ask(lookup, record)["job_id"] == now
    made = cache.figures().made
    assert ask(lookup, record)["job_id"] == now
    assert cache.figures().made == made
    rollback(db, first)
    assert ask(lookup, record)["job_id"] == now, "kept answers may be a second old"
    assert ask(lookup, other)["job_id"] == first, "the probe itself says that another job is published"
    assert ask(lookup, record)["job_id"] == first
    rollback(db, now)
    clock[0] = 2.0
    assert ask(lookup, record)["job_id"] == now


def test_lookup_never_answers_out_of_another_database(db: DatabaseManager, folder: Path, first: int) -> None:
    """Numbers of jobs repeat; a Redis may be shared."""
    cache, record = tiered(), records_of(folder / "old.csv")[0]
    ask(IdentityLookup(db, cache, DATASET), record)
    ask(IdentityLookup(db, cache, DATASET), record)
    assert cache.figures().made == 1
    db.execute_query(
        "test", "UPDATE jobs SET created_at = created_at + interval '1 us' WHERE job_id = :j", {"j": first}
    )
    ask(IdentityLookup(db, cache, DATASET), record)
    assert cache.figures().made == 2


def test_lookup_says_what_each_field_weighed_without_values(db: DatabaseManager, folder: Path, first: int) -> None:
    lookup = IdentityLookup(db, tiered(), DATASET)
    record = records_of(folder / "old.csv")[3]
    found = ask(lookup, record, with_evidence=True)
    (mine,) = [one for one in found["matched"] if one["record_id"] == record["id"]]
    fields = {one["field"]: one for one in mine["evidence"]}
    assert fields["last_name"]["level"] == "exact"
    assert fields["last_name"]["bits"] > 0
    assert record["last_name"] not in str(found)


def test_lookup_of_what_cannot_be_is_refused(db: DatabaseManager, folder: Path) -> None:
    lookup = IdentityLookup(db, tiered(), DATASET)
    with pytest.raises(InputError, match="no field 'surname'; fields: first_name, last_name"):
        lookup.find({"surname": "x"})
    with pytest.raises(InputError, match="field ssn holds a list"):
        lookup.find({"ssn": [1]})
    with pytest.raises(InputError, match="field dob holds a date whose year has two digits"):
        lookup.find({"dob": "28/02/90"})
    # Its digits are compared, as a match compares them.
    assert lookup.find({"dob": "1990-02-30"})["decision"] == "new"
    nothing = lookup.find({})
    assert (nothing["decision"], nothing["entity_id"], nothing["candidates"]) == ("new", None, 0)
    with pytest.raises(ConfigError, match="nothing is published for data set 'x'; published: '"):
        IdentityLookup(db, tiered(), "x")


def test_lookup_in_a_job_without_lists_is_refused(db: DatabaseManager, folder: Path) -> None:
    pl.read_csv(folder / "new.csv", infer_schema=False).write_csv(folder / "bare.csv")
    through_the_queue(MatchRequest(input=str(folder / "bare.csv"), id_column="id"), db, folder)
    with pytest.raises(ConfigError, match="cannot be looked up in; match its input .* `--via prefect --lookup`"):
        IdentityLookup(db, tiered(), "persons:bare.csv")
    # The only one that can be looked up in need not be named.
    assert IdentityLookup(db, tiered()).dataset != "persons:bare.csv"


def test_lookup_lists_are_of_the_database_only(folder: Path) -> None:
    request = MatchRequest(input=str(folder / "old.csv"), id_column="id", lookup=True)
    with pytest.raises(ConfigError, match="add `via` prefect"):
        resolve(request, folder / "work")
    with pytest.raises(ConfigError, match="not across files with `link`"):
        through_the_queue(request.model_copy(update={"link": (str(folder / "new.csv"),)}), None, folder)  # type: ignore[arg-type]
