"""The flow `consume` under a Prefect server which is killed in mid-drain and started again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.database import DatabaseManager
from core.queue import BatchQueue, FlowPolicy
from core.settings import QueueSettings
from tests.prefect_server import PrefectServer, call
from tests.processes import LIMIT_S, until

ROOT = Path(__file__).parents[2]
HANDLER = "tests.integration.queue.consumers.misbehaving:waits_for_a_file"
RUN = "import asyncio, sys; from flows.consume import consume, ConsumeRequest; "
RUN += "asyncio.run(consume(ConsumeRequest.model_validate_json(sys.argv[1])))"


def runs(server: PrefectServer, name: str) -> list[str]:
    """States of the runs of `consume` that take from the flow of that name."""
    only = {"flows": {"name": {"any_": ["consume"]}}}
    found = call(server.env, "POST", "/flow_runs/filter", only)
    return [run["state"]["type"] for run in found if name in run["parameters"].get("request", {}).get("flows", ())]


@pytest.fixture
def run(
    prefect_server: PrefectServer, database_url: str, tmp_path: Path
) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start the flow in a process, with the gate of its handler closed."""
    (tmp_path / "closed").touch()
    started: list[subprocess.Popen[bytes]] = []
    settings = {"HEADRACE_DATABASE__URL": database_url, "HEADRACE_QUEUE__POLL_S": "0.1", "GATE": str(tmp_path)}

    def start(flow: str, **more: Any) -> subprocess.Popen[bytes]:
        request = json.dumps({"flows": [flow], "handler": HANDLER, **more})
        with (tmp_path / "flow.log").open("wb") as log:
            command = [sys.executable, "-c", RUN, request]
            process = subprocess.Popen(command, env=prefect_server.env | settings, cwd=ROOT, stdout=log, stderr=log)
        started.append(process)
        until(lambda: process.poll() is not None or list(tmp_path.glob("begun-*")))
        assert process.poll() is None, (tmp_path / "flow.log").read_text()[-3000:]
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(30)


def filled(db: DatabaseManager, name: str, n_batches: int) -> BatchQueue:
    queue = BatchQueue(db, QueueSettings(), "tests")
    queue.register_flow(FlowPolicy(name))
    queue.enqueue(name, [{"n": n} for n in range(4 * n_batches)], batch_rows=4)
    return queue


def outcomes(db: DatabaseManager, flow: str) -> list[str]:
    rows = db.execute_query("h", "SELECT outcome FROM queue_history WHERE flow_name = :f ORDER BY 1", {"f": flow})
    return [outcome for (outcome,) in rows]


def test_work_goes_on_while_the_api_is_away_and_is_reported_later(
    prefect_server: PrefectServer, run: Callable[..., subprocess.Popen[bytes]], db: DatabaseManager, tmp_path: Path
) -> None:
    filled(db, "outlasts", 3)
    process = run("outlasts", idle_exit_s=1.0)
    until(lambda: runs(prefect_server, "outlasts") == ["RUNNING"])
    prefect_server.kill()
    (tmp_path / "closed").unlink()
    until(lambda: outcomes(db, "outlasts") == ["completed"] * 3)
    prefect_server.ensure_running()
    assert process.wait(LIMIT_S) == 0, (tmp_path / "flow.log").read_text()[-3000:]
    until(lambda: runs(prefect_server, "outlasts") == ["COMPLETED"])


def test_on_sigterm_the_flow_drains_and_burns_no_attempt(
    run: Callable[..., subprocess.Popen[bytes]], db: DatabaseManager
) -> None:
    queue = filled(db, "told", 2)
    process = run("told", grace_s=0.2)
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    assert outcomes(db, "told") == ["released"]
    assert [batch.attempt for batch in queue.claim("told", 2)] == [1, 1]
