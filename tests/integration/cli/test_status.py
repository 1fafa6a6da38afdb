from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from core.cli.app import build
from core.database import DatabaseManager
from core.monitoring import status_monitoring
from core.monitoring.status.reading import read_status
from core.queue import BatchQueue, FlowPolicy, RowFailure
from core.queue.batches import WorkerProfile
from core.settings import QueueSettings

Headrace = Callable[..., Result]


@pytest.fixture
def headrace(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Headrace:
    monkeypatch.setenv("HEADRACE_DATABASE__URL", database_url)
    return lambda *words: CliRunner().invoke(build(), ["status", *words])


@pytest.fixture
def worked(db: DatabaseManager) -> BatchQueue:
    """A flow of three batches of ten: one done but for a row that died, one running, one that waits."""
    queue = BatchQueue(db, QueueSettings(), "status-test")
    queue.profile = WorkerProfile(capabilities={"cores": 2})
    queue.register_flow(FlowPolicy("seen"))
    queue.enqueue("seen", [{"n": n} for n in range(30)], batch_rows=10)
    (batch,) = queue.claim("seen")
    results = queue.items(batch).rename({"payload": "output"}).filter(pl.col("seq") > 0)
    queue.complete(batch, results, failures=[RowFailure(0, "Bad")])
    queue.claim("seen")
    queue.beat_worker(1)
    return queue


def test_reading_knows_what_ended_what_waits_and_who_works(worked: BatchQueue) -> None:
    status = read_status(worked.db)
    flow = status.flows["seen"]
    assert (flow.backlog_rows, flow.ready_batches, flow.running_batches, flow.attempts) == (20, 1, 1, 1)
    assert flow.rate is not None
    assert flow.rate.per_s == pytest.approx(10 / 600)
    ended = status.ended_by_flow["seen"]
    assert (ended.n_rows, ended.n_failed, ended.success_percent, ended.error_class) == (10, 1, 90.0, "Bad")
    assert [(host.workers, host.n_leases) for host in status.hosts] == [(1, 1)]
    assert status.hosts[0].load is not None
    assert status.server.connections >= 1
    # The embedded server preloads it, and a migration creates it.
    assert status.server.statements
    assert all(
        one.text.split()[0].lower() in {"select", "insert", "update", "delete", "with"}
        for one in status.server.statements
    )


def test_status_says_it_in_words_within_80_columns(
    headrace: Headrace, worked: BatchQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = headrace()
    assert done.exit_code == 0, done.output
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "headrace queue dead --flow seen" in " ".join(done.stdout.split())


def test_check_ends_with_the_worst_verdict(headrace: Headrace, worked: BatchQueue, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    done = headrace("--check", "--json", "--save", str(kept))
    found = json.loads(done.stdout)
    verdicts = {kpi["name"]: kpi["verdict"] for kpi in found["kpis"]}
    assert verdicts["success"] == "missed"
    assert verdicts["API p95"] == "no data"
    assert done.exit_code == (3 if "critical" in verdicts.values() else 1)
    document = json.loads(kept.read_text())
    document["figures"] |= {"rate": 1e9}
    kept.write_text(json.dumps(document))
    again = headrace("--against", str(kept), "--json")
    assert again.exit_code == 0
    (rate,) = [change for change in json.loads(again.stdout)["changes"] if change["name"] == "rate"]
    assert (rate["direction"], rate["percent"]) == ("worse", -100.0)


def test_status_refuses_what_it_cannot_do(headrace: Headrace, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.json"
    foreign.write_text("{}")
    for words, says in (
        (("--watch", "--check"), "--watch shows"),
        (("--against", str(foreign)), "holds no status"),
    ):
        error = headrace(*words).exception
        assert says in str(error)
        assert getattr(error, "exit_code", None) == 2


def test_status_without_the_extension_says_what_is_lost(worked: BatchQueue) -> None:
    with worked.db.transaction() as conn:
        conn.execute("DROP EXTENSION pg_stat_statements")
        conn.commit()
    try:
        server = read_status(worked.db).server
    finally:
        with worked.db.transaction() as conn:
            conn.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    assert server.statements == ()
    assert server.lost is not None
    assert "pg_stat_statements is not in this database" in server.lost


def test_status_as_a_function_is_one_plain_document(worked: BatchQueue) -> None:
    found = status_monitoring(1, worked.db)
    json.dumps(found)
    assert {"health", "kpis", "suggestions", "flows", "server", "workers", "monitoring_timestamp"} <= set(found)
