"""The flow `consume` under a Prefect server of its own, which is killed in mid-drain and started again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.database import DatabaseManager
from core.queue import BatchQueue, FlowPolicy
from core.settings import QueueSettings

ROOT = Path(__file__).parents[2]
HANDLER = "tests.integration.queue.misbehaving:waits_for_a_file"
RUN = "import asyncio, sys; from flows.consume import consume, ConsumeRequest; "
RUN += "asyncio.run(consume(ConsumeRequest.model_validate_json(sys.argv[1])))"
LIMIT_S = 240


def until(done: Callable[[], Any]) -> Any:
    give_up = time.monotonic() + LIMIT_S
    while not (found := done()):
        assert time.monotonic() < give_up
        time.sleep(0.05)
    return found


class Server:
    """A Prefect server that can be killed and started again on the same port and database."""

    def __init__(self, env: dict[str, str], home: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.env = env | {"PREFECT_HOME": str(home), "PREFECT_API_URL": f"http://127.0.0.1:{self.port}/api"}
        self.log = home / "server.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "prefect", "server", "start", "--port", str(self.port), "--no-ui"]
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(command, env=self.env, stdout=out, stderr=subprocess.STDOUT)
        until(lambda: self.runs() is not None)

    def kill(self) -> None:
        if self.process is not None:
            for one in [*psutil.Process(self.process.pid).children(recursive=True), self.process]:
                one.kill()
            self.process.wait(30)

    def runs(self) -> list[str] | None:
        """States of the runs of `consume`; None: it does not answer."""
        request = urllib.request.Request(
            f"{self.env['PREFECT_API_URL']}/flow_runs/filter",
            data=json.dumps({"flows": {"name": {"any_": ["consume"]}}}).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return [run["state"]["type"] for run in json.loads(answer.read())]
        except (urllib.error.URLError, OSError):
            return None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "HEADRACE_"))}
    quiet = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1", "PREFECT_LOGGING_LEVEL": "WARNING"}
    made = Server(keep | quiet, tmp_path_factory.mktemp("prefect"))
    made.start()
    yield made
    made.kill()


@pytest.fixture
def run(server: Server, database_url: str, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start the flow in a process, with the gate of its handler closed."""
    (tmp_path / "closed").touch()
    started: list[subprocess.Popen[bytes]] = []
    settings = {"HEADRACE_DATABASE__URL": database_url, "HEADRACE_QUEUE__POLL_S": "0.1", "GATE": str(tmp_path)}

    def start(flow: str, **more: Any) -> subprocess.Popen[bytes]:
        request = json.dumps({"flows": [flow], "handler": HANDLER, **more})
        with (tmp_path / "flow.log").open("wb") as log:
            command = [sys.executable, "-c", RUN, request]
            process = subprocess.Popen(command, env=server.env | settings, cwd=ROOT, stdout=log, stderr=log)
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
    server: Server, run: Callable[..., subprocess.Popen[bytes]], db: DatabaseManager, tmp_path: Path
) -> None:
    filled(db, "outlasts", 3)
    process = run("outlasts", idle_exit_s=1.0)
    until(lambda: server.runs() == ["RUNNING"])
    server.kill()
    (tmp_path / "closed").unlink()
    until(lambda: outcomes(db, "outlasts") == ["completed"] * 3)
    server.start()
    assert process.wait(LIMIT_S) == 0, (tmp_path / "flow.log").read_text()[-3000:]
    until(lambda: server.runs() == ["COMPLETED"])


def test_on_sigterm_the_flow_drains_and_burns_no_attempt(
    run: Callable[..., subprocess.Popen[bytes]], db: DatabaseManager
) -> None:
    queue = filled(db, "told", 2)
    process = run("told", grace_s=0.2)
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    assert outcomes(db, "told") == ["released"]
    assert [batch.attempt for batch in queue.claim("told", 2)] == [1, 1]
