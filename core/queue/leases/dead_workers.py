"""Leases of a worker process that is gone: ended at once by whoever watched it, not when they run out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import psycopg

from core.database import DatabaseManager
from core.database.queries import load, run
from core.queue.leases import claim
from core.queue.leases.claim import claimed
from core.queue.leases.failures import Failure, end_lost

Q = load("consumers")
QUEUE = load("queue")
log = logging.getLogger(__name__)

LEASES_LIMIT = 100


def strike_off(conn: psycopg.Connection[Any], worker_id: str) -> None:
    """Take a worker off the list of those that beat; leases it holds are not touched."""
    run(conn, QUEUE["worker_leave"], {"worker_id": worker_id})


def bury(
    db: DatabaseManager, worker_id: str, batch_id: int | None, failure: Failure, jitter: Callable[[], float]
) -> int:
    """End the attempt the dead worker was at, give back what it had claimed and not begun; returns what is left.

    Args:
        batch_id: what it was at, if anything. Its attempt counts, as after a lost lease.
    Returns:
        Leases that its last backend holds locked; call again for them.
    """
    with db.transaction() as conn:
        params = {"worker_id": worker_id, "limit": LEASES_LIMIT}
        leases = [claimed(row) for row in run(conn, Q["worker_leases"], params)]
        for batch in leases:
            if batch.batch_id != batch_id:
                continue
            fate = end_lost(conn, batch, failure, jitter)
            log.warning("batch %s: %s, %s: %s", batch.batch_id, failure.error_class, failure.reason, fate)
        strike_off(conn, worker_id)
    claim.release(db, [batch for batch in leases if batch.batch_id != batch_id])
    with db.transaction() as conn:
        return int(run(conn, Q["worker_leases_left"], {"worker_id": worker_id})[0][0])
