"""New batches and their headers: the last step of whatever puts work into the queue."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl
import psycopg

from core.database.copy import copy_in
from core.queue.states import BatchState
from core.queue.store import wake

HEADER: dict[str, type[pl.DataType]] = {
    "batch_id": pl.Int64,
    "partition_no": pl.Int32,
    "priority": pl.Int32,
    "splittable": pl.Boolean,
    "n_items": pl.Int64,
    "source": pl.String,
}


@dataclass(frozen=True, slots=True)
class Spot:
    """Columns that all batches of one call share."""

    tenant_id: str
    flow_name: str
    job_id: int | None
    stage: str


@dataclass(frozen=True, slots=True)
class Begin:
    """When new batches may start: at once, from a moment on, or when their job is resumed."""

    not_before: datetime | None = None
    held: bool = False

    @property
    def state(self) -> BatchState:
        """The state that follows from it."""
        if self.held:
            return "paused"
        return "ready" if self.not_before is None else "scheduled"


def new_headers(conn: psycopg.Connection[Any], frame: pl.DataFrame, spot: Spot, begin: Begin) -> None:
    """Write batches and their headers, and wake who waits for them; the last step of a transaction.

    Args:
        frame: columns of HEADER, one row a batch.
    """
    if frame.height == 0:
        return
    # polars takes no moment of another zone into a column in UTC.
    not_before = begin.not_before and begin.not_before.astimezone(UTC)
    frame = frame.with_columns(constants(spot))
    copy_in(conn, "queue_batches", frame)
    header = frame.with_columns(
        pl.col("batch_id").alias("origin_batch_id"),
        pl.lit(0, dtype=pl.Int64).alias("item_lo"),
        pl.col("n_items").alias("item_hi"),
        pl.lit(begin.state).alias("state"),
        pl.lit(begin.held).alias("held"),
        pl.lit(not_before, dtype=pl.Datetime("us", "UTC")).alias("not_before"),
    )
    copy_in(conn, "processing_queue", header)
    if begin.state == "ready":
        wake.notify(conn, spot.flow_name)


def constants(spot: Spot) -> list[pl.Expr]:
    """The columns that a spot gives to each row."""
    dtypes = {"job_id": pl.Int64}
    return [pl.lit(value, dtype=dtypes.get(name, pl.String)).alias(name) for name, value in asdict(spot).items()]
