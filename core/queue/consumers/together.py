"""Several short batches a claim: how many, those not begun, and their end in one commit.

A claim and a commit cost the same whatever they carry, so a worker takes more than one batch while batches are short.
It never holds more than it will have begun within AHEAD_S, as measured: what waits here could run elsewhere.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.database import DatabaseManager
from core.errors import HeadraceError, LeaseLost, StoreError
from core.queue.batches import ClaimedBatch
from core.queue.consumers.finishing import Ended, finish
from core.queue.consumers.handling import Handled
from core.queue.consumers.outages import Outages
from core.queue.handlers import Fates
from core.queue.leases.together import Finished, plain
from core.queue.queue import BatchQueue
from core.queue.store.items import Texts, items_together

log = logging.getLogger(__name__)

# What a worker claims ahead is begun within this time, if batches take as long as the last ones.
AHEAD_S = 0.1
# After this, those not begun are given back.
LATE_S = 2 * AHEAD_S
# Batches a claim, and their rows: a batch of more rows is claimed alone.
BATCHES_MAX, ROWS_MAX = 64, 2_000


class Pace:
    """How many batches to claim next, by what the last ones took.

    One at first; then at most twice as many each time, while all of them together take no longer than AHEAD_S if each
    takes as long as the slowest of the last claim, and have no more rows than ROWS_MAX.
    """

    def __init__(self) -> None:
        self._n = 1

    def limit(self) -> int:
        """Batches that the next claim asks for."""
        return self._n

    def took(self, batches: Sequence[tuple[float, int]]) -> None:
        """Tell of the last claim: seconds and rows of each batch that was worked on."""
        if not batches:
            return
        slowest_s = max(took_s for took_s, _ in batches)
        by_time = int(AHEAD_S / max(slowest_s, 1e-6))
        by_rows = ROWS_MAX * len(batches) // max(1, sum(n_rows for _, n_rows in batches))
        self._n = max(1, min(2 * self._n, by_time, by_rows, BATCHES_MAX))


class Waiting:
    """Batches that were claimed and not begun, in turn. Thread-safe: what is given back is begun by nobody here."""

    def __init__(
        self, release: Callable[[Sequence[ClaimedBatch]], int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._release = release
        self._clock = clock
        self._lock = threading.Lock()
        self._batches: deque[ClaimedBatch] = deque()
        self._since = 0.0

    def put(self, batches: Sequence[ClaimedBatch]) -> None:
        """These were claimed now."""
        with self._lock:
            self._since = self._clock()
            self._batches.extend(batches)

    def next(self) -> ClaimedBatch | None:
        """The next to begin."""
        with self._lock:
            return self._batches.popleft() if self._batches else None

    def give_back(self) -> None:
        """Release all of them, without counting the attempt. Raises StoreError: they are still here."""
        with self._lock:
            batches = list(self._batches)
            self._batches.clear()
        if not batches:
            return
        try:
            self._release(batches)
        except StoreError:
            with self._lock:
                self._batches.extendleft(reversed(batches))
            raise

    def give_back_late(self) -> None:
        """The same if they have waited too long, behind a batch that takes longer than the ones before it."""
        if self._clock() - self._since > LATE_S:
            self.give_back()

    def drop(self) -> None:
        """Forget them: their leases run out."""
        with self._lock:
            self._batches.clear()


def fetch(db: DatabaseManager, claimed: Sequence[ClaimedBatch], outages: Outages) -> dict[int, Texts]:
    """Batch id -> items, of those that may be completed with others; {} for one alone, which is read in its turn.

    Cost: one statement.
    """
    batches = [batch for batch in claimed if plain(batch)]
    return outages.insist(lambda: items_together(db, batches)) if len(batches) > 1 else {}


def may_wait(handled: Handled) -> bool:
    """Whether the batch may be completed with others: nothing failed, and nothing but its results is to be written."""
    answer = handled.answer
    return (
        isinstance(answer, Fates)
        and answer.results is not None
        and not answer.sinks
        and not answer.failures
        and plain(handled.batch)
    )


@dataclass(frozen=True, slots=True)
class Ready:
    """A handled batch that waits for the commit of its group; what it took, and from when to when (`offspring.now`)."""

    handled: Handled
    took_s: float
    cpu_ms: float
    span: tuple[float, float]


def finish_together(queue: BatchQueue, group: Sequence[Ready], outages: Outages, shared_s: float = 0.0) -> list[Ended]:
    """End them in one commit; if that fails for whatever reason, each by itself, so that none suffers for another.

    Args:
        shared_s: what the group took beside its batches, which share it.
    Raises what `finish` raises of a database that refuses for good.
    """
    if len(group) > 1:
        finished = [_finished(one, shared_s / len(group)) for one in group]
        try:
            queue.complete_together(finished)
        except HeadraceError as error:
            log.info("%d batches are ended one by one: %s", len(group), error.message)
        else:
            return [Ended("completed", one.batch.n_items) for one in finished]
    return [finish_or_lose(queue, one.handled, outages) for one in group]


def finish_or_lose(queue: BatchQueue, handled: Handled, outages: Outages) -> Ended:
    """As `finish`; a lost lease is one more way to end."""
    try:
        return finish(queue, handled, outages)
    except LeaseLost as error:
        log.warning("%s", error.message)
        return Ended("lost")


def _finished(one: Ready, more_s: float) -> Finished:
    answer = one.handled.answer
    assert isinstance(answer, Fates)
    assert answer.results is not None
    wall_ms = (one.took_s + more_s) * 1e3
    return Finished(one.handled.batch, answer.results, wall_ms, one.cpu_ms, answer.n_bytes)
