"""Consumers as runs of a work pool, with a real Prefect server, a real worker and real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import StateType
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Failed, Running

from core.database import DatabaseManager
from core.errors import ConfigError, QueueError
from core.queue import BatchQueue, FlowPolicy, views
from core.scaling import decision_log
from core.scaling.policy import Fleet
from core.scaling.ports import Effect
from core.settings import QueueSettings
from flows.server.consumer_runs import RunPool
from tests.flows.in_process import command, run_flow
from tests.prefect_server import call
from tests.processes import end, until

ROOT = Path(__file__).parents[2]
HANDLER = "tests.integration.scaling.handlers:at_leisure"


@pytest.fixture(scope="module")
def work_pool(prefect_env: dict[str, str]) -> str:
    """A process pool with one deployment, `consume/pool`."""
    call(prefect_env, "POST", "/work_pools/", {"name": "pool", "type": "process"})
    consume = call(prefect_env, "POST", "/flows/", {"name": "consume"})
    deployment = {
        "name": "pool",
        "flow_id": consume["id"],
        "entrypoint": "flows.consume.consume",
        "work_pool_name": "pool",
        "pull_steps": [],
        "enforce_parameter_schema": False,
    }
    call(prefect_env, "POST", "/deployments/", deployment)
    return "consume/pool"


@contextmanager
def api(url: str) -> Iterator[SyncPrefectClient]:
    with temporary_settings({PREFECT_API_URL: url}), get_client(sync_client=True) as client:
        yield client


@pytest.fixture
def client(prefect_env: dict[str, str]) -> Iterator[SyncPrefectClient]:
    with api(prefect_env["PREFECT_API_URL"]) as client:
        yield client


def runs_of(client: SyncPrefectClient, pool: RunPool, kind: StateType) -> list[uuid.UUID]:
    return [uuid.UUID(run["id"]) for run in pool._runs({kind}, 100)]


def test_pool_submits_once_and_calls_off_only_what_waits(client: SyncPrefectClient, work_pool: str) -> None:
    pool = RunPool(client, work_pool, f"mill-{uuid.uuid4()}", {"request": {"flows": ["mill"]}})
    assert pool.census() == Fleet()
    assert pool.bring_about(3, Fleet(), "one") == Effect(started=3)
    # The same decision again, as after an answer that was lost.
    pool.bring_about(3, Fleet(), "one")
    assert pool.census() == Fleet(starting=3)
    runs = runs_of(client, pool, StateType.SCHEDULED)
    client.set_flow_run_state(runs[0], Running(), force=True)
    assert pool.census() == Fleet(working=1, starting=2)
    assert pool.bring_about(2, pool.census(), "two") == Effect(stopped=1)
    assert pool.bring_about(0, pool.census(), "three") == Effect(stopped=1)
    assert runs_of(client, pool, StateType.RUNNING) == [runs[0]]
    assert pool.census() == Fleet(working=1)


def test_pool_tells_of_runs_that_failed(client: SyncPrefectClient, work_pool: str) -> None:
    pool = RunPool(client, work_pool, f"mill-{uuid.uuid4()}")
    pool.bring_about(2, Fleet(), uuid.uuid4().hex)
    for run in runs_of(client, pool, StateType.SCHEDULED):
        client.set_flow_run_state(run, Running(), force=True)
        client.set_flow_run_state(run, Failed(), force=True)
    assert pool.census() == Fleet(ended_badly=2)
    # Those of another flow are not counted.
    assert RunPool(client, work_pool, "other").census() == Fleet()


def test_pool_names_what_is_missing(client: SyncPrefectClient) -> None:
    with pytest.raises(ConfigError, match="no deployment consume/nowhere"):
        RunPool(client, "consume/nowhere", "mill").census()
    with api("http://127.0.0.1:9/api") as gone, pytest.raises(QueueError, match="does not answer"):
        RunPool(gone, "consume/local", "mill").census()


@contextmanager
def worker(env: dict[str, str], log: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "pool", "--type", "process"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=out, stderr=out)
        try:
            yield
        finally:
            end(process)


def test_depth_rises_autoscale_submits_runs_they_drain_none_is_left(
    client: SyncPrefectClient,
    prefect_env: dict[str, str],
    work_pool: str,
    database_url: str,
    db: DatabaseManager,
    tmp_path: Path,
) -> None:
    queue = BatchQueue(db, QueueSettings(), "producer")
    queue.register_flow(FlowPolicy("mill"))
    queue.enqueue("mill", list(range(40)), batch_rows=1)
    env = prefect_env | {
        "HEADRACE_DATABASE__URL": database_url,
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
    }
    request = {
        "flow_name": "mill",
        "deployment": work_pool,
        "consumer": {"request": {"flows": ["mill"], "handler": HANDLER, "idle_exit_s": 1}},
        "max_consumers": 2,
        "ticks": 2,
        "tick_s": 0.1,
    }
    pool = RunPool(client, work_pool, "mill")
    with worker(env, tmp_path / "worker.log"):
        done = run_flow(env, "autoscale", json.dumps(request))
        assert done.returncode == 0, done.stderr
        # The second tick saw what the first one had submitted.
        second, first = decision_log.last(db, "mill", 10)
        assert (first.started, second.started, second.starting + second.working) == (2, 0, 2)
        log = tmp_path / "worker.log"
        until(lambda: pool.census() == Fleet(ended_well=2), lambda: f"{pool.census()} {log.read_text()[-3000:]}")
    assert db.execute_query("n", "SELECT count(*) FROM queue_results") == [(40,)]
    assert views.now(queue.db, "mill").ready_batches == 0


def test_the_process_goes_on_while_the_api_is_away_and_ends_when_told(
    database_url: str, db: DatabaseManager, tmp_path: Path
) -> None:
    """What `headrace scale run --on prefect` becomes."""
    env = os.environ | {
        "HEADRACE_DATABASE__URL": database_url,
        "HEADRACE_SCALING__TICK_S": "0.1",
        "PREFECT_HOME": str(tmp_path),
        "PREFECT_API_URL": "http://127.0.0.1:9/api",
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, "-P", "-m", "flows.autoscale", json.dumps({"flow_name": "away"}), "--forever", "--json"]

    def said() -> str:
        return (tmp_path / "log").read_text()

    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=log, stderr=log)
        try:
            until(lambda: "does not answer" in said() or process.poll() is not None, said)
            assert process.poll() is None, said()
            process.terminate()
            assert process.wait(60) == 0
        finally:
            process.kill()
            process.wait()
    assert said().count("does not answer") == 1
    assert db.execute_query("l", "SELECT count(*) FROM leases WHERE name = 'autoscale:away'") == [(0,)]


def test_scale_run_names_a_deployment_that_is_not_there(
    prefect_env: dict[str, str], database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    done = scale_run(prefect_env, database_url, "consume/nowhere")
    assert done.returncode == 2, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("headrace: the Prefect server has no deployment consume/nowhere")
    assert "nothing to scale yet: the flow 'nobody' is not registered" in caplog.text


def test_scale_run_needs_an_api(prefect_env: dict[str, str], database_url: str, tmp_path: Path) -> None:
    nowhere = prefect_env | {"PREFECT_API_URL": "", "HEADRACE_STATE_DIR": str(tmp_path)}
    done = scale_run(nowhere, database_url, "consume/local")
    told = "headrace: PREFECT_API_URL is not set and no local stack runs; start one with `headrace up`\n"
    assert (done.returncode, done.stderr) == (2, told)


def scale_run(env: dict[str, str], url: str, deployment: str) -> subprocess.CompletedProcess[str]:
    settings = {"HEADRACE_DATABASE__URL": url}
    return command(env | settings, "scale", "run", "--flow", "nobody", "--on", "prefect", "--name", deployment)
