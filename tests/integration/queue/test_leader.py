from __future__ import annotations

from collections.abc import Callable

import pytest

from core.database import DatabaseManager
from core.errors import QueueError, StoreUnavailable
from core.queue import BatchQueue, ClaimedBatch, FlowPolicy, leader
from core.queue.producers import jobs
from core.queue.store import flows, singleton
from core.queue.store.wake import Wake

Count = Callable[..., int]
Expire = Callable[[ClaimedBatch], None]


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
    flows.pause(queue.db, flow, "test")
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


def test_a_duty_that_fails_does_not_stop_the_others(
    queue: BatchQueue, flow: str, db: DatabaseManager, caplog: pytest.LogCaptureFixture
) -> None:
    queue.enqueue(flow, [{}], batch_rows=1)
    queue.complete(*queue.claim(flow))
    with db.transaction() as report:
        report.execute("LOCK TABLE queue_totals IN ACCESS EXCLUSIVE MODE")
        queue.put(flow, {})
        db.execute_query("ripe", "UPDATE queue_inbox SET received_at = now() - interval '1 minute'")
        swept = queue.sweep()
    assert swept.failed == ("rolled_up",)
    assert swept.sealed >= 1
    assert "duty rolled_up failed, the next round repeats it" in caplog.text
    assert queue.sweep().failed == ()


def test_a_process_that_finds_a_leader_only_reads(queue: BatchQueue, other: BatchQueue, db: DatabaseManager) -> None:
    assert queue.lead()
    seen = "SELECT xmin::text, xmax::text FROM leases WHERE name = 'queue-leader'"
    before = db.execute_query("x", seen)
    assert not other.lead()
    assert db.execute_query("x", seen) == before
    queue.leave()


def test_depth_is_refreshed_by_the_leader_only(queue: BatchQueue, other: BatchQueue, flow: str, count: Count) -> None:
    queue.refresh_depth()
    assert count("queue_depth_cache", flow_name=flow) == 0
    assert queue.lead()
    assert not other.lead()
    other.refresh_depth()
    assert count("queue_depth_cache", flow_name=flow) == 0
    queue.refresh_depth()
    assert count("queue_depth_cache", flow_name=flow) == 1
    queue.leave()


def test_work_that_becomes_ready_wakes_its_consumers(
    queue: BatchQueue, flow: str, db: DatabaseManager, expire: Expire
) -> None:
    (batch_id,) = queue.enqueue(flow, [{}])
    with Wake(db, queue.settings, [flow]) as waker:
        while waker.wait(0.0):
            pass
        db.execute_query(
            "later",
            "UPDATE processing_queue SET state = 'scheduled', not_before = now() WHERE batch_id = :b",
            {"b": batch_id},
        )
        assert leader.promote(db) == 1
        assert waker.wait(30)
        (batch,) = queue.claim(flow)
        while waker.wait(0.0):
            pass
        expire(batch)
        assert queue.rescue() == 1
        assert waker.wait(30)
        (batch,) = queue.claim(flow)
        queue.complete(batch)


def test_jobs_with_work_left_do_not_hide_drained_ones(
    queue: BatchQueue, flow: str, db: DatabaseManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leader, "FINISH_LIMIT", 1)
    busy, drained = (queue.submit_job(flow, key, {}, "") for key in ("busy", "drained"))
    queue.enqueue(flow, [{}], job_id=busy.job_id)
    jobs.finish(queue.db, busy.job_id)
    queue.enqueue(flow, [{}], job_id=drained.job_id)
    db.execute_query("seal", "UPDATE jobs SET sealed_at = now() WHERE job_id = :j", {"j": drained.job_id})
    db.execute_query("drain", "DELETE FROM processing_queue WHERE job_id = :j", {"j": drained.job_id})
    assert queue.sweep().jobs_finished == 1
    found = jobs.find(queue.db, drained.job_id)
    assert found is not None
    assert found.status == "completed"


def test_a_sealed_job_whose_last_batch_dies_at_its_rescue_is_finished(
    queue: BatchQueue, count: Count, expire: Expire
) -> None:
    queue.register_flow(FlowPolicy("fragile", max_attempts=1))
    job = queue.submit_job("fragile", "k", {}, "")
    queue.enqueue("fragile", [{}, {}], job_id=job.job_id)
    jobs.finish(queue.db, job.job_id)
    expire(*queue.claim("fragile"))
    swept = queue.sweep()
    assert (swept.rescued, swept.jobs_finished) == (1, 1)
    found = jobs.find(queue.db, job.job_id)
    assert found is not None
    assert found.status == "completed_with_errors"
    assert count("dead_letters", job_id=job.job_id) == 2


def test_sole_is_one_at_a_time_and_makes_room_at_its_end(db: DatabaseManager) -> None:
    refusal = pytest.raises(QueueError, match="another process does upkeep now")
    with singleton.sole(db, "upkeep", "a", 60), refusal, singleton.sole(db, "upkeep", "b", 60):
        raise AssertionError
    with pytest.raises(ZeroDivisionError), singleton.sole(db, "upkeep", "a", 60):
        raise ZeroDivisionError
    with singleton.sole(db, "upkeep", "b", 60):
        pass
