"""The last third of a batch's way: its end is written, by what its handler answered."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, assert_never

import polars as pl
import psycopg

from core.errors import LeaseLost, StoreBusy, StoreError
from core.queue import handlers, payloads
from core.queue.batches import Cost, RowFailure
from core.queue.consumers.handling import Handled
from core.queue.consumers.outages import Outages
from core.queue.handlers import Fates
from core.queue.leases.blame import Blame, blame
from core.queue.leases.complete import Done
from core.queue.leases.sinks import Sink
from core.queue.queue import BatchQueue

log = logging.getLogger(__name__)

# A sink that loses its connection so often does so itself: then it costs attempts like any failure that may pass.
SINK_LOSSES_MAX = 6
# COPY refused an output: invalid text, a character that does not exist, or nested too deeply.
_BAD_OUTPUT = frozenset({"22P02", "22021", "22P05", "54001", "22023"})


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of one attempt, rows that are done and rows that failed for good or for now."""

    outcome: Literal["completed", "retried", "split", "dead", "lost"]
    rows: int = 0
    rows_failed: int = 0


def finish(queue: BatchQueue, handled: Handled, outages: Outages) -> Ended:
    """Complete the batch or fail it. Raises LeaseLost, and what the database refuses for good."""
    answer = handled.answer
    if isinstance(answer, Fates):
        ended = _completed(queue, handled, answer, outages)
        if isinstance(ended, Ended):
            return ended
        answer = ended
    return _failed(queue, handled, answer, outages)


def _completed(queue: BatchQueue, handled: Handled, fates: Fates, outages: Outages) -> Ended | Blame:
    """Blame: nothing was written, because of what the handler gave."""
    batch, sink = handled.batch, _Sinks(fates.sinks) if fates.sinks else None
    cost = Cost(handled.cpu_ms(), None, fates.n_bytes)

    def complete() -> Done | Blame:
        try:
            return queue.complete(batch, fates.results, sink=sink, failures=fates.failures, cost=cost)
        except StoreBusy as error:
            # Unlike an outage, it may come again as often as it is tried: the retry policy says how often.
            return Blame(type(error).__name__, error.message, "transient", divisible=False)

    try:
        done = outages.insist(complete)
    except LeaseLost:
        raise
    except _SinkFailed as failed:
        return failed.blame
    except StoreError as error:
        bad = _bad_outputs(fates) if error.facts.get("sqlstate") in _BAD_OUTPUT else []
        if not bad:
            return Blame(type(error).__name__, error.message, "permanent")
        return _completed(queue, handled, _without(fates, bad), outages)
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the attempt has failed and the loop goes on
        return blame(error)
    if isinstance(done, Blame):
        return done
    if done == "retried":
        return Ended("retried")
    n_failed = len(fates.failures)
    return Ended("completed", batch.n_items - n_failed, n_failed)


def _failed(queue: BatchQueue, handled: Handled, why: Blame, outages: Outages) -> Ended:
    batch, fault, cost = handled.batch, why.fault, Cost(handled.cpu_ms())
    verdict = outages.insist(
        lambda: queue.fail(
            batch,
            why.error_class,
            why.reason,
            retryable=fault != "permanent",
            fault=fault,
            cost=cost,
            divisible=why.divisible,
        )
    )
    log.warning("batch %s: %s, %s: %s", batch.batch_id, why.error_class, why.reason, verdict)
    match verdict:
        case "retry":
            return Ended("retried")
        case "split":
            return Ended("split")
        case "dead":
            return Ended("dead", rows_failed=batch.n_items)
        case _:
            assert_never(verdict)


class _SinkFailed(Exception):
    """A sink raised: nothing was written, and the attempt has failed."""

    def __init__(self, why: Blame) -> None:
        super().__init__(why.error_class)
        self.blame = why


class _Sinks:
    """The sinks of a batch as one. What they raise is the handler's; only the loss of our connection is an outage."""

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = sinks
        self._n_losses = 0

    def __call__(self, conn: psycopg.Connection[Any]) -> None:
        try:
            for write in self._sinks:
                write(conn)
        except BaseException as error:
            handlers.let_ctrl_c_through(error)
            self._n_losses += conn.closed
            if conn.closed and isinstance(error, psycopg.Error) and self._n_losses < SINK_LOSSES_MAX:
                raise
            raise _SinkFailed(blame(error)) from None


def _bad_outputs(fates: Fates) -> list[int]:
    """Seqs whose output is not JSON: the slow look, after the server has refused one of them."""
    if fates.results is None:
        return []
    given = fates.results.filter(pl.col("output").is_not_null())
    refused = payloads.screen(given["output"]) + payloads.not_json(given["output"])
    return sorted({given["seq"][fault.line] for fault in refused})


def _without(fates: Fates, bad: Sequence[int]) -> Fates:
    assert fates.results is not None
    failures = [RowFailure(seq, "ResultNotJson", "the output of this row is not JSON text") for seq in bad]
    results = fates.results.filter(~pl.col("seq").is_in(bad))
    return replace(fates, results=results, failures=fates.failures + failures)
