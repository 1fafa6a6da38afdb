"""The one worker loop: claim, decode, call the handler, complete or say what failed.

It holds one batch at a time. Fetching the next one meanwhile would save some ten milliseconds of a batch that takes
seconds, and a worker that dies would take two batches with it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, TypeVar, assert_never

import orjson
import polars as pl
import psycopg

from core.database.queries import load, run
from core.errors import LeaseLost, QueueError, StoreError
from core.queue import handlers, payloads
from core.queue.batches import ClaimedBatch, Cost, RowFailure
from core.queue.consumers.status_board import Board
from core.queue.handlers import Blame, Fates, Handler, Work
from core.queue.leases.heartbeat import LeaseKeeper
from core.queue.producers import batch_size
from core.queue.queue import BatchQueue
from core.queue.store import items
from core.queue.store.flows import policy_of

Q = load("consumers")
log = logging.getLogger(__name__)
T = TypeVar("T")

# The longest pause between two tries to reach a database that is away.
OUTAGE_PAUSE_MAX_S = 15.0
# The server's clock is compared with ours so often.
CLOCK_AGE_MAX_S = 60.0
# COPY refused an output: invalid text, a character that does not exist, or nested too deeply.
_BAD_OUTPUT = frozenset({"22P02", "22021", "22P05", "54001", "22023"})


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
        one = work if isinstance(work, Work | Mapping) else handlers.as_work(work)
        self._works = one if isinstance(one, Mapping) else dict.fromkeys(self._flows, one)
        self._options = options or Options()
        self._waker = waker or Pulse(queue.settings.poll_s)
        self._board = board
        self._keeper = LeaseKeeper(queue)
        self._stopping = threading.Event()
        self._report = Report()
        self._found_slow: set[str] = set()
        self._clock: tuple[float, float] | None = None

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
        self._patiently(lambda: self._queue.beat_worker(0))
        with self._keeper:
            while not self._over(began):
                if batch := self._claim():
                    idle_since = None
                    self._one(batch)
                    continue
                idle_since = idle_since or time.monotonic()
                if options.idle_exit_s is not None and time.monotonic() - idle_since >= options.idle_exit_s:
                    break
                self._waker.wait(self._limit_s(began, idle_since))
        self._patiently(self._queue.leave)
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

    def _claim(self) -> ClaimedBatch | None:
        claimed = self._patiently(lambda: self._queue.claim_any(self._flows)) or []
        for batch in claimed:
            self._keeper.add(batch)
        return claimed[0] if claimed else None

    def _one(self, batch: ClaimedBatch) -> None:
        """One attempt, whatever happens in it."""
        if self._board is not None:
            self._board.begin(batch.batch_id, self._deadline(batch))
        began, cpu_s = time.monotonic(), time.process_time()
        try:
            frame, misfits = self._rows(batch)
            answered = self._answers(batch, frame) if frame.height else Fates(None, [], [])
            told = self._end(batch, frame, misfits, answered, cpu_s)
        except LeaseLost as error:
            log.warning("%s", error.message)
            told = replace(self._report, lost=self._report.lost + 1)
        finally:
            self._keeper.remove(batch)
        self._report = told
        self._mind(batch, time.monotonic() - began)
        if self._board is not None:
            self._board.end(told.batches, told.rows, told.rows_failed)

    def _mind(self, batch: ClaimedBatch, took_s: float) -> None:
        """Warn of batches that take too long, once a flow."""
        said = batch_size.too_long(batch.n_items, took_s, self._queue.settings.batch_s_max)
        if said is not None and batch.flow_name not in self._found_slow:
            self._found_slow.add(batch.flow_name)
            log.warning("batch %d of %s: %s", batch.batch_id, batch.flow_name, said)

    def _rows(self, batch: ClaimedBatch) -> tuple[pl.DataFrame, list[RowFailure]]:
        """What the handler gets: seq and fields; of a batch with a source one row, which says where the rows are."""
        schema = self._works[batch.flow_name].schema
        if batch.source is not None:
            texts = items.Texts(pl.Series("seq", [0], dtype=pl.Int64), _told(batch, batch.source))
            if schema is None:
                return texts.frame(), []
            decoded = items.decode(texts, schema)
        elif schema is None:
            return self._insist(lambda: self._queue.items(batch)), []
        else:
            decoded = self._insist(lambda: self._queue.decode(batch, schema))
        return decoded.frame, decoded.misfits

    def _answers(self, batch: ClaimedBatch, frame: pl.DataFrame) -> Fates | Blame:
        """The handler's word on every row; rows that make it raise are cornered where the batch may be cut."""
        answer = partial(self._answer, self._works[batch.flow_name])
        first = answer(frame)
        if isinstance(first, Fates) or first.fault != "permanent" or batch.source is not None or not batch.splittable:
            return first
        policy = self._patiently(lambda: self._policy_attempts(batch)) or 1
        # The last attempt corners them all; before it, too many bad rows speak of a bad handler.
        share = self._queue.settings.failed_share_max if batch.attempt < policy else 1.0
        return handlers.corner(answer, frame, first, int(share * batch.n_items))

    def _answer(self, work: Work, frame: pl.DataFrame) -> Fates | Blame:
        try:
            return handlers.fates(frame, work.call(frame))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a handler does, the loop goes on
            return handlers.blame(error)

    def _end(
        self, batch: ClaimedBatch, frame: pl.DataFrame, misfits: list[RowFailure], answered: Fates | Blame, cpu_s: float
    ) -> Report:
        """Write the attempt's end; returns the report with it."""
        if batch.source is not None and isinstance(answered, Fates) and answered.failures:
            # It has no rows of its own to fail, so it fails as a whole.
            failure = answered.failures[0]
            answered = Blame(failure.error_class, failure.reason, failure.fault)
        if isinstance(answered, Blame):
            return self._fail(batch, answered, cpu_s)
        n_bytes = answered.n_bytes + frame.estimated_size()
        n_bytes += 0 if answered.results is None else answered.results.estimated_size()
        whole = replace(answered, failures=answered.failures + misfits, n_bytes=int(n_bytes))
        ended = self._complete(batch, whole, cpu_s)
        return self._fail(batch, ended, cpu_s) if isinstance(ended, Blame) else ended

    def _fail(self, batch: ClaimedBatch, blame: Blame, cpu_s: float) -> Report:
        cost = Cost((time.process_time() - cpu_s) * 1e3)
        verdict = self._insist(
            lambda: self._queue.fail(
                batch,
                blame.error_class,
                blame.reason,
                retryable=blame.fault != "permanent",
                fault=blame.fault,
                cost=cost,
            )
        )
        log.warning("batch %s: %s, %s: %s", batch.batch_id, blame.error_class, blame.reason, verdict)
        done = self._report
        match verdict:
            case "retry":
                return replace(done, retried=done.retried + 1)
            case "split":
                return replace(done, split=done.split + 1)
            case "dead":
                return replace(done, dead=done.dead + 1, rows_failed=done.rows_failed + batch.n_items)
            case _:
                assert_never(verdict)

    def _complete(self, batch: ClaimedBatch, told: Fates, cpu_s: float) -> Report | Blame:
        cost = Cost((time.process_time() - cpu_s) * 1e3, None, told.n_bytes)
        sink = _all_of(told.sinks) if told.sinks else None
        try:
            ended = self._insist(
                lambda: self._queue.complete(batch, told.results, sink=sink, failures=told.failures, cost=cost)
            )
        except LeaseLost:
            raise
        except StoreError as error:
            bad = _bad_outputs(told) if error.facts.get("sqlstate") in _BAD_OUTPUT else []
            if not bad:
                return Blame(type(error).__name__, error.message, "permanent")
            return self._complete(batch, _without(told, bad), cpu_s)
        except Exception as error:  # noqa: BLE001 - a sink is the handler's too
            return handlers.blame(error)
        done = self._report
        if ended == "retried":
            return replace(done, retried=done.retried + 1)
        n_failed = len(told.failures)
        rows, failed = done.rows + batch.n_items - n_failed, done.rows_failed + n_failed
        return replace(done, completed=done.completed + 1, rows=rows, rows_failed=failed)

    def _policy_attempts(self, batch: ClaimedBatch) -> int:
        with self._queue.db.transaction() as conn:
            return policy_of(conn, batch.flow_name, batch.tenant_id).max_attempts

    def _deadline(self, batch: ClaimedBatch) -> float:
        """The batch's deadline by our monotonic clock, whatever our wall clock says."""
        now = time.monotonic()
        if self._clock is None or now - self._clock[1] > CLOCK_AGE_MAX_S:
            self._clock = self._insist(self._read_clock)
        return batch.deadline_at.timestamp() - self._clock[0] + self._clock[1]

    def _read_clock(self) -> tuple[float, float]:
        with self._queue.db.transaction() as conn:
            return run(conn, Q["consumer_clock"])[0][0].timestamp(), time.monotonic()

    def _patiently(self, act: Callable[[], T]) -> T | None:
        """Do it, waiting for a database that is away; None if told to stop meanwhile."""
        pause_s = self._queue.settings.poll_s
        while True:
            try:
                return act()
            except StoreError as error:
                if not error.retryable:
                    raise
                log.warning("%s", error.message)
            if self._stopping.wait(pause_s):
                return None
            pause_s = min(2 * pause_s, OUTAGE_PAUSE_MAX_S)

    def _insist(self, act: Callable[[], T]) -> T:
        """The same for a batch in hand: told to stop, the last error is raised and the lease is left to run out."""
        pause_s = self._queue.settings.poll_s
        while True:
            try:
                return act()
            except StoreError as error:
                if not error.retryable or self._stopping.is_set():
                    raise
                log.warning("%s", error.message)
            self._stopping.wait(pause_s)
            pause_s = min(2 * pause_s, OUTAGE_PAUSE_MAX_S)


def _told(batch: ClaimedBatch, source: Mapping[str, Any]) -> str:
    """The source, and under `batch` whose it is: stages of a job share handlers, and each attempt writes apart."""
    facts = {"job_id": batch.job_id, "stage": batch.stage, "partition": batch.partition_no, "n_items": batch.n_items}
    tag = f"{batch.batch_id}-{str(batch.token)[:8]}"
    return orjson.dumps({**source, "batch": facts | {"tag": tag}}).decode()


def _all_of(sinks: Sequence[Callable[[psycopg.Connection[Any]], None]]) -> Callable[[psycopg.Connection[Any]], None]:
    def sink(conn: psycopg.Connection[Any]) -> None:
        for each in sinks:
            each(conn)

    return sink


def _bad_outputs(told: Fates) -> list[int]:
    """Seqs whose output is not JSON: the slow look, after the server has refused one of them."""
    if told.results is None:
        return []
    given = told.results.filter(pl.col("output").is_not_null())
    refused = payloads.screen(given["output"]) + payloads.not_json(given["output"])
    return sorted({given["seq"][one.line] for one in refused})


def _without(told: Fates, bad: Sequence[int]) -> Fates:
    assert told.results is not None
    failures = [RowFailure(seq, "ResultNotJson", "the output of this row is not JSON text") for seq in bad]
    return replace(told, results=told.results.filter(~pl.col("seq").is_in(bad)), failures=told.failures + failures)
