from __future__ import annotations

from core.queue.consumers.deaths.memory_guard import MemoryGuard
from core.queue.consumers.status_board import Shown

MB = 1 << 20


def at(batch_id: int | None, batches: int = 5) -> Shown:
    return Shown(ready=True, batch_id=batch_id, deadline=0.0, batches=batches, rows=0, rows_failed=0)


def test_memory_guard_says_nothing_up_to_the_limit() -> None:
    guard = MemoryGuard(100)
    assert guard.look(at(None), 10 * MB) is None
    assert guard.look(at(1), 100 * MB) is None


def test_memory_guard_blames_the_batch_in_which_the_worker_grew() -> None:
    guard = MemoryGuard(100)
    guard.look(at(None), 40 * MB)
    assert guard.look(at(1), 60 * MB) is None
    failure = guard.look(at(1), 101 * MB)
    assert failure is not None
    assert (failure.error_class, failure.fault) == ("MemoryExceeded", "poison")
    assert failure.reason == "the worker used more than 100 MB"


def test_memory_guard_blames_no_batch_for_what_its_worker_held_before() -> None:
    guard = MemoryGuard(100)
    for batch_id, held in ((1, 40), (2, 70), (3, 95)):
        assert guard.look(at(batch_id), held * MB) is None
    failure = guard.look(at(4), 105 * MB)
    assert failure is not None
    assert failure.fault is None
    assert failure.reason == "the worker used more than 100 MB, 10 MB of it since its batch began"


def test_memory_guard_blames_the_first_batch_of_a_worker_also_above_a_big_footprint() -> None:
    guard = MemoryGuard(100)
    guard.look(at(None, batches=0), 90 * MB)
    failure = guard.look(at(1, batches=0), 101 * MB)
    assert failure is not None
    assert failure.fault == "poison", "else it would be given back to one fresh worker after the other"
