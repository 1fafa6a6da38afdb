from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from core.database import DatabaseManager
from core.errors import QueueError
from core.queue import BatchQueue
from core.queue.store.wake import Wake
from core.scaling import controller as module
from core.scaling import decision_log
from core.scaling.controller import Aim, Controller, Loop, Tick
from core.scaling.policy import Fleet, for_batches
from core.scaling.ports import Effect


class Ledgered:
    """A fleet in memory, which does at once what it is told."""

    pool = "tests"

    def __init__(self) -> None:
        self.active = 0
        self.keys: list[str] = []
        self.refuses = False

    def census(self) -> Fleet:
        return Fleet(working=self.active)

    def bring_about(self, desired: int, fleet: Fleet, key: str) -> Effect:
        if self.refuses:
            raise QueueError("the pool is closed")
        self.keys.append(key)
        change, self.active = desired - self.active, desired
        return Effect(max(change, 0), max(-change, 0))


def controller(db: DatabaseManager, flow: str, actuator: Ledgered, holder: str = "one") -> Controller:
    return Controller(db, Aim(flow, for_batches(), 1_000, 7.0), actuator, holder)


def test_tick_decides_logs_and_acts(db: DatabaseManager, queue: BatchQueue, flow: str) -> None:
    queue.enqueue(flow, [1] * 50, batch_rows=1)
    actuator = Ledgered()
    one = controller(db, flow, actuator)
    told = one.tick()
    assert told is not None
    assert told.effect == Effect(started=3)
    (logged,) = decision_log.last(db, flow, 10)
    assert (logged.ready_batches, logged.need, logged.desired, logged.started, logged.error) == (50, 3, 3, 3, None)
    assert logged.reason == told.decision.reason
    assert logged.policy["max_consumers"] == 10
    assert actuator.keys == [f"{flow}-{logged.decision_id}"]


def test_tick_remembers_across_processes(db: DatabaseManager, queue: BatchQueue, flow: str) -> None:
    queue.enqueue(flow, [1] * 200, batch_rows=1)
    actuator = Ledgered()
    first = controller(db, flow, actuator)
    first.tick()
    first.leave()
    told = controller(db, flow, actuator, "two").tick()
    assert told is not None
    assert told.decision.desired == 4
    assert "the last rise was" in told.decision.reason


def test_tick_stands_by_while_another_autoscaler_acts(db: DatabaseManager, queue: BatchQueue, flow: str) -> None:
    queue.enqueue(flow, [1])
    idle = Ledgered()
    one, two = controller(db, flow, Ledgered()), controller(db, flow, idle, "two")
    assert one.tick() is not None
    assert two.tick() is None
    assert idle.active == 0
    one.leave()
    assert two.tick() is not None


def test_tick_logs_what_could_not_be_brought_about(db: DatabaseManager, queue: BatchQueue, flow: str) -> None:
    queue.enqueue(flow, [1])
    actuator = Ledgered()
    actuator.refuses = True
    told = controller(db, flow, actuator).tick()
    assert told is not None
    assert told.effect is None
    (logged,) = decision_log.last(db, flow, 1)
    assert (logged.desired, logged.started, logged.error) == (1, None, "the pool is closed")


def test_forget_deletes_old_decisions_only(db: DatabaseManager, queue: BatchQueue, flow: str) -> None:
    one = controller(db, flow, Ledgered())
    one.tick()
    one.tick()
    oldest = decision_log.last(db, flow, 2)[-1].decision_id
    db.execute_query(
        "age",
        "UPDATE scaling_decisions SET decided_at = now() - interval '8 days' WHERE decision_id = :id",
        {"id": oldest},
    )
    assert decision_log.forget(db, 7.0) == 1
    assert [left.decision_id for left in decision_log.last(db, flow, 9)] == [oldest + 1]


def test_loop_is_woken_by_new_work(db: DatabaseManager, queue: BatchQueue, flow: str) -> None:
    """Polling would come after an hour."""
    actuator = Ledgered()
    ticked, worked = threading.Event(), threading.Event()

    def say(told: Tick | None) -> None:
        ticked.set()
        if told is not None and told.effect is not None and told.effect.started:
            worked.set()

    with Wake(db, replace_poll(queue), [flow]) as wake:
        loop = Loop(controller(db, flow, actuator), wake, 3_600.0, say)
        thread = threading.Thread(target=loop.run)
        thread.start()
        try:
            assert ticked.wait(30)
            queue.enqueue(flow, [1])
            assert worked.wait(30)
        finally:
            loop.stop()
            thread.join(30)
    assert not thread.is_alive()
    assert db.execute_query("l", "SELECT count(*) FROM leases WHERE name = :n", {"n": f"autoscale:{flow}"}) == [(0,)]


def replace_poll(queue: BatchQueue):
    """Marks of this waiter last for the test."""
    return queue.settings.replaced(poll_s=60.0)


class Slow(Ledgered):
    """Something happens while it counts its consumers, or after."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__()
        self.meanwhile = meanwhile

    def census(self) -> Fleet:
        seen = super().census()
        self.meanwhile()
        return seen


def test_tick_drops_a_decision_whose_lease_was_lost_meanwhile(
    db: DatabaseManager, queue: BatchQueue, flow: str
) -> None:
    queue.enqueue(flow, [1] * 50, batch_rows=1)
    lease = {"n": f"autoscale:{flow}"}

    def followed() -> None:
        db.execute_query("age", "UPDATE leases SET lease_until = now() - interval '1 second' WHERE name = :n", lease)
        controller(db, flow, follower, "two").tick()

    actuator, follower = Slow(followed), Ledgered()
    assert controller(db, flow, actuator).tick() is None
    assert (actuator.keys, follower.active) == ([], 3)
    assert [one.holder for one in decision_log.last(db, flow, 9)] == ["two"]


def test_tick_drops_a_decision_that_is_older_than_its_lease(
    db: DatabaseManager, queue: BatchQueue, flow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Halted between the log and the act: nothing in the database tells it, its own clock does."""
    queue.enqueue(flow, [1] * 50, batch_rows=1)
    actuator = Ledgered()
    one = controller(db, flow, actuator)
    written = decision_log.write

    def and_halted(*args: Any) -> int | None:
        decision_id = written(*args)
        now = time.monotonic()
        monkeypatch.setattr(module.time, "monotonic", lambda: now + module.LEASE_S)
        return decision_id

    monkeypatch.setattr(decision_log, "write", and_halted)
    assert one.tick() is None
    assert actuator.keys == []
    assert decision_log.last(db, flow, 1)[0].error == module.HALTED


def test_tick_extends_its_lease_where_it_acts(db: DatabaseManager, queue: BatchQueue, flow: str) -> None:
    lease = {"n": f"autoscale:{flow}"}
    nearly = "UPDATE leases SET lease_until = clock_timestamp() + interval '20 seconds' WHERE name = :n"
    actuator = Slow(lambda: db.execute_query("nearly", nearly, lease))
    assert controller(db, flow, actuator).tick() is not None
    left = "SELECT extract(epoch FROM lease_until - now()) > 25 FROM leases WHERE name = :n"
    assert db.execute_query("left", left, lease) == [(True,)]
