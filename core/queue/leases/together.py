"""Completion of several small batches in one commit: a commit costs a sync of the disk, however much it carries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from core.database import DatabaseManager
from core.database.copy import copy_in
from core.database.queries import load, run
from core.errors import QueueError
from core.queue.batches import ClaimedBatch
from core.queue.leases.complete import covers_in_order
from core.queue.leases.failures import lease_lost

Q = load("queue")


@dataclass(frozen=True, slots=True)
class Finished:
    """A batch whose rows are all done: a result for each, in their order. `wall_ms`: its own share of the time."""

    batch: ClaimedBatch
    results: pl.DataFrame
    wall_ms: float
    cpu_ms: float
    n_bytes: int = 0


def plain(batch: ClaimedBatch) -> bool:
    """Whether a batch may be read and completed with others: a first run of all its items, which the queue holds."""
    return batch.kind == "new" and not batch.partial and batch.source is None


def complete(db: DatabaseManager, group: Sequence[Finished], application_name: str) -> None:
    """Commit all of them, each fenced by its own token, or none.

    Raises:
        LeaseLost: the first whose lease is lost; nothing was written, of none of them.
        QueueError: one is not `plain`, or its results are not one for each item; likewise.
        StoreUnavailable: the database is away; whether it was committed is not known.
        StoreError: it refused; nothing was written.
    Cost: two statements and one COPY, in one commit.
    """
    if not group:
        return
    for one in group:
        if not plain(one.batch) or not covers_in_order(one.batch, one.results):
            raise QueueError(f"batch {one.batch.batch_id} cannot be completed with others: complete it by itself")
    leases = {
        "batch_ids": [one.batch.batch_id for one in group],
        "tokens": [one.batch.token for one in group],
    }
    figures = {
        "n_rows": [one.batch.n_items for one in group],
        "n_bytes": [one.n_bytes for one in group],
        "wall_ms": [one.wall_ms for one in group],
        "cpu_ms": [one.cpu_ms for one in group],
    }
    with db.transaction() as conn:
        held = {
            row[0] for row in run(conn, Q["batches_check_tokens"], {**leases, "application_name": application_name})
        }
        _require(group, held)
        copy_in(conn, "queue_results", _rows(group), binary=True)
        # Last, as for one batch: a worker that stops in its COPY must not hold the headers against the rescue.
        _require(group, {row[0] for row in run(conn, Q["batches_complete"], {**leases, **figures})})


def _require(group: Sequence[Finished], held: set[int]) -> None:
    for one in group:
        if one.batch.batch_id not in held:
            raise lease_lost(one.batch)


def _rows(group: Sequence[Finished]) -> pl.DataFrame:
    heights = [one.results.height for one in group]
    origins = pl.Series([one.batch.origin_batch_id for one in group], dtype=pl.Int64)
    every = pl.concat([one.results for one in group], how="vertical_relaxed")
    owner = pl.select(pl.int_range(len(heights), dtype=pl.UInt32).repeat_by(pl.Series(heights)).explode())
    return every.select(
        origins.gather(owner.to_series()).alias("batch_id"), pl.col("seq").cast(pl.Int32), pl.col("output")
    )
