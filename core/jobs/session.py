"""A process at work on a job of the queue: what the flow calls, by ids only."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from core.errors import HeadraceError, JobBlocked, LeaseLost, QueueError, StoreUnavailable
from core.jobs.ports import Progress, Publication, Stage, StageBatch
from core.jobs.queue_source import QueueSource
from core.jobs.staged_job import StagedJob
from core.jobs.stages import open_stage, run_batch
from core.queue.producers import jobs

logger = logging.getLogger(__name__)
T = TypeVar("T")

RESTARTS_OUTLASTED = 2
IDLE_TOLD_S = 5.0


class JobSession:
    """A process that takes part in a job, whatever its stages compute: leases, heartbeats, outcomes.

    Args:
        source: hands out the job's batches; closed with the session.
        poll_s: how long to wait when no batch is free and others hold the last ones.
    """

    def __init__(self, job: StagedJob, source: QueueSource, publication: Publication, *, poll_s: float = 1.0) -> None:
        self.queue = source.queue
        self.job_id = source.job_id
        self.job = job
        self.poll_s = poll_s
        self.seconds: dict[Stage, float] = {}
        self.worked: set[Stage] = set()
        self._source = source
        self._publication = publication
        self._idle_s = 0.0
        self._started = self._opened = time.perf_counter()
        self._held: dict[str, StageBatch] = {}
        self._lock = threading.Lock()

    def open(self, stage: Stage) -> None:
        """Announce the stage's batches, unless another process has, or the whole job is answered already."""
        self._opened = time.perf_counter()
        try:
            outlast(lambda: self._publication.make_ready(stage))
            outlast(lambda: open_stage(self.job, self._source, stage))
        except QueueError:
            # An answered job takes no more stages: it was so before, or the others were faster than we are.
            found = jobs.find(self.queue.db, self.job_id)
            if found is None or found.status != "completed":
                raise

    def claim(self, stage: Stage, limit: int) -> list[str]:
        """Take leases; returns their tags, which is all that travels to the tasks."""
        batches = outlast(lambda: self._source.claim(stage, limit))
        with self._lock:
            self._held.update({batch.tag: batch for batch in batches})
        return [batch.tag for batch in batches]

    def run(self, tag: str) -> dict[str, Any]:
        """Do and acknowledge one claimed batch; failures go to the queue, which decides what happens next.

        Returns:
            What the batch found, with its `stage`, `partition` and `outcome`.
        """
        with self._lock:
            batch = self._held.pop(tag)
        said = {"stage": batch.stage, "partition": batch.partition}
        try:
            output = run_batch(self.job, batch)
            self._source.complete(batch, output, self._publication.sink_of(batch, output))
        except LeaseLost:
            logger.warning(
                "batch %s of stage %s was taken over; its work here is dropped", batch.partition, batch.stage
            )
            return said | {"outcome": "lost"}
        except HeadraceError as error:
            self._give_up(batch, type(error).__name__, error.message, retryable=error.retryable)
            return said | {"outcome": "failed"}
        except Exception as error:  # noqa: BLE001 - the one worker loop: whatever a batch raises is the queue's to judge
            # The text of a foreign error may carry row data; its class and the batch are enough to find it.
            logger.error("batch %s of stage %s failed: %s", batch.partition, batch.stage, type(error).__name__)
            self._give_up(batch, type(error).__name__, "unexpected error; see the worker's log", retryable=True)
            return said | {"outcome": "failed"}
        self.worked.add(batch.stage)
        return said | {"outcome": "completed", **output}

    def _give_up(self, batch: StageBatch, error_class: str, reason: str, *, retryable: bool) -> None:
        try:
            self._source.fail(batch, error_class, reason, retryable=retryable)
        except LeaseLost:
            # It was somebody else's already, who may even have cleared away what it was reading.
            logger.warning("batch %s of stage %s was taken over before it failed here", batch.partition, batch.stage)

    def progress(self, stage: Stage) -> Progress:
        """Count the stage's batches, whoever works on them.

        Raises:
            JobBlocked: a batch is dead; nothing will be published.
        """
        progress = outlast(lambda: self._source.progress(stage))
        if progress.dead:
            jobs.set_status(self.queue.db, self.job_id, "blocked")
            raise JobBlocked(
                f"job {self.job_id} is blocked: {progress.dead} batch(es) of stage {stage} are dead letters; "
                f"see `headrace queue dead`, then `headrace queue redrive {self._source.flow_name} "
                f"--job {self.job_id}` and run the same command again",
                job_id=self.job_id,
                stage=stage,
                dead=progress.dead,
            )
        return progress

    def note_idle(self, stage: Stage, idle_s: float) -> None:
        """Tell a person who waits what for: others hold the last batches, or a dead worker's lease has yet to end."""
        before, self._idle_s = self._idle_s, idle_s
        if before < IDLE_TOLD_S <= idle_s:
            logger.warning("stage %s: waiting for batches that other workers hold", stage)

    def release(self) -> None:
        """Give back what is claimed but not begun."""
        with self._lock:
            waiting = list(self._held.values())
            self._held.clear()
        self._source.release(waiting)

    def in_flight(self, stage: Stage) -> int:
        """How many batches of a stage to hold: one waits beside those that run, unless memory bounds them."""
        at_once = self.job.at_once(stage)
        return at_once if at_once < self.job.threads else at_once + 1

    @property
    def stages(self) -> tuple[Stage, ...]:
        """All stages in order."""
        return self.job.stages

    def share_done(self, stage: Stage) -> float:
        """Close the books of a drained stage; returns the job's progress in percent."""
        self.seconds[stage] = time.perf_counter() - self._opened
        return 100.0 * (self.stages.index(stage) + 1) / len(self.stages)

    @property
    def title(self) -> str:
        """What the job is called where people see it."""
        return f"job {self.job_id}"

    def left_s(self) -> float | None:
        """Seconds that the stages to come may take; None: nothing tells."""
        return None

    @property
    def spent_s(self) -> float:
        """Wall seconds since this process joined."""
        return time.perf_counter() - self._started

    def publish(self) -> None:
        """Make the job's answer the one that counts; all stages must be drained."""
        self._publication.publish()

    def finish(self) -> dict[str, Any]:
        """Make the job's answer the one that counts, and sum it up."""
        raise NotImplementedError

    def markdown(self, summary: dict[str, Any]) -> str:
        """The summary as a short page of Markdown."""
        raise NotImplementedError

    def write_outputs(self, summary: dict[str, Any]) -> None:
        """Write the files that were asked for."""
        raise NotImplementedError

    def close(self) -> None:
        """Give back what is claimed but not begun, and stop the heartbeats."""
        self.release()
        self._source.close()


def outlast(call: Callable[[], T]) -> T:
    """Repeat a call that met a database in restart; connecting anew waits up to `connect_retry_s` each time.

    Only for calls that may run twice: a claim whose reply was lost is rescued when its lease ends.
    """
    for _ in range(RESTARTS_OUTLASTED):
        try:
            return call()
        except StoreUnavailable as error:
            logger.warning("the database went away, trying again: %s", error.message)
    return call()


TABLE_ROWS_MAX = 200
"""More rows than this a table in the UI does not show well."""


def batch_rows(job: StagedJob) -> list[dict[str, Any]]:
    """List the batches, the slowest first, as many as the UI shows."""
    rows = [
        {"stage": stage, "batch": number, "items": found["items"], "seconds": found["seconds"]}
        for stage in job.stages
        for number, found in enumerate(job.outputs(stage))
    ]
    return sorted(rows, key=lambda row: -float(row["seconds"]))[:TABLE_ROWS_MAX]
