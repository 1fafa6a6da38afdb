from __future__ import annotations

import pytest

from core.database import DatabaseManager
from core.queue import BatchQueue, FlowPolicy
from core.queue.store import flows
from core.scaling import signals
from core.scaling.policy import Signals


def test_read_counts_what_is_due_and_what_runs(db: DatabaseManager, queue: BatchQueue, flow: str) -> None:
    queue.enqueue(flow, [1] * 50, batch_rows=10)
    queue.put(flow, {"n": 1})
    queue.claim(flow, limit=2)
    seen = signals.read(db, flow, batch_rows=10)
    # The record in the inbox will be a batch.
    assert (seen.ready_batches, seen.leased_batches) == (4, 2)
    assert (seen.ready_items, seen.leased_items) == (31, 20)
    assert seen.oldest_age_s is not None
    assert 0 <= seen.oldest_age_s < 600


def test_read_agrees_with_the_backlog_that_other_scalers_read(
    db: DatabaseManager, queue: BatchQueue, flow: str
) -> None:
    queue.enqueue(flow, [1] * 30, batch_rows=10)
    queue.put(flow, {"n": 1})
    queue.claim(flow)
    seen = signals.read(db, flow, batch_rows=1_000)
    (backlog,) = db.execute_query("backlog", "SELECT queue_backlog(:flow)", {"flow": flow})[0]
    assert seen.ready_batches + seen.leased_batches == backlog == 4


def test_read_counts_expired_leases_and_due_batches_with_nobody_alive(
    db: DatabaseManager, queue: BatchQueue, flow: str
) -> None:
    queue.enqueue(flow, [1, 2], batch_rows=1)
    queue.claim(flow)
    db.execute_query(
        "expire",
        "UPDATE processing_queue SET lease_until = now() - interval '1 hour'"
        " WHERE flow_name = :flow AND state = 'running'",
        {"flow": flow},
    )
    db.execute_query(
        "due",
        "UPDATE processing_queue SET state = 'scheduled', not_before = now() - interval '1 s'"
        " WHERE flow_name = :flow AND state = 'ready'",
        {"flow": flow},
    )
    seen = signals.read(db, flow, batch_rows=1_000)
    assert (seen.ready_batches, seen.leased_batches) == (1, 1)


def test_read_leaves_out_what_a_paused_flow_holds(db: DatabaseManager, queue: BatchQueue, flow: str) -> None:
    queue.enqueue(flow, [1, 2], batch_rows=1)
    queue.claim(flow)
    flows.pause(queue.db, flow, "tests")
    seen = signals.read(db, flow, batch_rows=1_000)
    assert (seen.ready_batches, seen.leased_batches, seen.oldest_age_s) == (0, 1, None)


def test_read_tells_how_many_batches_may_run_at_once(db: DatabaseManager, queue: BatchQueue, flow: str) -> None:
    assert signals.read(db, flow, batch_rows=1_000).running_most is None
    queue.register_flow(FlowPolicy(flow, max_running=2))
    queue.register_flow(FlowPolicy(flow, tenant_id="a", max_running=3))
    assert signals.read(db, flow, batch_rows=1_000).running_most == 5
    queue.register_flow(FlowPolicy(flow, tenant_id="b"))
    assert signals.read(db, flow, batch_rows=1_000).running_most is None


def test_read_tells_how_many_rows_a_second_may_be_handed_out(db: DatabaseManager, queue: BatchQueue, flow: str) -> None:
    assert signals.read(db, flow, batch_rows=1_000).items_per_s_most is None
    queue.register_flow(FlowPolicy(flow, rows_per_s=20))
    queue.register_flow(FlowPolicy(flow, tenant_id="a", rows_per_s=30))
    assert signals.read(db, flow, batch_rows=1_000).items_per_s_most == 50
    queue.register_flow(FlowPolicy(flow, tenant_id="b"))
    assert signals.read(db, flow, batch_rows=1_000).items_per_s_most is None


def test_read_ends_at_a_limit(
    db: DatabaseManager, queue: BatchQueue, flow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "BATCHES_MOST", 5)
    queue.enqueue(flow, [1] * 9, batch_rows=1)
    assert signals.read(db, flow, batch_rows=1_000).ready_batches == 5


def test_read_knows_nothing_of_an_unknown_flow(db: DatabaseManager) -> None:
    seen = signals.read(db, "nowhere", batch_rows=1_000)
    assert seen == Signals(seen.at_s, 0, 0)


def test_read_weighs_newer_attempts_more(db: DatabaseManager, queue: BatchQueue, flow: str) -> None:
    queue.register_flow(FlowPolicy("other"))
    queue.enqueue(flow, [1] * 40, batch_rows=10)
    for batch in queue.claim(flow, limit=4):
        queue.complete(batch)
    db.execute_query(
        "slow",
        "UPDATE queue_history h SET wall_ms = 1000 * r FROM (SELECT history_id, row_number() OVER"
        " (ORDER BY finished_at, history_id) AS r FROM queue_history WHERE flow_name = :flow) n"
        " WHERE n.history_id = h.history_id",
        {"flow": flow},
    )
    seen = signals.read(db, flow, batch_rows=1_000)
    weights = [0.9**age for age in (3, 2, 1, 0)]
    expected_s = sum(weight * took for weight, took in zip(weights, (1, 2, 3, 4), strict=True)) / sum(weights)
    assert seen.batch_s == pytest.approx(expected_s)
    assert seen.items_per_s == pytest.approx(10 / expected_s)


@pytest.mark.parametrize("call", ["scaling_signals({}, 5000, 1000)", "queue_backlog({})"])
def test_a_scaler_reads_few_pages_among_many_headers_of_others(
    db: DatabaseManager, queue: BatchQueue, flow: str, call: str
) -> None:
    """100,000 headers of another flow, also after the statistics have seen how few this one has."""
    queue.register_flow(FlowPolicy("many"))
    queue.enqueue(flow, [1] * 9, batch_rows=1)
    queue.claim(flow)
    filled = (
        "INSERT INTO processing_queue (origin_batch_id, flow_name, n_items, item_hi, source, state, not_before)"
        " SELECT g, 'many', 1, 1, '{}', CASE g % 10 WHEN 0 THEN 'scheduled' ELSE 'ready' END, now() + interval '1 hour'"
        " FROM generate_series(1, 100000) g"
    )
    with pytest.raises(Undo), db.transaction() as conn:
        conn.execute(filled)
        conn.execute("ANALYZE processing_queue")
        asked = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT {call.format('%s')}"
        conn.execute(asked, [flow])
        ((told,),) = conn.execute(asked, [flow]).fetchall()
        pages = told[0]["Plan"]["Shared Hit Blocks"] + told[0]["Plan"]["Shared Read Blocks"]
        assert pages < 200, f"{call} read {pages} pages"
        raise Undo


class Undo(Exception):
    """Rolls a test's rows back."""
