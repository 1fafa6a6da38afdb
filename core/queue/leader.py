"""What one process does for all: rescue, promote, stamp retries, seal inboxes, roll up, keep partitions ahead."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import psycopg

from core.database import DatabaseManager
from core.database.queries import affected, load, run
from core.errors import HeadraceError, StoreUnavailable
from core.queue.batches import ClaimedBatch
from core.queue.leases.claim import claimed
from core.queue.leases.failures import Failure, end_lost
from core.queue.producers import inbox, jobs, unique_keys
from core.queue.store import partitions, wake
from core.settings import QueueSettings

Q = load("queue")
log = logging.getLogger(__name__)

RESCUE_LIMIT = 100
PROMOTE_LIMIT = 10_000
STAMP_LIMIT = 50_000
ROLL_UP_LIMIT = 10_000
FINISH_LIMIT = 1000
# Whether the partition in use is full is asked once in so many rounds: it may cost a scan of its batches.
ROTATE_ROUNDS = 12
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
    keys_purged: int = 0
    retries_forgotten: int = 0
    rotated: int = 0
    failed: tuple[str, ...] = ()


def rescue(db: DatabaseManager, jitter: Callable[[], float]) -> int:
    """End the attempts whose lease ran out; returns how many.

    Batches whose completion is committing right now are locked and left alone.
    """
    n_all, after = 0, -1
    while True:
        with _bounded(db) as conn:
            expired = [claimed(row) for row in run(conn, Q["batch_expired"], {"after": after, "limit": RESCUE_LIMIT})]
            ended = [batch for batch in expired if _rescued(conn, batch, jitter)]
            _wake(conn, (batch.flow_name for batch in ended))
        n_all += len(ended)
        if len(expired) < RESCUE_LIMIT:
            return n_all
        after = expired[-1].batch_id


def _rescued(conn: psycopg.Connection[Any], batch: ClaimedBatch, jitter: Callable[[], float]) -> bool:
    """End one attempt; False if that is refused, which must not hold up the rescue of all the others."""
    try:
        with conn.transaction():
            failure = Failure("LeaseExpired", "no heartbeat within the lease", True, "expired", "poison")
            fate = end_lost(conn, batch, failure, jitter)
    except StoreUnavailable:
        raise
    except HeadraceError as error:
        log.warning("batch %s: its lease ran out, and it cannot be rescued: %s", batch.batch_id, error.message)
        return False
    log.warning("batch %s: lease of worker %s ran out, %s", batch.batch_id, batch.worker_id, fate)
    return True


def sweep(db: DatabaseManager, settings: QueueSettings, jitter: Callable[[], float], round_no: int = 0) -> Sweep:
    """One round of all duties, each in transactions of its own; safe even if two processes do it at once.

    A duty that fails is logged and named in `failed`; the others go on, and the next round repeats it. Only an outage
    of the database ends the round.
    """
    duties: dict[str, Callable[[], int]] = {
        "partitions": lambda: partitions.ahead(db),
        "rescued": lambda: rescue(db, jitter),
        "promoted": lambda: promote(db),
        "sealed": lambda: inbox.seal_inbox(db, settings.batch_rows, settings.inbox_linger_s),
        "retry_batches": lambda: stamp(db, settings.batch_rows),
        "rolled_up": lambda: roll_up(db),
        "jobs_finished": lambda: _finish_jobs(db),
        "workers_reaped": lambda: _reap(db, settings.lease_ttl_s * SILENT_LEASES),
        "keys_purged": lambda: unique_keys.purge(db),
        "retries_forgotten": lambda: jobs.forget_all_cancelled(db),
        "depth": lambda: refresh_depth(db),
    }
    if round_no % ROTATE_ROUNDS == 0:
        duties["rotated"] = lambda: partitions.rotate(db, settings.partition_rows, settings.partition_hours * 3600)
    done: dict[str, int] = {}
    failed: list[str] = []
    for name, duty in duties.items():
        try:
            done[name] = duty()
        except StoreUnavailable:
            raise
        except HeadraceError as error:
            log.warning("duty %s failed, the next round repeats it: %s", name, error.message)
            failed.append(name)
    known = {field.name for field in fields(Sweep)}
    return Sweep(**{name: n for name, n in done.items() if name in known}, failed=tuple(failed))


@contextmanager
def _bounded(db: DatabaseManager) -> Iterator[psycopg.Connection[Any]]:
    """A transaction that does not wait long for anybody's lock."""
    with db.transaction() as conn:
        run(conn, Q["duty_bounds"])
        yield conn


def promote(db: DatabaseManager) -> int:
    """Make due headers ready and wake their consumers; returns how many."""
    return _ready(db, "batch_promote", limit=PROMOTE_LIMIT)


def stamp(db: DatabaseManager, rows_max: int) -> int:
    """Make retry headers of due rows, at most `rows_max` rows each, and wake their consumers; returns how many."""
    return _ready(db, "retries_stamp", limit=STAMP_LIMIT, rows_max=rows_max)


def _ready(db: DatabaseManager, query: str, **params: float) -> int:
    with _bounded(db) as conn:
        flow_names = [flow_name for (flow_name,) in run(conn, Q[query], params)]
        _wake(conn, flow_names)
    return len(flow_names)


def _wake(conn: psycopg.Connection[Any], flow_names: Iterable[str]) -> None:
    for flow_name in sorted(set(flow_names)):
        wake.notify(conn, flow_name)


def _reap(db: DatabaseManager, silent_s: float) -> int:
    with _bounded(db) as conn:
        return len(run(conn, Q["worker_reap"], {"silent_s": silent_s}))


def roll_up(db: DatabaseManager) -> int:
    """Add finished attempts to the totals; returns how many."""
    n_all = 0
    while True:
        with _bounded(db) as conn:
            n_rolled = int(run(conn, Q["history_roll_up"], {"limit": ROLL_UP_LIMIT})[0][0])
        n_all += n_rolled
        if n_rolled < ROLL_UP_LIMIT:
            return n_all


def refresh_depth(db: DatabaseManager) -> int:
    """Renew the cache that queue_depth_v1 reads; returns how many flows it holds."""
    with _bounded(db) as conn:
        return affected(conn, Q["depth_refresh"])


def _finish_jobs(db: DatabaseManager) -> int:
    with _bounded(db) as conn:
        drained = [job_id for (job_id,) in run(conn, Q["jobs_drained"], {"limit": FINISH_LIMIT})]
    return sum(_finish(db, job_id) for job_id in drained)


def _finish(db: DatabaseManager, job_id: int) -> bool:
    with _bounded(db) as conn:
        return bool(run(conn, Q["job_finish_if_drained"], {"job_id": job_id}))
