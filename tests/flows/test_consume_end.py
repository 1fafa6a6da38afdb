"""How runs of `consume` end when they are told to: by a worker that stops, an eviction, a person who cancels."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import StateType
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Cancelling

from core.database import DatabaseManager
from core.queue import BatchQueue, FlowPolicy
from core.settings import QueueSettings
from tests.prefect_server import call
from tests.processes import LIMIT_S, end, until

ROOT = Path(__file__).parents[2]
HANDLER = "tests.integration.queue.consumers.misbehaving:waits_for_a_file"


@pytest.fixture(scope="module")
def client(prefect_env: dict[str, str]) -> Iterator[SyncPrefectClient]:
    with (
        temporary_settings({PREFECT_API_URL: prefect_env["PREFECT_API_URL"]}),
        get_client(sync_client=True) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def deployment(prefect_env: dict[str, str]) -> str:
    call(prefect_env, "POST", "/work_pools/", {"name": "ends", "type": "process"})
    flow = call(prefect_env, "POST", "/flows/", {"name": "consume"})
    made = {
        "name": "ends",
        "flow_id": flow["id"],
        "entrypoint": "flows.consume.consume",
        "work_pool_name": "ends",
        "pull_steps": [],
        "enforce_parameter_schema": False,
    }
    return str(call(prefect_env, "POST", "/deployments/", made)["id"])


@pytest.fixture
def env(prefect_env: dict[str, str], database_url: str, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "closed").touch()
    return prefect_env | {
        "HEADRACE_DATABASE__URL": database_url,
        "HEADRACE_QUEUE__POLL_S": "0.1",
        "GATE": str(tmp_path),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
    }


@contextmanager
def running(command: list[str], env: dict[str, str], log: Path) -> Iterator[psutil.Process]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=out, stderr=out)
    seen = psutil.Process(process.pid)
    left: list[psutil.Process] = []
    try:
        yield seen
        left = seen.children(recursive=True) if process.poll() is None else []
    finally:
        end(process)
        for one in left:
            if one.is_running():
                one.kill()


@contextmanager
def at_work(
    env: dict[str, str], client: SyncPrefectClient, deployment: str, request: dict[str, Any], folder: Path
) -> Iterator[tuple[psutil.Process, uuid.UUID]]:
    """A worker with one run, which has begun a batch."""
    run = client.create_flow_run_from_deployment(uuid.UUID(deployment), parameters={"request": request})
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "ends", "--type", "process"]
    with running(command, env, folder / "worker.log") as worker:
        until(lambda: list(folder.glob("begun-*")))
        yield worker, run.id


def engine_of(worker: psutil.Process) -> psutil.Process:
    """The process of the flow run: the parent of the consumer's."""
    (consumer,) = [one for one in worker.children(recursive=True) if "core.queue.worker" in one.cmdline()]
    return consumer.parent()


def filled(db: DatabaseManager, n_batches: int) -> tuple[BatchQueue, str]:
    name = f"ends-{uuid.uuid4().hex[:8]}"
    queue = BatchQueue(db, QueueSettings(), "tests")
    queue.register_flow(FlowPolicy(name))
    queue.enqueue(name, [{"n": n} for n in range(n_batches)], batch_rows=1)
    return queue, name


def outcomes(db: DatabaseManager, flow: str) -> list[str]:
    rows = db.execute_query("h", "SELECT outcome FROM queue_history WHERE flow_name = :f ORDER BY 1", {"f": flow})
    return [outcome for (outcome,) in rows]


def ended(client: SyncPrefectClient, run: uuid.UUID) -> StateType:
    def final() -> StateType | None:
        state = client.read_flow_run(run).state
        return state.type if state is not None and state.is_final() else None

    found: StateType = until(final)
    return found


def test_a_run_that_is_told_to_end_gives_its_batch_back_and_is_completed(
    env: dict[str, str], client: SyncPrefectClient, deployment: str, db: DatabaseManager, tmp_path: Path
) -> None:
    """Crashed, it would count against the breaker of the autoscaler. Told twice, as by `headrace down`."""
    queue, name = filled(db, 2)
    request = {"flows": [name], "handler": HANDLER, "grace_s": 1}
    with at_work(env, client, deployment, request, tmp_path) as (worker, run):
        engine = engine_of(worker)
        engine.send_signal(signal.SIGTERM)
        threading.Event().wait(0.5)
        engine.send_signal(signal.SIGTERM)
        assert ended(client, run) is StateType.COMPLETED
        # The worker looks at its exit code, too.
        engine.wait(LIMIT_S)
    assert ended(client, run) is StateType.COMPLETED
    assert outcomes(db, name) == ["released"]
    assert [batch.attempt for batch in queue.claim(name, 2)] == [1, 1]


def test_a_run_that_is_cancelled_gives_its_batch_back_and_is_cancelled(
    env: dict[str, str], client: SyncPrefectClient, deployment: str, db: DatabaseManager, tmp_path: Path
) -> None:
    queue, name = filled(db, 2)
    request = {"flows": [name], "handler": HANDLER, "grace_s": 1}
    with at_work(env, client, deployment, request, tmp_path) as (_, run):
        client.set_flow_run_state(run, Cancelling())
        assert ended(client, run) is StateType.CANCELLED
    assert outcomes(db, name) == ["released"]
    assert [batch.attempt for batch in queue.claim(name, 2)] == [1, 1]


def test_a_run_whose_pod_is_evicted_gives_its_batch_back_and_is_scheduled_again(
    env: dict[str, str], client: SyncPrefectClient, deployment: str, db: DatabaseManager, tmp_path: Path
) -> None:
    """What a pod of the pool runs, with what Prefect's Kubernetes worker sets for Jobs that are not retried."""
    queue, name = filled(db, 2)
    request = {"flows": [name], "handler": HANDLER, "grace_s": 1}
    run = client.create_flow_run_from_deployment(uuid.UUID(deployment), parameters={"request": request})
    command = [sys.executable, "-m", "prefect", "flow-run", "execute", str(run.id)]
    evicted = env | {"PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR": "reschedule"}
    with running(command, evicted, tmp_path / "pod.log") as pod:
        until(lambda: list(tmp_path.glob("begun-*")))
        pod.send_signal(signal.SIGTERM)
        pod.wait(LIMIT_S)
    state = client.read_flow_run(run.id).state
    assert state is not None
    assert state.type is StateType.SCHEDULED
    assert outcomes(db, name) == ["released"]
    assert [batch.attempt for batch in queue.claim(name, 2)] == [1, 1]
    client.delete_flow_run(run.id)
