"""A published person who is removed is in no table, and in no file of ours, whatever was published before."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.database import DatabaseManager
from core.errors import ConfigError
from core.intake.file_digest import file_digest
from core.linkage.request import MatchRequest
from core.made_records.persons.generator import generate_persons
from core.queue.producers import jobs
from core.runtime import Runtime
from core.settings import Settings
from core.workloads.identity.publishing.export import export_job
from core.workloads.identity.publishing.published import rollback
from core.workloads.identity.session import open_session
from core.workloads.identity.workload import FLOW
from tests.integration.linkage.history.test_erasure import MARK, holding
from tests.integration.linkage.test_parity import drain

TABLES = "SELECT c.oid::regclass::text FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"


def published(runtime: Runtime, request: MatchRequest) -> int:
    return finished(runtime, request)[0]


def finished(runtime: Runtime, request: MatchRequest) -> tuple[int, dict[str, Any]]:
    """Do a job to its end, as processes of a flow do; its number and figures."""
    with open_session(runtime, request, threads=2) as session, closing(session), ThreadPoolExecutor(2) as runners:
        for stage in session.stages:
            session.open(stage)
            drain(session, stage, runners)
            session.share_done(stage)
        summary = session.finish()
        session.write_outputs(summary)
        return session.job_id, summary


def tables_with(db: DatabaseManager, text: str) -> list[str]:
    """Tables in which any value of any row holds a text, however it is written."""
    tables = [str(name) for (name,) in db.execute_query("test", TABLES)]
    each = (f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name} t WHERE t::text ILIKE :like)" for name in tables)
    return [str(name) for (name,) in db.execute_query("test", " UNION ALL ".join(each), {"like": f"%{text}%"})]


def begun(runtime: Runtime, name: str, path: Path) -> int:
    """A job that read the same file and left something of it in its workspace."""
    workspace = runtime.workspace_of(name)
    workspace.write_json("left.json", MARK)
    return runtime.queue.submit_job(FLOW, name, {"workspace": workspace.uri}, file_digest(path)).job_id


def test_a_removed_person_is_in_no_table_and_in_no_file_of_ours(db: DatabaseManager, tmp_path: Path) -> None:
    state, inputs = tmp_path / "state", tmp_path / "inputs"
    inputs.mkdir()
    runtime = Runtime(Settings(state_dir=state), db, "worker")
    persons = generate_persons(400, seed=4, duplicates=0.3).drop("entity_id")
    one = persons.row(0, named=True) | {"last_name": MARK, "street": f"1 {MARK} Road"}
    # Three of them, so that the model knows the name.
    rows = [one | {"id": each} for each in "ABC"]
    pl.concat([persons, pl.DataFrame(rows, schema=persons.schema)]).write_csv(inputs / "persons.csv")
    (inputs / "gone.csv").write_text("id\nA\nB\nC\n")
    asked: dict[str, Any] = {"id_column": "id", "lookup": True, "dataset": "erased"}
    request = MatchRequest(input=str(inputs / "persons.csv"), **asked)

    first = published(runtime, request)
    exported = export_job(runtime.queue, first, state / "exports", runtime.workspace)
    cancelled, other = (begun(runtime, name, inputs / "persons.csv") for name in ("cancelled", "other"))
    jobs.cancel(db, cancelled)
    assert {"strings.parquet", "model.json", "left.json"} <= holding(state, MARK)
    held = " ".join(tables_with(db, MARK))
    assert all(f"{name}_" in held for name in ("entities", "identities", "lookup_records"))
    assert "lookup_jobs" in held

    gone = str(inputs / "gone.csv")
    second, summary = finished(runtime, MatchRequest(input=gone, removed=gone, against=str(exported), **asked))

    assert tables_with(db, MARK) == []
    assert holding(state, MARK) == {"left.json"}
    assert not exported.exists()
    assert not runtime.workspace_of("cancelled").root.exists()
    notices = "\n".join(summary["notices"])
    assert f"hold the former values still: {other}; match those" in notices
    assert "yours to delete: persons.csv" in notices
    assert exported.name not in notices
    members = "SELECT job_id, count(*) FROM current_entity_members WHERE dataset = 'erased' GROUP BY 1"
    assert [tuple(row) for row in db.execute_query("test", members)] == [(second, 400)]
    with pytest.raises(ConfigError, match="are gone from the database"):
        rollback(db, first)
    with pytest.raises(ConfigError, match="are gone from the database since; set `rerun`"):
        published(runtime, request)
    again = export_job(runtime.queue, second, state / "exports", runtime.workspace)
    assert pl.read_parquet(again).height == 400
    assert again.with_name(f"job-{second}.records-0.parquet").exists()
