"""A process at work on a job of the queue: what the flow calls, by ids only."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from core.errors import HeadraceError, JobBlocked, LeaseLost, QueueError, StoreUnavailable
from core.linkage import tables
from core.linkage.job import JobDescription, LinkageJob
from core.linkage.memory import fit, limit_bytes
from core.linkage.outputs import summarise, write_outputs
from core.linkage.ports import STAGES, Progress, Stage, StageBatch
from core.linkage.published import keep_published, publish
from core.linkage.queue_source import FLOW, WORK_QUEUE, QueueSource
from core.linkage.stages import open_stage, run_batch
from core.linkage.workspace import Workspace
from core.queue import BatchQueue, FlowPolicy

logger = logging.getLogger(__name__)
T = TypeVar("T")

RESTARTS_OUTLASTED = 2
IDLE_TOLD_S = 5.0


class JobSession:
    """Joins a job: submits it if it is new, resumes it if it is not."""

    def __init__(
        self,
        queue: BatchQueue,
        description: JobDescription,
        workspace: Workspace,
        *,
        poll_s: float = 1.0,
        threads: int | None = None,
    ) -> None:
        queue.ensure_flow(FlowPolicy(FLOW, splittable=False, work_queue=WORK_QUEUE))
        digest = "-".join(str(source["digest"]) for source in description.sources)
        parameters = description.request.model_dump(mode="json") | {"workspace": workspace.uri}
        self.queue = queue
        self.poll_s = poll_s
        self.job_id = queue.submit_job(
            FLOW, description.key, parameters, digest, rerun=description.request.rerun
        ).job_id
        threads = threads or os.cpu_count() or 1
        room = fit(description.rows, threads, limit_bytes(description.request.memory_gb))
        source = QueueSource(queue, self.job_id, workspace.uri)
        self.job = LinkageJob(description, workspace, source, threads=threads, at_once=room.at_once)
        self._idle_s = 0.0
        self._seconds: dict[Stage, float] = {}
        self._started = self._opened = time.perf_counter()
        self._held: dict[str, StageBatch] = {}
        self._lock = threading.Lock()

    def open(self, stage: Stage) -> None:
        """Announce the stage's batches, unless another process has, or the whole job is answered already."""
        self._opened = time.perf_counter()
        try:
            outlast(lambda: self._make_ready(stage))
            outlast(lambda: open_stage(self.job, stage))
        except QueueError:
            # An answered job takes no more stages: it was so before, or the others were faster than we are.
            found = self.queue.find_job(self.job_id)
            if found is None or found.status != "completed":
                raise

    def _make_ready(self, stage: Stage) -> None:
        """What the database has to give or to hold before the batches of a stage can run; again changes nothing."""
        if stage == "cluster" and self.job.since == 0:
            keep_published(self.queue.db, self.job.description.dataset_name, self.job.workspace, self.job_id)
        elif stage == "publish":
            tables.prepare(self.queue.db, self.job, self.job_id)

    def claim(self, stage: Stage, limit: int) -> list[str]:
        """Take leases; returns their tags, which is all that travels to the tasks."""
        batches = outlast(lambda: self.job.batches.claim(stage, limit))
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
            self.job.batches.complete(batch, output, tables.sink_of(self.job, self.job_id, batch, output))
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
        return said | {"outcome": "completed", **output}

    def _give_up(self, batch: StageBatch, error_class: str, reason: str, *, retryable: bool) -> None:
        try:
            self.job.batches.fail(batch, error_class, reason, retryable=retryable)
        except LeaseLost:
            # It was somebody else's already, who may even have cleared away what it was reading.
            logger.warning("batch %s of stage %s was taken over before it failed here", batch.partition, batch.stage)

    def progress(self, stage: Stage) -> Progress:
        """Count the stage's batches, whoever works on them.

        Raises:
            JobBlocked: a batch is dead; nothing will be published.
        """
        progress = outlast(lambda: self.job.batches.progress(stage))
        if progress.dead:
            self.queue.set_job_status(self.job_id, "blocked")
            raise JobBlocked(
                f"job {self.job_id} is blocked: {progress.dead} batch(es) of stage {stage} are dead letters; "
                f"see `headrace queue dead`, then `headrace queue redrive {FLOW} --job {self.job_id}` and run the same "
                "command again",
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
        self.job.batches.release(waiting)

    def in_flight(self, stage: Stage) -> int:
        """How many batches of a stage to hold: one waits beside those that run, unless memory bounds them."""
        at_once = self.job.at_once(stage)
        return at_once if at_once < self.job.threads else at_once + 1

    @property
    def stages(self) -> tuple[Stage, ...]:
        """All stages in order."""
        return STAGES

    def share_done(self, stage: Stage) -> float:
        """Close the books of a drained stage; returns the job's progress in percent."""
        self._seconds[stage] = time.perf_counter() - self._opened
        return 100.0 * (STAGES.index(stage) + 1) / len(STAGES)

    def finish(self) -> dict[str, Any]:
        """Make the job's answer the one that counts, and sum it up."""
        outlast(lambda: tables.index(self.queue.db, self.job_id, at_once=self.job.threads))
        self.queue.finish_job(self.job_id)
        publish(self.queue.db, self.job.description.dataset_name, self.job.workspace, self.job_id)
        return summarise(self.job, time.perf_counter() - self._started, self._seconds) | {"job_id": self.job_id}

    def write_outputs(self, summary: dict[str, Any]) -> None:
        """Write the files the request asks for."""
        if self.job.description.request.out is not None:
            write_outputs(self.job, Path(self.job.description.request.out), summary)

    def close(self) -> None:
        """Give back what is claimed but not begun, and stop the heartbeats."""
        self.release()
        self.job.batches.close()


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
