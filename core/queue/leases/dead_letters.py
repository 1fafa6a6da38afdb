"""Dead letters: what died of what, and the way back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import psycopg

from core.database import DatabaseManager
from core.database.queries import load, run
from core.queue.states import Fault
from core.queue.store import flows, partitions, wake

Q = load("queue")
CHUNK = 10_000
REDRIVE_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class Which:
    """Which dead letters; None: any."""

    error_class: str | None = None
    fault: Fault | None = None
    job_id: int | None = None


ANY = Which()


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
    """One dead letter: where it came from, what it died of, who tried last; `payload` only when asked for."""

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
    worker_id: str | None
    died_at: datetime
    payload: str | None


@dataclass(frozen=True, slots=True)
class Redrivable:
    """Dead letters of one class that would run again, and `n_kept` that would not."""

    error_class: str
    fault: Fault
    n_letters: int
    n_items: int
    n_kept: int


def groups(db: DatabaseManager, flow_name: str | None = None) -> list[DeadGroup]:
    """Largest group first."""
    with db.transaction() as conn:
        return [DeadGroup(*row) for row in run(conn, Q["dead_summary"], {"flow_name": flow_name})]


def letters(
    db: DatabaseManager, which: Which, limit: int, *, flow_name: str | None = None, payload: bool = False
) -> list[DeadLetter]:
    """Newest first; of a payload that was never JSON, `payload` shows the first 1,000 bytes, escaped."""
    params = {**asdict(which), "flow_name": flow_name, "limit": limit, "payload": payload}
    with db.transaction() as conn:
        return [DeadLetter(*row) for row in run(conn, Q["dead_list"], params)]


def would_redrive(db: DatabaseManager, flow_name: str, which: Which) -> list[Redrivable]:
    """What `redrive` would take, by class, largest first; nothing is changed. Raises UnknownFlow."""
    with db.transaction() as conn:
        found = [Redrivable(*row) for row in run(conn, Q["redrive_count"], {**asdict(which), "flow_name": flow_name})]
    if not found:
        flows.require_known(db, flow_name)
    return found


def redrive(db: DatabaseManager, flow_name: str, which: Which = ANY, limit: int = REDRIVE_LIMIT) -> int:
    """Put up to `limit` dead letters back to work; returns how many items.

    Rows become retries that are due at once, ranges become ready batches; their stages and jobs are open again. What
    belongs to a paused job waits for it, what belongs to a cancelled one stays. So do payloads that are not JSON: no
    handler could read them. CHUNK letters a transaction; after a crash the same call goes on. Raises UnknownFlow.
    """
    n_left, n_items = limit, 0
    while n_left > 0:
        with db.transaction() as conn:
            n_letters, n_back = _chunk(conn, {**asdict(which), "flow_name": flow_name, "limit": min(CHUNK, n_left)})
        n_items += n_back
        n_left -= n_letters
        if n_letters == 0:
            break
    if n_items == 0:
        flows.require_known(db, flow_name)
    return n_items


def discard(db: DatabaseManager, flow_name: str, which: Which = ANY, limit: int = REDRIVE_LIMIT) -> int:
    """Give up to `limit` dead letters up for good, payloads and all; returns how many items.

    They never run again, count nowhere, and their unique keys may be taken anew. What a live batch gave up stays until
    the batch has ended. CHUNK letters a transaction; after a crash the same call goes on. Raises UnknownFlow.
    """
    n_left, n_items = limit, 0
    while n_left > 0:
        params = {**asdict(which), "flow_name": flow_name, "limit": min(CHUNK, n_left)}
        with db.transaction() as conn:
            ((n_letters, n_gone),) = run(conn, Q["discard"], params)
        n_items += int(n_gone)
        n_left -= int(n_letters)
        if n_letters == 0:
            break
    if n_items == 0:
        flows.require_known(db, flow_name)
    return n_items


def _chunk(conn: psycopg.Connection[Any], params: dict[str, Any]) -> tuple[int, int]:
    """(letters, items) that went back."""
    partitions.revive(conn, params["flow_name"])
    open_jobs = [job_id for (job_id,) in run(conn, Q["redrive_jobs"], params)]
    back = run(conn, Q["redrive_rows"], {**params, "open_jobs": open_jobs})
    n_letters = sum(int(n) for _, _, n, _ in back)
    sources = []
    if n_letters < params["limit"]:
        rest = {**params, "open_jobs": open_jobs, "limit": params["limit"] - n_letters}
        sources = run(conn, Q["redrive_sources"], rest)
    back += sources
    again = sorted({(job, stage) for job, stage, _, _ in back if job is not None})
    if again:
        places = {"job_ids": [job for job, _ in again], "stages": [stage for _, stage in again]}
        run(conn, Q["redrive_reopen_stages"], places)
        run(conn, Q["redrive_reopen_jobs"], places)
    if sources:
        wake.notify(conn, params["flow_name"])
    return sum(int(n) for _, _, n, _ in back), sum(int(n) for _, _, _, n in back)
