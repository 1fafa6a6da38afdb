from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from core.cli.app import build
from core.database import DatabaseManager
from core.database.sizing.tuning import machine
from core.monitoring.advise.advice import Advice, Thresholds, advise

FAULTS = """
CREATE SCHEMA planted;
CREATE TABLE planted.parent (id int PRIMARY KEY);
CREATE TABLE planted.big (n int, state text, parent int REFERENCES planted.parent, quiet int)
    WITH (autovacuum_enabled = false);
INSERT INTO planted.parent VALUES (1);
INSERT INTO planted.big SELECT i, 'new', 1, i FROM generate_series(1, 20000) i;
CREATE INDEX first_one ON planted.big (state, quiet);
CREATE INDEX twin ON planted.big (state, quiet);
CREATE INDEX other_order ON planted.big (state, quiet DESC);
CREATE INDEX broken ON planted.big (quiet);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'planted.broken'::regclass;
ANALYZE planted.big;
"""


@pytest.fixture(scope="module")
def faulty(db: DatabaseManager) -> Iterator[DatabaseManager]:
    with db.transaction() as conn:
        conn.execute(FAULTS)
    with db.transaction() as conn:
        conn.execute("SELECT * FROM planted.big WHERE n = 7")
    yield db
    with db.transaction() as conn:
        conn.execute("DROP SCHEMA planted CASCADE")


def planted(advice: Advice) -> set[tuple[str, str]]:
    return {(found.kind, found.object) for found in advice.findings if "planted" in found.object}


def test_planted_faults_are_found_each_with_statement_and_undo(faulty: DatabaseManager) -> None:
    advice = advise(faulty)
    assert advice.lost == ()
    assert planted(advice) == {
        ("invalid index", "planted.broken"),
        ("autovacuum off", "planted.big"),
        ("missing index", "planted.big"),
        ("foreign key without index", "planted.big"),
        ("duplicate index", "planted.twin"),
    }
    said = {found.kind: found for found in advice.findings if "planted" in found.object}
    assert said["missing index"].statement == "CREATE INDEX CONCURRENTLY ON planted.big (n)"
    assert said["foreign key without index"].statement == "CREATE INDEX CONCURRENTLY ON planted.big (parent)"
    assert said["duplicate index"].undo == "CREATE INDEX twin ON planted.big USING btree (state, quiet)"
    assert all(found.evidence and found.lock and found.undo for found in advice.findings)


def test_index_is_unused_only_by_old_statistics_and_never_one_of_ours(faulty: DatabaseManager) -> None:
    unused = [
        found.object for found in advise(faulty, None, Thresholds(0, 0, 0)).findings if found.kind == "unused index"
    ]
    assert {"planted.first_one", "planted.twin", "planted.other_order"} <= set(unused)
    assert [name for name in unused if not name.startswith("planted.")] == []
    assert not any(found.kind == "unused index" for found in advise(faulty).findings)


def test_snapshot_that_is_held_is_found_with_its_session(faulty: DatabaseManager) -> None:
    with faulty.transaction() as held:
        held.execute("SELECT count(*) FROM planted.parent")
        pid = held.info.backend_pid
        found = advise(faulty, None, Thresholds(held_s=0)).findings
    assert f"SELECT pg_terminate_backend({pid})" in [one.statement for one in found if one.kind == "snapshot held"]


def test_settings_are_compared_with_those_of_a_machine(faulty: DatabaseManager) -> None:
    found = {one.object: one for one in advise(faulty, machine("64GB", 16, "ssd")).findings if one.kind == "setting"}
    assert found["shared_buffers"].statement == "ALTER SYSTEM SET shared_buffers = '16GB'"
    assert "restart" in found["shared_buffers"].lock
    assert not {"fsync", "synchronous_commit", "full_page_writes", "shared_preload_libraries"} & found.keys()


def test_command_prints_findings_and_refuses_half_a_machine(
    faulty: DatabaseManager, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_DATABASE__URL", database_url)
    monkeypatch.setenv("COLUMNS", "80")
    said = CliRunner().invoke(build(), ["db", "advise"], catch_exceptions=False).stdout
    assert "DROP INDEX CONCURRENTLY planted.twin" in said
    assert max(map(len, said.splitlines())) <= 80
    found = json.loads(CliRunner().invoke(build(), ["db", "advise", "--json"], catch_exceptions=False).stdout)
    assert {"findings", "lost"} == set(found)
    error = CliRunner().invoke(build(), ["db", "advise", "--ram", "64GB"]).exception
    assert "give both or neither" in str(error)
