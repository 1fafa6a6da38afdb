"""What the rule looks at, read from the queue's tables."""

from __future__ import annotations

from core.database import DatabaseManager
from core.database.queries import load, run
from core.scaling.policy import Signals

Q = load("scaling")

# Headers counted at most, of each state and tenant: more than any fleet could take at once.
BATCHES_MOST = 5_000
# Ended attempts looked at for the speed, of whatever flow.
ATTEMPTS_LOOK = 1_000


def read(db: DatabaseManager, flow_name: str, batch_rows: int) -> Signals:
    """Signals of a flow now, by the server's clock (seconds since 1970); an unknown flow shows nothing.

    `batch_rows`: what loose retries and inbox items will be sealed into. Cost: a few index look-ups, about 2 ms at
    100,000 waiting batches. Raises StoreError.
    """
    with db.transaction() as conn:
        seen = {"flow_name": flow_name, "most": BATCHES_MOST, "batch_rows": batch_rows}
        counted = run(conn, Q["scaling_signals"], seen)[0]
        speed = run(conn, Q["scaling_speed"], {"flow_name": flow_name, "look": ATTEMPTS_LOOK})[0]
        caps = run(conn, Q["scaling_caps"], {"flow_name": flow_name})[0]
    # The fields stand in the order of the columns.
    return Signals(*counted, *speed, *caps)


def pids_at_work(db: DatabaseManager, host: str) -> frozenset[int]:
    """Processes of a host that beat as workers."""
    with db.transaction() as conn:
        return frozenset(pid for (pid,) in run(conn, Q["scaling_workers"], {"host": host}))
