"""What the database knows of the queue, as samples of metrics: public views and bounded ends, never items."""

from __future__ import annotations

from core.database import DatabaseManager
from core.database.queries import load, run
from core.metrics.export import Samples
from core.monitoring.top import FlowReading

Q = load("top")
DEAD_LIMIT = 10_000


def dead_letters(db: DatabaseManager) -> dict[str, int]:
    """By flow, each counted up to 10,000. Raises StoreError."""
    with db.transaction() as conn:
        return {str(flow): int(n) for flow, n in run(conn, Q["top_dead"], {"limit": DEAD_LIMIT})}


def queue_samples(db: DatabaseManager) -> Samples:
    """Depth by flow, dead letters and workers. Raises StoreError. Cost: three statements, a few milliseconds."""
    with db.transaction() as conn:
        flows = [FlowReading(*row) for row in run(conn, Q["top_flows"])]
        dead = run(conn, Q["top_dead"], {"limit": DEAD_LIMIT})
        pools = run(conn, Q["top_pools"])
    batches: list[tuple[tuple[str, ...], float]] = []
    items: list[tuple[tuple[str, ...], float]] = []
    for flow in flows:
        name = flow.flow_name
        batches += [((name, "ready"), flow.ready_batches), ((name, "running"), flow.running_batches)]
        batches += [((name, "expired"), flow.expired_batches)]
        items += [((name, "ready"), flow.ready_rows), ((name, "running"), flow.running_rows)]
        items += [((name, "scheduled"), flow.scheduled_rows), ((name, "paused"), flow.paused_rows)]
    return {
        "headrace_queue_batches": batches,
        "headrace_queue_items": items,
        "headrace_queue_waiting_retries": [((flow.flow_name,), flow.retries) for flow in flows],
        "headrace_queue_inbox_items": [((flow.flow_name,), flow.inbox) for flow in flows],
        "headrace_queue_oldest_age_seconds": [((flow.flow_name,), flow.oldest_age_s) for flow in flows],
        "headrace_queue_paused": [((flow.flow_name,), float(flow.paused)) for flow in flows],
        "headrace_queue_dead_letters": [((str(name),), n) for name, n in dead],
        "headrace_workers": [((str(pool),), n) for pool, n, _ in pools],
        "headrace_workers_leases": [((str(pool),), n) for pool, _, n in pools],
    }
