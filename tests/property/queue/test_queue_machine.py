"""Any order of what can happen to batches keeps every item exactly once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

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
from core.errors import LeaseLost, QueueError
from core.queue import BatchQueue, ClaimedBatch, FlowPolicy, RowFailure
from core.queue.leases import dead_letters
from core.queue.leases.fairness import Lane
from core.queue.leases.together import Finished, plain
from core.queue.producers import jobs
from core.queue.store import flows
from core.queue.store.items import items_together
from core.settings import QueueSettings
from tests.profiles import scaled

Lease = tuple[int, ClaimedBatch]

FAULTS = st.sampled_from(["transient", "permanent"])
TENANTS = st.sampled_from(["default", "second"])
# Threads of a processor that would change the queue on their own, and hypothesis would see other runs of one example.
QUIET = {"lease_ttl_s": 3_600, "beat_s": 1_800, "rescue_every_s": 3_600, "depth_every_s": 3_600}
# So slow that nothing flows back while a machine runs.
RATE = 1e-9

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
        WHERE t.flow_name = :f AND t.marked IS NULL),
       (SELECT coalesce(sum(n_failed - n_dead), 0)::bigint FROM queue_history
        WHERE flow_name = :f AND outcome = 'cancelled'),
       (SELECT count(*) FROM machine_sink WHERE flow_name = :f),
       (SELECT count(*) FROM (SELECT DISTINCT s.origin, s.seq FROM machine_sink s
                              JOIN queue_results r ON r.batch_id = s.origin AND r.seq = s.seq
                              WHERE s.flow_name = :f) sunk)
"""

# A batch ends once: whatever its holders try, each lease has at most one row.
ENDED_TWICE = """
SELECT batch_id, lease_token FROM queue_history WHERE flow_name = :f AND lease_token IS NOT NULL
GROUP BY batch_id, lease_token HAVING count(*) > 1
"""
WRITTEN = """
SELECT (SELECT count(*) FROM queue_results r JOIN queue_batches b USING (batch_id) WHERE b.flow_name = :f),
       (SELECT count(*) FROM queue_history WHERE flow_name = :f),
       (SELECT json_agg(q ORDER BY batch_id)::text FROM processing_queue q WHERE flow_name = :f)
"""
# What the policies leave to a claim: the flow's pause, its cap, and what is in its bucket.
OPEN = """
SELECT f.tenant_id, f.paused, f.max_running, f.rows_per_s IS NOT NULL,
       least(coalesce(f.bucket_rows, f.burst_rows), f.burst_rows),
       count(*) FILTER (WHERE q.state = 'running'), count(*) FILTER (WHERE q.state = 'ready')
FROM queue_flows f LEFT JOIN processing_queue q ON q.flow_name = f.flow_name AND q.tenant_id = f.tenant_id
WHERE f.flow_name = :f GROUP BY f.flow_name, f.tenant_id ORDER BY f.tenant_id
"""
HOLDS = "SELECT 1 FROM processing_queue WHERE batch_id = :b AND lease_token = :t"
EXPIRE = """
UPDATE processing_queue SET lease_until = now() - interval '1 s'
WHERE flow_name = :f AND state = 'running' AND (:b = 0 OR batch_id = :b)
"""
PASS_TIME = (
    "UPDATE queue_retries SET due_at = now() WHERE flow_name = :f",
    "UPDATE queue_inbox SET received_at = now() - interval '1 minute' WHERE flow_name = :f",
    "UPDATE processing_queue SET not_before = now() WHERE flow_name = :f AND not_before IS NOT NULL",
)

VIEW = "SELECT count(*), count(DISTINCT id) FROM processing_queue_records WHERE flow_name = :f"
# What is in the inbox is no item yet, and pending.
BY_STATUS = """
SELECT status, count(*) FROM processing_queue_records WHERE flow_name = :f GROUP BY status
UNION ALL SELECT 'pending', count(*) FROM queue_inbox WHERE flow_name = :f
"""


class QueueMachine(RuleBasedStateMachine):
    """Two workers, a record-level processor, a producer and an operator on one flow of two tenants."""

    leases = Bundle("leases")
    # Leases whose worker ended them, crashed, or was told that they are lost: a zombie may come back with any.
    old = Bundle("old")

    def __init__(self, db: DatabaseManager) -> None:
        super().__init__()
        self.db = db
        self.flow = f"flow-{uuid.uuid4().hex}"
        config = QueueSettings(failed_share_max=0.5, **QUIET)
        self.workers = [BatchQueue(db, config, f"worker-{n}", jitter=lambda: 0.5) for n in range(2)]
        self.processor = DistributedProcessor(db, QueueSettings(record_max_attempts=2, **QUIET))
        for tenant in ("default", "second"):
            policy = FlowPolicy(self.flow, tenant, max_attempts=2, splittable=True, backoff_s=0)
            self.workers[0].register_flow(policy)
        self.records: list[int] = []
        self.jobs = [self.workers[0].submit_job(self.flow, f"{self.flow}-{n}", {}, "").job_id for n in range(2)]

    def teardown(self) -> None:
        self.processor.close()

    @rule(attempts=st.integers(1, 3), splittable=st.booleans(), tenant=TENANTS)
    def change_policy(self, attempts: int, splittable: bool, tenant: str) -> None:
        backoff_s = 0 if attempts < 3 else 60
        self.workers[0].register_flow(
            FlowPolicy(self.flow, tenant, max_attempts=attempts, splittable=splittable, backoff_s=backoff_s)
        )

    @rule(tenant=TENANTS, cap=st.none() | st.integers(1, 3), burst=st.none() | st.integers(1, 20))
    def limit(self, tenant: str, cap: int | None, burst: int | None) -> None:
        rate = None if burst is None else RATE
        policy = FlowPolicy(self.flow, tenant, 2, splittable=True, backoff_s=0, max_running=cap)
        self.workers[0].register_flow(replace(policy, rows_per_s=rate, burst_rows=burst))

    @rule(
        n=st.integers(1, 14), batch_rows=st.integers(1, 14), job=st.sampled_from([None, 0, 1]), tenant=TENANTS,
        priority=st.sampled_from([0, 100]),
    )  # fmt: skip
    def enqueue(self, n: int, batch_rows: int, job: int | None, tenant: str, priority: int) -> None:
        job_id = None if job is None else self.jobs[job]
        place = {"job_id": job_id, "tenant_id": "default" if job_id else tenant, "priority": priority}
        rows = [{"n": i} for i in range(n)]
        try:
            self.workers[0].enqueue(self.flow, rows, batch_rows=batch_rows, **place)
        except QueueError:
            # The job was cancelled.
            assert job_id is not None

    @rule(n=st.integers(1, 3))
    def trickle(self, n: int) -> None:
        for i in range(n):
            self.workers[0].put(self.flow, {"n": i})

    @rule(target=leases, worker=st.sampled_from([0, 1]), limit=st.integers(1, 2))
    def claim(self, worker: int, limit: int) -> object:
        found = self.db.execute_query("open", OPEN, {"f": self.flow})
        batches = self.workers[worker].claim(self.flow, limit)
        assert len(batches) <= limit
        most = 0
        for tenant, paused, cap, rated, bucket, running, ready in found:
            own = [batch.n_items for batch in batches if batch.tenant_id == tenant]
            slots = 0 if paused else ready if cap is None else min(ready, max(0, cap - running))
            assert len(own) <= slots
            # Only the last one may exceed what is in the bucket.
            assert not rated or sum(own[:-1]) <= max(0, bucket)
            most += slots
        if not any(rated for _, _, _, rated, *_ in found):
            assert bool(batches) == bool(most)
        return multiple(*[(worker, batch) for batch in batches])

    @rule(worker=st.sampled_from([0, 1]), limit=st.integers(2, 5), rows=st.integers(1, 20), lost=st.booleans())
    def work_through_a_group(self, worker: int, limit: int, rows: int, lost: bool) -> None:
        """Several batches a claim, ended in one commit; if the lease of one is lost, none of them by it."""
        queue = self.workers[worker]
        batches = queue.claim(self.flow, limit, together_rows=rows)
        assert len(batches) <= limit
        if len(batches) > 1:
            assert all(batch.attempt == 1 for batch in batches)
            assert sum(batch.n_items for batch in batches) <= rows
        texts = items_together(self.db, [batch for batch in batches if plain(batch)])
        frames = {batch_id: text.frame().select("seq", output="payload") for batch_id, text in texts.items()}
        group = [Finished(batch, frames[batch.batch_id], 1.0, 1.0) for batch in batches if plain(batch)]
        if lost and batches:
            self.db.execute_query("x", EXPIRE, {"f": self.flow, "b": batches[0].batch_id})
            queue.rescue()
        if lost and group and batches[0] is group[0].batch:
            before = self._written()
            with pytest.raises(LeaseLost):
                queue.complete_together(group)
            assert self._written() == before
        else:
            queue.complete_together(group)
        queue.release([batch for batch in batches if self._holds(batch)])

    @rule(worker=st.sampled_from([0, 1]), tenant=st.none() | TENANTS)
    def believe_that_nothing_is_live(self, worker: int, tenant: str | None) -> None:
        """The most wrong that a worker's memory of where live batches begin can be."""
        for _ in range(2):
            self.workers[worker].claimant.turns.live_from(Lane(self.flow, tenant), 2**62)

    @rule(target=old, lease=consumes(leases), data=st.data(), with_sink=st.booleans())
    def complete(self, lease: Lease, data: st.DataObject, with_sink: bool) -> Lease:
        worker, batch = lease
        queue = self.workers[worker]
        items = queue.items(batch)
        picked = st.lists(st.sampled_from(items["seq"].to_list()), unique=True) if items.height else st.just([])
        bad = data.draw(picked)
        failures = [RowFailure(seq, "E", "", data.draw(FAULTS)) for seq in bad]
        good = items.filter(~pl.col("seq").is_in(bad)).select("seq", pl.col("payload").alias("output"))
        sink = self._sink(batch, good["seq"].to_list()) if with_sink and batch.kind == "new" else None
        self._end(batch, lambda: queue.complete(batch, good, sink=sink, failures=failures))
        return lease

    def _sink(self, batch: ClaimedBatch, seqs: list[int]) -> Callable[[Any], None]:
        """Writes the identities of the good rows on the completing connection."""

        def sink(conn: Any) -> None:
            statement = "INSERT INTO machine_sink SELECT %s, %s, unnest(%s::bigint[])"
            conn.execute(statement, (self.flow, batch.origin_batch_id, seqs))

        return sink

    @rule(target=old, lease=consumes(leases), retryable=st.booleans())
    def fail(self, lease: Lease, retryable: bool) -> Lease:
        worker, batch = lease
        self._end(batch, lambda: self.workers[worker].fail(batch, "E", "why", retryable=retryable))
        return lease

    def _end(self, batch: ClaimedBatch, act: Callable[[], object]) -> None:
        """Succeeds exactly when the token still stands."""
        if self._holds(batch):
            act()
        else:
            with pytest.raises(LeaseLost):
                act()

    def _holds(self, batch: ClaimedBatch) -> bool:
        return bool(self.db.execute_query("t", HOLDS, {"b": batch.batch_id, "t": batch.token}))

    @rule(target=old, lease=consumes(leases))
    def release(self, lease: Lease) -> Lease:
        worker, batch = lease
        held = self._holds(batch)
        assert self.workers[worker].release([batch]) == held
        return lease

    @rule(lease=leases)
    def beat(self, lease: Lease) -> None:
        worker, batch = lease
        held = self._holds(batch)
        assert self.workers[worker].heartbeat([batch]) == ([] if held else [batch.batch_id])

    @rule(target=old, lease=consumes(leases))
    def crash(self, lease: Lease) -> Lease:
        return lease

    @rule(lease=old, by=st.sampled_from(["complete", "fail", "release", "beat"]))
    def zombie(self, lease: Lease, by: str) -> None:
        """A worker acts on a lease of long ago: if it stands it may, else nothing must change."""
        worker, batch = lease
        queue, held, before = self.workers[worker], self._holds(batch), self._written()
        items = queue.items(batch)
        with suppress(LeaseLost):
            match by:
                case "complete":
                    queue.complete(batch, items.select("seq", pl.col("payload").alias("output")))
                case "fail":
                    queue.fail(batch, "Z", "why")
                case "release":
                    assert queue.release([batch]) == held
                case _:
                    assert queue.heartbeat([batch]) == ([] if held else [batch.batch_id])
        assert by == "beat" or not self._holds(batch)
        assert held or self._written() == before

    def _written(self) -> list[tuple[Any, ...]]:
        """What only a holder may change."""
        return self.db.execute_query("w", WRITTEN, {"f": self.flow})

    @rule(lease=leases)
    def expire(self, lease: Lease) -> None:
        """The lease runs out; nobody has noticed yet."""
        if self._holds(lease[1]):
            self.db.execute_query("x", EXPIRE, {"f": self.flow, "b": lease[1].batch_id})

    @rule()
    def rescue(self) -> None:
        self.workers[1].rescue()

    @rule()
    def crash_all_and_rescue(self) -> None:
        self.db.execute_query("x", EXPIRE, {"f": self.flow, "b": 0})
        self.workers[1].rescue()

    @rule()
    def time_passes(self) -> None:
        for statement in PASS_TIME:
            self.db.execute_query("pass", statement, {"f": self.flow})
        self.workers[0].sweep()

    @rule()
    def pause(self) -> None:
        flows.pause(self.db, self.flow, "why")
        assert self.workers[0].claim(self.flow) == []

    @rule(job=st.sampled_from([0, 1]), what=st.sampled_from(["pause", "resume", "cancel", "finish"]))
    def steer_job(self, job: int, what: str) -> None:
        act = {"pause": jobs.pause, "resume": jobs.resume, "cancel": jobs.cancel, "finish": jobs.finish}[what]
        with suppress(QueueError):
            act(self.db, self.jobs[job])

    @rule()
    def redrive(self) -> None:
        dead_letters.redrive(self.db, self.flow)

    @rule()
    def resume(self) -> None:
        flows.resume(self.db, self.flow)

    @rule(n=st.integers(1, 9))
    def claim_records(self, n: int) -> None:
        before = self.db.execute_query("open", OPEN, {"f": self.flow})
        records = [one["id"] for one in self.processor.claim_records_batch(self.flow, n)]
        assert len(records) <= n
        for was, now in zip(before, self.db.execute_query("open", OPEN, {"f": self.flow}), strict=True):
            _, paused, cap, _, bucket, running, _ = was
            assert now[5] <= running or (not paused and now[5] <= (cap or now[5]))
            # What is cut to what is there lends nothing.
            assert bucket is None or now[4] >= min(bucket, 0)
        self.records += records

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
        ((items, results, once, waiting, dead, live, cancelled, sunk, sunk_once),) = self.db.execute_query(
            "b", BALANCE, {"f": self.flow}
        )
        assert results == once
        assert sunk == sunk_once
        assert results + waiting + dead + live + cancelled == items
        assert self.db.execute_query("e", ENDED_TWICE, {"f": self.flow}) == []
        assert self.db.execute_query("v", VIEW, {"f": self.flow}) == [(items, items)]
        seen: dict[str, int] = {}
        for status, n in self.db.execute_query("s", BY_STATUS, {"f": self.flow}):
            seen[status] = seen.get(status, 0) + n
        told = self.processor.get_queue_status(self.flow)
        names = ("pending", "processing", "completed", "failed")
        assert {name: told[f"{name}_records"] for name in names} == {name: seen.get(name, 0) for name in names}


def test_queue_keeps_every_item_exactly_once(db: DatabaseManager) -> None:
    db.execute_query("make", "CREATE TABLE machine_sink (flow_name text, origin bigint, seq bigint)")
    run_state_machine_as_test(
        lambda: QueueMachine(db),
        settings=settings(
            max_examples=scaled(0.32),
            stateful_step_count=40,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
