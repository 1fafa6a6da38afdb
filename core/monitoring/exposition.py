"""What the database knows of the queue, as samples of metrics: public views and bounded ends, never items."""

from __future__ import annotations

from core.database import DatabaseManager
from core.database.queries import load, run
from core.metrics.export import Samples

Q = load("top")
DEAD_LIMIT = 10_000


def dead_letters(db: DatabaseManager) -> dict[str, int]:
    """By flow, each counted up to 10,000. Raises StoreError."""
    with db.transaction() as conn:
        return {str(flow): int(n) for flow, n in run(conn, Q["top_dead"], {"limit": DEAD_LIMIT})}


def queue_samples(db: DatabaseManager) -> Samples:
    """Depth by flow, dead letters and workers. Raises StoreError. Cost: three statements, a few milliseconds."""
    with db.transaction() as conn:
        depth = run(conn, Q["top_flows"])
        dead = run(conn, Q["top_dead"], {"limit": DEAD_LIMIT})
        pools = run(conn, Q["top_pools"])
    batches: list[tuple[tuple[str, ...], float]] = []
    items: list[tuple[tuple[str, ...], float]] = []
    for row in depth:
        flow = str(row[0])
        batches += [((flow, "ready"), row[1]), ((flow, "running"), row[3]), ((flow, "expired"), row[5])]
        items += [((flow, "ready"), row[2]), ((flow, "running"), row[4])]
        items += [((flow, "scheduled"), row[6]), ((flow, "paused"), row[7])]
    return {
        "headrace_queue_batches": batches,
        "headrace_queue_items": items,
        "headrace_queue_waiting_retries": [((str(row[0]),), row[8]) for row in depth],
        "headrace_queue_inbox_items": [((str(row[0]),), row[9]) for row in depth],
        "headrace_queue_oldest_age_seconds": [((str(row[0]),), row[10]) for row in depth],
        "headrace_queue_paused": [((str(row[0]),), float(row[11])) for row in depth],
        "headrace_queue_dead_letters": [((str(flow),), n) for flow, n in dead],
        "headrace_workers": [((str(pool),), n) for pool, n, _ in pools],
        "headrace_workers_leases": [((str(pool),), n) for pool, _, n in pools],
    }
