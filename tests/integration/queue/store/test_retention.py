"""Old partitions go whole, one by one, and only when nobody needs them."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from core.database import DatabaseManager
from core.errors import StoreError
from core.queue import BatchQueue, FlowPolicy, RowFailure
from core.queue.leases import dead_letters
from core.queue.producers import jobs
from core.queue.store import partitions, retention
from core.queue.store.retention import Fate
from core.settings import QueueSettings

Count = Callable[..., int]
TABLES = ("queue_items", "queue_results", "queue_batches", "queue_history")


def settings(**values: float) -> QueueSettings:
    return QueueSettings(**{"retain_days": 30, **values})


def next_partition(db: DatabaseManager) -> None:
    """As if the partition in use were full."""
    with db.transaction() as conn:
        conn.execute(
            "SELECT setval('queue_batch_id_seq', p.hi, false) FROM queue_partitions p, queue_batch_id_seq s "
            "WHERE s.last_value >= p.lo AND s.last_value < p.hi"
        )
    partitions.ahead(db)


def used(queue: BatchQueue, flow: str, *, failures: int = 0) -> int:
    """A partition of its own with a finished batch of six items and its history rolled up; returns its lo."""
    next_partition(queue.db)
    (batch_id,) = queue.enqueue(flow, [{"n": n} for n in range(6)])
    (batch,) = queue.claim(flow)
    done = queue.items(batch).select("seq", output="payload")
    queue.complete(batch, done.slice(failures), failures=[RowFailure(seq, "Bad") for seq in range(failures)])
    queue.sweep()
    next_partition(queue.db)
    return queue.db.execute_query("lo", "SELECT lo FROM queue_partitions WHERE lo <= :b AND hi > :b", {"b": batch_id})[
        0
    ][0]


def aged(db: DatabaseManager, lo: int, days: int = 40) -> None:
    with db.transaction() as conn:
        for table, column in (("queue_batches", "created_at"), ("queue_history", "finished_at")):
            conn.execute(f"UPDATE {table}_p{lo} SET {column} = now() - interval '{days} days'")
        conn.execute(f"UPDATE queue_partitions SET created_at = now() - interval '{days} days' WHERE lo = {lo}")


def retain(db: DatabaseManager, **values: float) -> dict[int, Fate]:
    return {fate.partition.lo: fate for fate in retention.retain(db, settings(**values), "tests", uuid.uuid4())}


def tables_left(db: DatabaseManager, lo: int) -> int:
    left = "SELECT count(*) FROM unnest(ARRAY{}) AS t WHERE to_regclass(t || '_p' || :lo) IS NOT NULL"
    return db.execute_query("left", left.format(list(TABLES)), {"lo": lo})[0][0]


@contextmanager
def open_report(url: str, table: str = "queue_items") -> Iterator[psycopg.Connection]:
    """A reader that keeps its transaction open, as if it were for long."""
    with psycopg.connect(url) as conn:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        conn.execute(f"SELECT count(*) FROM {table}")
        yield conn


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is open counts as open for long."""
    monkeypatch.setattr(retention, "OPEN_S", 0.0)


def test_a_finished_old_partition_goes_and_the_totals_stay(
    queue: BatchQueue, flow: str, db: DatabaseManager, count: Count
) -> None:
    lo = used(queue, flow)
    assert retain(db)[lo].deed == "keep"
    aged(db, lo)
    foreseen = {fate.partition.lo: fate for fate in retention.foresee(db, settings())}
    assert foreseen[lo].deed == "drop"
    assert tables_left(db, lo) == 4
    assert foreseen[lo].partition.size_bytes > 0
    fates = retain(db)
    assert fates[lo].deed == "dropped"
    assert "unused for 40.0 days" in fates[lo].why
    assert tables_left(db, lo) == 0
    assert count("queue_partitions", lo=lo, state="dropped") == 1
    assert db.execute_query("t", "SELECT sum(n_ok) FROM queue_totals WHERE flow_name = :f", {"f": flow}) == [(6,)]
    assert lo not in retain(db)
    (batch_id,) = queue.enqueue(flow, [{}])
    assert queue.claim(flow)[0].batch_id == batch_id


def test_the_oldest_go_when_all_take_too_much_room(queue: BatchQueue, flow: str, db: DatabaseManager) -> None:
    first, second = used(queue, flow), used(queue, flow)
    found = retention.survey(db)
    left = sum(one.size_bytes for one in found if one.lo > first or one.holds)
    fates = retain(db, retain_gb=(left + 1) / 2**30)
    assert (fates[first].deed, fates[second].deed) == ("dropped", "keep")
    assert "GB, the limit is" in fates[first].why


def test_who_needs_a_partition_holds_it(queue: BatchQueue, db: DatabaseManager) -> None:
    flow = f"flow-{uuid.uuid4().hex[:8]}"
    queue.register_flow(FlowPolicy(flow, backoff_s=1000))

    def why(lo: int) -> str:
        aged(db, lo)
        fate = retain(db)[lo]
        assert fate.deed == "keep"
        return fate.why

    next_partition(db)
    job = queue.submit_job(flow, flow, {}, "")
    (batch_id,) = queue.enqueue(flow, [{}] * 20, job_id=job.job_id)
    lo = db.execute_query("lo", "SELECT lo FROM queue_partitions WHERE lo <= :b AND hi > :b", {"b": batch_id})[0][0]
    assert why(lo).startswith("new batches go there; 1 live batches")
    next_partition(db)
    assert why(lo) == f"1 live batches; job {job.job_id} is not finished"
    (batch,) = queue.claim(flow)
    done = queue.items(batch).select("seq", output="payload").slice(1)
    queue.complete(batch, done, failures=[RowFailure(0, "Later", fault="transient")])
    assert "history that is not in the totals yet" in why(lo)
    queue.sweep()
    assert why(lo) == f"1 rows wait for a retry; job {job.job_id} is not finished"
    db.execute_query("due", "UPDATE queue_retries SET due_at = now()")
    queue.sweep()
    (batch,) = queue.claim(flow)
    queue.complete(batch, queue.items(batch).select("seq", output="payload"))
    queue.sweep()
    assert why(lo) == f"job {job.job_id} is not finished"
    jobs.finish(queue.db, job.job_id)
    aged(db, lo)
    assert retain(db)[lo].deed == "dropped"


@pytest.mark.usefixtures("patient")
def test_an_open_report_holds_partitions_back_and_blocks_nobody(
    queue: BatchQueue, flow: str, db: DatabaseManager, database_url: str
) -> None:
    lo = used(queue, flow)
    aged(db, lo)
    with open_report(database_url):
        fate = retain(db)[lo]
        assert fate.deed == "held"
        assert "uses queue_items" in fate.why
        assert retention.foresee(db, settings())[0].deed in {"held", "keep"}
        queue.enqueue(flow, [{}])
        queue.complete(*queue.claim(flow))
    assert retain(db)[lo].deed == "dropped"


def test_a_detach_that_is_cut_short_is_finished_later(
    queue: BatchQueue, flow: str, db: DatabaseManager, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "DETACH_S", 0.5)
    lo, other = used(queue, flow), used(queue, flow)
    aged(db, lo)
    aged(db, other)
    with open_report(database_url, "queue_results"):
        fates = retain(db)
        assert (fates[lo].deed, fates[other].deed) == ("held", "held")
        # The first table of each was not in the report's way.
        assert tables_left(db, lo) == 3
        assert tables_left(db, other) == 3
        pending = "SELECT count(*) FROM pg_inherits WHERE inhdetachpending"
        assert db.execute_query("p", pending) == [(1,)]
        next_partition(db)
        queue.enqueue(flow, [{}])
        queue.complete(*queue.claim(flow))
    fates = retain(db)
    assert (fates[lo].deed, fates[other].deed) == ("dropped", "dropped")
    assert fates[lo].why == "its dropping was cut short"
    assert tables_left(db, lo) == tables_left(db, other) == 0


def test_a_table_that_somebody_locks_is_left_for_the_next_time(
    queue: BatchQueue, flow: str, db: DatabaseManager, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    lo, other = used(queue, flow), used(queue, flow)
    aged(db, lo)
    aged(db, other)
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(f"ALTER TABLE queue_items DETACH PARTITION queue_items_p{lo} CONCURRENTLY")
        conn.execute("BEGIN")
        conn.execute(f"LOCK TABLE queue_items_p{lo} IN ACCESS SHARE MODE")
        fates = retain(db)
        conn.execute("COMMIT")
    assert (fates[lo].deed, fates[other].deed) == ("held", "dropped")
    assert f"partition {lo} is held, it is tried again next time" in caplog.text
    assert retain(db)[lo].deed == "dropped"


def test_an_enqueue_in_flight_keeps_its_partition(
    queue: BatchQueue, flow: str, db: DatabaseManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "ALONE_TRIES", 3)
    lo = used(queue, flow)
    aged(db, lo)
    with db.transaction() as conn:
        partitions.take_ids(conn, 1)
        assert retain(db)[lo].why == "producers enqueue without a gap"
    assert retain(db)[lo].deed == "dropped"


def test_dead_letters_survive_and_run_again_with_their_identity(
    queue: BatchQueue, flow: str, db: DatabaseManager, count: Count
) -> None:
    lo = used(queue, flow, failures=2)
    aged(db, lo)
    assert retain(db)[lo].deed == "dropped"
    assert count("dead_letters", flow_name=flow) == 2
    assert dead_letters.redrive(queue.db, flow) == 2
    queue.sweep()
    (batch,) = queue.claim(flow)
    assert queue.items(batch)["payload"].to_list() == ['{"n":0}', '{"n":1}']
    queue.complete(batch, queue.items(batch).select("seq", output="payload"))
    assert db.execute_query("r", f"SELECT seq FROM queue_results WHERE batch_id >= {lo} ORDER BY 1")[:2] == [(0,), (1,)]
    queue.sweep()
    aged(db, lo)
    assert retain(db)[lo].deed == "dropped"


def test_one_process_retains_at_a_time(db: DatabaseManager) -> None:
    token = uuid.uuid4()
    assert retention.take_lease(db, retention.LEASE, "other", token, 60)
    assert retain(db) == {}
    retention.drop_lease(db, retention.LEASE, token)
    assert retain(db) != {}


def test_new_partitions_do_not_wait_for_an_open_report(db: DatabaseManager, database_url: str) -> None:
    top = "SELECT max(hi) FROM queue_partitions"
    before = db.execute_query("top", top)
    with open_report(database_url) as report:
        for table in TABLES:
            report.execute(f"SELECT count(*) FROM {table}")
        next_partition(db)
        assert db.execute_query("top", top) > before


def test_a_producer_that_outruns_the_leader_makes_its_partitions(
    queue: BatchQueue, flow: str, db: DatabaseManager, count: Count
) -> None:
    db.execute_query("far", "SELECT setval('queue_batch_id_seq', max(hi) + 5000000, false) FROM queue_partitions")
    started = threading.Barrier(4)
    ids: list[int] = []

    def produce() -> None:
        started.wait(60)
        ids.extend(queue.enqueue(flow, [{}] * 4, batch_rows=2))

    producers = [threading.Thread(target=produce) for _ in range(4)]
    for producer in producers:
        producer.start()
    for producer in producers:
        producer.join(60)
    assert len(set(ids)) == 8
    assert count("queue_batches", flow_name=flow) == 8
    gaps = (
        "SELECT count(*) FROM queue_partitions p WHERE NOT EXISTS (SELECT 1 FROM queue_partitions n WHERE n.lo = p.hi)"
    )
    assert db.execute_query("gaps", gaps) == [(1,)]


def test_ids_never_go_back_when_a_partition_is_full_or_old(queue: BatchQueue, flow: str, db: DatabaseManager) -> None:
    next_partition(db)
    (first,) = queue.enqueue(flow, [{}] * 10)
    assert not partitions.rotate(db, 11, 3600)
    assert partitions.rotate(db, 10, 3600)
    (second,) = queue.enqueue(flow, [{}])
    assert second > first
    assert not partitions.rotate(db, 1000, 3600)
    db.execute_query(
        "old", "UPDATE queue_batches SET created_at = now() - interval '2 hours' WHERE batch_id = :b", {"b": second}
    )
    assert partitions.rotate(db, 1000, 3600)
    (third,) = queue.enqueue(flow, [{}])
    assert third > second
    with pytest.raises(StoreError), db.transaction() as conn:
        conn.execute("INSERT INTO queue_items (batch_id, seq, payload) VALUES (-1, 0, '{}')")
    queue.complete(*queue.claim(flow))
