"""Marks one by one: their cost, and what happens when the reply to one is lost."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from core.database import DatabaseManager
from core.distributed import DistributedProcessor
from core.errors import LeaseLost, StoreUnavailable
from core.queue import BatchQueue, FlowPolicy
from core.queue.records import records
from core.queue.store import flows
from core.settings import QueueSettings
from tests.processes import until


@pytest.fixture
def flow() -> str:
    return f"flow-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def processor(db: DatabaseManager) -> Iterator[DistributedProcessor]:
    with DistributedProcessor(db, QueueSettings()) as one:
        yield one


class Loss:
    """Loses replies of the database: the statement is done (`after`) or never was, and the caller is not told which."""

    def __init__(self, db: DatabaseManager, patch: pytest.MonkeyPatch) -> None:
        self.n_left = 0
        self.after = True
        self.n_once = self.n_transactions = 0
        self._once, self._transaction = db.execute_once, db.transaction
        patch.setattr(db, "execute_once", self.execute_once)
        patch.setattr(db, "transaction", self.transaction)

    def _loses(self) -> bool:
        self.n_left -= 1
        return self.n_left >= 0

    def execute_once(self, *given: Any) -> Any:
        self.n_once += 1
        if not self._loses():
            return self._once(*given)
        if self.after:
            self._once(*given)
        raise StoreUnavailable("the reply is lost")

    @contextmanager
    def transaction(self, *given: Any) -> Iterator[Any]:
        self.n_transactions += 1
        loses = self._loses()
        if loses and not self.after:
            raise StoreUnavailable("the reply is lost")
        with self._transaction(*given) as conn:
            yield conn
        if loses:
            raise StoreUnavailable("the reply is lost")


@pytest.fixture
def loss(db: DatabaseManager, monkeypatch: pytest.MonkeyPatch) -> Loss:
    return Loss(db, monkeypatch)


@pytest.fixture
def ids(processor: DistributedProcessor, flow: str) -> Callable[[int], list[int]]:
    def claimed(n: int) -> list[int]:
        processor.add_records_to_queue(flow, [{"n": i} for i in range(n)])
        return [one["id"] for one in processor.claim_records_batch(flow, n)]

    return claimed


def results(db: DatabaseManager, flow: str) -> list[Any]:
    sql = """SELECT r.output FROM queue_results r JOIN queue_batches b USING (batch_id) WHERE b.flow_name = :f
             ORDER BY r.batch_id, r.seq"""
    return [output for (output,) in db.execute_query("r", sql, {"f": flow})]


def test_a_mark_costs_one_round_trip_also_the_last_one(
    processor: DistributedProcessor, ids: Any, loss: Loss, db: DatabaseManager, flow: str
) -> None:
    claimed = ids(3)
    loss.n_once = loss.n_transactions = 0
    for n, identity in enumerate(claimed):
        processor.mark_record_completed(identity, n)
        assert (loss.n_once, loss.n_transactions) == (n + 1, 0)
    assert results(db, flow) == [0, 1, 2]
    told = "SELECT outcome, n_ok, n_failed, n_dead, n_rows FROM queue_history WHERE flow_name = :f"
    assert db.execute_query("h", told, {"f": flow}) == [("completed", 3, 0, 0, 3)]


def test_a_flush_costs_one_round_trip(db: DatabaseManager, loss: Loss, flow: str) -> None:
    with DistributedProcessor(db, QueueSettings(), flush_every=4) as processor:
        processor.add_records_to_queue(flow, [{}] * 9)
        claimed = [one["id"] for one in processor.claim_records_batch(flow, 9)]
        loss.n_once = loss.n_transactions = 0
        processor.mark_records_completed([(identity, 1) for identity in claimed[:8]])
        assert (loss.n_once, loss.n_transactions) == (1, 0)
    assert results(db, flow) == [1] * 8


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize(("n_marks", "fine"), [(1, True), (2, True), (3, True), (1, False), (2, False), (3, False)])
def test_a_lost_reply_neither_loses_nor_repeats_a_mark(
    db: DatabaseManager, loss: Loss, flow: str, after: bool, n_marks: int, fine: bool
) -> None:
    processor = DistributedProcessor(db, QueueSettings())
    processor.add_records_to_queue(flow, [{}] * 3)
    claimed = [one["id"] for one in processor.claim_records_batch(flow, 3)]
    loss.n_left, loss.after = 1, after
    if fine:
        processor.mark_records_completed([(identity, "once") for identity in claimed[:n_marks]])
    else:
        processor.mark_records_failed([(identity, "why") for identity in claimed[:n_marks]])
    status = processor.get_queue_status(flow)
    assert (status["completed_records"], status["failed_records"]) == ((n_marks, 0) if fine else (0, n_marks))
    assert results(db, flow) == ["once"] * (n_marks if fine else 0)
    for identity in claimed:
        processor.mark_record_completed(identity, "twice")
    assert processor.get_queue_status(flow)["processing_records"] == 0
    processor.close()
    assert db.execute_query("q", "SELECT count(*) FROM processing_queue WHERE flow_name = :f", {"f": flow}) == [(0,)]


@pytest.mark.parametrize("n_records", [1, 2])
def test_a_mark_in_doubt_is_looked_for_before_it_is_written_again(
    processor: DistributedProcessor, ids: Any, loss: Loss, db: DatabaseManager, flow: str, n_records: int
) -> None:
    first, *rest = ids(n_records)
    # Also the looks are lost: the caller is told, and nobody knows whether the mark was written.
    loss.n_left = 3
    with pytest.raises(StoreUnavailable):
        processor.mark_record_completed(first, "one")
    processor.mark_record_completed(first, "two")
    assert results(db, flow) == ["one"]
    processor.mark_records_completed([(identity, "three") for identity in rest])
    assert processor.get_queue_status(flow)["completed_records"] == n_records
    assert db.execute_query("q", "SELECT count(*) FROM processing_queue WHERE flow_name = :f", {"f": flow}) == [(0,)]


def test_a_flush_that_was_lost_is_repeated_without_writing_twice(db: DatabaseManager, loss: Loss, flow: str) -> None:
    with DistributedProcessor(db, QueueSettings(), flush_every=2) as processor:
        processor.add_records_to_queue(flow, [{}] * 3)
        one, two, three = (record["id"] for record in processor.claim_records_batch(flow, 3))
        processor.mark_record_completed(one, 1)
        loss.n_left = 3
        with pytest.raises(StoreUnavailable):
            processor.mark_record_completed(two, 2)
        processor.mark_record_completed(three, 3)
    assert results(db, flow) == [1, 2, 3]


def test_a_mark_lost_with_its_lease_is_not_written(
    processor: DistributedProcessor, ids: Any, loss: Loss, db: DatabaseManager, flow: str
) -> None:
    first, _ = ids(2)
    db.execute_query(
        "x", "UPDATE processing_queue SET lease_until = now() - interval '1 s' WHERE flow_name = :f", {"f": flow}
    )
    BatchQueue(db, QueueSettings(), "rescuer").rescue()
    loss.n_left, loss.after = 1, False
    with pytest.raises(LeaseLost):
        processor.mark_record_completed(first, 1)
    assert results(db, flow) == []


def test_marks_of_many_threads_share_their_commits(
    processor: DistributedProcessor, ids: Any, loss: Loss, db: DatabaseManager, flow: str
) -> None:
    claimed = ids(24)
    loss.n_once = 0
    first_is_writing, others_wait = threading.Event(), threading.Event()
    once = loss._once

    def slow(*given: Any) -> Any:
        if not first_is_writing.is_set():
            first_is_writing.set()
            assert others_wait.wait(30)
        return once(*given)

    loss._once = slow
    threads = [threading.Thread(target=processor.mark_record_completed, args=(identity, 1)) for identity in claimed]
    threads[0].start()
    assert first_is_writing.wait(30)
    for thread in threads[1:]:
        thread.start()
    gathered = processor._gathering
    while len(gathered._waiting) < len(claimed) - 1:
        threading.Event().wait(0.001)
    others_wait.set()
    for thread in threads:
        thread.join()
    assert loss.n_once == 2
    assert results(db, flow) == [1] * 24


RUNNING = "SELECT count(*) FROM processing_queue WHERE flow_name = :f AND state = 'running'"
WAIT = "UPDATE queue_flows SET bucket_at = bucket_at - :s * interval '1 s' WHERE flow_name = :f"


def queue_of(db: DatabaseManager) -> BatchQueue:
    return BatchQueue(db, QueueSettings(), "records-test")


def test_claims_of_records_keep_to_the_cap_exactly(db: DatabaseManager, flow: str) -> None:
    queue_of(db).register_flow(FlowPolicy(flow, max_running=3))
    processors = [DistributedProcessor(db, QueueSettings()) for _ in range(4)]
    processors[0].add_records_to_queue(flow, [{"n": n} for n in range(100)])
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda n: processors[n % 4].claim_records_batch(flow, 2), range(16)))
    assert sorted(map(len, claims)) == [0] * 13 + [2] * 3
    assert db.execute_query("r", RUNNING, {"f": flow}) == [(3,)]
    assert queue_of(db).claim(flow) == []
    owner = next(n for n, claim in enumerate(claims) if claim)
    processors[owner % 4].mark_records_completed([(one["id"], 1) for one in claims[owner]])
    assert len(processors[0].claim_records_batch(flow, 5)) == 5
    assert processors[1].claim_records_batch(flow, 5) == []
    for processor in processors:
        processor.close()


def test_a_cap_counts_leases_also_where_one_claim_would_take_many(
    db: DatabaseManager, processor: DistributedProcessor, flow: str
) -> None:
    queue = queue_of(db)
    queue.register_flow(FlowPolicy(flow, max_running=2))
    queue.enqueue(flow, [{"n": n} for n in range(50)], batch_rows=10)
    assert [one["payload"]["n"] for one in processor.claim_records_batch(flow, 35)] == list(range(20))
    assert processor.claim_records_batch(flow, 35) == []


def test_records_are_handed_out_at_the_rate_and_never_one_more(
    db: DatabaseManager, processor: DistributedProcessor, flow: str
) -> None:
    queue_of(db).register_flow(FlowPolicy(flow, rows_per_s=10, burst_rows=25))
    db.execute_query("slow", "UPDATE queue_flows SET rows_per_s = 1e-9 WHERE flow_name = :f", {"f": flow})
    processor.add_records_to_queue(flow, [{"n": n} for n in range(100)])
    assert [len(processor.claim_records_batch(flow, 10)) for _ in range(4)] == [10, 10, 5, 0]
    db.execute_query("fast", "UPDATE queue_flows SET rows_per_s = 10 WHERE flow_name = :f", {"f": flow})
    db.execute_query("wait", WAIT, {"f": flow, "s": 1000})
    assert len(processor.claim_records_batch(flow, 90)) == 25


def test_tenants_share_records_by_weight(db: DatabaseManager, processor: DistributedProcessor, flow: str) -> None:
    queue = queue_of(db)
    queue.register_flow(FlowPolicy(flow))
    queue.register_flow(FlowPolicy(flow, "second", weight=3))
    for tenant in ("default", "second"):
        queue.enqueue(flow, [{"tenant": tenant}] * 100, batch_rows=50, tenant_id=tenant)
    claimed = Counter(one["payload"]["tenant"] for _ in range(8) for one in processor.claim_records_batch(flow, 5))
    assert claimed == {"default": 10, "second": 30}
    flows.pause(queue.db, flow, "why")
    assert processor.claim_records_batch(flow, 5) == []
    assert processor.claim_records_batch("nobody", 5) == []


def test_every_tenth_claim_of_records_takes_the_oldest(
    db: DatabaseManager, processor: DistributedProcessor, flow: str
) -> None:
    queue = queue_of(db)
    queue.register_flow(FlowPolicy(flow))
    queue.enqueue(flow, [{"n": -1}], priority=1000)
    queue.enqueue(flow, [{"n": n} for n in range(50)], priority=0)
    claimed = [one["payload"]["n"] for _ in range(11) for one in processor.claim_records_batch(flow, 1)]
    assert claimed == [*range(9), -1, 9]


def hold(conn: psycopg.Connection[Any], flow: str) -> None:
    conn.execute("SELECT 1 FROM processing_queue WHERE flow_name = %s FOR UPDATE", (flow,))


def blocked_by(db: DatabaseManager, pid: int) -> bool:
    sql = "SELECT 1 FROM pg_stat_activity WHERE :pid = ANY (pg_blocking_pids(pid))"
    return bool(db.execute_query("blocked", sql, {"pid": pid}))


def test_claim_of_many_at_once_leaves_nobody_empty_handed_while_records_wait(
    processor: DistributedProcessor, flow: str
) -> None:
    n = 8
    processor.add_records_to_queue(flow, [{"n": i} for i in range(n * 20)])
    gate = threading.Barrier(n)

    def claims() -> list[dict[str, Any]]:
        gate.wait()
        return processor.claim_records_batch(flow, 20)

    with ThreadPoolExecutor(n) as pool:
        shares = [future.result() for future in [pool.submit(claims) for _ in range(n)]]
    assert [len(share) for share in shares] == [20] * n
    assert all(share == sorted(share, key=lambda one: one["id"]) for share in shares)
    assert len({one["id"] for share in shares for one in share}) == n * 20


def test_claim_waits_for_a_held_header_and_takes_what_its_holder_left(
    processor: DistributedProcessor, flow: str, db: DatabaseManager
) -> None:
    processor.add_records_to_queue(flow, [{"n": i} for i in range(4)])
    with ThreadPoolExecutor(1) as pool:
        with db.transaction() as conn:
            holder = conn.info.backend_pid
            hold(conn, flow)
            later = pool.submit(processor.claim_records_batch, flow, 4)
            until(lambda: blocked_by(db, holder))
        assert [one["payload"]["n"] for one in later.result()] == [0, 1, 2, 3]


def test_claim_gives_up_on_a_header_that_stays_held_and_says_so(
    queue: BatchQueue, processor: DistributedProcessor, flow: str, db: DatabaseManager, caplog: pytest.LogCaptureFixture
) -> None:
    processor.add_records_to_queue(flow, [{"n": 1}])
    with db.transaction() as conn:
        hold(conn, flow)
        assert records.claim(db, queue.claimant, flow, 1, wait_s=0.05) == []
        assert f"records of flow {flow} wait" in caplog.text
        # What comes in behind the held header is taken.
        processor.add_records_to_queue(flow, [{"n": 2}])
        assert [one["payload"]["n"] for one in processor.claim_records_batch(flow, 9)] == [2]
    assert [one["payload"]["n"] for one in processor.claim_records_batch(flow, 9)] == [1]


def test_claim_without_records_asks_once(queue: BatchQueue, flow: str, db: DatabaseManager) -> None:
    flows.ensure(db, FlowPolicy(flow))
    assert records.claim(db, queue.claimant, flow, 1) == []
    flows.pause(db, flow, "a test")
    queue.enqueue(flow, [{}])
    assert records.claim(db, queue.claimant, flow, 1) == []
