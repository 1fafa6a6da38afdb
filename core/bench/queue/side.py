"""What a worker process does for one system: the interface, and what a drain reports."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

# Called with the number of rows done so far.
Tick = Callable[[int], None]

TICK_S = 0.5


@dataclass(slots=True)
class Drained:
    """What one worker saw. Latencies in milliseconds, one for each claim and each acknowledgement it made.

    `busy_s` ends with the last acknowledgement, so that how long a system takes to notice that its queue is empty does
    not count. `seen`: numbers of the payloads handled, where the system keeps no results to check in its tables.
    """

    claim_ms: list[float] = field(default_factory=list)
    complete_ms: list[float] = field(default_factory=list)
    n_rows: int = 0
    total: int = 0
    busy_s: float = 0.0
    seen: list[int] = field(default_factory=list)


class Side(Protocol):
    """One process of one system."""

    def prepare(self, first: int, rows: int) -> None:
        """Render payloads, so that this does not count as enqueueing."""

    def enqueue(self) -> None:
        """Put in what was prepared."""

    def drain(self, limit_s: float, tick: Tick) -> Drained:
        """Work until the queue is empty or the time is up."""

    def close(self) -> None:
        """Give connections back."""


class Clock:
    """Times what is between `start` and `lap`, and says how far a drain is, at most twice a second."""

    def __init__(self, drained: Drained, tick: Tick) -> None:
        self._drained = drained
        self._tick = tick
        self._began = time.perf_counter()
        self._said = self._began

    def since_start_s(self) -> float:
        """Seconds since the drain began."""
        return time.perf_counter() - self._began

    def acknowledged(self, n_rows: int) -> None:
        """Rows are done for good now."""
        now = time.perf_counter()
        self._drained.n_rows += n_rows
        self._drained.busy_s = now - self._began
        if now - self._said >= TICK_S:
            self._said = now
            self._tick(self._drained.n_rows)


def timed_ms(started: float) -> float:
    """Milliseconds since `started` (perf_counter), to the microsecond."""
    return round((time.perf_counter() - started) * 1e3, 3)


Options = dict[str, Any]
