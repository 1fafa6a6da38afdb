"""Where a queued reconciliation takes what was decided before, and how its batches become true."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psycopg

from core.jobs.ports import Output, Sink, Stage, StageBatch
from core.jobs.session import outlast
from core.queue import BatchQueue
from core.queue.producers import jobs
from core.review.audit.chain import Event
from core.review.audit.sealer import seal_all
from core.storage.workspace import Folder, load_frame
from core.workloads.invoices.publishing.publish import Published, add_new_items, publish
from core.workloads.invoices.publishing.standing import standing_of
from core.workloads.invoices.queued.job import ReceivablesJob
from core.workloads.invoices.queued.kept import keep


def sink_of(job: ReceivablesJob, job_id: int, batch: StageBatch, output: Output) -> Sink | None:
    """Make what writes a batch's rows: new items when they are known, decisions when they are made."""
    if batch.stage == "reduce":
        return partial(_write_items, job=job, batch=batch)
    if batch.stage == "settle":
        return partial(_write_decisions, job=job, batch=batch, folder=job.workspace.path(output["path"]))
    return None


def _write_items(conn: psycopg.Connection[Any], *, job: ReceivablesJob, batch: StageBatch) -> None:
    # Outputs of the batch's own stage are not there yet, so what was decided is read where it was put.
    standing = job.standing_before
    add_new_items(conn, _event(job, batch), standing.laid_over(job.tables).invoices, standing)


def _write_decisions(conn: psycopg.Connection[Any], *, job: ReceivablesJob, batch: StageBatch, folder: Folder) -> None:
    states = load_frame(folder, "states")
    payments = job.sides.payments.join(states, left_on="id", right_on="payment_id", how="semi")
    rows = load_frame(folder, "rows").sort("payment_id", "rank", "invoice_id")
    publish(conn, _event(job, batch), Published(rows, states, payments, load_frame(folder, "told")), job.standing)


def _event(job: ReceivablesJob, batch: StageBatch) -> Event:
    description = job.description
    digests = {kind: list(found) for kind, found in description.sha256.items()}
    details = {"job": job.job_id, "batch": batch.partition, "sha256": digests}
    return Event(description.request.tenant, "settled", description.actor, datetime.now(UTC), details=details)


class AllocationPublication:
    """The `Publication` of a reconciliation whose batches are in the queue."""

    def __init__(self, queue: BatchQueue, job: ReceivablesJob, worker_id: str) -> None:
        self._queue = queue
        self._job = job
        self._worker_id = worker_id

    def make_ready(self, stage: Stage) -> None:
        """Before `reduce` fetch how items and payments stand, once a job: all its batches are decided on the same."""
        if stage != "reduce":
            return
        workspace = self._job.workspace
        if (workspace.path(self._job.standing_folder) / "standing.json").exists():
            return
        with self._queue.db.transaction() as conn:
            standing = standing_of(conn, self._job.request.tenant, self._job.tables)
        folder = workspace.root / self._job.standing_folder
        part = folder.with_name(f"{folder.name}.{os.getpid()}")
        part.mkdir(mode=0o700, parents=True, exist_ok=True)
        keep(part, "standing", standing)
        folder.mkdir(mode=0o700, exist_ok=True)
        # The one file whose being there says that both are: last.
        for path in sorted(part.iterdir(), key=lambda each: each.suffix == ".json"):
            path.replace(folder / path.name)
        part.rmdir()
        workspace.keep(folder)

    def sink_of(self, batch: StageBatch, output: Output) -> Sink | None:
        """Make what writes the rows of a batch."""
        return sink_of(self._job, self._job.job_id, batch, output)

    def publish(self) -> None:
        """Finish the job, and seal what its batches appended to the ledger."""
        jobs.finish(self._queue.db, self._job.job_id)
        outlast(lambda: seal_all(self._queue.db, self._worker_id, self._job.request.tenant))
