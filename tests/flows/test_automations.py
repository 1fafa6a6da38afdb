"""Each automation, on a real Prefect server: what it watches for happens as it does in earnest, and it acts."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client

from core.consuming.request import ConsumeRequest
from core.database import DatabaseManager
from core.queue import BatchQueue, FlowPolicy
from core.settings import QueueSettings
from flows import consume as consume_flow
from flows.server.automations import Patience, automations
from flows.server.objects import put_automations
from tests.flows.in_process import prefect_of, run_flow
from tests.prefect_server import call
from tests.processes import until

ROOT = Path(__file__).parents[2]
# The shortest that Prefect allows.
PATIENCE_S = 10
# Prefect beats when a flow begins; then this one is silent, as one whose process was killed.
ALIVE = """
import sys
from prefect import flow

@flow
def alive():
    print("alive", flush=True)
    sys.stdin.read()

alive()
"""


@dataclass(frozen=True)
class Watched:
    """A server whose automations wait ten seconds, a deployment to wake, and what the block for notifications got."""

    env: dict[str, str]
    autoscaler: str
    told: list[dict[str, Any]]

    def run_of(self, state: str, **fields: Any) -> str:
        """A flow run in that state, made as a worker or a schedule makes it."""
        flow = call(self.env, "POST", "/flows/", {"name": "watched"})
        made = call(self.env, "POST", "/flow_runs/", {"flow_id": flow["id"], "state": {"type": "SCHEDULED"}, **fields})
        if state != "SCHEDULED":
            call(self.env, "POST", f"/flow_runs/{made['id']}/set_state", {"state": {"type": state}, "force": False})
        return str(made["id"])

    def state(self, run_id: str) -> tuple[str, str]:
        """Type and message."""
        found = call(self.env, "GET", f"/flow_runs/{run_id}")["state"]
        return found["type"], found["message"] or ""

    def becomes(self, run_id: str, wanted: str) -> str:
        """Wait for a state; returns its message."""
        until(lambda: self.state(run_id)[0] == wanted, lambda: f"{run_id}: {self.state(run_id)}, not {wanted}")
        return self.state(run_id)[1]

    def woken(self) -> int:
        """Runs of the autoscaler."""
        only = {"deployments": {"id": {"any_": [self.autoscaler]}}}
        return len(call(self.env, "POST", "/flow_runs/filter", only))

    def events(self, name: str, run_id: str) -> int:
        """Events of that name about a run that the server has."""
        wanted = {"event": {"name": [name]}, "resource": {"id": [f"prefect.flow-run.{run_id}"]}}
        return int(call(self.env, "POST", "/events/filter", {"filter": wanted})["total"])


@contextmanager
def hook(told: list[dict[str, Any]]) -> Iterator[str]:
    """An address that a webhook block calls."""

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def webhook_block(env: dict[str, str], address: str) -> str:
    slug = "custom-webhook"
    kind = call(env, "GET", f"/block_types/slug/{slug}")
    schema = call(env, "POST", "/block_schemas/filter", {"block_schemas": {"block_type_id": {"any_": [kind["id"]]}}})[0]
    data = {"name": "hook", "url": address, "json_data": {"subject": "{{subject}}", "body": "{{body}}"}}
    body = {"name": f"h-{uuid.uuid4()}", "block_type_id": kind["id"], "block_schema_id": schema["id"], "data": data}
    return str(call(env, "POST", "/block_documents/", body)["id"])


def deployment(env: dict[str, str], flow_name: str) -> str:
    flow = call(env, "POST", "/flows/", {"name": flow_name})
    return str(call(env, "POST", "/deployments/", {"name": "here", "flow_id": flow["id"]})["id"])


async def make_automations(autoscaler: str, block: str) -> None:
    short = timedelta(seconds=PATIENCE_S)
    wanted = automations({"autoscale/here": UUID(autoscaler)}, UUID(block), Patience(short, short, short))
    async with get_client() as client:
        await put_automations(client, wanted)


@pytest.fixture(scope="module")
def watched(prefect_env: dict[str, str]) -> Iterator[Watched]:
    told: list[dict[str, Any]] = []
    env = prefect_env | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    with hook(told) as address:
        autoscaler, consumer = (deployment(env, flow_name) for flow_name in ("autoscale", "consume"))
        block = webhook_block(env, address)
        with prefect_of(env):
            asyncio.run(make_automations(autoscaler, block))
        try:
            yield Watched(env, autoscaler, told)
        finally:
            # Others use this server, and are not to be hurried.
            for one in call(env, "POST", "/automations/filter", {}):
                call(env, "DELETE", f"/automations/{one['id']}")
            for made_id in (autoscaler, consumer):
                call(env, "DELETE", f"/deployments/{made_id}")


@pytest.fixture(scope="module")
def runs(watched: Watched) -> dict[str, str]:
    """Runs that something is wrong with, and their like of which all is well; all begin to wait together."""
    made = {
        "pending": watched.run_of("PENDING"),
        "started": watched.run_of("PENDING"),
        "missed": watched.run_of("SCHEDULED", tags=["recurring"]),
        "awaited": watched.run_of("SCHEDULED"),
        "killed": silent_process(watched),
    }
    call(watched.env, "POST", f"/flow_runs/{made['started']}/set_state", {"state": {"type": "RUNNING"}})
    return made


def silent_process(watched: Watched) -> str:
    """A flow in a process of its own, killed after its first heartbeat; returns the run's id."""
    env = watched.env | {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30"}
    command = [sys.executable, "-c", ALIVE]
    process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"alive\n"
        only = {"flows": {"name": {"any_": ["alive"]}}, "sort": "START_TIME_DESC", "limit": 1}
        run_id = str(call(watched.env, "POST", "/flow_runs/filter", only)[0]["id"])
        until(lambda: watched.events("prefect.flow-run.heartbeat", run_id), lambda: "no heartbeat came")
    finally:
        process.kill()
        process.wait(30)
        for end in (process.stdin, process.stdout):
            if end is not None:
                end.close()
    return run_id


def test_zombie_runs_are_crashed(watched: Watched, runs: dict[str, str]) -> None:
    assert "no heartbeat for 10 s: its process is gone" in watched.becomes(runs["killed"], "CRASHED")


def test_stuck_pending_is_crashed_and_what_started_is_not(watched: Watched, runs: dict[str, str]) -> None:
    assert "pending for 10 s: its image cannot be pulled" in watched.becomes(runs["pending"], "CRASHED")
    assert watched.state(runs["started"])[0] == "RUNNING"


def test_missed_runs_are_called_off_where_they_recur(watched: Watched, runs: dict[str, str]) -> None:
    assert "late by 10 s: the next does it" in watched.becomes(runs["missed"], "CANCELLED")
    # It is late as well, and nobody else does its work.
    late = call(watched.env, "GET", f"/flow_runs/{runs['awaited']}")["state"]
    assert late["name"] == "Late"


def test_dead_letters_are_told_once_for_a_flow(watched: Watched, database_url: str, db: DatabaseManager) -> None:
    queue = BatchQueue(db, QueueSettings(), "producer")
    for flow_name in ("mill", "weir"):
        queue.register_flow(FlowPolicy(flow_name, max_attempts=1))
    for flow_name in ("mill", "mill", "weir"):
        queue.enqueue(flow_name, [1], batch_rows=1)
        consume(watched.env, database_url, flow_name)
    subject = "Headrace: dead letters"
    until(lambda: any("weir" in one["body"] for one in watched.told), lambda: str(watched.told))
    alerts = [one["body"] for one in watched.told if one["subject"] == subject]
    words = "Batches were given up; `headrace queue dead` shows them. Flow: "
    assert alerts == [f"{words}mill", f"{words}weir"]


def consume(env: dict[str, str], database_url: str, flow_name: str) -> None:
    """As a run of `consume` does."""
    request = ConsumeRequest(flows=(flow_name,), handler="tests.flows.handlers:fails", idle_exit_s=0)
    with prefect_of(env | {"HEADRACE_DATABASE__URL": database_url}):
        asyncio.run(consume_flow.consume(request))


def test_backlog_wakes_the_autoscaler_and_its_end_is_told(
    watched: Watched, database_url: str, db: DatabaseManager
) -> None:
    """Two runs of the autoscaler: the second one sees the end of what the first one saw."""
    queue = BatchQueue(db, QueueSettings(), "producer")
    queue.register_flow(FlowPolicy("race"))
    queue.enqueue("race", [1], batch_rows=1)
    autoscale(watched.env, database_url)
    until(lambda: watched.woken() == 1, lambda: f"{watched.woken()} runs of the autoscaler")
    (batch,) = queue.claim("race")
    queue.complete(batch, queue.items(batch).select("seq", output="payload"))
    autoscale(watched.env, database_url)
    cleared = {"subject": "Headrace: backlog cleared"}
    until(lambda: any(one["subject"] == cleared["subject"] for one in watched.told), lambda: str(watched.told))
    assert watched.woken() == 1


def autoscale(env: dict[str, str], database_url: str) -> None:
    """As its deployment does, with one look."""
    request = {"flow_name": "race", "deployment": "consume/here", "oldest_s": 0, "ticks": 1}
    done = run_flow(env | {"HEADRACE_DATABASE__URL": database_url}, "autoscale", json.dumps(request))
    assert done.returncode == 0, done.stderr
