"""A queue on the module's database, and a flow of the test's own."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import polars as pl
import pytest

from core.database import DatabaseManager
from core.queue import BatchQueue, ClaimedBatch, FlowPolicy
from core.settings import QueueSettings


@pytest.fixture
def queue(db: DatabaseManager) -> BatchQueue:
    return BatchQueue(db, QueueSettings(), "worker-a", jitter=lambda: 0.5)


@pytest.fixture
def other(db: DatabaseManager) -> BatchQueue:
    return BatchQueue(db, QueueSettings(), "worker-b", jitter=lambda: 0.5)


@pytest.fixture
def flow(queue: BatchQueue) -> str:
    """Three attempts, no pause before a retry, not splittable."""
    name = f"flow-{uuid.uuid4().hex[:8]}"
    queue.register_flow(FlowPolicy(name, backoff_s=0))
    return name


@pytest.fixture
def count(db: DatabaseManager) -> Callable[..., int]:
    """count("queue_results", batch_id=3): rows of a table."""

    def counted(table: str, **where: object) -> int:
        terms = " AND ".join(f"{name} = :{name}" for name in where) or "true"
        return db.execute_query("count", f"SELECT count(*) FROM {table} WHERE {terms}", where)[0][0]

    return counted


@pytest.fixture
def expire(db: DatabaseManager) -> Callable[[ClaimedBatch], None]:
    """Let a lease run out without waiting for it."""

    def expired(batch: ClaimedBatch) -> None:
        db.execute_query(
            "expire",
            "UPDATE processing_queue SET lease_until = now() - interval '1 second' WHERE batch_id = :id",
            {"id": batch.batch_id},
        )

    return expired


@pytest.fixture
def done() -> Callable[..., pl.DataFrame]:
    """Results for a frame of items: the payload itself."""

    def results(items: pl.DataFrame) -> pl.DataFrame:
        return items.select("seq", pl.col("payload").alias("output"))

    return results
