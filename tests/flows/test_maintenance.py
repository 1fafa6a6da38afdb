"""The upkeep of the queue as a flow, against a real Prefect server and a real PostgreSQL."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from core.database import DatabaseManager
from core.queue import BatchQueue, FlowPolicy
from core.queue.store import partitions
from core.settings import QueueSettings


def run(env: dict[str, str], url: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flows.maintenance"]
    settings = {"HEADRACE_DATABASE__URL": url, "HEADRACE_QUEUE__RETAIN_DAYS": "7"}
    root = Path(__file__).parents[2]
    return subprocess.run(
        command, env=env | settings, cwd=root, capture_output=True, text=True, timeout=240, check=False
    )


def test_maintenance_does_all_it_says(prefect_env: dict[str, str], database_url: str, db: DatabaseManager) -> None:
    queue = BatchQueue(db, QueueSettings(), "tests")
    queue.register_flow(FlowPolicy("mill"))
    queue.enqueue("mill", [{}] * 3, unique_keys=["a", "b", "c"])
    queue.complete(*queue.claim("mill"))
    queue.sweep()
    assert partitions.rotate(db, 1, 3600)
    with db.transaction() as conn:
        conn.execute("UPDATE queue_batches SET created_at = now() - interval '8 days'")
        conn.execute("UPDATE queue_history SET finished_at = now() - interval '8 days'")
        conn.execute("UPDATE queue_dedupe SET expires_at = now()")
        (others,) = conn.execute("SELECT count(*) - 1 FROM queue_partitions").fetchone() or (0,)

    done = run(prefect_env, database_url)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    made = told["partitions_made"]
    assert told["partitions"] == {"dropped": 1, "keep": others + made}
    assert set(told["statistics"]["done"]) >= {"queue_items", "queue_results", "queue_batches", "queue_history"}
    assert told["keys_purged"] == 3
    assert db.execute_query("left", "SELECT count(*) FROM leases") == [(0,)]
