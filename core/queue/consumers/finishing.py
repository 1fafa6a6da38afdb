"""The last third of a batch's way: its end is written, by what its handler answered."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, assert_never

import polars as pl
import psycopg

from core.errors import LeaseLost, StoreError
from core.queue import handlers, payloads
from core.queue.batches import Cost, RowFailure
from core.queue.consumers.handling import Handled
from core.queue.consumers.outages import Outages
from core.queue.handlers import Blame, Fates
from core.queue.leases.complete import Sink
from core.queue.queue import BatchQueue

log = logging.getLogger(__name__)

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
    batch, sink = handled.batch, _all_of(fates.sinks) if fates.sinks else None
    cost = Cost(_cpu_ms(handled), None, fates.n_bytes)
    try:
        done = outages.insist(
            lambda: queue.complete(batch, fates.results, sink=sink, failures=fates.failures, cost=cost)
        )
    except LeaseLost:
        raise
    except StoreError as error:
        bad = _bad_outputs(fates) if error.facts.get("sqlstate") in _BAD_OUTPUT else []
        if not bad:
            return Blame(type(error).__name__, error.message, "permanent")
        return _completed(queue, handled, _without(fates, bad), outages)
    except Exception as error:  # noqa: BLE001 - a sink is the handler's too
        return handlers.blame(error)
    if done == "retried":
        return Ended("retried")
    n_failed = len(fates.failures)
    return Ended("completed", batch.n_items - n_failed, n_failed)


def _failed(queue: BatchQueue, handled: Handled, blame: Blame, outages: Outages) -> Ended:
    batch, fault, cost = handled.batch, blame.fault, Cost(_cpu_ms(handled))
    verdict = outages.insist(
        lambda: queue.fail(
            batch, blame.error_class, blame.reason, retryable=fault != "permanent", fault=fault, cost=cost
        )
    )
    log.warning("batch %s: %s, %s: %s", batch.batch_id, blame.error_class, blame.reason, verdict)
    match verdict:
        case "retry":
            return Ended("retried")
        case "split":
            return Ended("split")
        case "dead":
            return Ended("dead", rows_failed=batch.n_items)
        case _:
            assert_never(verdict)


def _cpu_ms(handled: Handled) -> float:
    return (time.process_time() - handled.cpu_began_s) * 1e3


def _all_of(sinks: Sequence[Sink]) -> Callable[[psycopg.Connection[Any]], None]:
    def sink(conn: psycopg.Connection[Any]) -> None:
        for write in sinks:
            write(conn)

    return sink


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
