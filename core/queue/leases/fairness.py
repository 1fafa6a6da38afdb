"""What one process remembers between its claims: whose turn it is, when the oldest is due, where dead entries end."""

from __future__ import annotations

import math
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

# Every so many claims the oldest batch is taken whatever its priority, so that none waits for ever.
OLDEST_EVERY = 10
# So often, in claims, a process asks where its live batches begin.
ASK_LOW_EVERY = 64
# At the latest after this time it looks below that again: what was paused or late to commit is found there.
LOOK_BELOW_S = 5.0


class Lane(NamedTuple):
    """Batches that share one policy; without a tenant: all of a flow."""

    flow_name: str
    tenant_id: str | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """How to look for batches: the oldest instead of the most urgent; none below `low`; `ask_low`: then ask anew."""

    oldest: bool
    low: int
    ask_low: bool


@dataclass(slots=True)
class _Memory:
    n_claims: int = 0
    low: int = 0
    next_low: int = 0
    looked_below_at: float = -math.inf
    probed_below_at: float = -math.inf
    tag: float = 0.0


class Turns:
    """Thread-safe memory of one process. Nothing in it is needed for a claim to be right, only to be quick and fair.

    Lanes share by start-time fair queueing: each is served at its tag, which then moves on by rows / weight; a lane
    that had nothing to do gets its turn at once but no credit. Each process is fair by itself, hence all are together.

    A held snapshot keeps the index entries of finished batches alive, and they all stand in front. `low` is the
    smallest id that was ready or running a while ago; claims start there. It is a guess: what becomes ready below it
    (a paused job that goes on, a long transaction that commits late) is found when nothing is left above, or after
    LOOK_BELOW_S.

    Args:
        name: breaks ties, so that processes that start together do not all start with the same lane.
        clock: monotonic seconds.
    """

    def __init__(self, name: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._clock = clock
        self._lock = threading.Lock()
        self._lanes: dict[Lane, _Memory] = {}
        self._shared: dict[str, bool] = {}
        self._served_at = 0.0

    def look(self, lane: Lane) -> Look:
        """Count a claim of the lane and say how it looks."""
        with self._lock:
            memory = self._of(lane)
            memory.n_claims += 1
            n = memory.n_claims
            low, now = memory.low, self._clock()
            if now - memory.looked_below_at >= LOOK_BELOW_S:
                memory.looked_below_at, low = now, 0
            return Look(n % OLDEST_EVERY == 0, low, n % ASK_LOW_EVERY == 0)

    def lows(self, flow_names: Iterable[str]) -> dict[Lane, int]:
        """Where the lanes of these flows begin, to ask which of them have work; lanes that begin at 0 are left out."""
        names, now = set(flow_names), self._clock()
        lows: dict[Lane, int] = {}
        with self._lock:
            for lane, memory in self._lanes.items():
                if lane.flow_name not in names or memory.low == 0:
                    continue
                if now - memory.probed_below_at >= LOOK_BELOW_S:
                    memory.probed_below_at = now
                else:
                    lows[lane] = memory.low
        return lows

    def live_from(self, lane: Lane, low: int) -> None:
        """Nothing below `low` is live. Believed with the next answer only, when what was in flight has committed."""
        with self._lock:
            memory = self._of(lane)
            memory.low, memory.next_low = min(memory.next_low, low), low

    def found(self, lane: Lane, batch_id: int) -> None:
        """A batch was claimed; one below `low` proves that wrong."""
        with self._lock:
            memory = self._of(lane)
            memory.low, memory.next_low = min(memory.low, batch_id), min(memory.next_low, batch_id)

    def known(self, flow_name: str) -> bool:
        """Whether the flow was seen registered."""
        with self._lock:
            return flow_name in self._shared

    def shared(self, flow_name: str) -> bool:
        """Whether the flow had several tenants or limits when last seen."""
        with self._lock:
            return self._shared.get(flow_name, False)

    def saw(self, flow_name: str, *, shared: bool) -> None:
        """Remember what a claim was told about the flow; a guess that the next claim corrects."""
        with self._lock:
            self._shared[flow_name] = shared

    def order(self, lanes: Iterable[Lane]) -> list[Lane]:
        """The lanes, next one first. Cost: O(n log n) in lanes, none in batches."""
        with self._lock:
            return sorted(lanes, key=lambda lane: (self._start(lane), self._tie(lane), lane))

    def served(self, lane: Lane, n_rows: int, weight: float) -> None:
        """The lane got `n_rows`; its next turn comes so much later."""
        with self._lock:
            start = self._start(lane)
            self._served_at = start
            self._of(lane).tag = start + n_rows / weight

    def _of(self, lane: Lane) -> _Memory:
        return self._lanes.setdefault(lane, _Memory())

    def _start(self, lane: Lane) -> float:
        memory = self._lanes.get(lane)
        return self._served_at if memory is None else max(self._served_at, memory.tag)

    def _tie(self, lane: Lane) -> int:
        return zlib.crc32(f"{self._name}/{lane.flow_name}/{lane.tenant_id}".encode())
