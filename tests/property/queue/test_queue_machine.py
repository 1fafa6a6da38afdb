"""Any order of what can happen to batches keeps every item exactly once."""

from __future__ import annotations

import uuid

import polars as pl
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from core.database import DatabaseManager
from core.distributed import DistributedProcessor
from core.errors import LeaseLost
from core.queue import BatchQueue, ClaimedBatch, FlowPolicy, RowFailure
from core.settings import QueueSettings

FAULTS = st.sampled_from(["transient", "permanent"])

BALANCE = """
SELECT (SELECT count(*) FROM queue_items i JOIN queue_batches b USING (batch_id) WHERE b.flow_name = :f),
       (SELECT count(*) FROM queue_results r JOIN queue_batches b USING (batch_id) WHERE b.flow_name = :f),
       (SELECT count(*) FROM (SELECT DISTINCT r.batch_id, r.seq FROM queue_results r
                              JOIN queue_batches b USING (batch_id) WHERE b.flow_name = :f) once),
       (SELECT count(*) FROM queue_retries WHERE flow_name = :f AND retry_batch_id IS NULL),
       (SELECT count(*) FROM dead_letters WHERE flow_name = :f),
       (SELECT count(*) FROM queue_items i JOIN processing_queue q ON q.kind = 'new' AND q.origin_batch_id = i.batch_id
            AND i.seq >= q.item_lo AND i.seq < q.item_hi
        WHERE q.flow_name = :f AND (i.batch_id, i.seq) NOT IN (
            SELECT batch_id, seq FROM queue_results UNION ALL SELECT origin_batch_id, seq FROM dead_letters
            UNION ALL SELECT origin_batch_id, seq FROM queue_retries))
     + (SELECT count(*) FROM queue_retries t JOIN processing_queue q ON q.kind = 'retry'
            AND q.origin_batch_id = t.retry_batch_id AND t.retry_seq >= q.item_lo AND t.retry_seq < q.item_hi
        WHERE t.flow_name = :f AND t.marked IS NULL)
"""

VIEW = "SELECT count(*), count(DISTINCT id) FROM processing_queue_records WHERE flow_name = :f"
BY_STATUS = "SELECT status, count(*) FROM processing_queue_records WHERE flow_name = :f GROUP BY status"


class QueueMachine(RuleBasedStateMachine):
    """Two workers, a record-level processor and an operator on one flow."""

    leases = Bundle("leases")

    def __init__(self, db: DatabaseManager) -> None:
        super().__init__()
        self.db = db
        self.flow = f"flow-{uuid.uuid4().hex}"
        config = QueueSettings(failed_share_max=0.5)
        self.workers = [BatchQueue(db, config, f"worker-{n}", jitter=lambda: 0.5) for n in range(2)]
        self.processor = DistributedProcessor(db, QueueSettings(record_max_attempts=2))
        self.workers[0].register_flow(FlowPolicy(self.flow, max_attempts=2, splittable=True, backoff_s=0))
        self.records: list[int] = []

    def teardown(self) -> None:
        self.processor.close()

    @rule(n=st.integers(1, 14), batch_rows=st.integers(1, 14))
    def enqueue(self, n: int, batch_rows: int) -> None:
        self.workers[0].enqueue(self.flow, [{"n": i} for i in range(n)], batch_rows=batch_rows)

    @rule(target=leases, worker=st.sampled_from([0, 1]), limit=st.integers(1, 2))
    def claim(self, worker: int, limit: int) -> object:
        return multiple(*[(worker, batch) for batch in self.workers[worker].claim(self.flow, limit)])

    @rule(lease=consumes(leases), data=st.data())
    def complete(self, lease: tuple[int, ClaimedBatch], data: st.DataObject) -> None:
        worker, batch = lease
        queue = self.workers[worker]
        items = queue.items(batch)
        picked = st.lists(st.sampled_from(items["seq"].to_list()), unique=True) if items.height else st.just([])
        bad = data.draw(picked)
        failures = [RowFailure(seq, "E", "", data.draw(FAULTS)) for seq in bad]
        good = items.filter(~pl.col("seq").is_in(bad)).select("seq", pl.col("payload").alias("output"))
        self._end(batch, lambda: queue.complete(batch, good, failures=failures))

    @rule(lease=consumes(leases), retryable=st.booleans())
    def fail(self, lease: tuple[int, ClaimedBatch], retryable: bool) -> None:
        worker, batch = lease
        self._end(batch, lambda: self.workers[worker].fail(batch, "E", "why", retryable=retryable))

    def _end(self, batch: ClaimedBatch, act: object) -> None:
        """Succeeds exactly when the token still stands."""
        holds = self.db.execute_query(
            "t",
            "SELECT 1 FROM processing_queue WHERE batch_id = :b AND lease_token = :t",
            {"b": batch.batch_id, "t": batch.token},
        )
        if holds:
            act()  # type: ignore[operator]
        else:
            with pytest.raises(LeaseLost):
                act()  # type: ignore[operator]

    @rule(lease=consumes(leases))
    def release(self, lease: tuple[int, ClaimedBatch]) -> None:
        worker, batch = lease
        self.workers[worker].release([batch])

    @rule(lease=leases)
    def beat(self, lease: tuple[int, ClaimedBatch]) -> None:
        worker, batch = lease
        self.workers[worker].heartbeat([batch])

    @rule()
    def crash_and_rescue(self) -> None:
        self.db.execute_query(
            "x",
            "UPDATE processing_queue SET lease_until = now() - interval '1 s' "
            "WHERE flow_name = :f AND state = 'running'",
            {"f": self.flow},
        )
        self.workers[1].rescue()

    @rule()
    def time_passes(self) -> None:
        self.db.execute_query("d", "UPDATE queue_retries SET due_at = now() WHERE flow_name = :f", {"f": self.flow})
        self.workers[0].sweep()

    @rule()
    def redrive(self) -> None:
        self.workers[0].redrive(self.flow)

    @rule()
    def resume(self) -> None:
        self.workers[0].resume_flow(self.flow)

    @rule(n=st.integers(1, 9))
    def claim_records(self, n: int) -> None:
        self.records += [one["id"] for one in self.processor.claim_records_batch(self.flow, n)]

    @rule(data=st.data(), fine=st.booleans())
    def mark_record(self, data: st.DataObject, fine: bool) -> None:
        if not self.records:
            return
        identity = data.draw(st.sampled_from(self.records))
        try:
            if fine:
                self.processor.mark_record_completed(identity, 1)
            else:
                self.processor.mark_record_failed(identity, "why")
        except LeaseLost:
            self.records.remove(identity)

    @rule()
    def clean_up(self) -> None:
        self.processor.cleanup_orphaned_records(0)

    @invariant()
    def every_item_is_in_one_place(self) -> None:
        ((items, results, once, waiting, dead, live),) = self.db.execute_query("b", BALANCE, {"f": self.flow})
        assert results == once
        assert results + waiting + dead + live == items
        assert self.db.execute_query("v", VIEW, {"f": self.flow}) == [(items, items)]
        seen = dict(self.db.execute_query("s", BY_STATUS, {"f": self.flow}))
        told = self.processor.get_queue_status(self.flow)
        names = ("pending", "processing", "completed", "failed")
        assert {name: told[f"{name}_records"] for name in names} == {name: seen.get(name, 0) for name in names}


def test_queue_keeps_every_item_exactly_once(db: DatabaseManager) -> None:
    run_state_machine_as_test(
        lambda: QueueMachine(db),
        settings=settings(
            max_examples=12,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
