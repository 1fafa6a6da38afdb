"""`headrace up` and `headrace down`: real processes, one stack for the module."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).parents[3]
HEADRACE = [sys.executable, "-c", "from core.cli import main; main()"]
LIMIT_S = 240


@dataclass(frozen=True)
class Stack:
    """Where a stack of these tests' own lives."""

    folder: Path
    api_port: int
    web_port: int

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        keep = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "HEADRACE_"))}
        return subprocess.run(
            [*HEADRACE, *arguments],
            env=keep | {"HEADRACE_STATE_DIR": str(self.folder), "HEADRACE_EMBEDDED__SHARED_BUFFERS_MB": "64"},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )

    def up(self) -> subprocess.CompletedProcess[str]:
        return self.run("up", "--detach", "--api-port", str(self.api_port), "--web-port", str(self.web_port), "--json")

    def call(self, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.api_port}/api{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def state(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "stack" / "stack.json").read_text()))

    def processes(self) -> list[psutil.Process]:
        """All that live on this stack's folder, PostgreSQL included."""
        found = []
        for process in psutil.process_iter():
            try:
                words = " ".join(process.cmdline()) + " ".join(f"{k}={v}" for k, v in process.environ().items())
                if str(self.folder) in words + process.cwd() and process.pid != os.getpid():
                    found.append(process)
            except psutil.Error:
                continue
        return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    # A short path that PostgreSQL's user can enter.
    folder = Path(tempfile.mkdtemp(prefix="hr-up-", dir="/tmp"))
    folder.chmod(0o711)
    made = Stack(folder, _free_port(), _free_port())
    yield made
    made.run("down")
    shutil.rmtree(folder, ignore_errors=True)


def _gone(stack: Stack, limit_s: float = 10) -> list[str]:
    """What is left after a little while: a warden needs a moment to notice that its server is gone."""
    give_up = time.monotonic() + limit_s
    while (left := stack.processes()) and time.monotonic() < give_up:
        time.sleep(0.1)
    return [" ".join(process.cmdline()) for process in left if process.is_running()]


def test_up_runs_a_deployment_to_its_end_and_down_leaves_nothing(stack: Stack) -> None:
    up = stack.up()
    assert up.returncode == 0, up.stderr
    assert json.loads(up.stdout)["phase"] == "ready"
    deployment = stack.call("/deployments/name/identity-resolution/local")["id"]
    small = {"parameters": {"request": {"input": "demo:persons?rows=500", "id_column": "id"}}}
    run = stack.call(f"/deployments/{deployment}/create_flow_run", small)["id"]

    again = stack.up()
    assert again.returncode == 0
    assert json.loads(again.stdout)["pid"] == json.loads(up.stdout)["pid"]
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.web_port}/ready", timeout=30) as answer:
        assert json.loads(answer.read()) == {"ready": True}

    give_up = time.monotonic() + LIMIT_S
    while (state := stack.call(f"/flow_runs/{run}")["state"])["type"] not in {"COMPLETED", "FAILED", "CRASHED"}:
        assert time.monotonic() < give_up, state
        time.sleep(0.2)
    assert state["type"] == "COMPLETED", (stack.folder / "stack" / "worker.log").read_text()[-3000:]

    # A part that dies is started again.
    (worker,) = [part["pid"] for part in stack.state()["components"] if part["name"] == "worker"]
    os.kill(worker, signal.SIGKILL)
    give_up = time.monotonic() + LIMIT_S
    while [p["pid"] for p in stack.state()["components"] if p["name"] == "worker"] in ([], [worker]):
        assert time.monotonic() < give_up
        time.sleep(0.1)

    down = stack.run("down", "--json")
    assert json.loads(down.stdout)["stopped"] is True
    assert _gone(stack) == []
    assert json.loads(stack.run("down", "--json").stdout)["stopped"] is False


def test_down_finds_what_a_killed_supervisor_left(stack: Stack) -> None:
    assert stack.up().returncode == 0
    state = stack.state()
    deployment = stack.call("/deployments/name/consume/local")["id"]
    staying = {"parameters": {"request": {"queue": "any", "idle_exit_s": None}}}
    run = stack.call(f"/deployments/{deployment}/create_flow_run", staying)["id"]
    give_up = time.monotonic() + LIMIT_S
    while stack.call(f"/flow_runs/{run}")["state"]["type"] != "RUNNING":
        assert time.monotonic() < give_up
        time.sleep(0.1)
    os.kill(state["supervisor"]["pid"], signal.SIGKILL)
    (web,) = [part["pid"] for part in state["components"] if part["name"] == "web"]
    os.kill(web, signal.SIGKILL)
    (server,) = [part["pid"] for part in state["components"] if part["name"] == "server"]
    os.kill(server, signal.SIGKILL)
    assert len(stack.processes()) >= 3
    down = stack.run("down", "--json")
    assert json.loads(down.stdout)["stopped"] is True
    assert _gone(stack) == []
    # Nobody could report its end: the next stack does, for it would hold a slot for ever.
    assert stack.up().returncode == 0
    assert stack.call(f"/flow_runs/{run}")["state"]["type"] == "CRASHED"
    assert stack.run("down").returncode == 0
    assert _gone(stack) == []


def test_up_names_a_port_that_is_taken(stack: Stack) -> None:
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", stack.web_port))
        holder.listen()
        up = stack.up()
    assert up.returncode == 2
    assert f"port {stack.web_port} of 127.0.0.1 cannot be used" in up.stderr
    assert "--web-port" in up.stderr
    assert stack.processes() == []
