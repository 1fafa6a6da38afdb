"""The load a flow has had, as a file that a simulation replays."""

from __future__ import annotations

import csv
from pathlib import Path

from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import InputError

Q = load("scaling")
BATCHES_MOST = 1_000_000


def record(db: DatabaseManager, flow_name: str, hours: int, out: Path) -> int:
    """Write at_s, work_s, attempts of each batch completed in the last hours; returns how many.

    Times are relative to the first. Raises InputError where nothing was completed.
    """
    asked = {"flow_name": flow_name, "hours": hours, "limit": BATCHES_MOST}
    with db.transaction() as conn:
        rows = run(conn, Q["load_recorded"], asked)
    if not rows:
        raise InputError(f"no batch of {flow_name} was completed in the last {hours} hours")
    first_s = rows[0][0]
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["at_s", "work_s", "attempts"])
        writer.writerows([f"{at_s - first_s:.3f}", f"{work_s:.6f}", attempts] for at_s, work_s, attempts in rows)
    return len(rows)
