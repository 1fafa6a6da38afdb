"""`headrace up` and `headrace down`: real processes, one stack for the module.

A start costs ten seconds and more, so the tests take the stack as they find it: `up` does nothing where it runs.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator

import pytest

from tests.processes import LIMIT_S
from tests.stack import Stack, own_stack


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with own_stack() as made:
        yield made


def _gone(stack: Stack, limit_s: float = 10) -> list[str]:
    """What is left after a little while: a warden needs a moment to notice that its server is gone."""
    give_up = time.monotonic() + limit_s
    while (left := stack.processes()) and time.monotonic() < give_up:
        time.sleep(0.1)
    return [" ".join(process.cmdline()) for process in left if process.is_running()]


def test_up_runs_a_deployment_to_its_end_and_starts_again_what_dies(stack: Stack) -> None:
    up = stack.up()
    assert up.returncode == 0, up.stderr
    assert json.loads(up.stdout)["phase"] == "ready"
    deployment = stack.call("/deployments/name/identity-resolution/local")["id"]
    small = {"parameters": {"request": {"input": "demo:persons?rows=500", "id_column": "id"}}}
    run = stack.call(f"/deployments/{deployment}/create_flow_run", small)["id"]

    again = stack.up()
    assert again.returncode == 0
    assert json.loads(again.stdout)["pid"] == json.loads(up.stdout)["pid"]
    assert f":{stack.web_port}/first-admin/" in json.loads(up.stdout)["first_admin_url"]
    with urllib.request.urlopen(f"http://127.0.0.1:{stack.web_port}/ready", timeout=30) as answer:
        assert json.loads(answer.read()) == {"ready": True}

    give_up = time.monotonic() + LIMIT_S
    while (state := stack.call(f"/flow_runs/{run}")["state"])["type"] not in {"COMPLETED", "FAILED", "CRASHED"}:
        assert time.monotonic() < give_up, state
        time.sleep(0.2)
    assert state["type"] == "COMPLETED", (stack.folder / "stack" / "worker.log").read_text()[-3000:]

    assert str(stack.call(f"/flow_runs/{run}")["name"]).startswith("job 1: ")

    # It scales by itself, without a run for each look.
    (newest, *_) = json.loads(stack.run("scale", "explain", "--json").stdout)
    assert newest["pool"] == "prefect:consume/local"
    scaler = stack.call("/deployments/name/autoscale/local")
    assert (scaler["schedules"], scaler["paused"]) == ([], False)

    # A part that dies is started again.
    (worker,) = [part["pid"] for part in stack.state()["components"] if part["name"] == "worker"]
    os.kill(worker, signal.SIGKILL)
    give_up = time.monotonic() + LIMIT_S
    while [p["pid"] for p in stack.state()["components"] if p["name"] == "worker"] in ([], [worker]):
        assert time.monotonic() < give_up
        time.sleep(0.1)


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
    # Killed again, and what it left holds the ports: the next one ends it first.
    before = stack.state()["supervisor"]["pid"]
    os.kill(before, signal.SIGKILL)
    again = stack.up()
    assert again.returncode == 0, again.stderr
    assert stack.state()["supervisor"]["pid"] != before


def test_down_leaves_nothing(stack: Stack) -> None:
    assert stack.up().returncode == 0
    assert len(stack.processes()) >= 5
    down = stack.run("down", "--json")
    assert json.loads(down.stdout)["stopped"] is True
    assert _gone(stack) == []
    assert json.loads(stack.run("down", "--json").stdout)["stopped"] is False


def test_up_names_a_port_that_is_taken(stack: Stack) -> None:
    stack.run("down")
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", stack.web_port))
        holder.listen()
        up = stack.up()
    assert up.returncode == 2
    assert f"port {stack.web_port} of 127.0.0.1 cannot be used" in up.stderr
    assert "--web-port" in up.stderr
    assert stack.processes() == []
