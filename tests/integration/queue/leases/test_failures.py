from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from core.database import DatabaseManager
from core.errors import UnknownFlow
from core.queue import BatchQueue, ClaimedBatch, FlowPolicy, NewBatch, RowFailure, record_id, views
from core.queue.leases import dead_letters
from core.queue.leases.failures import BAD_BATCHES_MAX
from core.queue.producers import jobs, stages
from core.queue.store import flows

Rows = Callable[[pl.DataFrame], pl.DataFrame]
Count = Callable[..., int]
Expire = Callable[[ClaimedBatch], None]


def numbers(n: int) -> list[dict[str, int]]:
    return [{"n": i} for i in range(n)]


def claim_new(queue: BatchQueue, flow: str) -> ClaimedBatch:
    (batch,) = queue.claim(flow, 1)
    return batch


def due_now(db: DatabaseManager, flow: str) -> None:
    db.execute_query("d", "UPDATE queue_retries SET due_at = now() WHERE flow_name = :f", {"f": flow})


def test_row_failures_are_retried_until_they_die_and_keep_their_identity(
    queue: BatchQueue, flow: str, count: Count, done: Rows, db: DatabaseManager
) -> None:
    (origin,) = queue.enqueue(flow, numbers(20))
    batch = claim_new(queue, flow)
    items = queue.items(batch)
    bad = [
        RowFailure(3, "Timeout", "slow", "transient"),
        RowFailure(5, "Timeout", "slow", "transient"),
        RowFailure(9, "Bad", "no", "permanent"),
    ]
    good = items.filter(~pl.col("seq").is_in([3, 5, 9]))
    assert queue.complete(batch, done(good), failures=bad) == "completed"
    assert (count("queue_results", batch_id=origin), count("queue_retries", flow_name=flow)) == (17, 2)
    assert db.execute_query(
        "d", "SELECT seq, payload->>'n', fault FROM dead_letters WHERE flow_name = :f", {"f": flow}
    ) == [(9, "9", "permanent")]
    for attempt in (2, 3):
        due_now(db, flow)
        assert queue.sweep().retry_batches == 1
        retry = claim_new(queue, flow)
        assert (retry.kind, retry.n_items) == ("retry", 2 if attempt == 2 else 1)
        rows = queue.items(retry)
        assert rows["payload"].to_list() == ['{"n":3}', '{"n":5}'][-rows.height :]
        queue.complete(
            retry, done(rows[:-1]), failures=[RowFailure(int(rows["seq"][-1]), "Timeout", "slow", "transient")]
        )
    assert count("queue_retries", flow_name=flow) == 0
    assert count("queue_results", batch_id=origin, seq=3) == 1
    assert count("dead_letters", flow_name=flow, seq=5, attempts=3, error_class="Timeout") == 1


def test_batch_with_too_many_failed_rows_is_retried_whole(
    queue: BatchQueue, flow: str, count: Count, done: Rows
) -> None:
    (origin,) = queue.enqueue(flow, numbers(10))
    bad = [RowFailure(seq, "E", "", "transient") for seq in range(3)]
    for _ in range(2):
        batch = claim_new(queue, flow)
        assert queue.complete(batch, done(queue.items(batch)[3:]), failures=bad) == "retried"
        assert count("queue_results", batch_id=origin) == 0
        queue.sweep()
    # Out of attempts: what succeeded is kept, what failed dies row by row.
    batch = claim_new(queue, flow)
    assert queue.complete(batch, done(queue.items(batch)[3:]), failures=bad) == "completed"
    assert (count("queue_results", batch_id=origin), count("dead_letters", flow_name=flow)) == (7, 3)


def test_five_bad_batches_in_a_row_pause_the_flow_and_a_good_one_resets_the_count(
    queue: BatchQueue, flow: str, db: DatabaseManager
) -> None:
    queue.register_flow(FlowPolicy(flow, max_attempts=100, backoff_s=0))
    queue.enqueue(flow, numbers(10))
    bad = [RowFailure(seq, "E") for seq in range(10)]
    for _ in range(BAD_BATCHES_MAX - 1):
        assert queue.complete(claim_new(queue, flow), failures=bad) == "retried"
    assert queue.complete(claim_new(queue, flow)) == "completed"
    queue.enqueue(flow, numbers(10))
    for _ in range(BAD_BATCHES_MAX):
        assert queue.complete(claim_new(queue, flow), failures=bad) == "retried"
    assert queue.claim(flow, 1) == []
    ((paused, reason),) = db.execute_query(
        "p", "SELECT paused, paused_reason FROM queue_flows WHERE flow_name = :f", {"f": flow}
    )
    assert paused
    assert "5 batches in a row" in reason
    flows.resume(queue.db, flow)
    assert claim_new(queue, flow).attempt == 6


def test_fail_backs_off_and_the_leader_promotes_when_it_is_due(
    queue: BatchQueue, flow: str, db: DatabaseManager, count: Count
) -> None:
    queue.register_flow(FlowPolicy(flow, backoff_s=60))
    queue.enqueue(flow, numbers(2))
    assert queue.fail(claim_new(queue, flow), "Timeout", "upstream slow") == "retry"
    assert (queue.claim(flow, 1), views.now(queue.db, flow).scheduled_batches) == ([], 1)
    queue.sweep()
    assert queue.claim(flow, 1) == []
    db.execute_query("d", "UPDATE processing_queue SET not_before = now() WHERE flow_name = :f", {"f": flow})
    assert views.now(queue.db, flow).due_batches == 1
    queue.sweep()
    assert claim_new(queue, flow).attempt == 2
    assert count("queue_history", flow_name=flow, outcome="retried", error_class="Timeout") == 1


def test_splittable_batch_is_halved_down_to_the_row_that_does_it(
    queue: BatchQueue, flow: str, db: DatabaseManager, count: Count, done: Rows
) -> None:
    queue.register_flow(FlowPolicy(flow, splittable=True, backoff_s=0))
    (origin,) = queue.enqueue(flow, numbers(16))
    attempts = 0
    while batches := queue.claim(flow, 1):
        attempts += 1
        (batch,) = batches
        items = queue.items(batch)
        if 11 in items["seq"]:
            queue.fail(batch, "Crash", "it dies")
        else:
            queue.complete(batch, done(items))
    assert db.execute_query(
        "d", "SELECT origin_batch_id, seq, n_items FROM dead_letters WHERE flow_name = :f", {"f": flow}
    ) == [(origin, 11, 1)]
    assert count("queue_results", batch_id=origin) == 15
    # Three attempts of the whole, then one for each half of the path and its sibling.
    assert attempts == 3 + 2 * 4


def test_unsplittable_batch_dies_whole_and_fails_its_stage_until_redriven(
    queue: BatchQueue, flow: str, count: Count
) -> None:
    job = queue.submit_job(flow, f"key-{flow}", {}, "digest")
    queue.open_stage(job.job_id, "train", [NewBatch(0, 9, {"uri": "x", "lo": 0, "hi": 9})])
    (batch,) = queue.claim(flow, 1, job_id=job.job_id)
    assert queue.fail(batch, "OutOfMemory", "it does not fit", retryable=False) == "dead"
    stage = stages.progress_of(queue.db, job.job_id, "train")
    assert (stage.status, stage.drained, stage.dead, stage.done) == ("failed", True, 9, 0)
    jobs.set_status(queue.db, job.job_id, "blocked")
    assert dead_letters.redrive(queue.db, flow, dead_letters.Which(error_class="Other")) == 0
    assert dead_letters.redrive(queue.db, flow, dead_letters.Which(error_class="OutOfMemory")) == 9
    assert stages.progress_of(queue.db, job.job_id, "train").status == "open"
    (again,) = queue.claim(flow, 1, job_id=job.job_id)
    assert (again.origin_batch_id, again.source, again.attempt) == (batch.origin_batch_id, batch.source, 1)
    queue.complete(again)
    assert jobs.finish(queue.db, job.job_id) == "completed"
    assert count("dead_letters", flow_name=flow) == 0


def test_bisected_source_gives_each_child_its_range(queue: BatchQueue, flow: str, db: DatabaseManager) -> None:
    job = queue.submit_job(flow, f"key-{flow}", {}, "digest")
    queue.open_stage(job.job_id, "s", [NewBatch(4, 10, {"table": "t", "lo": 100, "hi": 110}, splittable=True)])
    assert queue.fail(queue.claim(flow, 1, job_id=job.job_id)[0], "E", "", retryable=False) == "split"
    left, right = queue.claim(flow, 5, job_id=job.job_id)
    assert [(b.source["lo"], b.source["hi"], b.item_lo, b.item_hi) for b in (left, right) if b.source] == [
        (100, 105, 0, 5),
        (105, 110, 5, 10),
    ]
    for n, batch in enumerate((left, right)):
        queue.complete(batch, pl.DataFrame({"seq": [0], "output": [f'{{"n": {n}}}']}))
    assert stages.results(queue.db, job.job_id, "s") == [{"n": 0}, {"n": 1}]
    seqs = db.execute_query(
        "s", "SELECT seq FROM queue_results WHERE batch_id = :b ORDER BY seq", {"b": left.origin_batch_id}
    )
    assert seqs == [(0,), (5,)]


def test_rescue_is_at_once_first_then_pauses_then_gives_up(
    queue: BatchQueue, other: BatchQueue, flow: str, expire: Expire, count: Count, db: DatabaseManager
) -> None:
    queue.register_flow(FlowPolicy(flow, backoff_s=60))
    queue.enqueue(flow, numbers(3))
    expire(claim_new(queue, flow))
    assert other.rescue() == 1
    batch = claim_new(queue, flow)
    assert batch.attempt == 2
    expire(batch)
    assert other.rescue() == 1
    assert queue.claim(flow, 1) == []
    db.execute_query("d", "UPDATE processing_queue SET not_before = now() WHERE flow_name = :f", {"f": flow})
    other.sweep()
    expire(claim_new(queue, flow))
    assert other.rescue() == 1
    assert count("processing_queue", flow_name=flow) == 0
    assert count("dead_letters", flow_name=flow, fault="poison", error_class="LeaseExpired") == 3
    assert [count("queue_history", flow_name=flow, outcome=outcome) for outcome in ("expired", "dead")] == [2, 1]


def test_redrive_returns_rows_to_their_place(queue: BatchQueue, flow: str, db: DatabaseManager, done: Rows) -> None:
    (origin,) = queue.enqueue(flow, numbers(10))
    batch = claim_new(queue, flow)
    items = queue.items(batch)
    queue.complete(batch, done(items[1:]), failures=[RowFailure(0, "Schema")])
    assert [(g.flow_name, g.error_class, g.n_items) for g in dead_letters.groups(queue.db, flow)] == [
        (flow, "Schema", 1)
    ]
    assert dead_letters.redrive(queue.db, flow) == 1
    queue.sweep()
    retry = claim_new(queue, flow)
    queue.complete(retry, done(queue.items(retry)))
    rows = db.execute_query(
        "v",
        "SELECT id, status FROM processing_queue_records WHERE flow_name = :f AND status <> 'completed'",
        {"f": flow},
    )
    assert rows == []
    ((identity,),) = db.execute_query(
        "v", "SELECT id FROM processing_queue_records WHERE flow_name = :f AND (result->>'n')::int = 0", {"f": flow}
    )
    assert identity == record_id(origin, 0)


def test_unknown_flow_is_refused_by_name(queue: BatchQueue, flow: str) -> None:
    for call in (lambda: queue.enqueue(flow + "x", numbers(1)), lambda: queue.claim(flow + "x")):
        with pytest.raises(UnknownFlow, match=flow) as caught:
            call()
        assert caught.value.flow_name == flow + "x"
