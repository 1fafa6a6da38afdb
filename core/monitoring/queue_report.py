"""How the queue stands: counts, depths, and a verdict in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from core.database import DatabaseManager
from core.database.queries import load, run
from core.monitoring.store import reported
from core.queue.records import records
from core.queue.records.records import Counts

Q = load("monitoring")

Health = Literal["healthy", "degraded", "critical"]

STALE_S = 900.0
STUCK_S = 3600.0
FAILED_SHARE_DEGRADED = 0.05
FAILED_SHARE_CRITICAL = 0.5
# Below so many ended records a share says nothing.
ENDED_MIN = 20


@dataclass(frozen=True, slots=True)
class FlowState:
    """What the verdict looks at, per flow."""

    flow_name: str
    ready_batches: int
    running_batches: int
    expired_batches: int
    waiting_retries: int
    oldest_age_s: float
    paused: bool


def assess(flows: Sequence[FlowState], counts: Counts) -> tuple[Health, list[str]]:
    """(verdict, reasons), worst first; pure. No reason, no blemish."""
    critical: list[str] = []
    degraded: list[str] = []
    for flow in flows:
        name = flow.flow_name
        if flow.paused:
            critical.append(f"flow {name} is paused; `headrace queue resume {name}` starts it again")
        elif flow.oldest_age_s >= STUCK_S and not flow.running_batches:
            critical.append(f"flow {name} waits for {flow.oldest_age_s:.0f} s and nobody works on it")
        elif flow.oldest_age_s >= STALE_S:
            degraded.append(f"flow {name} is {flow.oldest_age_s:.0f} s behind")
        if flow.expired_batches:
            degraded.append(f"flow {name} has {flow.expired_batches} expired leases that wait for rescue")
    ended = counts.completed + counts.failed
    share = counts.failed / ended if ended else 0.0
    if ended >= ENDED_MIN and share >= FAILED_SHARE_DEGRADED:
        worse = share >= FAILED_SHARE_CRITICAL
        (critical if worse else degraded).append(f"{share:.0%} of ended records failed; `headrace queue dead` says why")
    health: Health = "critical" if critical else "degraded" if degraded else "healthy"
    return health, critical + degraded


def distributed_queue_monitoring(db: DatabaseManager | str | None = None) -> dict[str, Any]:
    """Counts and health of all flows; `db`: a manager or a name, by default the database `rpa_db`.

    Returns `overall_queue_status` (total_, pending_, processing_, completed_, failed_records), the same `by_flow`,
    `queue_health_assessment` (`queue_health` healthy, degraded or critical; `issues`), `flows` (depth, age), `workers`.
    Raises StoreUnavailable.
    """
    with reported(db) as manager:
        by_flow = records.status(manager, None)
        with manager.transaction() as conn:
            flows = [FlowState(*row) for row in run(conn, Q["flow_depths"])]
            workers = run(conn, Q["live_workers"])
    overall = sum(by_flow.values(), Counts())
    health, issues = assess(flows, overall)
    return {
        "monitoring_timestamp": datetime.now(UTC).isoformat(),
        "overall_queue_status": overall.named(),
        "by_flow": {name: counts.named() for name, counts in by_flow.items()},
        "queue_health_assessment": {"queue_health": health, "issues": issues},
        "flows": {
            flow.flow_name: {
                "ready_batches": flow.ready_batches,
                "running_batches": flow.running_batches,
                "expired_batches": flow.expired_batches,
                "waiting_retries": flow.waiting_retries,
                "oldest_age_s": round(flow.oldest_age_s, 3),
                "paused": flow.paused,
            }
            for flow in flows
        },
        "workers": [
            {
                "worker_id": worker,
                "host": host,
                "pid": pid,
                "n_leases": n,
                "load": load_1m,
                "silent_s": round(silent, 3),
            }
            for worker, host, pid, n, load_1m, silent in workers
        ],
    }
