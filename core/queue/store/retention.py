"""What becomes of old partitions: detached, then dropped, one by one; nothing is ever deleted row by row.

A partition goes when it is finished and old, or finished and the oldest while all together take too much room. Totals
and dead letters (which hold their payloads themselves) stay; items, results and history of the range go.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg import sql

from core.database import DatabaseManager
from core.database.queries import Connection, Query, Row, load, run
from core.errors import StoreError, StoreUnavailable
from core.queue.store.singleton import drop_lease, take_lease
from core.queue.store.wake import own_connection
from core.settings import QueueSettings

Q = load("retention")
SHARED = load("queue")
log = logging.getLogger(__name__)

LEASE = "queue-retention"
LEASE_S = 300.0
# A transaction that uses a parent for longer than this holds retention back instead of being waited for.
OPEN_S = 10.0
# Detaching waits that long; meanwhile no new partition can be attached, and two are always ahead.
DETACH_S = 10.0
# Producers hold their lock for moments; so often we look for a gap between them.
ALONE_TRIES = 50
ALONE_PAUSE_S = 0.02

Deed = Literal["drop", "keep", "dropped", "held"]


@dataclass(frozen=True, slots=True)
class Partition:
    """A range of batch ids. `idle_s`: since the last enqueue or attempt in it; `holds`: who still needs it."""

    lo: int
    hi: int
    half_dropped: bool
    size_bytes: int
    idle_s: float
    holds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes, or became, of a partition, and why."""

    partition: Partition
    deed: Deed
    why: str


def plan(found: Sequence[Partition], retain_days: float, retain_gb: float | None) -> list[Fate]:
    """Decide over all partitions, oldest first. Room is made by the oldest finished ones, until the rest fits."""
    room = None if retain_gb is None else retain_gb * 2**30
    left = sum(partition.size_bytes for partition in found)
    fates = []
    for partition in sorted(found, key=lambda each: each.lo):
        days = partition.idle_s / 86_400
        if partition.half_dropped:
            fate = Fate(partition, "drop", "its dropping was cut short")
        elif partition.holds:
            fate = Fate(partition, "keep", "; ".join(partition.holds))
        elif days >= retain_days:
            fate = Fate(partition, "drop", f"unused for {days:.1f} days, the limit is {retain_days:g}")
        elif room is not None and left > room:
            fate = Fate(partition, "drop", f"partitions take {left / 2**30:.1f} GB, the limit is {retain_gb:g}")
        else:
            fate = Fate(partition, "keep", f"used {days:.1f} days ago, the limit is {retain_days:g}")
        left -= partition.size_bytes if fate.deed == "drop" else 0
        fates.append(fate)
    return fates


def survey(db: DatabaseManager) -> list[Partition]:
    """All partitions that are not dropped. Cost: index look-ups, about a millisecond each."""
    with db.transaction() as conn:
        return [_partition(row) for row in run(conn, Q["partitions_survey"], {"lo": None})]


def counts(fates: Sequence[Fate]) -> dict[str, int]:
    """How many partitions met which fate."""
    return dict(Counter(fate.deed for fate in fates))


def foresee(db: DatabaseManager, settings: QueueSettings) -> list[Fate]:
    """What `retain` would do now; changes nothing."""
    fates = plan(survey(db), settings.retain_days, settings.retain_gb)
    with db.transaction() as conn:
        why = _held_up(conn)
    if why is None:
        return fates
    return [replace(fate, deed="held", why=why) if fate.deed == "drop" else fate for fate in fates]


def retain(db: DatabaseManager, settings: QueueSettings, holder: str, token: UUID) -> list[Fate]:
    """Drop what `plan` says, each partition on its own: one that is held is logged and left to the next time.

    Safe at any moment, also killed at any moment: the next call goes on. While another process retains, nothing happens
    and [] is returned. Waits at most about 10 s for each table. Raises StoreUnavailable.
    """
    if not take_lease(db, LEASE, holder, token, LEASE_S):
        return []
    done = []
    try:
        with closing(own_connection(db)) as conn:
            for fate in plan(survey(db), settings.retain_days, settings.retain_gb):
                done.append(_carry_out(db, conn, fate) if fate.deed == "drop" else fate)
                take_lease(db, LEASE, holder, token, LEASE_S)
    finally:
        drop_lease(db, LEASE, token)
    return done


def _carry_out(db: DatabaseManager, conn: Connection, fate: Fate) -> Fate:
    partition = fate.partition
    try:
        why = _held_up(conn)
        if why is None and not partition.half_dropped:
            why = _give_up(db, partition)
        if why is None:
            _remove(db, conn, partition.lo)
            log.info("partition %s dropped: %s", partition.lo, fate.why)
            return replace(fate, deed="dropped")
    except StoreUnavailable:
        raise
    except StoreError as error:
        why = error.message
    log.warning("partition %s is held, it is tried again next time: %s", partition.lo, why)
    return replace(fate, deed="held", why=why)


def _held_up(conn: psycopg.Connection[Any]) -> str | None:
    rows = run(conn, Q["partitions_held"], {"open_s": OPEN_S})
    if not rows:
        return None
    table, pid, open_s = rows[0]
    return f"a transaction of backend {pid} uses {table} for {open_s:.0f} s"


def _give_up(db: DatabaseManager, partition: Partition) -> str | None:
    """Mark the partition for dropping; None if done, else what stands in the way now.

    The decision is made again while nobody is enqueueing: what was in flight at the first look is seen by the second.
    """
    pause = threading.Event()
    for _ in range(ALONE_TRIES):
        with db.transaction() as conn:
            run(conn, SHARED["duty_bounds"])
            if run(conn, Q["partition_alone"])[0][0]:
                return _give_up_alone(conn, partition.lo)
        pause.wait(ALONE_PAUSE_S)
    return "producers enqueue without a gap"


def _give_up_alone(conn: Connection, lo: int) -> str | None:
    (row,) = run(conn, Q["partitions_survey"], {"lo": lo})
    if holds := _partition(row).holds:
        return "; ".join(holds)
    return None if run(conn, Q["partition_give_up"], {"lo": lo}) else "somebody else drops it"


def _remove(db: DatabaseManager, conn: Connection, lo: int) -> None:
    for parent, child, attached, pending in run(conn, Q["partition_tables"], {"lo": lo}):
        names = {"parent": parent, "child": child}
        if attached:
            with _bounded(conn, DETACH_S):
                run(conn, named(Q["partition_finalize"] if pending else Q["partition_detach"], names))
        with db.transaction() as short:
            run(short, SHARED["duty_bounds"])
            run(short, named(Q["partition_drop"], names))
    run(conn, Q["partition_discards"], {"lo": lo})
    run(conn, Q["partition_dropped"], {"lo": lo})


@contextmanager
def _bounded(conn: Connection, limit_s: float) -> Iterator[None]:
    """Cancel the statement from outside: a time limit of the session would stay with a pooler's connection."""
    timer = threading.Timer(limit_s, conn.cancel_safe, kwargs={"timeout": limit_s})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def named(query: Query, names: Mapping[str, str]) -> Query:
    """The query with names of tables, quoted, in place of its {placeholders}."""
    text = sql.SQL(query.sql).format(**{key: sql.Identifier(name) for key, name in names.items()})
    return replace(query, sql=text.as_string())


def _partition(row: Row) -> Partition:
    lo, hi, state, past, size_bytes, idle_s, n_live, n_retries, unrolled, job_id = row
    holds = {
        "new batches go there": not past,
        f"{n_live} live batches": n_live,
        f"{n_retries} rows wait for a retry": n_retries,
        "history that is not in the totals yet": unrolled,
        f"job {job_id} is not finished": job_id is not None,
    }
    return Partition(lo, hi, state == "detached", size_bytes, idle_s, tuple(why for why, so in holds.items() if so))
