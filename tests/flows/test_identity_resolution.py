"""The flow, as real processes against a real Prefect server and a real PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import SecretStr

from blocks.postgres import Postgres
from core.database import DatabaseManager, connect, migrations
from core.database.embedded import EmbeddedServer
from core.errors import StoreUnavailable
from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.queue import FlowPolicy
from core.queue.leases import dead_letters
from core.queue.store import flows
from core.settings import DatabaseSettings, EmbeddedSettings, Settings
from core.workloads.identity.workload import FLOW
from flows.runs.wiring import settings_of
from tests.flows.conftest import ROWS, FlowHere, StartFlow, finished, flow_processes, partition_of
from tests.flows.in_process import prefect_of
from tests.prefect_server import call
from tests.processes import until

TWICE = """
    SELECT count(*) FROM (
        SELECT origin_batch_id, item_lo, item_hi FROM queue_history
        WHERE outcome = 'completed' GROUP BY 1, 2, 3 HAVING count(*) > 1) AS again
"""
ACKNOWLEDGED = "SELECT stage, count(*), sum(n_ok) FROM queue_history WHERE outcome = 'completed' GROUP BY 1"
LEFT = "SELECT (SELECT count(*) FROM processing_queue) + (SELECT count(*) FROM dead_letters)"


def _rows(db: DatabaseManager, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in db.execute_query("test", sql)]


@pytest.fixture(scope="module")
def undisturbed(persons: Path, tmp_path_factory: pytest.TempPathFactory) -> set[frozenset[str]]:
    """Entities as the local run finds them, in other ranges and with one thread."""
    folder = tmp_path_factory.mktemp("local")
    out = folder / "out.parquet"
    resolve(MatchRequest(input=str(persons), id_column="id", out=str(out), range_rows=2_500), folder / "work")
    return partition_of(out)


def _wait_for_batches(db: DatabaseManager, n: int, limit_s: float = 120) -> None:
    give_up = time.monotonic() + limit_s
    while _rows(db, "SELECT count(*) FROM queue_history WHERE outcome = 'completed'")[0][0] < n:
        assert time.monotonic() < give_up, f"{n} batches are never completed"
        time.sleep(0.02)


def _wait_until_idle(folder: Path, n: int, limit_s: float = 120) -> None:
    """Wait until `n` flow processes have asked for batches in vain, which each of them tells after a while."""
    give_up = time.monotonic() + limit_s
    while sum("waiting for batches" in log.read_text() for log in folder.glob("flow-*.log")) < n:
        assert time.monotonic() < give_up, "the workers never begin to drain"
        time.sleep(0.05)


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
    before = _count(prefect_env, "flow_runs"), _count(prefect_env, "task_runs")
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
    # A task run for each batch, all of the one flow run: a flow run more would cost as much as forty of them.
    n_batches = sum(summary["batches"].values())
    _wait_for_tasks(prefect_env, before[1] + n_batches)
    assert _count(prefect_env, "flow_runs") == before[0] + 1
    assert _count(prefect_env, "task_runs") == before[1] + n_batches


def _wait_for_tasks(env: dict[str, str], n: int) -> None:
    """The server writes task runs a little after it has heard of them."""
    completed = {"state": {"type": {"any_": ["COMPLETED"]}}}
    until(lambda: _count(env, "task_runs", task_runs=completed) >= n, lambda: "the server never hears of the task runs")


def _count(env: dict[str, str], what: str, **only: Any) -> int:
    return int(call(env, "POST", f"/{what}/count", only))


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
    start_flow: StartFlow,
    clean_db: DatabaseManager,
    undisturbed: set[frozenset[str]],
    tmp_path: Path,
) -> None:
    outs = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    flows.register(clean_db, FlowPolicy(FLOW))
    flows.pause(clean_db, FLOW, "until both workers are there")
    both = [start_flow(out, range_rows=200) for out in outs]
    _wait_until_idle(tmp_path, 2)
    flows.resume(clean_db, FLOW)
    for process in both:
        finished(process, tmp_path)
    assert partition_of(outs[0]) == undisturbed
    assert partition_of(outs[1]) == undisturbed
    assert _rows(clean_db, "SELECT count(*) FROM jobs") == [(1,)]
    assert _rows(clean_db, TWICE) == [(0,)]
    assert _rows(clean_db, "SELECT count(DISTINCT worker_id) FROM queue_history WHERE outcome = 'completed'") == [(2,)]


def test_same_request_after_the_end_answers_from_the_finished_job(
    flow_here: FlowHere, clean_db: DatabaseManager, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.parquet", tmp_path / "second.parquet"
    for out in (first, second):
        done = flow_here(out)
        assert done.returncode == 0, done.stderr
    assert pl.read_parquet(first).equals(pl.read_parquet(second))
    assert _rows(clean_db, "SELECT count(*) FROM jobs") == [(1,)]


def _start_again(server: EmbeddedServer, limit_s: float = 60) -> None:
    """Start after a crash; the backends of the dead postmaster must have noticed and gone first."""
    give_up = time.monotonic() + limit_s
    while server.is_running():
        assert time.monotonic() < give_up
    while True:
        try:
            return server.ensure_running()
        except StoreUnavailable:
            assert time.monotonic() < give_up, server.log.read_text()[-2000:]


def test_database_killed_in_mid_run_comes_back_and_nothing_is_lost(
    prefect_env: dict[str, str],
    services_folder: Path,
    persons: Path,
    undisturbed: set[frozenset[str]],
    tmp_path: Path,
) -> None:
    server = EmbeddedServer(services_folder / "crash", EmbeddedSettings(shared_buffers_mb=64))
    server.join()
    try:
        migrations.migrate(connect.Source(server.url("postgres")), DatabaseSettings())
        db = DatabaseManager("crash", DatabaseSettings(url=SecretStr(server.url("postgres"))))
        out = tmp_path / "out.parquet"
        with flow_processes(prefect_env, server.url("postgres"), tmp_path, persons) as start:
            process = start(out)
            _wait_for_batches(db, 6)
            db.dispose()
            os.kill(int((server.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
            _start_again(server)
            summary = finished(process, tmp_path)
        assert partition_of(out) == undisturbed
        assert _rows(db, TWICE) == [(0,)]
        acknowledged = {stage: batches for stage, batches, _ in _rows(db, ACKNOWLEDGED)}
        assert acknowledged == summary["batches"]
        db.dispose()
    finally:
        server.shut_down()


def test_dead_batch_blocks_the_job_until_it_is_redriven(
    start_flow: StartFlow,
    flow_here: FlowHere,
    clean_db: DatabaseManager,
    undisturbed: set[frozenset[str]],
    tmp_path: Path,
) -> None:
    out = tmp_path / "out.parquet"
    paused = start_flow(out)
    _wait_for_batches(clean_db, 5)
    paused.kill()
    paused.wait(30)
    (reduced,) = (tmp_path / "state" / "workspaces").glob("jobs/*/reduce/*/words.npy")
    hidden = reduced.rename(reduced.with_suffix(".away"))
    blocked = flow_here(out)
    assert blocked.returncode == 1
    assert "are dead letters" in blocked.stderr
    assert not out.exists()
    assert _rows(clean_db, "SELECT status FROM jobs") == [("blocked",)]
    hidden.rename(reduced)
    dead_letters.redrive(clean_db, FLOW)
    done = flow_here(out)
    assert done.returncode == 0, done.stderr
    assert partition_of(out) == undisturbed
    assert _rows(clean_db, "SELECT status FROM jobs") == [("completed",)]
    assert _rows(clean_db, LEFT) == [(0,)]


def test_flow_takes_its_database_from_a_named_block(prefect_env: dict[str, str]) -> None:
    async def inside_a_flow() -> Settings:
        return settings_of("warehouse")

    with prefect_of(prefect_env):
        Postgres(url=SecretStr("postgresql://reader:hidden@db.example:5433/facts")).save("warehouse", overwrite=True)
        found = (settings_of("warehouse"), asyncio.run(inside_a_flow()))
    for settings in found:
        assert settings.database.url is not None
        assert settings.database.url.get_secret_value() == "postgresql://reader:hidden@db.example:5433/facts"
        assert "hidden" not in str(settings.database)


def test_more_batches_than_a_flow_run_should_have_go_to_flow_runs_below_it(
    persons: Path, clean_db: DatabaseManager, database_url: str, tmp_path: Path, prefect_env: dict[str, str]
) -> None:
    request = MatchRequest(input=str(persons), id_column="id", range_rows=1_000, out=str(tmp_path / "out.parquet"))
    few = (
        "import flows.runs.policies; flows.runs.policies.BATCHES_PER_RUN = 20\n"
        "import sys; from flows.identity_resolution import main; main(sys.argv[1:])"
    )
    settings = {"HEADRACE_DATABASE__URL": database_url, "HEADRACE_STATE_DIR": str(tmp_path / "state")}
    before = _count(prefect_env, "flow_runs")
    done = subprocess.run(
        [sys.executable, "-c", few, request.model_dump_json(), "--json"],
        env=prefect_env | settings, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    n_batches = sum(json.loads(done.stdout)["batches"].values())
    assert n_batches > 20
    assert _count(prefect_env, "flow_runs") - before - 1 >= (n_batches - 20) / 20
    assert _rows(clean_db, LEFT) == [(0,)]
    assert _rows(clean_db, TWICE) == [(0,)]
