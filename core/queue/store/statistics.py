"""The planner's statistics of partitions: autovacuum comes late to a new partition, and never to a parent."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import StoreError, StoreUnavailable
from core.queue.store.retention import named

Q = load("retention")
SHARED = load("queue")
log = logging.getLogger(__name__)

# A partition is looked at again when so many rows, and this share of them, have changed.
CHANGED_ROWS_MIN = 1_000
CHANGED_SHARE = 0.2
# A parent's statistics change slowly.
PARENT_AGE_S = 86_400.0
# At most so many tables at a time, at most a minute each.
TABLES_MAX = 100


@dataclass(frozen=True, slots=True)
class Refreshed:
    """Tables that were looked at, and those that somebody held."""

    done: tuple[str, ...] = ()
    held: tuple[str, ...] = ()


def refresh(db: DatabaseManager) -> Refreshed:
    """Look again at what has changed. A table that is locked is logged and left to the next time.

    Each table in a transaction of its own. Cost: well below a second a table. Raises StoreUnavailable.
    """
    stale = {
        "rows_min": CHANGED_ROWS_MIN,
        "share": CHANGED_SHARE,
        "age_s": PARENT_AGE_S,
        "limit": TABLES_MAX,
    }
    with db.transaction() as conn:
        tables = [table for (table,) in run(conn, Q["statistics_stale"], stale)]
    held = tuple(table for table in tables if not _refreshed(db, table))
    return Refreshed(tuple(table for table in tables if table not in held), held)


def _refreshed(db: DatabaseManager, table: str) -> bool:
    try:
        with db.transaction() as conn:
            run(conn, SHARED["duty_bounds"])
            run(conn, named(Q["statistics_refresh"], {"child": table}))
    except StoreUnavailable:
        raise
    except StoreError as error:
        log.warning("statistics of %s are not renewed, they are next time: %s", table, error.message)
        return False
    return True
