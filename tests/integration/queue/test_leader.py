from __future__ import annotations

from collections.abc import Callable

import pytest

from core.database import DatabaseManager
from core.database.queries import load
from core.errors import StoreUnavailable
from core.queue import BatchQueue, FlowPolicy, leader

Count = Callable[..., int]


def test_one_process_leads_until_it_leaves_or_hangs(queue: BatchQueue, other: BatchQueue, db: DatabaseManager) -> None:
    assert queue.lead()
    assert not other.lead()
    assert queue.lead()
    db.execute_query("x", "UPDATE leases SET lease_until = now() - interval '1 second'")
    assert other.lead()
    assert not queue.lead()
    queue.leave()
    assert not queue.lead()
    other.leave()
    assert queue.lead()
    queue.leave()


def test_totals_and_tail_always_add_up(queue: BatchQueue, flow: str, db: DatabaseManager) -> None:
    both = (
        "SELECT (SELECT coalesce(sum(n_ok), 0) FROM queue_totals WHERE flow_name = :f), "
        "(SELECT coalesce(sum(n_ok), 0) FROM queue_history WHERE flow_name = :f AND NOT rolled)"
    )
    queue.enqueue(flow, [{}] * 6, batch_rows=2)
    for n, batch in enumerate(queue.claim(flow, 3), 1):
        queue.complete(batch)
        if n == 2:
            leader.roll_up(db)
    assert db.execute_query("b", both, {"f": flow}) == [(4, 2)]
    assert queue.sweep().rolled_up >= 1
    assert leader.roll_up(db) == 0
    assert db.execute_query("b", both, {"f": flow}) == [(6, 0)]


def test_depth_view_serves_the_cache_while_it_is_fresh_and_computes_when_it_is_old(
    queue: BatchQueue, flow: str, db: DatabaseManager
) -> None:
    view = "SELECT ready_batches, ready_items, cached FROM queue_depth_v1 WHERE flow_name = :f"
    queue.sweep()
    queue.enqueue(flow, [{}] * 5, batch_rows=2)
    assert db.execute_query("v", view, {"f": flow}) == [(0, 0, True)]
    db.execute_query("old", "UPDATE queue_depth_cache SET as_of = now() - interval '6 seconds'")
    assert db.execute_query("v", view, {"f": flow}) == [(3, 5, False)]
    queue.sweep()
    assert db.execute_query("v", view, {"f": flow}) == [(3, 5, True)]


def test_backlog_counts_what_wakes_a_consumer_and_saturates(queue: BatchQueue, flow: str, db: DatabaseManager) -> None:
    def backlog(most: int = 100) -> int:
        return db.execute_query("b", "SELECT queue_backlog(:f, :m)", {"f": flow, "m": most})[0][0]

    assert backlog() == 0
    queue.enqueue(flow, [{}] * 5, batch_rows=1)
    (running,) = queue.claim(flow, 1)
    assert (backlog(), backlog(2)) == (5, 2)
    queue.put(flow, {})
    assert backlog() == 6
    queue.pause_flow(flow, "test")
    assert backlog() == 1
    queue.complete(running)
    assert backlog() == 0


def test_backlog_may_be_granted_alone(queue: BatchQueue, flow: str, db: DatabaseManager) -> None:
    role = f"scaler_{flow[-8:]}"
    queue.enqueue(flow, [{}])
    db.execute_query("r", f"CREATE ROLE {role}")
    try:
        db.execute_query("g", f"GRANT EXECUTE ON FUNCTION queue_backlog(text, integer) TO {role}")
        with db.transaction() as conn:
            conn.execute(f"SET LOCAL ROLE {role}")
            assert conn.execute("SELECT queue_backlog(%s)", [flow]).fetchone() == (1,)
    finally:
        db.execute_query("d", f"DROP OWNED BY {role}")
        db.execute_query("d", f"DROP ROLE {role}")


def test_silent_workers_are_reaped_with_their_backends(queue: BatchQueue, db: DatabaseManager, count: Count) -> None:
    queue.beat_worker(3)
    db.execute_query("w", "UPDATE workers SET heartbeat_at = now() - interval '1 hour' WHERE worker_id = 'worker-a'")
    with pytest.raises(StoreUnavailable), db.transaction() as stuck:
        stuck.execute("SELECT set_config('application_name', 'headrace:worker-a', true)")
        assert queue.sweep().workers_reaped == 1
        gone = "SELECT count(*) FROM pg_stat_activity WHERE pid = :p"
        while db.execute_query("g", gone, {"p": stuck.info.backend_pid}) != [(0,)]:
            pass
    assert count("workers", worker_id="worker-a") == 0


def test_claim_scans_only_what_it_takes_among_many_headers(queue: BatchQueue, flow: str, db: DatabaseManager) -> None:
    queue.register_flow(FlowPolicy(flow))
    db.execute_query(
        "fill",
        "INSERT INTO processing_queue (origin_batch_id, flow_name, n_items, item_hi) "
        "SELECT nextval('queue_batch_id_seq'), :f, 1, 1 FROM generate_series(1, 20000)",
        {"f": flow},
    )
    params = {"flow_name": flow, "limit": 5, "worker_id": "w", "flow_run_id": None, "ttl_s": 30.0}
    for analysed in (False, True):
        if analysed:
            db.execute_query("a", "ANALYZE processing_queue")
        with db.transaction() as conn:
            plan = conn.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + load("queue")["batch_claim"].sql, params).fetchone()
            conn.rollback()
        assert plan is not None
        nodes = list(_nodes(plan[0][0]["Plan"]))
        (scan,) = [node for node in nodes if node.get("Index Name") == "processing_queue_ready"]
        assert scan["Node Type"] == "Index Scan"
        assert scan["Actual Rows"] <= 6
        on_queue = [n for n in nodes if n.get("Relation Name") == "processing_queue" and "Scan" in n["Node Type"]]
        assert all(node["Node Type"] != "Seq Scan" for node in on_queue)


def _nodes(node: dict) -> list[dict]:
    return [node] + [inner for child in node.get("Plans", []) for inner in _nodes(child)]
