"""Batch ids and the partitions they fall into: always two ahead, never a DEFAULT one."""

from __future__ import annotations

from typing import Any

import psycopg

from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import QueueError

Q = load("queue")
RETENTION = load("retention")


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


def revive(conn: psycopg.Connection[Any], flow_name: str) -> None:
    """Make the ranges again that the flow's dead letters come from; said first by whoever redrives them.

    They keep their identity, so results and history of theirs need the partition of their origin. Until the transaction
    ends none is dropped. QueueError while one is just being dropped.
    """
    run(conn, RETENTION["partitions_keep"])
    for lo, state in run(conn, RETENTION["partitions_to_revive"], {"flow_name": flow_name}):
        if state == "detached":
            raise QueueError(
                f"partition {lo}, where dead letters of {flow_name} come from, is just being dropped; "
                "run `headrace queue retain`, then redrive again",
                partition=lo,
            )
        run(conn, RETENTION["partition_revive"], {"lo": lo})


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
