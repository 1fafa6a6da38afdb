"""Unique keys: however often and from wherever a row is sent, it is enqueued once within its time."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import polars as pl
import psycopg
import pytest

from core.database import DatabaseManager
from core.distributed import DistributedProcessor
from core.errors import QueueError, RowError, UnknownFlow
from core.queue import BatchQueue, FlowPolicy
from core.queue.leases.dead_letters import Which
from core.queue.producers import jobs, unique_keys
from core.queue.store.flows import DEFAULT_TENANT

Count = Callable[..., int]

WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


def take(conn: psycopg.Connection[Any], flow: str, *keys: str) -> list[int]:
    named = unique_keys.Keys(flow, DEFAULT_TENANT, pl.Series(keys), 60)
    lines = pl.Series(range(len(keys)), dtype=pl.Int64)
    return unique_keys.take(conn, named, lines, unique_keys.Places(lines, [1], 9)).to_list()


def rows(*names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


def test_rows_with_known_keys_are_left_out_and_counted(queue: BatchQueue, flow: str) -> None:
    first = queue.enqueue(flow, rows("a", "b", "c"), unique_keys=["a", "b", "c"], batch_rows=2)
    assert (list(first), first.n_rows, first.n_left_out) == (first, 3, 0)
    assert len(first) == 2
    again = queue.enqueue(flow, rows("b", "d", "d2", "a"), unique_keys=["b", "d", "d", "a"])
    assert (len(again), again.n_rows, again.n_left_out) == (1, 1, 3)
    none = queue.enqueue(flow, rows("a"), unique_keys=["a"])
    assert (none, none.n_rows, none.n_left_out) == ([], 0, 1)
    stored = [text for batch in queue.claim(flow, 9) for text in queue.items(batch)["payload"]]
    assert stored == [f'{{"name":"{name}"}}' for name in "abcd"]
    assert queue.enqueue(flow, [], unique_keys=[]) == []


def test_keys_are_per_flow_and_tenant_and_expire(queue: BatchQueue, flow: str, db: DatabaseManager) -> None:
    queue.register_flow(FlowPolicy(flow, tenant_id="acme"))
    queue.register_flow(FlowPolicy(flow + "2"))
    queue.enqueue(flow, rows("a"), unique_keys=["a"])
    assert queue.enqueue(flow, rows("a"), unique_keys=["a"], tenant_id="acme").n_rows == 1
    assert queue.enqueue(flow + "2", rows("a"), unique_keys=["a"]).n_rows == 1
    late = "UPDATE queue_dedupe SET expires_at = now() WHERE flow_name = :f AND tenant_id = 'default'"
    db.execute_query("late", late, {"f": flow})
    assert queue.enqueue(flow, rows("a"), unique_keys=["a"]).n_rows == 1
    assert queue.enqueue(flow, rows("a"), unique_keys=["a"]).n_left_out == 1
    assert queue.enqueue(flow, rows("a"), unique_keys=["a"], tenant_id="acme").n_left_out == 1


def test_two_sessions_with_the_same_keys_enqueue_each_row_once(
    queue: BatchQueue, other: BatchQueue, flow: str, count: Count
) -> None:
    keys = [f"k{n}" for n in range(400)]
    start = threading.Barrier(4)
    done: list[tuple[int, int]] = []

    def produce(producer: BatchQueue, order: int) -> None:
        start.wait()
        for lo in range(0, 400, 100) if order > 0 else range(300, -1, -100):
            some = keys[lo : lo + 100][::order]
            sent = producer.enqueue(flow, rows(*some), unique_keys=some)
            done.append((sent.n_rows, sent.n_left_out))

    threads = [threading.Thread(target=produce, args=[who, order]) for who in (queue, other) for order in (1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 16
    assert sum(n for n, _ in done) == 400
    assert sum(n for _, n in done) == 1200
    stored = [text for batch in queue.claim(flow, 99) for text in queue.items(batch)["payload"]]
    assert sorted(stored) == sorted(f'{{"name":"{key}"}}' for key in keys)


@pytest.mark.parametrize("commits", [True, False])
def test_a_key_that_another_session_is_taking_is_waited_for(
    queue: BatchQueue, flow: str, database_url: str, commits: bool
) -> None:
    sent: list[int] = []
    with psycopg.connect(database_url) as conn, psycopg.connect(database_url, autocommit=True) as watch:
        assert take(conn, flow, "a") == [0]
        second = threading.Thread(
            target=lambda: sent.append(queue.enqueue(flow, rows("a"), unique_keys=["a"]).n_left_out)
        )
        second.start()
        while watch.execute(WAITING).fetchone() is None:
            pass
        assert sent == []
        conn.commit() if commits else conn.rollback()
    second.join()
    assert sent == [1 if commits else 0]


def _take_behind_a_waiter(url: str, flow: str, key: str) -> bool:
    """Take a key, at most 5 s after somebody began to wait for a lock; StoreError if it is held."""
    with psycopg.connect(url) as conn:
        while conn.execute(WAITING).fetchone() is None:
            pass
        conn.execute("SET LOCAL lock_timeout = '5s'")
        return take(conn, flow, key) == [0]


def test_keys_are_taken_in_order_so_that_producers_cannot_block_each_other_for_good(
    flow: str, database_url: str
) -> None:
    """While the second waits for `m`, it holds only what comes before."""
    keys = pl.Series(["z", "m", "a"])
    with psycopg.connect(database_url) as first, psycopg.connect(database_url) as second:
        assert take(first, flow, "m") == [0]
        waiting = threading.Thread(target=lambda: take(second, flow, *keys))
        waiting.start()
        try:
            assert _take_behind_a_waiter(database_url, flow, "z")
        finally:
            first.rollback()
            waiting.join()


def test_an_enqueue_that_fails_takes_no_keys(queue: BatchQueue, flow: str, count: Count) -> None:
    with pytest.raises(RowError):
        queue.enqueue(flow, ['{"n": 1}', "{"], unique_keys=["a", "b"])
    assert count("queue_dedupe", flow_name=flow) == 0
    sent = queue.enqueue(flow, ['{"n": 1}', "{"], unique_keys=["a", "b"], on_bad="dead")
    assert (sent.n_rows, sent.n_refused, sent.n_left_out) == (1, 1, 0)
    again = queue.enqueue(flow, ['{"n": 1}', "{"], unique_keys=["a", "b"], on_bad="dead")
    assert (again, again.n_refused, again.n_left_out) == ([], 1, 1)
    assert count("dead_letters", flow_name=flow) == 1


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        (["a", ""], "unique key 1: it is empty"),
        (["a", "b\0"], "unique key 1: it holds the character NUL"),
        (["a", 7], "unique key 1: it is int, not text"),
        ([None, "a"], "unique key 0: it is NoneType, not text"),
        (["a", "\ud800"], "unique key 1: text that is not valid Unicode"),
        (["a", "x" * 1001], "unique key 1: 1001 bytes, the limit is 1000"),
    ],
)
def test_keys_that_cannot_be_are_refused_by_line(queue: BatchQueue, flow: str, keys: list[str], reason: str) -> None:
    with pytest.raises(RowError) as caught:
        queue.enqueue(flow, rows("a", "b"), unique_keys=keys)
    assert caught.value.message == reason
    assert caught.value.column == "unique_keys"


def test_keys_need_their_number(queue: BatchQueue, flow: str) -> None:
    with pytest.raises(QueueError, match="there are 0 unique keys for 2 payloads"):
        queue.enqueue(flow, rows("a", "b"), unique_keys=[])
    with pytest.raises(QueueError, match="one string"):
        queue.enqueue(flow, rows("a", "b"), unique_keys="ab")


def test_expired_keys_are_purged_in_chunks_and_others_stay(
    queue: BatchQueue, db: DatabaseManager, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = f"flow-{uuid.uuid4().hex}"
    fill = (
        "INSERT INTO queue_dedupe (flow_name, key, expires_at) "
        "SELECT :f, n::text, now() + make_interval(mins => CASE WHEN n <= 25 THEN -1 ELSE 1 END) "
        "FROM generate_series(1, 30) n"
    )
    db.execute_query("fill", fill, {"f": flow})
    monkeypatch.setattr(unique_keys, "PURGE_LIMIT", 10)
    monkeypatch.setattr(unique_keys, "PURGE_ROUNDS", 2)
    queue.sweep()
    assert count("queue_dedupe", flow_name=flow) == 10
    queue.sweep()
    assert count("queue_dedupe", flow_name=flow) == 5


def fates(db: DatabaseManager, flow: str) -> list[tuple[str, str]]:
    sql = "SELECT payload->>'name', status FROM processing_queue_records WHERE flow_name = :f ORDER BY id"
    return db.execute_query("fates", sql, {"f": flow})


def kill(queue: BatchQueue, flow: str) -> None:
    for batch in queue.claim(flow, 9):
        assert queue.fail(batch, "ValueError", "raised at jobs:1", retryable=False) == "dead"


def test_a_key_whose_row_is_dead_is_taken_anew_and_redrive_runs_the_new_row_only(
    queue: BatchQueue, flow: str, db: DatabaseManager
) -> None:
    queue.enqueue(flow, rows("wrong", "other"), unique_keys=["k", "o"])
    kill(queue, flow)
    again = queue.enqueue(flow, rows("right", "new"), unique_keys=["k", "n"])
    assert (again.n_rows, again.n_left_out) == (2, 0)
    assert fates(db, flow) == [("wrong", "discarded"), ("other", "failed"), ("right", "pending"), ("new", "pending")]
    assert queue.enqueue(flow, rows("late"), unique_keys=["k"]).n_left_out == 1
    assert queue.redrive(flow) == 1
    queue.sweep()
    stored = [text for batch in queue.claim(flow, 9) for text in queue.items(batch)["payload"]]
    assert sorted(stored) == [f'{{"name":"{name}"}}' for name in ("new", "other", "right")]
    # Redriven, the row lives again, and so does its key.
    assert queue.enqueue(flow, rows("o2"), unique_keys=["o"]).n_left_out == 1


def test_a_row_that_moved_up_beside_left_out_ones_keeps_its_key(
    queue: BatchQueue, flow: str, db: DatabaseManager
) -> None:
    queue.enqueue(flow, rows("a"), unique_keys=["a"])
    queue.complete(queue.claim(flow)[0])
    queue.enqueue(flow, rows("a", "b", "c"), unique_keys=["a", "b", "c"], batch_rows=1)
    first, second = queue.claim(flow, 2)
    queue.complete(second)
    assert queue.fail(first, "ValueError", "", retryable=False) == "dead"
    assert queue.enqueue(flow, rows("b2", "c2"), unique_keys=["b", "c"]).n_rows == 1
    assert fates(db, flow)[-1] == ("b2", "pending")


def test_of_equal_keys_in_one_call_the_first_good_row_is_the_one(queue: BatchQueue, flow: str, count: Count) -> None:
    bad = {"name": float("nan")}
    done = queue.enqueue(
        flow, [bad, *rows("a1", "a2"), bad, bad, *rows("b")], unique_keys=["a", "a", "a", "x", "x", "b"], on_bad="dead"
    )
    assert (done.n_rows, done.n_left_out, done.n_refused) == (2, 3, 1)
    (batch,) = queue.claim(flow)
    assert queue.items(batch)["payload"].to_list() == ['{"name":"a1"}', '{"name":"b"}']
    # The row that was refused is corrected.
    assert queue.enqueue(flow, rows("x"), unique_keys=["x"]).n_rows == 1
    assert queue.dead(flow) == []


def test_a_key_is_free_again_when_its_row_was_cancelled_with_its_job(queue: BatchQueue, flow: str) -> None:
    job = queue.submit_job(flow, f"key-{flow}", {}, "d")
    queue.enqueue(flow, rows("done", "not"), unique_keys=["d", "n"], job_id=job.job_id, batch_rows=1)
    queue.complete(queue.claim(flow)[0])
    jobs.cancel(queue.db, job.job_id)
    again = queue.enqueue(flow, rows("done", "not"), unique_keys=["d", "n"])
    assert (again.n_rows, again.n_left_out) == (1, 1)


def test_discarded_letters_are_gone_with_their_keys(queue: BatchQueue, flow: str, db: DatabaseManager) -> None:
    queue.enqueue(flow, rows("a"), unique_keys=["a"])
    kill(queue, flow)
    assert queue.discard(flow, Which(error_class="Other")) == 0
    assert queue.discard(flow) == 1
    assert (queue.dead(flow), queue.redrive(flow), fates(db, flow)) == ([], 0, [("a", "discarded")])
    assert queue.enqueue(flow, rows("a"), unique_keys=["a"]).n_rows == 1
    with pytest.raises(UnknownFlow, match="did you mean"):
        queue.discard(flow + "x")


def test_a_row_given_up_by_a_live_batch_keeps_its_letter_and_its_key(queue: BatchQueue, flow: str) -> None:
    queue.enqueue(flow, rows("a", "b"), unique_keys=["a", "b"])
    with DistributedProcessor(queue.db, queue.settings) as processor:
        one, two = processor.claim_records_batch(flow, 2)
        processor.mark_record_failed(one["id"], "wrong")
        assert queue.enqueue(flow, rows("a2"), unique_keys=["a"]).n_left_out == 1
        assert queue.discard(flow) == 0
        processor.mark_record_completed(two["id"])
    assert queue.enqueue(flow, rows("a2"), unique_keys=["a"]).n_rows == 1
