"""Completion: results, the sink's rows and the acknowledgement in one transaction, the fence last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl
import psycopg

from core.database import DatabaseManager
from core.database.copy import copy_in
from core.database.queries import load, run
from core.errors import QueueError, StoreUnavailable
from core.queue.batches import ClaimedBatch, Cost, RowFailure
from core.queue.leases import failures as failing
from core.queue.leases.claim import still_ours
from core.queue.leases.sinks import Sink, run_sink
from core.queue.store import items
from core.queue.store.flows import policy_of

Q = load("queue")

Done = Literal["completed", "retried"]

COMMIT_TRIES = 3
# Below this a share of failed rows says nothing.
SHARE_ROWS_MIN = 10


@dataclass(frozen=True, slots=True)
class Completion:
    """What a handler hands in for one batch."""

    batch: ClaimedBatch
    results: pl.DataFrame | None = None
    sink: Sink | None = None
    failures: Sequence[RowFailure] = ()
    cost: Cost = field(default_factory=Cost)
    application_name: str = "headrace"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the caller decides: the share of failed rows a batch may have, and jitter in [0, 1)."""

    failed_share_max: float
    jitter: Callable[[], float]


def complete(db: DatabaseManager, done: Completion, terms: Terms) -> Done:
    """Commit the batch. "retried" if too many of its rows failed: then nothing was written and it runs again whole.

    Raises:
        LeaseLost: somebody else owns the batch; nothing was written.
        QueueError: results and failures do not cover the items exactly; nothing was written, the lease stands.
        SinkEndedTransaction: the sink committed, rolled back or broke the transaction; the lease stands.
        StoreUnavailable, StoreBusy: the database is away, or refuses for now; the lease stands.
    Cost: one COPY of the results and two statements, in one commit.
    """
    for tries_left in reversed(range(COMMIT_TRIES)):
        try:
            return _once(db, done, terms)
        except StoreUnavailable:
            # The connection broke, maybe after the commit: look before writing anything twice.
            if (ended := ended_as(db, done.batch)) is not None:
                return ended
            if tries_left == 0:
                raise
    raise AssertionError("unreachable")


def ended_as(db: DatabaseManager, batch: ClaimedBatch) -> Done | None:
    """After a lost reply: how our token ended the batch, None if the header still carries it. LeaseLost otherwise."""
    params = {"batch_id": batch.batch_id, "token": batch.token, "origin": batch.origin_batch_id}
    with db.transaction() as conn:
        if run(conn, Q["token_after_loss"], params):
            return None
        outcomes = [outcome for (outcome,) in run(conn, Q["token_in_history"], params)]
    if outcomes == ["completed"]:
        return "completed"
    if outcomes == ["retried"]:
        return "retried"
    raise failing.lease_lost(batch)


def _once(db: DatabaseManager, done: Completion, terms: Terms) -> Done:
    batch = done.batch
    with db.transaction() as conn:
        if not still_ours(conn, batch, done.application_name):
            raise failing.lease_lost(batch)
        expected = _expected(conn, batch)
        _check_cover(batch, expected, done)
        policy = policy_of(conn, batch.flow_name, batch.tenant_id) if done.failures else None
        if policy is not None and _too_many(done, terms) and batch.attempt < policy.max_attempts:
            failing.give_back_bad(conn, batch, policy, terms.jitter())
            return "retried"
        marked = failing.marked_before(conn, batch)
        if done.sink is not None:
            # Before the results: whatever it does to the transaction, no result is committed without its fence.
            run_sink(conn, done.sink)
        if done.results is not None:
            _copy_results(conn, batch, done.results)
        n_dead = 0 if policy is None else failing.rows(conn, batch, done.failures, policy, terms.jitter)
        if batch.kind == "retry":
            run(conn, Q["retries_done"], items.span(batch))
        n_left = batch.n_items if expected is None else expected.len()
        _acknowledge(conn, done, marked, n_left - len(done.failures), n_dead)
    return "completed"


def _too_many(done: Completion, terms: Terms) -> bool:
    """Retry headers are made of failed rows, and of a handful a share says nothing."""
    batch = done.batch
    if batch.kind == "retry" or batch.n_items < SHARE_ROWS_MIN:
        return False
    return len(done.failures) > terms.failed_share_max * batch.n_items


def _acknowledge(
    conn: psycopg.Connection[Any], done: Completion, marked: tuple[int, int], n_ok: int, n_dead: int
) -> None:
    """History and the fence. `marked`: rows (done, dead) that were marked one by one before."""
    batch, cost = done.batch, done.cost
    n_rows = cost.rows if cost.rows is not None else batch.n_items
    n_ok = n_rows if batch.source is not None else n_ok + marked[0]
    n_failed = 0 if batch.source is not None else batch.n_items - n_ok
    params = {
        "batch_id": batch.batch_id,
        "token": batch.token,
        "n_ok": n_ok,
        "n_failed": n_failed,
        "n_dead": n_dead + marked[1],
        "n_rows": n_rows,
        "n_bytes": cost.n_bytes,
        "cpu_ms": cost.cpu_ms,
    }
    if int(run(conn, Q["batch_complete"], params)[0][0]) != 1:
        raise failing.lease_lost(batch)


def _expected(conn: psycopg.Connection[Any], batch: ClaimedBatch) -> pl.Series | None:
    """The seqs that need a fate where they are not simply the batch's range."""
    if not batch.partial:
        return None
    return items.fetch(conn, batch).seqs


def _check_cover(batch: ClaimedBatch, expected: pl.Series | None, done: Completion) -> None:
    """Every item has exactly one fate: a result or a failure. Without results every other item is simply done."""
    _check_frame(batch, done.results)
    if expected is None and not done.failures and covers_in_order(batch, done.results):
        return
    failed = pl.Series("seq", [failure.seq for failure in done.failures], dtype=pl.Int64)
    if batch.source is not None:
        rows = 0 if done.results is None else done.results.height
        if rows > 1 or failed.len():
            raise QueueError(f"batch {batch.batch_id} has a source: at most one result row, no failed rows", rows=rows)
        return
    seqs = failed
    if done.results is not None:
        _check_columns(batch, done.results)
        seqs = pl.concat([done.results["seq"].cast(pl.Int64), failed])
    n_expected = batch.n_items if expected is None else expected.len()
    inside = (
        seqs.is_between(batch.item_lo, batch.item_hi, closed="left")
        if expected is None
        else seqs.is_in(expected.implode())
    )
    n_unknown = seqs.len() - int(inside.sum())
    n_twice = seqs.len() - seqs.n_unique()
    n_missing = 0 if done.results is None else max(0, n_expected - (seqs.len() - n_unknown - n_twice))
    if n_unknown or n_twice or n_missing:
        raise QueueError(
            f"the results of batch {batch.batch_id} do not fit its {n_expected} items: "
            f"{n_missing} missing, {n_unknown} unknown, {n_twice} given twice",
            batch_id=batch.batch_id,
            missing=n_missing,
            unknown=n_unknown,
            twice=n_twice,
        )


def covers_in_order(batch: ClaimedBatch, results: pl.DataFrame | None) -> bool:
    """The usual case, told by one comparison: a result for every item, in their order."""
    if batch.source is not None or results is None or results.height != batch.n_items:
        return False
    _check_columns(batch, results)
    return bool((results["seq"] == pl.int_range(batch.item_lo, batch.item_hi, eager=True)).all(ignore_nulls=False))


def _check_frame(batch: ClaimedBatch, results: object) -> None:
    if results is not None and not isinstance(results, pl.DataFrame):
        raise QueueError(
            f"results of batch {batch.batch_id} come as a polars frame, this is one {type(results).__name__}"
        )


def _check_columns(batch: ClaimedBatch, results: pl.DataFrame) -> None:
    if results.columns != ["seq", "output"] or not results["seq"].dtype.is_integer():
        raise QueueError(
            f"results of batch {batch.batch_id} need the columns seq (integer) and output (JSON text), "
            f"they have {', '.join(results.columns)}"
        )


def _copy_results(conn: psycopg.Connection[Any], batch: ClaimedBatch, results: pl.DataFrame) -> None:
    origin = pl.lit(batch.origin_batch_id, dtype=pl.Int64).alias("batch_id")
    if batch.source is not None:
        # Children of one source share its origin; where they begin tells them apart.
        frame = results.select(origin, (pl.col("seq") + batch.item_lo).cast(pl.Int32), pl.col("output"))
    elif batch.kind == "retry":
        rows = run(conn, Q["items_retry_origin"], items.span(batch))
        names = {"retry_seq": pl.Int64, "batch_id": pl.Int64, "seq": pl.Int32}
        first = pl.DataFrame(rows, schema=names, orient="row")
        numbered = results.select(pl.col("seq").cast(pl.Int64).alias("retry_seq"), "output")
        frame = numbered.join(first, on="retry_seq", how="inner").select("batch_id", "seq", "output")
    else:
        frame = results.select(origin, pl.col("seq").cast(pl.Int32), pl.col("output"))
    copy_in(conn, "queue_results", frame, binary=True)
