from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from core.database import DatabaseManager
from core.database.warden import start_ticks
from core.errors import ConfigError
from core.queue import BatchQueue, FlowPolicy, views
from core.queue.consumers.consumer import Options
from core.queue.consumers.status_board import SIZE, Board
from core.queue.consumers.supervisor import DUMP_S, Figures, Plan, Supervisor, _Child

HERE = "tests.integration.queue.consumers.misbehaving"
ONCE = Options(idle_exit_s=0.5)
N = 16

FATES = """
SELECT (SELECT count(*) FROM queue_results r JOIN queue_batches b USING (batch_id) WHERE b.flow_name = :f),
       (SELECT count(*) FROM dead_letters WHERE flow_name = :f),
       (SELECT count(*) FROM processing_queue WHERE flow_name = :f)
"""
LETTERS = "SELECT (payload->>'n')::int, error_class, fault, reason FROM dead_letters WHERE flow_name = :f ORDER BY 1"

TOLD = "SELECT outcome, error_class, reason FROM queue_history WHERE flow_name = :f ORDER BY history_id"


def numbers(n: int = N) -> list[dict[str, int]]:
    return [{"n": i} for i in range(n)]


def flow_of(queue: BatchQueue, **policy: object) -> str:
    name = f"flow-{uuid.uuid4().hex[:8]}"
    queue.register_flow(FlowPolicy(name, backoff_s=0, splittable=True, **policy))  # type: ignore[arg-type]
    return name


def until(holds: Callable[[], object], limit_s: float = 60) -> None:
    give_up = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.01)


@contextmanager
def running(supervisor: Supervisor) -> Iterator[list[Figures]]:
    """In a thread; the block's end stops it."""
    ended: list[Figures] = []
    thread = threading.Thread(target=lambda: ended.append(supervisor.run()))
    thread.start()
    try:
        yield ended
    finally:
        supervisor.stop()
        thread.join()


def test_rows_that_take_their_worker_down_die_with_their_class_and_their_neighbours_complete(
    queue: BatchQueue, db: DatabaseManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATE", str(tmp_path))
    # Every batch is at its last attempt; the first is cornered in two deaths, its neighbour completes.
    flow, hanging = flow_of(queue, max_attempts=1), flow_of(queue, max_attempts=1, max_runtime_s=2)
    ways = ["dies", "dies smiling", "crashes", "eats memory"]
    queue.enqueue(flow, [{"n": 0, "how": ways[0]}, {"n": 100}, {"n": 101}], batch_rows=2)
    queue.enqueue(flow, [{"n": n, "how": how} for n, how in enumerate(ways) if n], batch_rows=1)
    queue.enqueue(hanging, [{"n": 0, "how": "hangs"}])
    plan = Plan(dict.fromkeys([flow, hanging], f"{HERE}:takes_its_worker_down"), 2, ONCE, memory_mb=500)
    figures = Supervisor(queue, plan).run()
    assert (figures.deaths, figures.rows, figures.exit_code) == (len(ways) + 2, 2, 0)
    assert db.execute_query("f", FATES, {"f": flow}) == [(2, len(ways), 0)]
    assert db.execute_query("l", LETTERS, {"f": flow}) == [
        (0, "WorkerDied", "poison", "the worker process ended with exit code 3"),
        (1, "WorkerDied", "poison", "the worker process ended with exit code 0"),
        (2, "WorkerDied", "poison", "the worker process was ended by SIGSEGV"),
        (3, "MemoryExceeded", "poison", "the worker used more than 500 MB"),
    ]
    assert db.execute_query("l", LETTERS, {"f": hanging}) == [
        (0, "DeadlineExceeded", "poison", "the handler ran longer than the flow's max_runtime_s")
    ]
    assert not _alive(tmp_path, "kept-*")
    # Those that left their group and outlived their worker are nobody's: ours to end.
    for pid in _alive(tmp_path, "left-*"):
        os.kill(pid, signal.SIGKILL)


def _alive(folder: Path, names: str) -> list[int]:
    """Of the children that handlers noted there."""
    pids = [int(path.name.rpartition("-")[2]) for path in folder.glob(names)]
    assert pids
    return [pid for pid in pids if start_ticks(pid) is not None]


def test_the_batch_of_a_killed_worker_runs_again_at_once(
    queue: BatchQueue, db: DatabaseManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATE", str(tmp_path))
    (tmp_path / "closed").touch()
    flow = flow_of(queue)
    queue.enqueue(flow, numbers())
    supervisor = Supervisor(queue, Plan({flow: f"{HERE}:waits_for_a_file"}, 1, Options(max_batches=1)))
    with running(supervisor) as ended:
        until(lambda: list(tmp_path.glob("begun-*")))
        (pid,) = supervisor.pids()
        os.kill(pid, signal.SIGKILL)
        until(
            lambda: (
                views.now(queue.db, flow).ready_batches + views.now(queue.db, flow).running_batches
                and pid not in supervisor.pids()
            )
        )
        (tmp_path / "closed").unlink()
        until(lambda: ended)
    assert db.execute_query("f", FATES, {"f": flow}) == [(N, 0, 0)]
    told = db.execute_query("h", TOLD, {"f": flow})
    assert told == [("expired", "WorkerDied", "the worker process was ended by SIGKILL"), ("completed", None, None)]
    assert ended[0].deaths == 1


def consume(
    url: str, flow: str, *more: str, gate: Path, handler: str = "waits_for_a_file", **environ: str
) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-c",
        "from core.cli import main; main()",
        "consume",
        "--flow",
        flow,
        "--handler",
        f"{HERE}:{handler}",
        *more,
        "--json",
    ]
    environ = {**os.environ, "HEADRACE_DATABASE__URL": url, "GATE": str(gate), **environ}
    stderr = subprocess.PIPE if "HEADRACE_LOG__AS_JSON" in environ else None
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=stderr, text=True)


def test_a_consumer_its_workers_and_their_handlers_log_json_when_asked(
    queue: BatchQueue, database_url: str, tmp_path: Path
) -> None:
    flow = flow_of(queue, max_attempts=1)
    queue.enqueue(flow, numbers(1))
    asked = {"HEADRACE_LOG__AS_JSON": "true"}
    more = ["--idle-exit-seconds", "0.5", "--http-port", "0"]
    with consume(database_url, flow, *more, gate=tmp_path, handler="logs_and_dies", **asked) as process:
        _, told = process.communicate(timeout=60)
    said = {(line["logger"], line["message"]) for line in map(json.loads, told.splitlines())}
    assert ("jobs.survey", "two\nlines") in said
    assert any(logger == "core.queue.leases.dead_workers" and "WorkerDied" in message for logger, message in said)


def test_on_sigterm_a_batch_that_outlasts_the_grace_is_given_back_unburnt(
    queue: BatchQueue, db: DatabaseManager, database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "closed").touch()
    flow = flow_of(queue)
    queue.enqueue(flow, numbers(), batch_rows=8)
    with consume(database_url, flow, "--processes", "2", "--grace-seconds", "0.2", gate=tmp_path) as process:
        until(lambda: len(list(tmp_path.glob("begun-*"))) == 2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        again = queue.claim(flow, 2)
    assert [batch.attempt for batch in again] == [1, 1]
    told = db.execute_query("h", "SELECT outcome FROM queue_history WHERE flow_name = :f", {"f": flow})
    assert told == [("released",), ("released",)]
    assert db.execute_query("w", "SELECT count(*) FROM workers WHERE worker_id <> :w", {"w": queue.worker_id}) == [(0,)]


def test_on_sigterm_a_batch_within_the_grace_is_finished_and_nothing_more_claimed(
    queue: BatchQueue, db: DatabaseManager, database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "closed").touch()
    flow = flow_of(queue)
    queue.enqueue(flow, numbers(), batch_rows=8)
    with consume(database_url, flow, "--grace-seconds", "60", gate=tmp_path) as process:
        until(lambda: list(tmp_path.glob("begun-*")))
        process.send_signal(signal.SIGTERM)
        (tmp_path / "closed").unlink()
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert json.loads(out) == [{"batches": 1, "rows": 8, "rows_failed": 0, "worker_deaths": 0, "exit_code": 0}]
    assert db.execute_query("f", FATES, {"f": flow}) == [(8, 0, 1)]


def test_workers_end_when_their_supervisor_is_killed(
    queue: BatchQueue, db: DatabaseManager, database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "closed").touch()
    flow = flow_of(queue)
    queue.enqueue(flow, numbers(), batch_rows=8)
    with consume(database_url, flow, gate=tmp_path) as process:
        until(lambda: list(tmp_path.glob("begun-*")))
        (worker,) = psutil.Process(process.pid).children()
        process.kill()
        process.wait()
        (tmp_path / "closed").unlink()
        worker.wait(30)
    assert db.execute_query("f", FATES, {"f": flow}) == [(8, 0, 1)]


def test_a_handler_that_cannot_be_loaded_ends_the_run_with_2(queue: BatchQueue) -> None:
    flow = flow_of(queue)
    assert Supervisor(queue, Plan({flow: f"{HERE}:dobble"}, 2)).run().exit_code == 2
    with pytest.raises(ConfigError):
        Supervisor(queue, Plan({flow: f"{HERE}:double"}, 0))


def test_a_worker_whose_import_hangs_is_killed_and_where_it_stands_is_said(queue: BatchQueue) -> None:
    supervisor = Supervisor(queue, Plan({flow_of(queue): f"{HERE}:double"}))
    with tempfile.TemporaryFile(buffering=0) as file, subprocess.Popen(["sleep", "600"]) as process:
        child = _Child(process, "w", file, Board(file), time.monotonic())
        assert supervisor._offence(child) is None
        child.load_by -= 2 * DUMP_S
        os.pwrite(file.fileno(), b'Thread 0x1 (most recent call first):\n  File "jobs.py", line 7 in <module>\n', SIZE)
        failure = supervisor._offence(child)
        assert failure is not None
        assert failure.error_class == "StartTimeout"
        assert "not imported within 60 s; it stands at jobs.py:7 in <module>" in failure.reason
        child.board.loaded()
        assert supervisor._offence(child) is None
        child.board.close()
        process.kill()
