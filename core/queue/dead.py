"""Dead letters: what died of what, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.database import DatabaseManager
from core.database.queries import load, run
from core.queue.states import Fault

Q = load("queue")


@dataclass(frozen=True, slots=True)
class DeadGroup:
    """Dead letters of one flow and error class."""

    flow_name: str
    error_class: str
    fault: Fault
    n_letters: int
    n_items: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter; `payload` only when asked for."""

    dead_letter_id: int
    origin_batch_id: int
    seq: int
    n_items: int
    flow_name: str
    job_id: int | None
    stage: str
    fault: Fault
    error_class: str
    reason: str
    attempts: int
    died_at: datetime
    payload: str | None


def groups(db: DatabaseManager, flow_name: str | None) -> list[DeadGroup]:
    """Largest group first."""
    with db.transaction() as conn:
        return [DeadGroup(*row) for row in run(conn, Q["dead_summary"], {"flow_name": flow_name})]


def letters(
    db: DatabaseManager, flow_name: str | None, error_class: str | None, limit: int, *, payload: bool = False
) -> list[DeadLetter]:
    """Newest first."""
    params = {"flow_name": flow_name, "error_class": error_class, "limit": limit, "payload": payload}
    with db.transaction() as conn:
        return [DeadLetter(*row) for row in run(conn, Q["dead_list"], params)]


def redrive(db: DatabaseManager, flow_name: str, error_class: str | None, job_id: int | None, limit: int) -> int:
    """Put up to `limit` dead rows and up to `limit` dead ranges back to work; returns how many items.

    Rows become retries that are due at once, ranges become ready batches; their stages and jobs are open again.
    Payloads that are not JSON stay: no handler could read them.
    """
    params = {"flow_name": flow_name, "error_class": error_class, "job_id": job_id, "limit": limit}
    with db.transaction() as conn:
        back = run(conn, Q["redrive_rows"], params) + run(conn, Q["redrive_sources"], params)
        again = sorted({(job, stage) for job, stage, _ in back if job is not None})
        if again:
            places = {"job_ids": [job for job, _ in again], "stages": [stage for _, stage in again]}
            run(conn, Q["redrive_reopen_stages"], places)
            run(conn, Q["redrive_reopen_jobs"], places)
    return sum(int(n_items) for _, _, n_items in back)
