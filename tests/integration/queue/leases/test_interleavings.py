"""Two sessions in each other's way: what blocks, what does not, and who wins.

A gate holds chosen transactions at their COMMIT, after all their statements: a deferred trigger waits there for an
advisory lock that the test holds. Everything else is ordinary code in threads, and `blocked` looks at pg_stat_activity.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
import pytest

from core.database import DatabaseManager
from core.errors import LeaseLost
from core.queue import BatchQueue, ClaimedBatch, FlowPolicy, LeaseKeeper
from core.queue.leases.sinks import Sink
from core.queue.producers import jobs
from core.queue.store import retention
from core.settings import QueueSettings

T = TypeVar("T")

LIMIT_S = 60.0
GATE = 4242
# Flows called gate-in... are held when headers come in, gate-out... when headers go out.
TRIGGER = f"""
CREATE FUNCTION hold_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF coalesce(NEW.flow_name, '') LIKE 'gate-in%' OR coalesce(OLD.flow_name, '') LIKE 'gate-out%' THEN
        PERFORM pg_advisory_xact_lock_shared({GATE});
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER gate AFTER INSERT OR DELETE ON processing_queue DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION hold_at_gate();
"""
WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event IN ('{}')
"""


@pytest.fixture(scope="module", autouse=True)
def _trigger(database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        conn.execute(TRIGGER)


@dataclass
class Gate:
    """Closed from the start. `open` lets everybody through, for good."""

    conn: psycopg.Connection[tuple[int]]
    threads: ThreadPoolExecutor

    def start(self, act: Callable[..., T], *args: Any) -> Future[T]:
        """Act in a thread of its own."""
        return self.threads.submit(act, *args)

    def _waiting(self, *events: str) -> int:
        row = self.conn.execute(WAITING.format("', '".join(events)).encode()).fetchone()
        assert row is not None
        return row[0]

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        give_up = time.monotonic() + LIMIT_S
        while not holds():
            assert time.monotonic() < give_up, f"nobody {what}"
            time.sleep(0.005)

    def reached(self, n: int = 1) -> None:
        """Wait until so many transactions stand at the gate."""
        self._until(lambda: self._waiting("advisory") >= n, "reached the gate")

    def blocked(self) -> None:
        """Wait until somebody waits for a row that another transaction holds."""
        self._until(lambda: self._waiting("transactionid", "tuple") >= 1, "waits for a row")

    def open(self) -> None:
        self.conn.execute("SELECT pg_advisory_unlock_all()")


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


@pytest.fixture
def gate(database_url: str, threads: ThreadPoolExecutor) -> Iterator[Gate]:
    """After `threads`, so that a test that fails lets everybody through before its threads are waited for."""
    with psycopg.connect(database_url, autocommit=True) as conn:
        conn.execute(f"SELECT pg_advisory_lock({GATE})".encode())
        yield Gate(conn, threads)


@pytest.fixture
def gated(queue: BatchQueue) -> str:
    """A flow whose headers are held at the gate when they go."""
    return register(queue, "gate-out")


def register(queue: BatchQueue, kind: str, **policy: int) -> str:
    name = f"{kind}-{uuid.uuid4().hex[:8]}"
    queue.register_flow(FlowPolicy(name, backoff_s=0.01, **policy))  # type: ignore[arg-type]
    return name


def claim_new(queue: BatchQueue, flow: str, n_rows: int = 3, job_id: int | None = None) -> ClaimedBatch:
    queue.enqueue(flow, [{"n": n} for n in range(n_rows)], job_id=job_id)
    (batch,) = queue.claim(flow)
    return batch


def complete(queue: BatchQueue, batch: ClaimedBatch, sink: Sink | None = None) -> str:
    """The sink runs with the results written and the fence still to come."""
    return queue.complete(batch, queue.items(batch).select("seq", output="payload"), sink=sink)


def wait(event: threading.Event) -> None:
    assert event.wait(LIMIT_S)


def lost(future: Future[str]) -> None:
    with pytest.raises(LeaseLost):
        future.result(LIMIT_S)


def ends(db: DatabaseManager, batch: ClaimedBatch) -> list[str]:
    """How the attempts of a batch ended, in order."""
    query = "SELECT outcome FROM queue_history WHERE batch_id = :b ORDER BY history_id"
    return [outcome for (outcome,) in db.execute_query("h", query, {"b": batch.batch_id})]


def test_rescue_goes_past_a_completion_that_has_written_and_not_fenced(
    queue: BatchQueue, other: BatchQueue, flow: str, threads: ThreadPoolExecutor,
    expire: Callable[[ClaimedBatch], None], count: Callable[..., int],
) -> None:  # fmt: skip
    batch, held, written = claim_new(queue, flow), threading.Event(), threading.Event()

    def sink(_: object) -> None:
        written.set()
        wait(held)

    slow_end = threads.submit(complete, queue, batch, sink)
    wait(written)
    expire(batch)
    assert other.rescue() == 1
    (again,) = other.claim(flow)
    assert complete(other, again) == "completed"
    held.set()
    lost(slow_end)
    assert count("queue_results", batch_id=batch.origin_batch_id) == 3


def test_completion_waits_behind_a_rescue_in_flight_and_loses(
    queue: BatchQueue, db: DatabaseManager, gate: Gate,
    expire: Callable[[ClaimedBatch], None], count: Callable[..., int],
) -> None:  # fmt: skip
    """The rescue stands in its transaction, header locked: it draws its jitter there from the second attempt on."""
    flow, locked, go_on = register(queue, "plain"), threading.Event(), threading.Event()
    queue.enqueue(flow, [{"n": 1}])
    for _ in range(2):
        (batch,) = queue.claim(flow)
        expire(batch)
        if batch.attempt == 1:
            assert queue.rescue() == 1

    def jitter() -> float:
        locked.set()
        wait(go_on)
        return 0.5

    rescuer = BatchQueue(db, QueueSettings(), "rescuer", jitter=jitter)
    rescued = gate.start(rescuer.rescue)
    wait(locked)
    late = gate.start(complete, queue, batch)
    gate.blocked()
    go_on.set()
    assert rescued.result(LIMIT_S) == 1
    lost(late)
    assert count("queue_results", batch_id=batch.origin_batch_id) == 0
    assert ends(db, batch) == ["expired", "expired"]


def test_rescue_and_claim_do_not_wait_for_a_completion_that_commits(
    queue: BatchQueue, other: BatchQueue, db: DatabaseManager, gated: str, gate: Gate,
    expire: Callable[[ClaimedBatch], None],
) -> None:  # fmt: skip
    """The header is locked by the fence: whoever looks for work skips it instead of queueing up behind it."""
    batch = claim_new(queue, gated)
    expire(batch)
    committing = gate.start(complete, queue, batch)
    gate.reached()
    for look in (other.rescue, lambda: len(other.claim(gated))):
        assert gate.start(look).result(LIMIT_S) == 0
    gate.open()
    assert committing.result(LIMIT_S) == "completed"
    assert ends(db, batch) == ["completed"]


def test_a_beat_behind_the_own_completion_is_no_loss(queue: BatchQueue, gated: str, gate: Gate) -> None:
    batch = claim_new(queue, gated)
    keeper = LeaseKeeper(queue)
    keeper.add(batch)
    committing = gate.start(complete, queue, batch)
    gate.reached()
    beat = gate.start(keeper.beat)
    gate.blocked()
    gate.open()
    assert committing.result(LIMIT_S) == "completed"
    beat.result(LIMIT_S)
    assert (keeper.lost, keeper.held()) == (set(), [])


def test_of_two_last_completers_one_finishes_the_job(
    queue: BatchQueue, other: BatchQueue, gated: str, gate: Gate
) -> None:
    """Neither sees the other's commit in its own transaction; the job is finished apart from both, after them."""
    job = queue.submit_job(gated, f"key-{gated}", {}, "")
    batches = [(worker, claim_new(worker, gated, job_id=job.job_id)) for worker in (queue, other)]
    assert jobs.finish(queue.db, job.job_id) == "running"
    ending = [gate.start(complete, worker, batch) for worker, batch in batches]
    gate.reached(2)
    gate.open()
    assert [future.result(LIMIT_S) for future in ending] == ["completed", "completed"]
    found = jobs.find(queue.db, job.job_id)
    assert found is not None
    assert (found.status, found.finished_at is None) == ("completed", False)


def test_a_cancellation_waits_for_a_completion_that_commits(
    queue: BatchQueue, other: BatchQueue, db: DatabaseManager, gated: str, gate: Gate,
    count: Callable[..., int],
) -> None:  # fmt: skip
    job = queue.submit_job(gated, f"key-{gated}", {}, "")
    batch = claim_new(queue, gated, job_id=job.job_id)
    completing = gate.start(complete, queue, batch)
    gate.reached()
    cancelling = gate.start(jobs.cancel, other.db, job.job_id)
    gate.blocked()
    gate.open()
    assert completing.result(LIMIT_S) == "completed"
    assert cancelling.result(LIMIT_S).batches == 0
    assert ends(db, batch) == ["completed"]
    assert count("queue_results", batch_id=batch.origin_batch_id) == 3


def test_a_completion_behind_a_cancellation_writes_nothing(
    queue: BatchQueue, other: BatchQueue, db: DatabaseManager, gated: str, gate: Gate,
    count: Callable[..., int],
) -> None:  # fmt: skip
    job = queue.submit_job(gated, f"key-{gated}", {}, "")
    batch = claim_new(queue, gated, job_id=job.job_id)
    cancelling = gate.start(jobs.cancel, other.db, job.job_id)
    gate.reached()
    completing = gate.start(complete, queue, batch)
    gate.blocked()
    gate.open()
    assert cancelling.result(LIMIT_S).rows == 3
    lost(completing)
    assert ends(db, batch) == ["cancelled"]
    assert count("queue_results", batch_id=batch.origin_batch_id) == 0


def test_two_claims_at_once_share_the_batches(
    queue: BatchQueue, other: BatchQueue, flow: str, threads: ThreadPoolExecutor
) -> None:
    ids = queue.enqueue(flow, [{"n": n} for n in range(40)], batch_rows=1)
    claims = [threads.submit(worker.claim, flow, 5) for worker in (queue, other) * 4]
    claimed = [batch.batch_id for claim in claims for batch in claim.result(LIMIT_S)]
    claimed += [batch.batch_id for batch in queue.claim(flow, 40)]
    assert sorted(claimed) == sorted(ids)


@pytest.mark.parametrize("cap", [1, 3])
def test_claims_at_once_never_exceed_the_cap(
    queue: BatchQueue, other: BatchQueue, db: DatabaseManager, threads: ThreadPoolExecutor, cap: int
) -> None:
    """Claims of one flow count one after the other, so the cap is neither overshot nor left unused."""
    flow = register(queue, "capped", max_running=cap)
    queue.enqueue(flow, [{"n": n} for n in range(20)], batch_rows=1)
    for _ in range(5):
        claims = [threads.submit(worker.claim, flow, 2) for worker in (queue, other) * 4]
        batches = [batch for claim in claims for batch in claim.result(LIMIT_S)]
        assert len(batches) == cap
        for batch in batches[:-1]:
            complete(queue, batch)
        queue.release(batches[-1:])


def test_a_partition_is_not_dropped_under_an_enqueue_that_commits_late(
    queue: BatchQueue, db: DatabaseManager, gate: Gate, count: Callable[..., int]
) -> None:
    """New ids have moved on to the next partition meanwhile: the old one looks empty and finished to everybody else."""
    flow = register(queue, "gate-in")
    lo, hi = next_partition(db)
    entering = gate.start(queue.enqueue, flow, [{"n": n} for n in range(3)])
    gate.reached()
    next_partition(db)
    age = "UPDATE queue_partitions SET created_at = now() - interval '9 years' WHERE lo = :lo"
    db.execute_query("age", age, {"lo": lo})
    assert fate(db, lo) == ("held", "producers enqueue without a gap")
    gate.open()
    (batch_id,) = entering.result(LIMIT_S)
    assert lo <= batch_id < hi
    assert fate(db, lo) == ("keep", "1 live batches")
    (batch,) = queue.claim(flow)
    assert complete(queue, batch) == "completed"
    assert count("queue_results", batch_id=batch_id) == 3


def next_partition(db: DatabaseManager) -> tuple[int, int]:
    """From now on ids fall into a partition that is still empty; its bounds."""
    query = """
    SELECT lo, hi, setval('queue_batch_id_seq', lo, false), queue_partitions_ahead() FROM queue_partitions
    WHERE lo > (SELECT last_value FROM queue_batch_id_seq) ORDER BY lo LIMIT 1
    """
    lo, hi, _, _ = db.execute_query("next", query)[0]
    return lo, hi


def fate(db: DatabaseManager, lo: int) -> tuple[str, str]:
    """What retention does to the partition, and why."""
    fates = retention.retain(db, QueueSettings(), "operator", uuid.uuid4())
    return next((each.deed, each.why) for each in fates if each.partition.lo == lo)
