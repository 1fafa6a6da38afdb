"""Published answers compared, and the way back to an earlier one."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from core.cli.app import build
from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import ConfigError
from core.linkage.history.base_run import MEMBERS, member_keys
from core.matching.clustering.entity_ids import uuid_texts
from core.matching.clustering.keys128 import find_keys
from core.matching.text.hashing import flat_bytes
from core.queue import BatchQueue, FlowPolicy
from core.settings import QueueSettings
from core.storage.workspace import BASE, Workspace
from core.storage.workspace import load as load_array
from core.workloads.identity.publishing.published import JobsDiff, Rollback, diff, keep_published, rollback

MEMBER = "INSERT INTO entity_members (job_id, entity_id, record_id) VALUES (%s, %s, %s)"


def published_job(db: DatabaseManager, dataset: str, entities: dict[str, str]) -> int:
    """A published job: record -> entity, by short names."""
    queue = BatchQueue(db, QueueSettings(), "test")
    queue.register_flow(FlowPolicy("published"))
    job_id = queue.submit_job("published", uuid.uuid4().hex, {}, "digest").job_id
    with db.transaction() as conn:
        run(conn, load("identity")["own_tables_make"], {"job_id": job_id, "identities": False})
        for record, entity in entities.items():
            conn.execute(MEMBER, (job_id, uuid.uuid5(uuid.NAMESPACE_OID, entity), record))
        run(conn, load("identity")["job_publish"], {"dataset": dataset, "job_id": job_id, "how": "publish"})
    return job_id


def current(db: DatabaseManager, dataset: str) -> set[int]:
    found = db.execute_query("test", "SELECT job_id FROM current_entity_members WHERE dataset = :d", {"d": dataset})
    return {row[0] for row in found}


def test_diff_counts_what_became_of_entities(db: DatabaseManager) -> None:
    a = published_job(db, "one", {"1": "A", "2": "A", "3": "B", "4": "C", "5": "C", "6": "D"})
    b = published_job(db, "one", {"1": "A", "2": "A", "3": "A", "4": "C", "5": "E", "7": "F"})
    # B went into A, C lost record 5 to E, D is gone with record 6, F came with record 7.
    assert diff(db, a, b) == JobsDiff(
        job_a=a, job_b=b, entities_gained=2, entities_lost=2, entities_merged=1, entities_split=1,
        records_moved=2, records_added=1, records_removed=1,
    )  # fmt: skip
    assert diff(db, a, a) == JobsDiff(a, a, 0, 0, 0, 0, 0, 0, 0)
    with pytest.raises(ConfigError, match="job 99999 has no entities"):
        diff(db, a, 99_999)


def test_rollback_sends_readers_back_and_forth_and_keeps_the_history(db: DatabaseManager) -> None:
    old, new = published_job(db, "two", {"1": "A"}), published_job(db, "two", {"1": "B"})
    assert current(db, "two") == {new}
    assert rollback(db, old) == [Rollback("two", new, old)]
    assert current(db, "two") == {old}
    rollback(db, new)
    assert current(db, "two") == {new}
    history = db.execute_query("test", "SELECT job_id, how FROM publications WHERE dataset = 'two' ORDER BY 1, 2")
    assert sorted(map(tuple, history)) == sorted(
        [(old, "publish"), (new, "publish"), (old, "rollback"), (new, "rollback")]
    )


def test_rollback_to_what_was_never_published_or_is_gone_is_refused(db: DatabaseManager) -> None:
    with pytest.raises(ConfigError, match="was never published"):
        rollback(db, 99_999)
    gone = published_job(db, "three", {})
    kept = published_job(db, "three", {"1": "A"})
    with pytest.raises(ConfigError, match="are gone from the database"):
        rollback(db, gone)
    assert current(db, "three") == {kept}


def test_members_of_the_published_job_are_kept_by_source_and_id(db: DatabaseManager, tmp_path: Path) -> None:
    published_job(db, "five", {"1": "another job's"})
    job_id = published_job(db, "five", {"1": "A", "ü": "A", "": "B"})
    with db.transaction() as conn:
        conn.execute(
            "INSERT INTO entity_members (job_id, source_no, entity_id, record_id) "
            "SELECT %s, 1, md5((n / 2)::text)::uuid, n::text FROM generate_series(1, 60000) n",
            (job_id,),
        )
        said = conn.execute(
            "SELECT source_no, record_id, entity_id::text FROM entity_members WHERE job_id = %s", (job_id,)
        ).fetchall()
        pages = conn.execute("SELECT pg_relation_size(%s) / 8192", (f"entity_members_j{job_id}",)).fetchone()
    assert pages is not None
    assert pages[0] > 256
    workspace = Workspace(str(tmp_path / "work"))
    keep_published(db, "five", workspace, job_id + 1)
    keys, entities = (load_array(workspace.path(BASE), name) for name in MEMBERS)
    sources, ids, expected = (pl.Series([row[at] for row in said]) for at in range(3))
    wanted = member_keys(flat_bytes(ids), sources.to_numpy())
    assert len({*map(tuple, wanted.tolist())}) == len(said) == len(keys) == 60_003
    places = find_keys(wanted, keys)
    assert places.min() > 0
    assert uuid_texts(entities[places - 1]).to_list() == expected.to_list()


def test_commands_print_json(db: DatabaseManager, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_DATABASE__URL", database_url)
    a, b = published_job(db, "four", {"1": "A"}), published_job(db, "four", {"1": "B"})
    (found,) = json.loads(CliRunner().invoke(build(), ["jobs", "diff", str(a), str(b), "--json"]).stdout)
    assert (found["entities_gained"], found["entities_lost"], found["records_moved"]) == (1, 1, 1)
    (back,) = json.loads(CliRunner().invoke(build(), ["jobs", "rollback", str(a), "--json"]).stdout)
    assert back == {"dataset": "four", "from_job": b, "to_job": a}
