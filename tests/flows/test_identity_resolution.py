"""The flow, as real processes against a real Prefect server and a real PostgreSQL."""

from __future__ import annotations

import json
import signal
import time
import urllib.request
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.database import DatabaseManager
from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from tests.flows.conftest import ROWS, StartFlow, finished, partition_of

TWICE = """
    SELECT count(*) FROM (
        SELECT origin_batch_id, item_lo, item_hi FROM queue_history
        WHERE outcome = 'completed' GROUP BY 1, 2, 3 HAVING count(*) > 1) AS again
"""
ACKNOWLEDGED = "SELECT stage, count(*), sum(n_ok) FROM queue_history WHERE outcome = 'completed' GROUP BY 1"
LEFT = "SELECT (SELECT count(*) FROM processing_queue) + (SELECT count(*) FROM dead_letters)"


def _rows(db: DatabaseManager, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in db.execute_query("test", sql)]


@pytest.fixture
def undisturbed(persons: Path, tmp_path: Path) -> set[frozenset[str]]:
    """Entities as the local run finds them, in other ranges and with one thread."""
    out = tmp_path / "local.parquet"
    resolve(MatchRequest(input=str(persons), id_column="id", out=str(out), range_rows=2_500), tmp_path / "local")
    return partition_of(out)


def _wait_for_batches(db: DatabaseManager, n: int, limit_s: float = 120) -> None:
    give_up = time.monotonic() + limit_s
    while _rows(db, "SELECT count(*) FROM queue_history WHERE outcome = 'completed'")[0][0] < n:
        assert time.monotonic() < give_up, f"{n} batches are never completed"
        time.sleep(0.02)


@pytest.fixture
def clean_db(db: DatabaseManager) -> DatabaseManager:
    """The module's database without the jobs of the test before."""
    with db.transaction() as conn:
        conn.execute(
            "TRUNCATE jobs, job_keys, job_stages, processing_queue, queue_history, queue_results, "
            "queue_retries, dead_letters, identities, entities, entity_members, matches, published_jobs CASCADE"
        )
    return db


def test_flow_publishes_what_the_local_run_finds(
    start_flow: StartFlow,
    clean_db: DatabaseManager,
    undisturbed: set[frozenset[str]],
    tmp_path: Path,
    prefect_env: dict[str, str],
) -> None:
    out = tmp_path / "out.parquet"
    summary = finished(start_flow(out), tmp_path)
    assert summary["rows"] == ROWS
    assert partition_of(out) == undisturbed
    assert _rows(clean_db, "SELECT count(*), count(DISTINCT entity_id) FROM current_entity_members") == [
        (ROWS, summary["entities"])
    ]
    assert _rows(clean_db, "SELECT count(*) FROM identities")[0][0] == ROWS
    assert _rows(clean_db, "SELECT count(*) FROM entities")[0][0] == summary["entities"]
    assert _rows(clean_db, "SELECT count(*) FROM matches WHERE decision = 'match'")[0][0] == summary["matches"]
    assert _rows(clean_db, "SELECT status FROM jobs") == [("completed",)]
    assert _rows(clean_db, TWICE) == [(0,)]
    assert _rows(clean_db, LEFT) == [(0,)]
    assert _count(prefect_env, "flow_runs") >= 10
    assert _count(prefect_env, "task_runs") >= sum(summary["batches"].values())


def _count(env: dict[str, str], what: str) -> int:
    request = urllib.request.Request(
        f"{env['PREFECT_API_URL']}/{what}/count", data=b"{}", headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return int(json.loads(answer.read()))


def test_worker_killed_in_mid_run_then_the_same_command_again(
    start_flow: StartFlow, clean_db: DatabaseManager, undisturbed: set[frozenset[str]], tmp_path: Path
) -> None:
    out = tmp_path / "out.parquet"
    victim = start_flow(out)
    _wait_for_batches(clean_db, 8)
    victim.send_signal(signal.SIGKILL)
    victim.wait(30)
    assert not out.exists()
    summary = finished(start_flow(out), tmp_path)
    assert partition_of(out) == undisturbed
    assert _rows(clean_db, TWICE) == [(0,)]
    acknowledged = {stage: (batches, items) for stage, batches, items in _rows(clean_db, ACKNOWLEDGED)}
    assert {stage: batches for stage, (batches, _) in acknowledged.items()} == summary["batches"]
    assert acknowledged["ingest"][1] == ROWS
    assert _rows(clean_db, LEFT) == [(0,)]


def test_two_processes_drain_one_job(
    start_flow: StartFlow, clean_db: DatabaseManager, undisturbed: set[frozenset[str]], tmp_path: Path
) -> None:
    outs = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    both = [start_flow(out) for out in outs]
    for process in both:
        finished(process, tmp_path)
    assert partition_of(outs[0]) == undisturbed
    assert partition_of(outs[1]) == undisturbed
    assert _rows(clean_db, "SELECT count(*) FROM jobs") == [(1,)]
    assert _rows(clean_db, TWICE) == [(0,)]
    assert _rows(clean_db, "SELECT count(DISTINCT worker_id) FROM queue_history WHERE outcome = 'completed'") == [(2,)]


def test_same_request_after_the_end_answers_from_the_finished_job(
    start_flow: StartFlow, clean_db: DatabaseManager, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.parquet", tmp_path / "second.parquet"
    finished(start_flow(first), tmp_path)
    finished(start_flow(second), tmp_path)
    assert pl.read_parquet(first).equals(pl.read_parquet(second))
    assert _rows(clean_db, "SELECT count(*) FROM jobs") == [(1,)]
