"""The one worker loop: claim, read, handle, finish; the three steps of a batch are modules beside this one.

It works on one batch at a time. While batches are short it claims several and ends them in one commit, see
core.queue.consumers.together. Fetching the next one meanwhile would save some ten milliseconds of a batch that takes
seconds, and a worker that dies would take two batches with it.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from core.errors import QueueError, StoreError
from core.queue import handlers
from core.queue.batches import ClaimedBatch
from core.queue.consumers import offspring, together
from core.queue.consumers.deadlines import Deadlines
from core.queue.consumers.finishing import Ended
from core.queue.consumers.handling import handle
from core.queue.consumers.outages import Outages
from core.queue.consumers.reading import read
from core.queue.consumers.status_board import Board
from core.queue.consumers.together import Ready, finish_or_lose, finish_together
from core.queue.handlers import Handler, Work
from core.queue.leases.heartbeat import LeaseKeeper
from core.queue.producers import batch_size
from core.queue.queue import BatchQueue
from core.queue.store.items import Texts

log = logging.getLogger(__name__)
T = TypeVar("T")


class Waker(Protocol):
    """Waits for work; core.queue.store.wake.Wake in earnest."""

    def wait(self, timeout_s: float | None = None) -> bool:
        """Pause until work may be there, at most so long; None: as long as polls are apart."""

    def interrupt(self) -> None:
        """End the present wait, or the next one, at once."""


@dataclass(frozen=True, slots=True)
class Options:
    """When a consumer ends by itself; None: never."""

    max_batches: int | None = None
    idle_exit_s: float | None = None
    max_run_s: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What one run did: batches by what became of them, rows done and rows that failed."""

    completed: int = 0
    retried: int = 0
    split: int = 0
    dead: int = 0
    lost: int = 0
    rows: int = 0
    rows_failed: int = 0

    @property
    def batches(self) -> int:
        """Attempts that ended, lost ones too."""
        return self.completed + self.retried + self.split + self.dead + self.lost

    def plus(self, ended: Ended) -> Report:
        """The report with one more attempt in it."""
        counts = {
            ended.outcome: getattr(self, ended.outcome) + 1,
            "rows": self.rows + ended.rows,
            "rows_failed": self.rows_failed + ended.rows_failed,
        }
        return replace(self, **counts)


class Pulse:
    """A waker that only polls."""

    def __init__(self, poll_s: float) -> None:
        self._poll_s = poll_s
        self._interrupted = threading.Event()

    def wait(self, timeout_s: float | None = None) -> bool:
        """False: nothing was announced, look for yourself."""
        self._interrupted.wait(self._poll_s if timeout_s is None else timeout_s)
        self._interrupted.clear()
        return False

    def interrupt(self) -> None:
        """End the present wait, or the next one."""
        self._interrupted.set()


class Consumer:
    """Runs a handler over the batches of some flows, in the thread that calls `run`.

    Args:
        work: a function, or what core.queue.handlers.load_handler made of its name; or one for each flow.
        waker: pauses while there is nothing to do.
        board: where the supervisor reads which batch runs and until when.
    """

    def __init__(
        self,
        queue: BatchQueue,
        flow_names: Sequence[str],
        work: Work | Handler | Mapping[str, Work],
        options: Options | None = None,
        *,
        waker: Waker | None = None,
        board: Board | None = None,
    ) -> None:
        if not flow_names:
            raise QueueError("a consumer needs at least one flow")
        self._queue = queue
        self._flows = list(flow_names)
        works = work if isinstance(work, Work | Mapping) else handlers.as_work(work)
        self._works = works if isinstance(works, Mapping) else dict.fromkeys(self._flows, works)
        self._options = options or Options()
        self._waker = waker or Pulse(queue.settings.poll_s)
        self._board = board
        self._pace = together.Pace()
        self._waiting = together.Waiting(queue.release)
        self._keeper = LeaseKeeper(queue, on_beat=self._waiting.give_back_late)
        self._pid = os.getpid()
        self._stopping = threading.Event()
        self._report = Report()
        self._found_slow: set[str] = set()
        self._outages = Outages(self._stopping, queue.settings.poll_s, board)
        self._deadlines = Deadlines(queue.db, self._outages)

    def stop(self) -> None:
        """Claim no more; the batch that runs is finished. Safe in any thread and in a signal handler."""
        self._stopping.set()
        self._waker.interrupt()

    def give_back(self) -> int:
        """Release what is held without counting the attempt, for a process that ends before its batch does."""
        return self._queue.release(self._keeper.held())

    def run(self) -> Report:
        """Work until told to stop or until an option says so.

        Raises UnknownFlow, and what the database refuses for good; outages are waited for.
        """
        options, began = self._options, time.monotonic()
        idle_since: float | None = None
        self._asked(lambda: self._queue.beat_worker(0))
        with self._keeper:
            while not self._over(began):
                if claimed := self._claim():
                    idle_since = None
                    self._round(claimed)
                    continue
                idle_since = idle_since or time.monotonic()
                if options.idle_exit_s is not None and time.monotonic() - idle_since >= options.idle_exit_s:
                    break
                self._waker.wait(self._limit_s(began, idle_since))
        return self._report

    def _over(self, began: float) -> bool:
        options = self._options
        return (
            self._stopping.is_set()
            or (options.max_batches is not None and self._report.batches >= options.max_batches)
            or (options.max_run_s is not None and time.monotonic() - began >= options.max_run_s)
        )

    def _limit_s(self, began: float, idle_since: float) -> float | None:
        """How long to wait: as the waker likes, or until the next option ends the run."""
        now = time.monotonic()
        ends = [
            since + limit_s - now
            for since, limit_s in ((began, self._options.max_run_s), (idle_since, self._options.idle_exit_s))
            if limit_s is not None
        ]
        # A waker may take a quarter more than the poll interval.
        soon = [left_s for left_s in ends if left_s < 1.25 * self._queue.settings.poll_s]
        return max(0.0, min(soon)) if soon else None

    def _asked(self, act: Callable[[], T]) -> T | None:
        """Shown on the board from its beginning: an attempt to connect may take long to fail."""
        if self._board is not None:
            self._board.asks()
        return self._outages.wait_out(act)

    def _claim(self) -> list[ClaimedBatch]:
        most = self._pace.limit()
        if self._options.max_batches is not None:
            most = min(most, self._options.max_batches - self._report.batches)
        claimed = self._asked(lambda: self._ask(most)) or []
        for batch in claimed:
            self._keeper.add(batch)
        return claimed

    def _ask(self, most: int) -> list[ClaimedBatch]:
        if len(self._flows) == 1:
            return self._queue.claim(self._flows[0], most, together_rows=together.ROWS_MAX)
        return self._queue.claim_any(self._flows, most, together_rows=together.ROWS_MAX)

    def _round(self, claimed: list[ClaimedBatch]) -> None:
        """The batches of one claim all their way, whatever happens on it; those not begun in time are given back."""
        began, group, took = time.monotonic(), list[Ready](), list[tuple[float, int]]()
        self._waiting.put(claimed)
        try:
            texts = together.fetch(self._queue.db, claimed, self._outages)
            batch = self._waiting.next()
            while batch is not None:
                started = time.monotonic()
                fine = self._attempt(batch, texts.get(batch.batch_id), group)
                took.append((time.monotonic() - started, batch.n_items))
                in_time = time.monotonic() - began < together.LATE_S and not self._stopping.is_set()
                # What failed may speak of the flow: the next claim asks whether it is paused.
                batch = self._waiting.next() if fine and in_time else None
            shared_s = time.monotonic() - began - sum(one_s for one_s, _ in took)
            for one, ended in zip(group, finish_together(self._queue, group, self._outages, shared_s), strict=True):
                self._ended(one.handled.batch, ended, one.took_s, one.span)
        finally:
            with suppress(StoreError):
                self._waiting.give_back()
            self._waiting.drop()
            for one_claimed in claimed:
                self._keeper.remove(one_claimed)
        self._pace.took(took)

    def _attempt(self, batch: ClaimedBatch, texts: Texts | None, group: list[Ready]) -> bool:
        """One batch to its end, or into the group if it came with others; False if it was not completed."""
        if self._board is not None:
            self._board.begin(batch.batch_id, self._deadlines.monotonic_s(batch.deadline_at))
        began, born = time.monotonic(), offspring.now()
        readable = read(self._queue.db, batch, self._works[batch.flow_name], self._outages, texts)
        handled = handle(self._queue, readable, self._outages)
        self._end_strays(batch)
        if texts is not None and together.may_wait(handled):
            group.append(Ready(handled, time.monotonic() - began, handled.cpu_ms(), (born, offspring.now())))
            return True
        ended = finish_or_lose(self._queue, handled, self._outages)
        self._keeper.remove(batch)
        self._ended(batch, ended, time.monotonic() - began, (born, offspring.now()))
        return ended.outcome == "completed"

    def _ended(self, batch: ClaimedBatch, ended: Ended, took_s: float, span: tuple[float, float]) -> None:
        if ended.outcome == "lost" and self._board is not None:
            # In a process of ours nobody else starts any, and what other batches of its group started is theirs.
            offspring.end_between(*span)
        self._report = done = self._report.plus(ended)
        self._mind(batch, took_s)
        if self._board is not None:
            self._board.end(done.batches, done.rows, done.rows_failed)

    def _end_strays(self, batch: ClaimedBatch) -> None:
        """A child that a handler forked, and that came back from it, would work on beside its parent."""
        if os.getpid() != self._pid:
            log.error(
                "batch %d of %s: the handler forked and its child returned; the child is ended, the parent goes on. "
                "End such a child with os._exit, or use multiprocessing",
                batch.batch_id,
                batch.flow_name,
            )
            os._exit(1)

    def _mind(self, batch: ClaimedBatch, took_s: float) -> None:
        """Warn of batches that take too long, once a flow."""
        said = batch_size.too_long(batch.n_items, took_s, self._queue.settings.batch_s_max)
        if said is not None and batch.flow_name not in self._found_slow:
            self._found_slow.add(batch.flow_name)
            log.warning("batch %d of %s: %s", batch.batch_id, batch.flow_name, said)
