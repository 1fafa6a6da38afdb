"""How many rows a batch should have: by what a row of the flow was measured to take."""

from __future__ import annotations

from dataclasses import dataclass

from core.database import DatabaseManager
from core.database.queries import load, run

Q = load("consumers")

# Shorter, and bookkeeping is felt; longer, and a crash repeats much, and the last batches are waited for.
BATCH_S_MIN, BATCH_S = 0.1, 3.0
BATCHES_A_WORKER = 20
# A row time is believed when so many rows were measured.
ROWS_MEASURED_MIN = 100
HISTORY_HOURS = 24


@dataclass(frozen=True, slots=True)
class Bounds:
    """Rows a batch gets when nothing was measured yet, and rows it may have at most."""

    default: int
    most: int


def rows_per_batch(row_ms: float | None, n_rows: int, n_workers: int, bounds: Bounds) -> int:
    """Rows for about 3 s of work a batch, at least 20 batches a worker, and at most `bounds.most`.

    Args:
        row_ms: wall time of one row on one worker; None: unknown.
        n_rows: rows of the whole submission.
    Returns:
        At least 1. The 20 batches give way where they would take less than 0.1 s each: then bookkeeping would rule.
    """
    shared = max(1, n_rows // max(1, n_workers * BATCHES_A_WORKER))
    if row_ms is None or row_ms <= 0:
        return min(shared, bounds.default, bounds.most)
    # Kept in floats until it is bounded: rows that take next to no time would be more than an integer can be made of.
    by_time, least = BATCH_S * 1e3 / row_ms, BATCH_S_MIN * 1e3 / row_ms
    return int(max(1, min(max(min(by_time, shared), least), bounds.most)))


def rows_within(row_ms: float | None, batch_s_max: float, n_rows: int) -> int:
    """At most `n_rows`, and at most what takes `batch_s_max`; at least 1. `row_ms` None: unknown, so nothing is cut."""
    if row_ms is None or row_ms <= 0:
        return n_rows
    return int(max(1, min(batch_s_max * 1e3 / row_ms, n_rows)))


def too_long(n_rows: int, took_s: float, batch_s_max: float | None) -> str | None:
    """What to say of a batch that took longer than it should; None: it did not."""
    if batch_s_max is None or took_s <= batch_s_max:
        return None
    said = f"{n_rows} rows took {took_s:.1f} s, and HEADRACE_QUEUE__BATCH_S_MAX is {batch_s_max:g}"
    if n_rows == 1:
        return f"{said}: a batch cannot be smaller"
    return f"{said}: batches of {rows_within(took_s * 1e3 / n_rows, batch_s_max, n_rows)} rows would fit"


def n_workers_alive(db: DatabaseManager) -> int:
    """Workers that beat now, at least 1."""
    with db.transaction() as conn:
        return max(1, int(run(conn, Q["workers_alive"])[0][0]))


def measured_row_ms(db: DatabaseManager, flow_name: str) -> float | None:
    """Wall time of a row of this flow in the last day, from finished attempts; None if too few were measured.

    It holds the queue's own share (reading, COPY, commit), which every batch pays.
    """
    with db.transaction() as conn:
        wall_ms, n_rows = run(conn, Q["flow_row_time"], {"flow_name": flow_name, "hours": HISTORY_HOURS})[0]
    return None if n_rows < ROWS_MEASURED_MIN else float(wall_ms) / n_rows
