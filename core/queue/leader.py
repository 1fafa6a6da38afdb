"""What one process does for all: rescue, promote, stamp retries, seal inboxes, roll up, keep partitions ahead."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from core.database import DatabaseManager
from core.database.queries import load, run
from core.queue import enqueue, jobs, partitions
from core.queue.claim import claimed
from core.queue.failures import Failure, end
from core.queue.flows import policy_of
from core.queue.states import backoff_s
from core.settings import QueueSettings

Q = load("queue")
log = logging.getLogger(__name__)

RESCUE_LIMIT = 100
PROMOTE_LIMIT = 10_000
STAMP_LIMIT = 50_000
ROLL_UP_LIMIT = 10_000
# An inbox that is not full becomes a batch at this age.
LINGER_S = 1.0
# Silence after which a worker counts as dead, in lease lives.
SILENT_LEASES = 4


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one round of the duties did."""

    rescued: int = 0
    promoted: int = 0
    retry_batches: int = 0
    sealed: int = 0
    rolled_up: int = 0
    partitions: int = 0
    jobs_finished: int = 0
    workers_reaped: int = 0


def take_lease(db: DatabaseManager, name: str, holder: str, token: UUID, ttl_s: float) -> bool:
    """Get or extend the named lease; False while another holder's is alive."""
    params = {"name": name, "holder": holder, "token": token, "ttl_s": ttl_s}
    with db.transaction() as conn:
        return bool(run(conn, Q["lease_take"], params))


def drop_lease(db: DatabaseManager, name: str, token: UUID) -> None:
    """Give the named lease back, if it is ours."""
    with db.transaction() as conn:
        run(conn, Q["lease_drop"], {"name": name, "token": token})


def rescue(db: DatabaseManager, jitter: Callable[[], float]) -> int:
    """End the attempts whose lease ran out; returns how many.

    The first time the batch is ready at once, then after a pause; out of attempts it is halved or dead. Batches
    whose completion is committing right now are locked and left alone.
    """
    n_all = 0
    while True:
        with db.transaction() as conn:
            expired = [claimed(row) for row in run(conn, Q["batch_expired"], {"limit": RESCUE_LIMIT})]
            for batch in expired:
                policy = policy_of(conn, batch.flow_name, batch.tenant_id)
                pause_s = 0.0 if batch.attempt <= 1 else backoff_s(batch.attempt - 1, policy.backoff_s, jitter())
                failure = Failure("LeaseExpired", "no heartbeat within the lease", True, "expired", "poison")
                fate = end(conn, batch, failure, policy, pause_s)
                log.warning("batch %s: lease of worker %s ran out, %s", batch.batch_id, batch.worker_id, fate)
        n_all += len(expired)
        if len(expired) < RESCUE_LIMIT:
            return n_all


def sweep(db: DatabaseManager, settings: QueueSettings, jitter: Callable[[], float]) -> Sweep:
    """One round of all duties, each in transactions of its own; safe even if two processes do it at once."""
    ahead = partitions.ahead(db)
    partitions.rotate(db, settings.partition_rows)
    done = Sweep(
        rescued=rescue(db, jitter),
        promoted=_many(db, "batch_promote", limit=PROMOTE_LIMIT),
        sealed=enqueue.seal_inbox(db, settings.batch_rows, LINGER_S),
        retry_batches=_many(db, "retries_stamp", limit=STAMP_LIMIT, rows_max=settings.batch_rows),
        rolled_up=roll_up(db),
        partitions=ahead,
        jobs_finished=_finish_jobs(db),
        workers_reaped=_many(db, "worker_reap", silent_s=settings.lease_ttl_s * SILENT_LEASES),
    )
    refresh_depth(db)
    return done


def _many(db: DatabaseManager, query: str, **params: float) -> int:
    with db.transaction() as conn:
        return len(run(conn, Q[query], params))


def roll_up(db: DatabaseManager) -> int:
    """Add finished attempts to the totals; returns how many."""
    n_all = 0
    while True:
        with db.transaction() as conn:
            n_rolled = int(run(conn, Q["history_roll_up"], {"limit": ROLL_UP_LIMIT})[0][0])
        n_all += n_rolled
        if n_rolled < ROLL_UP_LIMIT:
            return n_all


def refresh_depth(db: DatabaseManager) -> None:
    """Renew the cache that queue_depth_v1 reads."""
    with db.transaction() as conn:
        run(conn, Q["depth_refresh"])


def _finish_jobs(db: DatabaseManager) -> int:
    with db.transaction() as conn:
        sealed = [job_id for (job_id,) in run(conn, Q["jobs_sealed"])]
    return sum(jobs.finish_if_drained(db, job_id) for job_id in sealed)
