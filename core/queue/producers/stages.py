"""Stages of a job: opened once together with their batches, drained, closed with what they found out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl
import psycopg

from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import QueueError
from core.queue import checks, payloads
from core.queue.batches import ROWS_MAX, Job, NewBatch, StageProgress
from core.queue.producers import jobs
from core.queue.store import partitions
from core.queue.store.headers import HEADER, Begin, Spot, new_headers

Q = load("queue")
PARTITION_MAX, KEY_MAX = 2**31 - 1, 2**63 - 1


def open_stage(
    db: DatabaseManager, job: Job, stage: str, batches: Sequence[NewBatch], not_before: datetime | None = None
) -> bool:
    """Create the stage and its batches in one transaction; False if some process did so before.

    Raises QueueError: the job is finished; a batch without items; a splittable source without integer lo and hi; a
    `not_before` without a time zone.
    Cost: one COPY of the headers; nothing per item.
    """
    checks.check_stage(stage)
    checks.check_not_before(not_before)
    for batch in batches:
        _check(batch)
    params = {
        "job_id": job.job_id,
        "stage": stage,
        "n_batches": len(batches),
        "n_items": sum(batch.n_items for batch in batches),
    }
    with db.transaction() as conn:
        held = jobs.join(conn, job.job_id, job.tenant_id)
        if not run(conn, Q["stage_open"], params):
            return False
        _add(conn, job, stage, batches, Begin(not_before, held))
    return True


def grow(db: DatabaseManager, job: Job, stage: str, batches: Sequence[NewBatch], rows_before: int) -> bool:
    """Add batches to an open stage that has `rows_before` rows; False if it has not: somebody else added some.

    Raises QueueError: the job is finished.
    """
    for batch in batches:
        _check(batch)
    params = {
        "job_id": job.job_id,
        "stage": stage,
        "n_batches": len(batches),
        "n_items": sum(batch.n_items for batch in batches),
        "before": rows_before,
    }
    with db.transaction() as conn:
        held = jobs.join(conn, job.job_id, job.tenant_id)
        if not run(conn, Q["stage_grow"], params):
            return False
        _add(conn, job, stage, batches, Begin(held=held))
    return True


def _add(conn: psycopg.Connection[Any], job: Job, stage: str, batches: Sequence[NewBatch], begin: Begin) -> None:
    frame = pl.DataFrame(
        {
            "batch_id": partitions.take_ids(conn, len(batches)),
            "partition_no": [batch.partition_no for batch in batches],
            "priority": [batch.priority for batch in batches],
            "splittable": [batch.splittable for batch in batches],
            "n_items": [batch.n_items for batch in batches],
            "source": [payloads.document("the source of a batch", batch.source) for batch in batches],
        },
        schema=HEADER,
    )
    new_headers(conn, frame, Spot(job.tenant_id, job.flow_name, job.job_id, stage), begin)


def _check(batch: NewBatch) -> None:
    if batch.n_items < 1:
        raise QueueError(f"partition {batch.partition_no} has no items", partition_no=batch.partition_no)
    if not 0 <= batch.partition_no <= PARTITION_MAX:
        raise QueueError(
            f"partition_no {batch.partition_no} is outside 0..{PARTITION_MAX}", partition_no=batch.partition_no
        )
    checks.check_priority(batch.priority)
    if not batch.splittable:
        return
    lo, hi = batch.source.get("lo"), batch.source.get("hi")
    fits = isinstance(lo, int) and isinstance(hi, int) and hi - lo == batch.n_items <= ROWS_MAX
    # Halves are cut by the database, in its integers.
    fits = fits and all(abs(key) <= KEY_MAX for key in (lo, hi) if key is not None)
    if not fits:
        raise QueueError(
            f"partition {batch.partition_no} is splittable, so its source needs integers lo and hi with "
            f"hi - lo = n_items <= {ROWS_MAX}, of 64 bits",
            partition_no=batch.partition_no,
        )


def progress(db: DatabaseManager, job_id: int, stage: str | None = None) -> list[StageProgress]:
    """One entry per stage in the order of their opening; all stages if `stage` is None."""
    with db.transaction() as conn:
        rows = run(conn, Q["stage_progress"], {"job_id": job_id, "stage": stage})
    return [
        StageProgress(name, status, total, total - open_origins, *counts)
        for name, status, total, open_origins, *counts in rows
    ]


def progress_of(db: DatabaseManager, job_id: int, stage: str) -> StageProgress:
    """Progress of one stage; QueueError if it was never opened."""
    found = progress(db, job_id, stage)
    if not found:
        raise QueueError(f"job {job_id} has no stage {stage!r}", job_id=job_id, stage=stage)
    return found[0]


def results(db: DatabaseManager, job_id: int, stage: str) -> list[dict[str, Any]]:
    """The output of every completed batch, by partition; a batch that returned none is left out."""
    with db.transaction() as conn:
        rows = run(conn, Q["stage_results"], {"job_id": job_id, "stage": stage})
    return [output for (output,) in rows if output is not None]


def close(db: DatabaseManager, job_id: int, stage: str, output: Mapping[str, Any]) -> None:
    """Store what the stage found out. Closing again keeps the first output. QueueError if it was never opened."""
    params = {"job_id": job_id, "stage": stage, "output": payloads.document("the output of the stage", output)}
    with db.transaction() as conn:
        if not run(conn, Q["stage_close"], params):
            raise QueueError(f"job {job_id} has no stage {stage!r}", job_id=job_id, stage=stage)


def output(db: DatabaseManager, job_id: int, stage: str) -> dict[str, Any] | None:
    """What `close` stored, None before."""
    with db.transaction() as conn:
        rows = run(conn, Q["stage_output"], {"job_id": job_id, "stage": stage})
    return rows[0][0] if rows else None
