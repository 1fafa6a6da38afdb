"""Pause, resume and cancel: nothing of a job slips past them, whoever works on it meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import polars as pl
import psycopg
import pytest

from core.database import DatabaseManager
from core.errors import LeaseLost, QueueError
from core.queue import BatchQueue, ClaimedBatch, FlowPolicy, Job, NewBatch, RowFailure
from core.queue.leases import dead_letters
from core.queue.producers import jobs, stages
from core.queue.records import records
from core.queue.states import TRANSITIONS

Count = Callable[..., int]
Expire = Callable[[ClaimedBatch], None]
States = Callable[[], dict[str, int]]

ACCOUNT = """
SELECT (SELECT count(*) FROM queue_items i JOIN queue_batches b USING (batch_id) WHERE b.job_id = :j),
       (SELECT count(*) FROM queue_results r JOIN queue_batches b USING (batch_id) WHERE b.job_id = :j),
       (SELECT count(*) FROM queue_retries WHERE job_id = :j AND retry_batch_id IS NULL),
       (SELECT count(*) FROM dead_letters WHERE job_id = :j AND payload IS NOT NULL),
       (SELECT coalesce(sum(n_items), 0) FROM processing_queue WHERE job_id = :j),
       (SELECT coalesce(sum(n_failed - n_dead), 0) FROM queue_history WHERE job_id = :j AND outcome = 'cancelled')
"""


@pytest.fixture
def job(queue: BatchQueue, flow: str) -> Job:
    return queue.submit_job(flow, f"key-{flow}", {}, "d")


@pytest.fixture
def states(db: DatabaseManager, job: Job) -> States:
    """Rows per state of the job's headers."""
    text = "SELECT state, sum(n_items)::bigint FROM processing_queue WHERE job_id = :j GROUP BY 1"
    return lambda: dict(db.execute_query("s", text, {"j": job.job_id}))


def numbers(n: int) -> list[dict[str, int]]:
    return [{"n": i} for i in range(n)]


def due(db: DatabaseManager, job: Job) -> None:
    db.execute_query("d", "UPDATE queue_retries SET due_at = now() WHERE job_id = :j", {"j": job.job_id})


def fail_some(queue: BatchQueue, batch: ClaimedBatch, *seqs: int) -> None:
    """Complete a batch with these rows to be retried."""
    items = queue.items(batch)
    good = items.filter(~pl.col("seq").is_in(seqs)).select("seq", pl.col("payload").alias("output"))
    queue.complete(batch, good, failures=[RowFailure(seq, "E", "", "transient") for seq in seqs])


def test_pause_puts_ready_and_scheduled_aside_and_resume_puts_them_back(
    queue: BatchQueue, flow: str, job: Job, states: States, db: DatabaseManager
) -> None:
    later = datetime(2040, 1, 1, tzinfo=UTC)
    queue.enqueue(flow, numbers(6), job_id=job.job_id, batch_rows=2)
    queue.enqueue(flow, numbers(5), job_id=job.job_id, not_before=later)
    (mine,) = queue.claim(flow)
    done = jobs.pause(queue.db, job.job_id)
    assert (done.status, done.batches, done.rows, done.running) == ("paused", 3, 9, 1)
    assert states() == {"running": 2, "paused": 9}
    assert queue.claim(flow, 9) == []
    assert jobs.pause(queue.db, job.job_id).batches == 0
    queue.complete(mine)
    done = jobs.resume(queue.db, job.job_id)
    assert (done.status, done.batches, done.rows) == ("running", 3, 9)
    assert states() == {"ready": 4, "scheduled": 5}
    times = "SELECT not_before FROM processing_queue WHERE job_id = :j AND state = 'scheduled'"
    assert db.execute_query("t", times, {"j": job.job_id}) == [(later,)]
    assert len(queue.claim(flow, 9)) == 2


@pytest.mark.parametrize("how", ["release", "retry_now", "retry_later", "expire", "expire_twice", "orphan", "split"])
def test_a_running_batch_of_a_paused_job_comes_back_paused(
    queue: BatchQueue, flow: str, job: Job, states: States, expire: Expire, how: str
) -> None:
    pause_s = 60.0 if how in ("retry_later", "expire_twice") else 0.0
    policy = FlowPolicy(flow, splittable=how == "split", max_attempts=1 if how == "split" else 9, backoff_s=pause_s)
    queue.register_flow(policy)
    queue.enqueue(flow, numbers(4), job_id=job.job_id)
    (batch,) = queue.claim(flow)
    if how == "expire_twice":
        expire(batch)
        queue.rescue()
        (batch,) = queue.claim(flow)
    jobs.pause(queue.db, job.job_id)
    if how == "release":
        assert queue.release([batch]) == 1
    elif how in ("retry_now", "retry_later", "split"):
        queue.fail(batch, "E", "why")
    elif how == "orphan":
        assert records.orphans(queue.db, 0) >= 4
    else:
        expire(batch)
        queue.rescue()
    assert states() == {"paused": 4}
    queue.sweep()
    assert queue.claim(flow, 9) == []
    jobs.resume(queue.db, job.job_id)
    assert states() == {"scheduled" if pause_s else "ready": 4}


def test_what_comes_to_a_paused_job_waits_with_it(
    queue: BatchQueue, flow: str, job: Job, states: States, db: DatabaseManager
) -> None:
    queue.enqueue(flow, numbers(20), job_id=job.job_id)
    queue.open_stage(job.job_id, "ranges", [NewBatch(0, 7, {"table": "t", "lo": 0, "hi": 7})])
    (batch,) = queue.claim(flow, 1, job_id=job.job_id, stage="main")
    fail_some(queue, batch, 3)
    (batch,) = queue.claim(flow, 1, job_id=job.job_id, stage="ranges")
    queue.fail(batch, "Odd", "", retryable=False)
    jobs.pause(queue.db, job.job_id)
    due(db, job)
    assert queue.sweep().retry_batches == 1
    assert dead_letters.redrive(queue.db, flow, dead_letters.Which(error_class="Odd")) == 7
    queue.enqueue(flow, numbers(2), job_id=job.job_id)
    queue.open_stage(job.job_id, "more", [NewBatch(0, 5, {"uri": "u"})])
    assert states() == {"paused": 1 + 7 + 2 + 5}
    assert queue.claim(flow, 9) == []
    jobs.resume(queue.db, job.job_id)
    assert sorted(batch.n_items for batch in queue.claim(flow, 9)) == [1, 2, 5, 7]


def test_a_job_whose_last_batch_ends_during_the_pause_finishes_when_it_is_resumed(
    queue: BatchQueue, flow: str, job: Job
) -> None:
    queue.enqueue(flow, numbers(1), job_id=job.job_id)
    (batch,) = queue.claim(flow)
    jobs.finish(queue.db, job.job_id)
    jobs.pause(queue.db, job.job_id)
    queue.complete(batch)
    assert jobs.find(queue.db, job.job_id).status == "paused"  # type: ignore[union-attr]
    assert jobs.resume(queue.db, job.job_id).status == "running"
    assert jobs.find(queue.db, job.job_id).status == "completed"  # type: ignore[union-attr]
    with pytest.raises(QueueError, match="is completed: nothing to resume"):
        jobs.resume(queue.db, job.job_id)


def test_cancel_accounts_for_every_item(
    queue: BatchQueue, other: BatchQueue, flow: str, job: Job, db: DatabaseManager, count: Count
) -> None:
    queue.register_flow(FlowPolicy(flow, backoff_s=0, max_attempts=9))
    queue.enqueue(flow, numbers(60), job_id=job.job_id, batch_rows=20)
    queue.enqueue(flow, numbers(4), job_id=job.job_id, not_before=datetime.now(UTC) + timedelta(hours=1))
    first, second, third = queue.claim(flow, 3)
    fail_some(queue, first, 3, 4, 9)
    due(db, job)
    queue.sweep()
    (retry,) = other.claim(flow)
    fail_some(queue, second, 0, 1)
    queue.fail(third, "E", "why")
    (third,) = queue.claim(flow)
    items, results, waiting, dead, live, cancelled = db.execute_query("a", ACCOUNT, {"j": job.job_id})[0]
    assert (items, results, waiting, dead, live, cancelled) == (64, 35, 2, 0, 27, 0)
    done = jobs.cancel(queue.db, job.job_id)
    assert (done.status, done.batches, done.rows, done.running) == ("cancelled", 3, 29, 2)
    items, results, waiting, dead, live, cancelled = db.execute_query("a", ACCOUNT, {"j": job.job_id})[0]
    assert (items, results, waiting, dead, live, cancelled) == (64, 35, 0, 0, 0, 29)
    for queue_of, batch in ((queue, third), (other, retry)):
        with pytest.raises(LeaseLost):
            queue_of.complete(batch)
        with pytest.raises(LeaseLost):
            queue_of.fail(batch, "E", "late")
        assert queue_of.heartbeat([batch]) == [batch.batch_id]
        assert queue_of.release([batch]) == 0
    assert count("queue_retries", job_id=job.job_id) == 0
    statuses = "SELECT status, count(*) FROM processing_queue_records WHERE flow_name = :f GROUP BY 1"
    assert dict(db.execute_query("v", statuses, {"f": flow})) == {"completed": 35, "cancelled": 29}
    told = records.status(db, flow)[flow]
    assert (told.pending, told.processing, told.completed, told.failed) == (0, 0, 35, 0)
    (main,) = stages.progress(queue.db, job.job_id)
    assert (main.rows, main.rows_done, main.cancelled, main.live, main.waiting) == (64, 35, 29, 0, 0)
    queue.sweep()
    totals = "SELECT sum(n_ok), sum(n_failed) FROM queue_totals WHERE flow_name = :f"
    # 5 retried in their time, 29 cancelled.
    assert db.execute_query("t", totals, {"f": flow}) == [(35, 5 + 29)]


def test_cancel_keeps_results_and_dead_letters_and_is_final(
    queue: BatchQueue, flow: str, job: Job, db: DatabaseManager, count: Count
) -> None:
    queue.enqueue(flow, numbers(20), job_id=job.job_id)
    (batch,) = queue.claim(flow)
    queue.complete(batch, failures=[RowFailure(2, "Odd")])
    jobs.cancel(queue.db, job.job_id)
    assert jobs.cancel(queue.db, job.job_id).batches == 0
    assert dead_letters.redrive(queue.db, flow) == 0
    assert count("dead_letters", flow_name=flow) == 1
    for late in (lambda: queue.enqueue(flow, numbers(1), job_id=job.job_id), lambda: jobs.resume(queue.db, job.job_id)):
        with pytest.raises(QueueError, match="is cancelled"):
            late()
    with pytest.raises(QueueError, match="is cancelled"):
        queue.open_stage(job.job_id, "late", [])
    anew = queue.submit_job(flow, f"key-{flow}", {}, "d")
    assert anew.created


def test_cancel_of_half_marked_records_counts_each_once(
    queue: BatchQueue, flow: str, job: Job, db: DatabaseManager, database_url: str
) -> None:
    queue.enqueue(flow, numbers(10), job_id=job.job_id)
    (lot,) = records.claim(db, queue.claimant, flow, 10)
    batch = lot.batch
    fates = [
        records.Mark(batch, batch.origin_batch_id, 0, output="1"),
        records.Mark(batch, batch.origin_batch_id, 1, error_class="E"),
        records.Mark(batch, batch.origin_batch_id, 2, error_class="E", pause_s=0.0),
    ]
    assert records.mark(db, fates, [], "w") == set()
    assert jobs.cancel(queue.db, job.job_id).rows == 8
    account = db.execute_query("a", ACCOUNT, {"j": job.job_id})
    assert account == [(10, 1, 0, 1, 0, 8)]
    late = [records.Mark(batch, batch.origin_batch_id, 5, output="1")]
    assert records.mark(db, late, [], "w") == {batch.batch_id}
    statuses = "SELECT status, count(*) FROM processing_queue_records WHERE flow_name = :f GROUP BY 1"
    assert dict(db.execute_query("v", statuses, {"f": flow})) == {"completed": 1, "failed": 1, "cancelled": 8}


def _blocked(url: str, n: int) -> None:
    """Wait until `n` backends wait for a lock."""
    give_up = time.monotonic() + 30
    with psycopg.connect(url, autocommit=True) as conn:
        while time.monotonic() < give_up:
            text = (
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            if conn.execute(text).fetchone() == (n,):
                return
    raise AssertionError(f"never saw {n} waiting")


@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_children_of_a_split_in_flight_do_not_escape(
    queue: BatchQueue, flow: str, job: Job, states: States, database_url: str, verb: str
) -> None:
    queue.register_flow(FlowPolicy(flow, splittable=True, max_attempts=1, backoff_s=0))
    queue.enqueue(flow, numbers(8), job_id=job.job_id)
    (batch,) = queue.claim(flow)
    steer = jobs.pause if verb == "pause" else jobs.cancel
    with queue.db.transaction() as conn:
        from core.queue.leases import failures

        policy = FlowPolicy(flow, splittable=True, max_attempts=1)
        assert failures.end(conn, batch, failures.Failure("E", "why"), policy, 0.0) == "split"
        steering = threading.Thread(target=steer, args=[queue.db, job.job_id])
        steering.start()
        _blocked(database_url, 1)
    steering.join()
    assert states() == ({"paused": 8} if verb == "pause" else {})
    assert queue.claim(flow, 9) == []


@pytest.mark.parametrize("verb", ["pause", "cancel"])
def test_an_enqueue_in_flight_is_before_or_after(
    queue: BatchQueue, flow: str, job: Job, states: States, database_url: str, verb: str
) -> None:
    steer = jobs.pause if verb == "pause" else jobs.cancel
    seen: list[BaseException | None] = []

    def add() -> None:
        try:
            queue.enqueue(flow, numbers(3), job_id=job.job_id)
            seen.append(None)
        except QueueError as error:
            seen.append(error)

    with queue.db.transaction() as conn:
        assert jobs.join(conn, job.job_id, job.tenant_id) is False
        steering = threading.Thread(target=steer, args=[queue.db, job.job_id])
        steering.start()
        _blocked(database_url, 1)
        adding = threading.Thread(target=add)
        adding.start()
        _blocked(database_url, 2)
    steering.join()
    adding.join()
    if verb == "pause":
        assert (seen, states()) == ([None], {"paused": 3})
    else:
        assert states() == {}
        assert "is cancelled" in str(seen[0])


def test_a_completion_in_flight_writes_nothing_after_a_cancellation(
    queue: BatchQueue, flow: str, job: Job, db: DatabaseManager, count: Count
) -> None:
    """Also of a retry batch, whose rows it has locked: they go in the leader's next round."""
    queue.register_flow(FlowPolicy(flow, backoff_s=0, max_attempts=9))
    queue.enqueue(flow, numbers(20), job_id=job.job_id)
    fail_some(queue, queue.claim(flow)[0], 5, 6)
    due(db, job)
    queue.sweep()
    (retry,) = queue.claim(flow)
    rows = queue.items(retry)
    entered, cancelled = threading.Event(), threading.Event()
    lost: list[BaseException] = []

    def sink(conn: psycopg.Connection[object]) -> None:
        conn.execute("UPDATE queue_retries SET attempts = attempts WHERE job_id = %s", [job.job_id])
        entered.set()
        assert cancelled.wait(30)

    def complete() -> None:
        try:
            queue.complete(retry, rows.select("seq", pl.col("payload").alias("output")), sink=sink)
        except LeaseLost as error:
            lost.append(error)

    completing = threading.Thread(target=complete)
    completing.start()
    assert entered.wait(30)
    assert jobs.cancel(queue.db, job.job_id).rows == 2
    cancelled.set()
    completing.join()
    assert len(lost) == 1
    assert db.execute_query("a", ACCOUNT, {"j": job.job_id}) == [(20, 18, 0, 0, 0, 2)]
    queue.sweep()
    assert count("queue_retries", job_id=job.job_id) == 0


def test_every_waiting_state_can_be_paused_and_every_state_cancelled() -> None:
    assert {state for state, legal in TRANSITIONS.items() if "pause" in legal} == {"ready", "scheduled"}
    assert all(legal["cancel"] == "gone" for legal in TRANSITIONS.values())
