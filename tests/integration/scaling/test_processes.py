"""The pool of local processes, with real ones."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from core.database import DatabaseManager
from core.queue import BatchQueue, views
from core.queue.store.wake import Wake
from core.scaling import decision_log, processes
from core.scaling.controller import Aim, Controller, Loop, Tick
from core.scaling.policy import Fleet, for_batches
from core.scaling.ports import Effect
from core.scaling.processes import Command, ProcessPool

ROOT = Path(__file__).parents[3]
HANDLER = "tests.integration.scaling.handlers:at_leisure"
LIMIT_S = 60.0


@pytest.fixture(autouse=True)
def _on_this_database(monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    monkeypatch.setenv("HEADRACE_DATABASE__URL", database_url)
    monkeypatch.setenv("HEADRACE_QUEUE__POLL_S", "0.2")
    monkeypatch.chdir(ROOT)


def until(true: Callable[[], bool]) -> None:
    give_up = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < give_up
        threading.Event().wait(0.05)


def test_depth_rises_consumers_come_drain_and_go(db: DatabaseManager, queue: BatchQueue, flow: str) -> None:
    ticks: list[Tick] = []
    command = Command(flow, HANDLER, idle_exit_s=0.5)
    with closing(ProcessPool(db, command.line())) as pool, Wake(db, queue.settings, [flow]) as wake:
        controller = Controller(db, Aim(flow, for_batches(max_consumers=2), 1_000, 7.0), pool, "tests")
        loop = Loop(controller, wake, 0.5, lambda told: ticks.append(told) if told else None)
        thread = threading.Thread(target=loop.run)
        thread.start()
        try:
            until(lambda: bool(ticks))
            assert pool.pids() == []
            queue.enqueue(flow, list(range(40)), batch_rows=1)
            until(
                lambda: views.now(queue.db, flow).ready_batches == 0 and views.now(queue.db, flow).running_batches == 0
            )
            until(lambda: ticks[-1].fleet.active == 0)
        finally:
            loop.stop()
            thread.join(LIMIT_S)
    (n_results,) = db.execute_query("n", "SELECT count(*) FROM queue_results")[0]
    assert n_results == 40
    counts = [told.fleet.active for told in ticks]
    assert max(counts) == 2
    # Up once, down once.
    peak = counts.index(2)
    assert counts[:peak] == sorted(counts[:peak])
    assert counts[peak:] == sorted(counts[peak:], reverse=True)
    assert any(told.fleet.working == 2 for told in ticks)
    workers = "SELECT count(DISTINCT worker_id) FROM queue_history WHERE flow_name = :f"
    assert db.execute_query("w", workers, {"f": flow}) == [(2,)]


def test_pool_counts_consumers_that_fail(db: DatabaseManager, queue: BatchQueue, flow: str) -> None:
    """One that cannot even load its handler fails; enough of them, and none is added."""
    queue.enqueue(flow, list(range(200)), batch_rows=1)
    pool = ProcessPool(db, [sys.executable, "-c", "raise SystemExit(2)"])
    with closing(pool):
        controller = Controller(db, Aim(flow, for_batches(), 1_000, 7.0), pool, "tests")
        first = controller.tick()
        assert first is not None
        assert first.effect == Effect(started=4)
        until(lambda: pool.census() == Fleet(ended_badly=4))
        second = controller.tick()
        assert second is not None
        assert second.effect == Effect()
    assert "4 of the last 4 failed" in decision_log.last(db, flow, 1)[0].reason


def test_pool_calls_off_those_on_their_way_only(db: DatabaseManager, queue: BatchQueue, flow: str) -> None:
    forever = [sys.executable, "-c", "import signal; signal.pause()"]
    with closing(ProcessPool(db, forever)) as pool:
        pool.bring_about(2, pool.census(), "a")
        assert pool.census() == Fleet(starting=2)
        os_pid = pool.pids()[0]
        here = BatchQueue(db, queue.settings, "beats")
        here.beat_worker(0)
        db.execute_query("pid", "UPDATE workers SET pid = :p WHERE worker_id = 'beats'", {"p": os_pid})
        assert pool.census() == Fleet(working=1, starting=1)
        assert pool.bring_about(0, pool.census(), "b") == Effect(stopped=1)
        until(lambda: pool.census() == Fleet(working=1, ended_well=1))
        assert pool.pids() == [os_pid]
        here.leave()


def test_pool_of_a_record_flow_stops_those_at_work_too_the_youngest_first(db: DatabaseManager) -> None:
    forever = [sys.executable, "-c", "import signal; signal.pause()"]
    with closing(ProcessPool(db, forever, stops_working=True)) as pool:
        pool.bring_about(3, pool.census(), "a")
        oldest = pool.pids()[0]
        assert pool.bring_about(1, Fleet(working=3), "b") == Effect(stopped=2)
        until(lambda: pool.census() == Fleet(starting=1, ended_well=2))
        assert pool.pids() == [oldest]


def test_pool_kills_what_does_not_end_within_its_grace(
    db: DatabaseManager, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(processes, "KILL_AFTER_S", 0.0)
    ready = tmp_path / "ready"
    deaf = "import signal, pathlib; signal.signal(15, signal.SIG_IGN); "
    deaf += f"pathlib.Path({str(ready)!r}).touch(); signal.pause()"
    pool = ProcessPool(db, [sys.executable, "-c", deaf], grace_s=0.0)
    pool.bring_about(1, Fleet(), "a")
    until(ready.exists)
    (pid,) = pool.pids()
    pool.close()
    assert pool.pids() == []
    assert not psutil.pid_exists(pid)


def test_scale_run_serves_until_it_is_told(
    db: DatabaseManager, queue: BatchQueue, flow: str, database_url: str
) -> None:
    command = [sys.executable, "-m", "core.cli", "scale", "run", "--flow", flow, "--handler", HANDLER, "--json"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        queue.enqueue(flow, [1], batch_rows=1)
        done = "SELECT count(*) FROM queue_history WHERE flow_name = :f AND outcome = 'completed'"
        until(lambda: db.execute_query("d", done, {"f": flow}) == [(1,)])
        consumers = psutil.Process(process.pid).children(recursive=True)
        assert consumers
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=LIMIT_S)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert json.loads(told.splitlines()[0])["desired"] == 1
    assert not [child for child in consumers if child.is_running()]
    leases = "SELECT count(*) FROM leases WHERE name = :n"
    assert db.execute_query("l", leases, {"n": f"autoscale:{flow}"}) == [(0,)]
