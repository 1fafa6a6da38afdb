from __future__ import annotations

import math
import threading
from collections.abc import Callable

import polars as pl
import psycopg
import pytest

from core.database import DatabaseManager
from core.errors import LeaseLost, QueueError, StoreUnavailable
from core.queue import BatchQueue, ClaimedBatch, Cost, FlowPolicy, LeaseKeeper, NewBatch, RowFailure
from core.queue.producers import stages

Rows = Callable[[pl.DataFrame], pl.DataFrame]
Count = Callable[..., int]
Expire = Callable[[ClaimedBatch], None]


def numbers(n: int) -> list[dict[str, int]]:
    return [{"n": i} for i in range(n)]


def claim_new(queue: BatchQueue, flow: str) -> ClaimedBatch:
    (batch,) = queue.claim(flow, 1)
    return batch


def test_complete_stores_results_and_history_and_ends_the_header(
    queue: BatchQueue, flow: str, count: Count, done: Rows, db: DatabaseManager
) -> None:
    ids = queue.enqueue(flow, numbers(25), batch_rows=10)
    assert len(ids) == 3
    for batch in queue.claim(flow, 5):
        assert queue.complete(batch, done(queue.items(batch)), cost=Cost(cpu_ms=2.5, n_bytes=7)) == "completed"
    assert count("processing_queue", flow_name=flow) == 0
    rows = db.execute_query(
        "r", "SELECT batch_id, seq, (output->>'n')::int FROM queue_results WHERE batch_id = ANY(:ids)", {"ids": ids}
    )
    assert sorted(rows) == [(ids[i // 10], i % 10, i) for i in range(25)]
    told = db.execute_query(
        "h",
        "SELECT outcome, n_ok, n_failed, attempt, worker_id, cpu_ms, n_bytes FROM queue_history "
        "WHERE flow_name = :f ORDER BY history_id",
        {"f": flow},
    )
    assert told == [("completed", n, 0, 1, "worker-a", 2.5, 7) for n in (10, 10, 5)]


def test_complete_without_results_acknowledges_the_items(queue: BatchQueue, flow: str, count: Count) -> None:
    (batch_id,) = queue.enqueue(flow, numbers(3))
    queue.complete(claim_new(queue, flow))
    assert count("queue_results", batch_id=batch_id) == 0
    assert count("queue_history", flow_name=flow, outcome="completed", n_ok=3) == 1


def test_complete_commits_the_sink_with_the_acknowledgement(
    queue: BatchQueue, flow: str, db: DatabaseManager, count: Count
) -> None:
    db.execute_query("t", "CREATE TABLE sunk (n int)")
    queue.enqueue(flow, numbers(2))
    queue.complete(claim_new(queue, flow), sink=lambda conn: conn.execute("INSERT INTO sunk VALUES (1)") and None)
    assert count("sunk") == 1


def test_complete_with_a_lost_lease_rolls_back_sink_and_results(
    queue: BatchQueue, other: BatchQueue, flow: str, db: DatabaseManager, count: Count, expire: Expire
) -> None:
    db.execute_query("t", "CREATE TABLE sunk_late (n int)")
    (batch_id,) = queue.enqueue(flow, numbers(2))
    batch = claim_new(queue, flow)
    results = queue.items(batch).select("seq", output="payload")

    def lose_it(conn: psycopg.Connection[tuple[object, ...]]) -> None:
        # The lease is lost between the token check and the fence.
        conn.execute("INSERT INTO sunk_late VALUES (1)")
        expire(batch)
        other.rescue()
        other.claim(flow, 1)

    with pytest.raises(LeaseLost) as caught:
        queue.complete(batch, results, sink=lose_it)
    assert caught.value.batch_id == batch.batch_id
    assert count("sunk_late") == 0
    assert count("queue_results", batch_id=batch_id) == 0
    assert count("queue_history", flow_name=flow, outcome="completed") == 0
    assert count("processing_queue", flow_name=flow, state="running", worker_id="worker-b") == 1


def test_complete_by_a_zombie_writes_nothing_and_the_new_owner_wins(
    queue: BatchQueue, other: BatchQueue, flow: str, count: Count, expire: Expire, done: Rows
) -> None:
    (batch_id,) = queue.enqueue(flow, numbers(4))
    stale = claim_new(queue, flow)
    expire(stale)
    assert other.rescue() == 1
    fresh = claim_new(other, flow)
    for end in (
        lambda: queue.complete(stale, done(queue.items(stale))),
        lambda: queue.fail(stale, "E", "late"),
    ):
        with pytest.raises(LeaseLost):
            end()
    assert queue.release([stale]) == 0
    assert queue.heartbeat([stale]) == [stale.batch_id]
    other.complete(fresh, done(other.items(fresh)))
    assert count("queue_results", batch_id=batch_id) == 4
    with pytest.raises(LeaseLost):
        other.complete(fresh)


def test_complete_is_skipped_by_a_rescue_at_the_same_time(
    queue: BatchQueue, other: BatchQueue, flow: str, db: DatabaseManager, expire: Expire, count: Count
) -> None:
    queue.enqueue(flow, numbers(2))
    batch = claim_new(queue, flow)
    expire(batch)
    with db.transaction() as conn:
        # What the fence holds until its commit.
        conn.execute("DELETE FROM processing_queue WHERE batch_id = %s", [batch.batch_id])
        assert other.rescue() == 0
        conn.rollback()
    assert other.rescue() == 1
    assert count("queue_history", flow_name=flow, outcome="expired") == 1


def test_rescue_at_the_same_time_makes_the_completion_wait_and_then_lose(
    queue: BatchQueue, flow: str, db: DatabaseManager, expire: Expire, count: Count
) -> None:
    (batch_id,) = queue.enqueue(flow, numbers(2))
    batch = claim_new(queue, flow)
    errors: list[Exception] = []

    def complete() -> None:
        try:
            queue.complete(batch, pl.DataFrame({"seq": [0, 1], "output": ["1", "2"]}))
        except LeaseLost as error:
            errors.append(error)

    with db.transaction() as conn:
        conn.execute(
            "UPDATE processing_queue SET state = 'ready', lease_token = NULL, lease_until = NULL, worker_id = NULL "
            "WHERE batch_id = %s",
            [batch.batch_id],
        )
        late = threading.Thread(target=complete)
        late.start()
        waiting = (
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE application_name = 'headrace:worker-a' AND wait_event_type = 'Lock'"
        )
        while db.execute_query("w", waiting) != [(1,)]:
            assert late.is_alive()
    late.join()
    assert len(errors) == 1
    assert count("queue_results", batch_id=batch_id) == 0


@pytest.mark.parametrize(
    ("seqs", "message"),
    [([0, 1], "1 missing"), ([0, 1, 2, 3], "1 unknown"), ([0, 1, 1], "1 given twice"), ([-1, 1, 2], "1 unknown")],
)
def test_complete_refuses_results_that_do_not_fit_and_keeps_the_lease(
    queue: BatchQueue, flow: str, seqs: list[int], message: str, count: Count
) -> None:
    (batch_id,) = queue.enqueue(flow, numbers(3))
    batch = claim_new(queue, flow)
    with pytest.raises(QueueError, match=message):
        queue.complete(batch, pl.DataFrame({"seq": seqs, "output": ["1"] * len(seqs)}))
    assert count("queue_results", batch_id=batch_id) == 0
    assert queue.heartbeat([batch]) == []


def test_complete_names_the_columns_it_needs(queue: BatchQueue, flow: str) -> None:
    queue.enqueue(flow, numbers(1))
    with pytest.raises(QueueError, match="columns seq .* and output"):
        queue.complete(claim_new(queue, flow), pl.DataFrame({"id": [0], "output": ["1"]}))


def test_complete_after_a_lost_commit_reply_finds_its_token_in_history(
    queue: BatchQueue, flow: str, count: Count, done: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    (batch_id,) = queue.enqueue(flow, numbers(3))
    batch = claim_new(queue, flow)
    results = done(queue.items(batch))
    commit = psycopg.Connection.commit
    lost = []

    def commit_and_lose_the_reply(conn: psycopg.Connection[tuple[object, ...]]) -> None:
        commit(conn)
        if not lost:
            lost.append(conn)
            raise psycopg.OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patched:
        patched.setattr(psycopg.Connection, "commit", commit_and_lose_the_reply)
        assert queue.complete(batch, results) == "completed"
    assert len(lost) == 1
    assert count("queue_results", batch_id=batch_id) == 3


def test_complete_when_the_connection_breaks_before_the_commit_writes_once(
    queue: BatchQueue, flow: str, count: Count, done: Rows
) -> None:
    (batch_id,) = queue.enqueue(flow, numbers(3))
    batch = claim_new(queue, flow)
    calls = []

    def break_once(conn: psycopg.Connection[tuple[object, ...]]) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise StoreUnavailable("gone")

    assert queue.complete(batch, done(queue.items(batch)), sink=break_once) == "completed"
    assert len(calls) == 2
    assert count("queue_results", batch_id=batch_id) == 3


def test_complete_of_a_source_takes_one_row_and_history_counts_the_rows(
    queue: BatchQueue, flow: str, count: Count
) -> None:
    job = queue.submit_job(flow, f"key-{flow}", {}, "digest")
    assert queue.open_stage(job.job_id, "match", [NewBatch(0, 100, {"uri": "x", "lo": 0, "hi": 100})])
    (batch,) = queue.claim(flow, 1, job_id=job.job_id, stage="match")
    assert batch.source == {"uri": "x", "lo": 0, "hi": 100}
    with pytest.raises(QueueError, match="has a source"):
        queue.items(batch)
    with pytest.raises(QueueError, match="at most one result row"):
        queue.complete(batch, pl.DataFrame({"seq": [0, 1], "output": ["1", "2"]}))
    queue.complete(batch, pl.DataFrame({"seq": [0], "output": ['{"pairs": 7}']}), cost=Cost(rows=42))
    assert count("queue_history", flow_name=flow, n_ok=42, n_rows=42) == 1
    assert stages.results(queue.db, job.job_id, "match") == [{"pairs": 7}]


def test_keeper_beats_and_notices_what_was_lost_but_not_what_it_ended(
    queue: BatchQueue, other: BatchQueue, flow: str, expire: Expire, count: Count
) -> None:
    queue.enqueue(flow, numbers(2), batch_rows=1)
    kept, lost = queue.claim(flow, 2)
    keeper = LeaseKeeper(queue)
    keeper.add(kept)
    keeper.add(lost)
    expire(kept)
    keeper.beat()
    assert other.rescue() == 0
    expire(lost)
    assert other.rescue() == 1
    keeper.beat()
    assert keeper.lost == {lost.batch_id}
    queue.complete(kept)
    assert keeper.held() == []
    keeper.beat()
    assert keeper.lost == {lost.batch_id}
    assert count("workers", worker_id="worker-a", n_leases=0) == 1


def test_keeper_beats_and_leads_from_its_threads_until_it_is_left(queue: BatchQueue, count: Count) -> None:
    settings = queue.settings
    step_s = min(settings.depth_every_s, settings.rescue_every_s, settings.poll_s)
    # One more, for sums of fractions may fall short.
    n_steps = math.ceil(settings.rescue_every_s / step_s) + 1
    left = {"headrace-keeper": iter([False, True]), "headrace-leader": iter([False] * n_steps + [True])}
    with LeaseKeeper(queue, wait=lambda _: next(left[threading.current_thread().name])) as keeper:
        for thread in keeper._threads:
            thread.join()
        assert count("workers", worker_id="worker-a") == 1
        assert count("leases", name="queue-leader", holder="worker-a") == 1
    assert count("workers", worker_id="worker-a") == 0


def test_heartbeat_never_passes_the_deadline(
    queue: BatchQueue, other: BatchQueue, flow: str, db: DatabaseManager
) -> None:
    queue.enqueue(flow, numbers(1))
    batch = claim_new(queue, flow)
    db.execute_query(
        "d",
        "UPDATE processing_queue SET deadline_at = now() - interval '1 second' WHERE batch_id = :i",
        {"i": batch.batch_id},
    )
    assert queue.heartbeat([batch]) == []
    assert other.rescue() == 1
    assert queue.heartbeat([batch]) == [batch.batch_id]


def test_release_gives_the_batch_back_without_counting_the_attempt(queue: BatchQueue, flow: str, count: Count) -> None:
    queue.register_flow(FlowPolicy(flow, max_attempts=1))
    queue.enqueue(flow, numbers(2))
    for _ in range(3):
        batch = claim_new(queue, flow)
        assert batch.attempt == 1
        assert queue.release([batch]) == 1
    assert count("queue_history", flow_name=flow, outcome="released") == 3
    queue.complete(claim_new(queue, flow), failures=[RowFailure(0, "E")])
    assert count("dead_letters", flow_name=flow) == 1
