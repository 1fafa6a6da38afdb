"""Batches of one job kept in the PostgreSQL queue: shared by any number of processes and machines."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import orjson
import polars as pl

from core.jobs.ports import Output, Progress, Sink, Stage, StageBatch
from core.queue import BatchQueue, LeaseKeeper, NewBatch
from core.queue.producers import stages

logger = logging.getLogger(__name__)


class QueueSource:
    """The `BatchSource` of a job in the database. Heartbeats run from `open` to `close`."""

    publishes = True

    def __init__(self, queue: BatchQueue, flow_name: str, job_id: int, workspace_uri: str) -> None:
        self.queue = queue
        self.flow_name = flow_name
        self.job_id = job_id
        self._uri = workspace_uri
        self._keeper = LeaseKeeper(queue)
        self._keeper.start()

    def open_stage(self, stage: Stage, sizes: Sequence[int]) -> None:
        """Enqueue one header per batch; whichever process comes first does it, the others find it done."""
        batches = [
            NewBatch(partition_no=number, n_items=size, source={"uri": self._uri, "lo": 0, "hi": size})
            for number, size in enumerate(sizes)
        ]
        self.queue.open_stage(self.job_id, stage, batches)

    def claim(self, stage: Stage, limit: int) -> list[StageBatch]:
        """Take leases on up to `limit` batches of the stage."""
        claimed = self.queue.claim(self.flow_name, limit, job_id=self.job_id, stage=stage) if limit > 0 else []
        for each in claimed:
            self._keeper.add(each)
        return [
            StageBatch(stage, each.partition_no, each.n_items, f"{each.batch_id}-{str(each.token)[:8]}", each)
            for each in claimed
        ]

    def complete(self, batch: StageBatch, output: Output, sink: Sink | None = None) -> None:
        """Output, sink's rows and acknowledgement in one transaction."""
        results = pl.DataFrame({"seq": [0], "output": [orjson.dumps(output).decode()]})
        try:
            self.queue.complete(batch.handle, results, sink=sink)
        finally:
            self._keeper.remove(batch.handle)

    def fail(self, batch: StageBatch, error_class: str, reason: str, *, retryable: bool) -> None:
        """Record the failed attempt; the queue decides between another attempt and the dead letters."""
        self._keeper.remove(batch.handle)
        self.queue.fail(batch.handle, error_class, reason, retryable=retryable)

    def release(self, batches: Sequence[StageBatch]) -> None:
        """Give leases back."""
        for batch in batches:
            self._keeper.remove(batch.handle)
        self.queue.release([batch.handle for batch in batches])

    def progress(self, stage: Stage) -> Progress:
        """Count the stage's batches; waiting retries are live."""
        found = stages.progress_of(self.queue.db, self.job_id, stage)
        # Stages are not splittable, so each of their batches has one header at most; the rest of them are dead.
        dead = found.total - found.done - found.live if found.dead else 0
        return Progress(found.total, found.done, found.live, dead)

    def outputs(self, stage: Stage) -> list[Output]:
        """Read the results of the stage."""
        return stages.results(self.queue.db, self.job_id, stage)

    def close(self) -> None:
        """Stop the heartbeats."""
        self._keeper.stop()


class QueueOutputs:
    """What a stage reads of a job in the queue, where handing out and acknowledging is a consumer's."""

    publishes = True

    def __init__(self, queue: BatchQueue, job_id: int) -> None:
        self._queue, self._job_id = queue, job_id

    def outputs(self, stage: Stage) -> list[Output]:
        """Read the results of the stage."""
        return stages.results(self._queue.db, self._job_id, stage)
