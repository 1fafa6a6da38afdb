"""Beats and duties, with a queue that only counts."""

from __future__ import annotations

import threading
from collections.abc import Callable

from core.errors import StoreUnavailable
from core.queue.leases.heartbeat import LeaseKeeper
from core.settings import QueueSettings


class Counting:
    """A queue whose duty waits until it is let go."""

    def __init__(self) -> None:
        self.settings = QueueSettings()
        self.beats = self.refreshed = self.promoted = self.left = 0
        self.sweeping, self.let_go = threading.Event(), threading.Event()
        self.enough = threading.Event()

    def attach(self, keeper: LeaseKeeper) -> None:
        pass

    def heartbeat(self, batches: object) -> list[int]:
        self.beats += 1
        if self.beats == 2:
            raise StoreUnavailable("away for a moment")
        return []

    def beat_worker(self, n_leases: int) -> None:
        if self.beats >= 5:
            self.enough.set()

    def leave(self) -> None:
        self.left += 1

    def lead_and_sweep(self) -> None:
        self.sweeping.set()
        self.let_go.wait(60)

    def refresh_depth(self) -> None:
        self.refreshed += 1

    def promote(self) -> None:
        self.promoted += 1


def steps(queue: Counting) -> Callable[[float], bool]:
    """Time that passes at once: beats begin when a duty hangs and end when there were enough."""

    def wait(pause_s: float) -> bool:
        if pause_s == queue.settings.beat_s:
            queue.sweeping.wait(60)
            return queue.enough.is_set()
        return queue.let_go.is_set()

    return wait


def test_beats_go_on_while_a_duty_hangs_and_after_a_beat_that_failed() -> None:
    queue = Counting()
    with LeaseKeeper(queue, wait=steps(queue)) as keeper:
        assert queue.enough.wait(60)
        assert keeper.running
        queue.let_go.set()
    assert queue.beats >= 5
    # The depth at 2 s and 4 s, what is due each second, then the sweep at 5 s.
    assert queue.refreshed == 2
    assert queue.promoted == 4
    assert queue.left == 1
    assert not keeper.running
