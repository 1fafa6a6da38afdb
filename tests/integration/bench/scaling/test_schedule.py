from __future__ import annotations

from core.bench.scaling.schedule import _own_flow
from core.database import DatabaseManager
from core.queue import BatchQueue, FlowPolicy
from core.queue.store.flows import registered
from core.settings import QueueSettings

TABLES = ("processing_queue", "queue_batches", "queue_items", "queue_results", "queue_history")


def counts(db: DatabaseManager) -> dict[str, int]:
    return {table: db.execute_query("left", f"SELECT count(*) AS n FROM {table}")[0][0] for table in TABLES}


def do_one(queue: BatchQueue, flow_name: str) -> None:
    (batch,) = queue.claim(flow_name)
    queue.complete(batch, queue.items(batch).select("seq", output="payload"))


def test_own_flow_leaves_nothing_and_touches_no_other(db: DatabaseManager) -> None:
    queue = BatchQueue(db, QueueSettings(), "bench")
    queue.register_flow(FlowPolicy("of-a-user"))
    queue.enqueue("of-a-user", ["0"] * 3, batch_rows=1)
    do_one(queue, "of-a-user")
    before = counts(db)
    with _own_flow(queue, "bench-scale-1"):
        queue.enqueue("of-a-user", ["0"] * 2, batch_rows=1)
        queue.enqueue("bench-scale-1", ["0"] * 4, batch_rows=1)
        do_one(queue, "bench-scale-1")
        queue.claim("bench-scale-1")
    added = {table: n - before[table] for table, n in counts(db).items()}
    assert added == {
        "processing_queue": 2,
        "queue_batches": 2,
        "queue_items": 2,
        "queue_results": 0,
        "queue_history": 0,
    }
    assert [one.policy.flow_name for one in registered(db)] == ["of-a-user"]
