"""The publication of identity resolution: entities as rows of the database, and the version that readers see."""

from __future__ import annotations

from core.jobs.ports import Output, Sink, Stage, StageBatch
from core.jobs.session import outlast
from core.linkage.job import LinkageJob
from core.queue import BatchQueue
from core.queue.producers import jobs
from core.workloads.identity.publishing import result_tables
from core.workloads.identity.publishing.published import keep_published, publish
from core.workloads.identity.reviewing.cases import ask


class EntityPublication:
    """The `Publication` of a linkage job whose batches are in the queue."""

    def __init__(self, queue: BatchQueue, job_id: int, job: LinkageJob) -> None:
        self._queue = queue
        self._job_id = job_id
        self._job = job

    def make_ready(self, stage: Stage) -> None:
        """Before `cluster` fetch the names that entities have now; before `publish` make the job's own partitions."""
        if stage == "cluster" and self._job.since == 0:
            keep_published(self._queue.db, self._job.description.dataset_name, self._job.workspace, self._job_id)
        elif stage == "publish":
            result_tables.prepare(self._queue.db, self._job, self._job_id)

    def sink_of(self, batch: StageBatch, output: Output) -> Sink | None:
        """Make what writes the rows of a publish batch."""
        return result_tables.sink_of(self._job, self._job_id, batch, output)

    def publish(self) -> None:
        """Index the job's partitions, finish the job, switch readers to it, and ask people what it doubts."""
        outlast(lambda: result_tables.index(self._queue.db, self._job_id, at_once=self._job.threads))
        jobs.finish(self._queue.db, self._job_id)
        publish(self._queue.db, self._job.description.dataset_name, self._job.workspace, self._job_id)
        ask(self._queue.db, self._job, self._job_id)
