"""Any order of what can happen to records keeps each once, and what a mark returned for good."""

from __future__ import annotations

import atexit
import contextlib
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from core.database import DatabaseManager
from core.distributed import DistributedProcessor
from core.errors import LeaseLost, StoreUnavailable
from core.queue import BatchQueue
from core.queue.leases import dead_letters
from core.settings import QueueSettings
from tests.profiles import scaled

# Threads of a processor that would change the queue on their own, and hypothesis would see other runs of one example.
QUIET = {"lease_ttl_s": 3_600, "beat_s": 1_800, "rescue_every_s": 3_600, "depth_every_s": 3_600}
WHO = st.integers(0, 2)
FATE = st.sampled_from(["done", "failed"])
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
RESULTS = """SELECT r.batch_id << 20 | r.seq, r.output FROM queue_results r JOIN queue_batches b USING (batch_id)
             WHERE b.flow_name = :f"""
GONE = "UPDATE processing_queue SET lease_until = now() - interval '1 s' WHERE flow_name = :f AND state = 'running'"


class FlakyDatabase:
    """A manager whose next replies are lost, after the statement was done or before."""

    def __init__(self, db: DatabaseManager) -> None:
        self._db = db
        self.losses: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    def execute_once(self, *given: Any) -> Any:
        with self._lossy():
            return self._db.execute_once(*given)

    @contextlib.contextmanager
    def transaction(self, *given: Any) -> Iterator[Any]:
        with self._lossy(), self._db.transaction(*given) as conn:
            yield conn

    @contextlib.contextmanager
    def _lossy(self) -> Iterator[None]:
        when = self.losses.pop() if self.losses else None
        if when == "before":
            raise StoreUnavailable("lost")
        yield
        if when == "after":
            raise StoreUnavailable("lost")


class RecordsMachine(RuleBasedStateMachine):
    """Three processors, one of which flushes every third mark, on one flow; a sweeper and an operator."""

    def __init__(self, db: DatabaseManager) -> None:
        super().__init__()
        self.db = db
        self.flow = f"flow-{uuid.uuid4().hex}"
        self.sweeper = BatchQueue(db, QueueSettings(record_max_attempts=2, **QUIET), "sweeper", jitter=lambda: 0.5)
        self.flaky = [FlakyDatabase(db) for _ in range(3)]
        self.processors = [self._processor(who) for who in range(3)]
        self.claimed: list[list[int]] = [[], [], []]
        self.n_marks = 0
        # What a mark that returned has promised: this result, for ever.
        self.promised: dict[int, int] = {}

    def _processor(self, who: int) -> DistributedProcessor:
        config = QueueSettings(record_max_attempts=2, **QUIET)
        return DistributedProcessor(self.flaky[who], config, flush_every=3 if who == 2 else 1)  # type: ignore[arg-type]

    def teardown(self) -> None:
        for flaky, processor in zip(self.flaky, self.processors, strict=True):
            flaky.losses.clear()
            processor.close()

    @initialize()
    def begin(self) -> None:
        self.add(5)

    @rule(n=st.integers(1, 9))
    def add(self, n: int) -> None:
        self.processors[0].add_records_to_queue(self.flow, [{"n": i} for i in range(n)])

    @rule(who=WHO, n=st.integers(1, 6))
    def claim(self, who: int, n: int) -> None:
        came = self.processors[who].claim_records_batch(self.flow, n)
        assert not {one["id"] for one in came} & self.promised.keys()
        self.claimed[who] += [one["id"] for one in came]

    @rule(who=WHO, fate=FATE, data=st.data(), losses=st.lists(st.sampled_from(["before", "after"]), max_size=4))
    def mark(self, who: int, fate: str, data: st.DataObject, losses: list[str]) -> None:
        if not self.claimed[who]:
            return
        picked = data.draw(st.lists(st.sampled_from(self.claimed[who]), min_size=1, max_size=4, unique=True))
        self.n_marks += 1
        processor = self.processors[who]
        self.flaky[who].losses = losses
        try:
            if fate == "done":
                processor.mark_records_completed([(identity, self.n_marks) for identity in picked])
            else:
                processor.mark_records_failed([(identity, "why") for identity in picked])
        except LeaseLost as error:
            self.claimed[who] = [one for one in self.claimed[who] if one not in error.record_ids]
            picked = [one for one in picked if one not in error.record_ids]
        except StoreUnavailable:
            # Nobody promised anything; the next mark of the same record looks first.
            return
        finally:
            self.flaky[who].losses = []
        if who != 2:
            found = dict(self.db.execute_query("r", RESULTS, {"f": self.flow}))
            for identity in picked:
                if fate == "done" and identity in found:
                    self.promised.setdefault(identity, found[identity])
                # A mark that returned leaves a trace: its own, or that of an earlier one.
                assert fate == "failed" or identity in found or self._failed_before(identity)

    def _failed_before(self, identity: int) -> bool:
        status = "SELECT status FROM processing_queue_records WHERE flow_name = :f AND id = :i"
        return self.db.execute_query("s", status, {"f": self.flow, "i": identity}) != [("processing",)]

    @rule(losses=st.lists(st.sampled_from(["before", "after"]), max_size=4))
    def flush(self, losses: list[str]) -> None:
        self.flaky[2].losses = losses
        with contextlib.suppress(LeaseLost, StoreUnavailable):
            self.processors[2].flush()
        self.flaky[2].losses = []

    @rule(who=WHO)
    def close(self, who: int) -> None:
        self.processors[who].close()
        self.claimed[who] = []

    @rule(who=WHO)
    def crash(self, who: int) -> None:
        """Its marks that were not flushed are lost, its leases run out."""
        atexit.unregister(self.processors[who]._at_exit)
        self.processors[who]._keeper.stop()
        self.processors[who] = self._processor(who)
        self.claimed[who] = []
        self.leases_run_out()

    @rule()
    def leases_run_out(self) -> None:
        self.db.execute_query("x", GONE, {"f": self.flow})
        self.sweeper.rescue()

    @rule()
    def time_passes(self) -> None:
        self.db.execute_query("d", "UPDATE queue_retries SET due_at = now() WHERE flow_name = :f", {"f": self.flow})
        self.sweeper.sweep()

    @rule()
    def redrive(self) -> None:
        dead_letters.redrive(self.sweeper.db, self.flow)

    @rule(who=WHO)
    def clean_up(self, who: int) -> None:
        self.processors[who].cleanup_orphaned_records(0)

    @invariant()
    def every_record_is_in_one_place_and_promises_are_kept(self) -> None:
        ((items, results, once, waiting, dead, live),) = self.db.execute_query("b", BALANCE, {"f": self.flow})
        assert results == once
        assert results + waiting + dead + live == items
        assert self.db.execute_query("v", VIEW, {"f": self.flow}) == [(items, items)]
        found = dict(self.db.execute_query("r", RESULTS, {"f": self.flow}))
        assert {identity: found.get(identity) for identity in self.promised} == self.promised
        seen = dict(self.db.execute_query("s", BY_STATUS, {"f": self.flow}))
        told = self.processors[0].get_queue_status(self.flow)
        names = ("pending", "processing", "completed", "failed")
        assert {name: told[f"{name}_records"] for name in names} == {name: seen.get(name, 0) for name in names}


def test_records_are_kept_once_and_marks_for_good(db: DatabaseManager) -> None:
    run_state_machine_as_test(
        lambda: RecordsMachine(db),
        settings=settings(
            max_examples=scaled(0.24),
            stateful_step_count=30,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_flaky_database_loses_what_it_is_told_to(db: DatabaseManager, when: str) -> None:
    flaky = FlakyDatabase(db)
    flaky.losses = [when]
    with pytest.raises(StoreUnavailable), flaky.transaction():
        pass
    with flaky.transaction() as conn:
        assert not conn.closed
