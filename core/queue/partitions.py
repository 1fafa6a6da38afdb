"""Batch ids and the partitions they fall into: always two ahead, never a DEFAULT one."""

from __future__ import annotations

from typing import Any

import psycopg

from core.database import DatabaseManager
from core.database.queries import load, run

Q = load("queue")


def take_ids(conn: psycopg.Connection[Any], n: int) -> list[int]:
    """`n` fresh batch ids, each with its partitions; until the transaction ends none of these is dropped.

    The leader creates partitions ahead; a producer that outran it, or has none, creates them here.
    """
    if n == 0:
        return []
    ids = [batch_id for (batch_id,) in run(conn, Q["batch_ids"], {"n": n})]
    if max(ids) >= int(run(conn, Q["partition_top"])[0][0]):
        run(conn, Q["partitions_ahead"])
    return ids


def ahead(db: DatabaseManager) -> int:
    """Create the partitions that are missing ahead of the sequence; returns how many."""
    with db.transaction() as conn:
        run(conn, Q["duty_bounds"])
        return int(run(conn, Q["partitions_ahead"])[0][0])


def rotate(db: DatabaseManager, rows_max: int, age_s: float) -> bool:
    """Start the next partition if the present one holds `rows_max` items or its first batch is older than `age_s`.

    Cost: where the partition may be full, a scan of its batches: up to 0.2 s at a million of them.
    """
    with db.transaction() as conn:
        run(conn, Q["duty_bounds"])
        return bool(run(conn, Q["partition_rotate"], {"rows_max": rows_max, "age_s": age_s}))
