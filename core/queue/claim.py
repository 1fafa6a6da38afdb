"""Taking leases, keeping them, giving them back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from core.database import DatabaseManager
from core.database.queries import Row, load, run
from core.queue import flows
from core.queue.batches import ClaimedBatch

Q = load("queue")


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who claims, and for how long without a heartbeat."""

    worker_id: str
    ttl_s: float
    flow_run_id: str | None = None


def claim(
    db: DatabaseManager,
    who: Claimant,
    flow_name: str,
    limit: int,
    *,
    job_id: int | None = None,
    stage: str | None = None,
) -> list[ClaimedBatch]:
    """Lease up to `limit` ready batches, by priority then age; [] if there are none or the flow is paused.

    `stage` only together with `job_id`. Raises UnknownFlow.
    """
    params = {
        "flow_name": flow_name,
        "limit": limit,
        "job_id": job_id,
        "stage": stage,
        "worker_id": who.worker_id,
        "flow_run_id": who.flow_run_id,
        "ttl_s": who.ttl_s,
    }
    query = Q["batch_claim"] if job_id is None else Q["batch_claim_job"]
    with db.transaction() as conn:
        rows = run(conn, query, params)
    if not rows:
        flows.require_known(db, flow_name)
    return sorted(map(claimed, rows), key=lambda batch: (batch.priority, batch.batch_id))


def claimed(row: Row) -> ClaimedBatch:
    """A row of the claim statements as a value."""
    return ClaimedBatch(*row)


def heartbeat(db: DatabaseManager, batches: Sequence[ClaimedBatch], ttl_s: float) -> list[int]:
    """Extend the leases, at most to their deadlines; returns the ids of batches that are not ours any more."""
    if not batches:
        return []
    with db.transaction() as conn:
        rows = run(conn, Q["batch_heartbeat"], {**_held(batches), "ttl_s": ttl_s})
    kept = {batch_id for (batch_id,) in rows}
    return [batch.batch_id for batch in batches if batch.batch_id not in kept]


def release(db: DatabaseManager, batches: Sequence[ClaimedBatch]) -> int:
    """Give leases back without counting the attempt; returns how many were still ours."""
    if not batches:
        return 0
    with db.transaction() as conn:
        return len(run(conn, Q["batch_release"], _held(batches)))


def still_ours(conn: psycopg.Connection[Any], batch: ClaimedBatch, application_name: str) -> bool:
    """The token check, without a lock; gives the transaction its name."""
    params = {"batch_id": batch.batch_id, "token": batch.token, "application_name": application_name}
    return bool(run(conn, Q["batch_check_token"], params))


def _held(batches: Sequence[ClaimedBatch]) -> dict[str, Any]:
    return {"batch_ids": [batch.batch_id for batch in batches], "tokens": [batch.token for batch in batches]}
