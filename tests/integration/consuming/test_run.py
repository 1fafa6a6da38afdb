"""Consumers of a work queue, as the real command."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.consuming.request import ConsumeRequest
from core.consuming.run import ConsumerRun
from core.database import DatabaseManager
from core.linkage.prepare import describe, understand
from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.made_records.persons.generator import generate_persons
from core.queue import BatchQueue, FlowPolicy, views
from core.queue.consumers import routing
from core.review.audit.chain import Event
from core.review.audit.events import append
from core.runtime import Runtime
from core.settings import QueueSettings, Settings
from core.storage.workspace import Workspace
from core.workloads.identity.session import IdentitySession

HANDLERS = "tests.integration.queue.consumers.misbehaving"
LIMIT_S = 240


@pytest.fixture
def queue(db: DatabaseManager) -> BatchQueue:
    return BatchQueue(db, QueueSettings(), "tests")


def until(done: Callable[[], Any]) -> Any:
    give_up = time.monotonic() + LIMIT_S
    while not (found := done()):
        assert time.monotonic() < give_up
        time.sleep(0.02)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


@pytest.fixture
def start(database_url: str, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `headrace consume`; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []
    settings = {"HEADRACE_DATABASE__URL": database_url, "HEADRACE_QUEUE__POLL_S": "0.1", "GATE": str(tmp_path)}

    def consume(*options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", "from core.cli import main; main()", "consume", "--json", *options]
        with (tmp_path / "consume.log").open("wb") as log:
            process = subprocess.Popen(
                command, env={**os.environ, **settings}, stdout=subprocess.PIPE, stderr=log, text=True
            )
        started.append(process)
        return process

    yield consume
    for process in started:
        process.kill()
        process.communicate()


def test_consumer_of_a_queue_does_the_batches_of_a_job(
    queue: BatchQueue, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    persons, out = tmp_path / "persons.parquet", tmp_path / "out.parquet"
    generate_persons(300, seed=5, duplicates=0.3).write_parquet(persons)
    request = MatchRequest(input=str(persons), id_column="id", out=str(out))
    workspace = Workspace(str(tmp_path / "job"))
    session = IdentitySession(queue, describe(understand(request), workspace), workspace)
    consumer = start("--queue", "matching", "--http-port", "0")
    # This process only announces the stages; it does no batch itself.
    for stage in session.stages:
        session.open(stage)
        until(lambda stage=stage: session.progress(stage).drained)
    session.write_outputs(session.finish())
    session.close()
    consumer.send_signal(signal.SIGTERM)
    told, _ = consumer.communicate(timeout=60)
    assert consumer.returncode == 0
    assert json.loads(told)[0]["batches"] >= len(session.stages)

    local = tmp_path / "local.parquet"
    resolve(request.model_copy(update={"out": str(local)}), tmp_path / "local")
    assert entities(out) == entities(local)


def entities(path: Path) -> set[frozenset[str]]:
    return {frozenset(ids) for ids in pl.read_parquet(path).group_by("entity_id").agg("id")["id"].to_list()}


def test_idle_consumer_shows_itself_and_ends_on_sigterm(
    queue: BatchQueue, db: DatabaseManager, start: Callable[..., subprocess.Popen[str]]
) -> None:
    queue.register_flow(FlowPolicy("sums", work_queue="aggregation"))
    queue.enqueue("sums", [{"n": n} for n in range(6)], batch_rows=3)
    port = free_port()
    options = ["--capability", "gpu", "--http-port", str(port)]
    consumer = start("--queue", "aggregation", "--handler", f"{HANDLERS}:double", *options)
    with db.transaction() as conn:
        append(conn, Event("default", "settled", "tests", datetime(2026, 2, 3, tzinfo=UTC)), [])
    until(lambda: db.execute_query("seals", "SELECT count(*) FROM audit_seals") == [(1,)])
    until(lambda: "rows_total 6.0" in ask(port, "/metrics")[1])
    assert ask(port, "/health") == (200, '{"status":"ok"}')
    assert ask(port, "/ready") == (200, '{"ready":true}')
    assert ask(port, "/other")[0] == 404
    (row,) = db.execute_query("w", "SELECT pool, capabilities FROM workers WHERE worker_id <> 'tests'")
    assert row[0] == "aggregation"
    assert (row[1]["flows"], row[1]["capabilities"]) == (["sums"], ["gpu"])
    consumer.send_signal(signal.SIGTERM)
    told, _ = consumer.communicate(timeout=60)
    assert consumer.returncode == 0
    assert json.loads(told)[0]["rows"] == 6
    assert db.execute_query("w", "SELECT count(*) FROM workers WHERE worker_id <> 'tests'") == [(0,)]


def test_consumer_of_an_empty_queue_waits_for_its_first_flow(
    queue: BatchQueue, db: DatabaseManager, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.consuming.run.LOOK_EVERY_S", 0.1)
    request = ConsumeRequest(queue="validation", handler=f"{HANDLERS}:double")
    consumer = ConsumerRun(Runtime(Settings(), db, "tests"), request)
    assert consumer.problem() == "no flow of the queue validation is registered"
    thread = threading.Thread(target=consumer.run)
    thread.start()
    try:
        for name in ("checks", "more-checks"):
            queue.register_flow(FlowPolicy(name, work_queue="validation"))
            queue.enqueue(name, [{"n": 1}])
            until(
                lambda name=name: (
                    views.now(queue.db, name).ready_batches + views.now(queue.db, name).running_batches == 0
                )
            )
    finally:
        consumer.stop()
        thread.join(60)
    assert not thread.is_alive()
    assert db.execute_query(
        "h", "SELECT count(*) FROM queue_history WHERE flow_name IN ('checks', 'more-checks') AND outcome = 'completed'"
    ) == [(2,)]


def test_routes_by_queue_and_need(queue: BatchQueue, db: DatabaseManager) -> None:
    queue.register_flow(FlowPolicy("plain", work_queue="pumps"))
    queue.register_flow(FlowPolicy("drawn", work_queue="pumps", needs=("gpu",)))
    known = routing.routes(db)
    assert routing.of_queue(known, "pumps", frozenset()) == ["plain"]
    assert routing.of_queue(known, "pumps", frozenset({"gpu", "more"})) == ["drawn", "plain"]
    assert {"plain"} <= set(routing.of_queue(known, routing.ANY, frozenset()))
    assert routing.of_queue(known, "wells", frozenset()) == []


def test_an_empty_consumer_says_so_and_ends_when_its_time_is_over(
    queue: BatchQueue, db: DatabaseManager, caplog: pytest.LogCaptureFixture
) -> None:
    queue.register_flow(FlowPolicy("plain", work_queue="pumps"))
    request = ConsumeRequest(queue="wells", idle_exit_s=0.0)
    assert ConsumerRun(Runtime(Settings(), db, "tests"), request).run().batches == 0
    (said,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert said.startswith("no flow of the queue wells that it could do is registered")
    assert "pumps" in said.rpartition("Queues with flows: ")[2].split(", ")


def test_handlers_open_the_database_of_their_consumer(
    queue: BatchQueue, db: DatabaseManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be another than the environment's: a flow run can name a block."""
    queue.register_flow(FlowPolicy("named"))
    queue.enqueue("named", [{"n": 1}], batch_rows=1)
    monkeypatch.setenv("HEADRACE_DATABASE__URL", "postgresql://nobody@127.0.0.1:9/nowhere")
    request = ConsumeRequest(flows=("named",), handler=f"{HANDLERS}:opens_a_database", idle_exit_s=0.2)
    assert ConsumerRun(Runtime(Settings(), db, "tests"), request).run().rows_failed == 0
    (name,) = db.execute_query("name", "SELECT current_database()::text")[0]
    outputs = "SELECT r.output FROM queue_results r JOIN queue_batches b USING (batch_id) WHERE b.flow_name = 'named'"
    assert [str(output).strip('"') for (output,) in db.execute_query("o", outputs)] == [name]
