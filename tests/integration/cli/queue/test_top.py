from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable

import polars as pl
import pytest
from typer.testing import CliRunner

from core.cli.app import build
from core.database import DatabaseManager
from core.database.queries import load
from core.monitoring.top import NEWEST_ATTEMPTS, WINDOW_S, Reader
from core.queue import BatchQueue, FlowPolicy, RowFailure
from core.settings import QueueSettings

Headrace = Callable[..., str]


@pytest.fixture
def headrace(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Headrace:
    monkeypatch.setenv("HEADRACE_DATABASE__URL", database_url)

    def run(*words: str) -> str:
        done = CliRunner().invoke(build(), list(words), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


@pytest.fixture
def queue(db: DatabaseManager) -> BatchQueue:
    return BatchQueue(db, QueueSettings(), "top-test")


def test_once_shows_flows_and_workers(headrace: Headrace, queue: BatchQueue) -> None:
    queue.register_flow(FlowPolicy("counted"))
    queue.enqueue("counted", [{"n": n} for n in range(30)], batch_rows=10)
    (batch,) = queue.claim("counted")
    results = queue.items(batch).rename({"payload": "output"}).filter(pl.col("seq") > 0)
    queue.complete(batch, results, failures=[RowFailure(0, "Bad")])
    queue.claim("counted")
    queue.beat_worker(1)
    (line,) = headrace("queue", "top", "--once", "--json", "--interval", "0.1").splitlines()
    frame = json.loads(line)
    (flow,) = [flow for flow in frame["flows"] if flow["flow"] == "counted"]
    assert (flow["ready_batches"], flow["running_batches"], flow["backlog_rows"], flow["dead"]) == (1, 1, 20, 1)
    assert (flow["in_per_s"], flow["out_per_s"], flow["eta_s"]) == (0.0, 0.0, None)
    (worker,) = frame["workers"]
    assert (worker["worker_id"], worker["n_leases"]) == ("top-test", 1)
    assert worker["rows_per_s"] == pytest.approx(10 / WINDOW_S)
    plain = headrace("queue", "top", "--once", "--interval", "0.1").splitlines()
    assert plain[1].split()[:4] == ["flow", "state", "ready", "rows"]
    assert any(words.split()[:4] == ["counted", "busy", "1", "20"] for words in plain)
    assert any(words.split()[0] == "top-test" for words in plain)


def test_rows_that_end_between_two_readings_are_the_rate(queue: BatchQueue, db: DatabaseManager) -> None:
    queue.register_flow(FlowPolicy("timed"))
    reader = Reader(db)
    queue.enqueue("timed", [{}] * 40, batch_rows=20)
    before = {flow.flow_name: flow for flow in reader.read().flows}["timed"]
    queue.complete(queue.claim("timed")[0])
    middle = {flow.flow_name: flow for flow in reader.read().flows}["timed"]
    # Rolled up or not, what has ended is counted once.
    queue.sweep()
    after = {flow.flow_name: flow for flow in reader.read().flows}["timed"]
    assert (before.n_ended, middle.n_ended, after.n_ended) == (0, 20, 20)
    assert (before.backlog_rows, after.backlog_rows) == (40, 20)


def test_the_newest_attempts_come_from_the_index_however_long_history_is(db: DatabaseManager) -> None:
    fill = """INSERT INTO queue_history (origin_batch_id, batch_id, tenant_id, stage, flow_name, kind, item_lo, item_hi,
                  attempt, outcome, lease_token, worker_id, n_ok, finished_at, rolled)
              SELECT n, n, 'default', 'main', 'long', 'new', 0, 1, 1, 'completed', gen_random_uuid(), 'w', 1,
                     now() - make_interval(secs => n * 0.001), true
              FROM generate_series(1, 50000) n"""
    db.execute_query("fill", fill)
    query = load("top")["top_finished"].sql
    with db.transaction() as conn:
        rows = conn.execute(
            "EXPLAIN (ANALYZE, FORMAT JSON) " + query, {"window_s": WINDOW_S, "limit": NEWEST_ATTEMPTS}
        ).fetchone()
        assert rows is not None
        scans = [node for node in nodes(rows[0][0]["Plan"]) if "queue_history" in str(node.get("Relation Name"))]
    assert scans
    assert {node["Node Type"] for node in scans} <= {"Index Scan", "Index Only Scan"}
    assert sum(node["Actual Rows"] for node in scans) <= NEWEST_ATTEMPTS + len(scans)


def nodes(plan: dict) -> list[dict]:
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]


def test_interrupt_ends_it_well(database_url: str) -> None:
    command = [sys.executable, "-c", "from core.cli import main; main()", "queue", "top", "--json", "--interval", "60"]
    environment = {**os.environ, "HEADRACE_DATABASE__URL": database_url}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as top:
        assert top.stdout is not None
        assert json.loads(top.stdout.readline())["away"] is None
        top.send_signal(signal.SIGINT)
        _, err = top.communicate(timeout=30)
    assert (top.returncode, err) == (0, "")
