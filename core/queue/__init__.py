"""The queue: batches of items, leased, computed and acknowledged in one fenced transaction."""

from core.queue.batches import (
    ClaimedBatch,
    Cost,
    Depth,
    FlowPolicy,
    Job,
    NewBatch,
    RowFailure,
    StageProgress,
    record_id,
    split_record_id,
)
from core.queue.leases.heartbeat import LeaseKeeper
from core.queue.producers.enqueue import Enqueued
from core.queue.queue import BatchQueue
from core.queue.store.items import Decoded

__all__ = [
    "BatchQueue",
    "ClaimedBatch",
    "Cost",
    "Decoded",
    "Depth",
    "Enqueued",
    "FlowPolicy",
    "Job",
    "LeaseKeeper",
    "NewBatch",
    "RowFailure",
    "StageProgress",
    "record_id",
    "split_record_id",
]
