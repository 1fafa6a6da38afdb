"""The upkeep of the queue as a flow, against a real Prefect server and a real PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from core.database import DatabaseManager
from core.queue import BatchQueue, FlowPolicy
from core.queue.store import partitions
from core.review.audit.chain import Event
from core.review.audit.events import append
from core.settings import QueueSettings
from tests.flows.in_process import run_flow


def test_maintenance_does_all_it_says(prefect_env: dict[str, str], database_url: str, db: DatabaseManager) -> None:
    queue = BatchQueue(db, QueueSettings(), "tests")
    queue.register_flow(FlowPolicy("mill"))
    queue.enqueue("mill", [{}] * 3, unique_keys=["a", "b", "c"])
    queue.complete(*queue.claim("mill"))
    queue.sweep()
    assert partitions.rotate(db, 1, 3600)
    with db.transaction() as conn:
        append(conn, Event("default", "settled", "tests", datetime(2026, 2, 3, tzinfo=UTC)), [{"amount_minor": 100}])
        conn.execute("UPDATE queue_batches SET created_at = now() - interval '8 days'")
        conn.execute("UPDATE queue_history SET finished_at = now() - interval '8 days'")
        conn.execute("UPDATE queue_dedupe SET expires_at = now()")
        (others,) = conn.execute("SELECT count(*) - 1 FROM queue_partitions").fetchone() or (0,)

    settings = {"HEADRACE_DATABASE__URL": database_url, "HEADRACE_QUEUE__RETAIN_DAYS": "7"}
    done = run_flow(prefect_env | settings, "maintenance")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    made = told["partitions_made"]
    assert told["partitions"] == {"dropped": 1, "keep": others + made}
    assert set(told["statistics"]["done"]) >= {"queue_items", "queue_results", "queue_batches", "queue_history"}
    assert (told["keys_purged"], told["events_sealed"]) == (3, 1)
    assert db.execute_query("left", "SELECT count(*) FROM leases") == [(0,)]
