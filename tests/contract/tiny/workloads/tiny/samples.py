"""What the database knows of the workload, by its own query file."""

from __future__ import annotations

from pathlib import Path

from core.database import DatabaseManager
from core.database.queries import load, run
from core.metrics.export import Samples
from tests.contract.tiny.workloads.tiny.workload import FLOW

Q = load("tiny", Path(__file__).parents[2] / "sql")


def n_done(db: DatabaseManager) -> int:
    with db.transaction() as conn:
        return int(run(conn, Q["tiny_done"], {"flow": FLOW})[0][0])


def samples(db: DatabaseManager) -> Samples:
    return {"headrace_tiny_texts": [((), float(n_done(db)))]}
