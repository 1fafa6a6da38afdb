"""Everything a worker, a producer and a leader do, behind PgBouncer in transaction mode."""

from __future__ import annotations

import logging
import threading
import uuid

import polars as pl
import pytest

from core.cli import doctor
from core.database import DatabaseManager, connect
from core.distributed import DistributedProcessor
from core.errors import LeaseLost
from core.queue import BatchQueue, FlowPolicy, LeaseKeeper
from core.queue.store import retention, wake
from core.queue.store.wake import Wake
from core.settings import QueueSettings

MANY = 12


@pytest.fixture
def flow(queue: BatchQueue) -> str:
    name = f"flow-{uuid.uuid4().hex[:8]}"
    queue.register_flow(FlowPolicy(name, backoff_s=0))
    return name


def test_a_pooler_is_noticed_and_nothing_is_prepared(pooled: DatabaseManager, db: DatabaseManager) -> None:
    seen = {}
    for name, manager in (("pooled", pooled), ("direct", db)):
        source = connect.Source(connect.require_url(manager.settings))
        with connect.connect(source, manager.settings) as conn:
            seen[name] = conn.prepare_threshold
    assert seen == {"pooled": None, "direct": 5}


def test_settings_of_one_transaction_do_not_reach_the_next(pooled: DatabaseManager) -> None:
    named = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'headrace:mine'"
    with pooled.transaction("headrace:mine"):
        pass
    assert pooled.execute_query("named", named) == [(0,)]


def test_batches_go_in_run_and_complete(queue: BatchQueue, flow: str, pooled: DatabaseManager) -> None:
    """Threads share two server connections; each statement may meet another backend."""
    queue.enqueue(flow, [{"n": n} for n in range(600)], batch_rows=10)

    def work(worker: BatchQueue) -> None:
        with LeaseKeeper(worker) as keeper:
            while batches := worker.claim(flow, 2):
                for batch in batches:
                    keeper.add(batch)
                keeper.beat()
                for batch in batches:
                    frame = worker.decode(batch, {"n": pl.Int64}).frame
                    worker.complete(batch, frame.select("seq", output=pl.col("n").cast(pl.String)))

    workers = [BatchQueue(pooled, QueueSettings(), f"worker-{n}") for n in range(6)]
    threads = [threading.Thread(target=work, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    found = "SELECT count(*), count(DISTINCT (batch_id, seq)), sum((output#>>'{}')::bigint) FROM queue_results"
    assert pooled.execute_query("sum", found) == [(600, 600, 600 * 599 // 2)]


def test_leases_are_kept_lost_rescued_and_released(queue: BatchQueue, flow: str, pooled: DatabaseManager) -> None:
    queue.enqueue(flow, [{}] * 3, batch_rows=1)
    held, given = queue.claim(flow, 2)
    assert queue.heartbeat([held, given]) == []
    assert queue.release([given]) == 1
    pooled.execute_query(
        "x",
        "UPDATE processing_queue SET lease_until = now() - interval '1 s' WHERE batch_id = :b",
        {"b": held.batch_id},
    )
    assert queue.rescue() == 1
    with pytest.raises(LeaseLost):
        queue.complete(held)
    for batch in queue.claim(flow, 3):
        queue.complete(batch)


def test_leading_and_its_duties(queue: BatchQueue, flow: str, pooled: DatabaseManager) -> None:
    other = BatchQueue(pooled, QueueSettings(), "worker-b")
    queue.put(flow, {"n": 1})
    pooled.execute_query("ripe", "UPDATE queue_inbox SET received_at = now() - interval '1 minute'")
    for _ in range(MANY):
        assert queue.lead()
        assert not other.lead()
    swept = queue.sweep()
    assert (swept.sealed, swept.failed) == (1, ())
    queue.complete(*queue.claim(flow))
    queue.leave()
    assert other.lead()
    other.leave()


def test_records_one_by_one(pooled: DatabaseManager) -> None:
    processor = DistributedProcessor(pooled)
    assert processor.add_records_to_queue("records", [{"n": n} for n in range(MANY)]) == MANY
    records = processor.claim_records_batch("records", MANY)
    for record in records[1:]:
        processor.mark_record_completed(record["id"], {"ok": True})
    processor.mark_record_failed(records[0]["id"], "bad")
    status = processor.get_queue_status("records")
    assert (status["completed_records"], status["failed_records"], status["pending_records"]) == (MANY - 1, 1, 0)
    processor.close()


def test_the_probe_finds_out_and_polling_wakes(
    queue: BatchQueue, flow: str, pooled: DatabaseManager, caplog: pytest.LogCaptureFixture
) -> None:
    assert wake.wake_mode(pooled) == "polling"
    with Wake(pooled, QueueSettings(poll_s=0.05), [flow]) as waker, caplog.at_level(logging.INFO):
        assert waker.mode == "polling"
        queue.enqueue(flow, [{}])
        assert not waker.wait()
        assert not waker.wait()
    assert len(queue.claim(flow)) == 1
    told = [record.getMessage() for record in caplog.records if "polling" in record.getMessage()]
    assert told in (
        [],
        ["wake-ups by polling every 0.05 s: no NOTIFY arrives here (a pooler in transaction mode?)"],
    )


def test_a_producer_behind_the_pooler_wakes_a_consumer_that_is_not(
    queue: BatchQueue, flow: str, db: DatabaseManager
) -> None:
    with Wake(db, QueueSettings(), [flow]) as waker:
        assert waker.mode == "notify"
        while waker.wait(0.0):
            pass
        queue.enqueue(flow, [{}])
        assert waker.wait(30)


def test_old_partitions_are_dropped(queue: BatchQueue, flow: str, pooled: DatabaseManager) -> None:
    pooled.execute_query("next", "SELECT setval('queue_batch_id_seq', max(lo), false) FROM queue_partitions")
    queue.enqueue(flow, [{}])
    queue.complete(*queue.claim(flow))
    queue.sweep()
    wanted = QueueSettings(retain_gb=0.000001)
    fates = {fate.deed for fate in retention.retain(pooled, wanted, "tests", uuid.uuid4())}
    assert fates <= {"dropped", "keep"}
    assert "dropped" in fates


def test_doctor_says_so(pooled_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_DATABASE__URL", pooled_url)
    (found,) = [finding for finding in doctor.examine() if finding.subject == "database"]
    assert found.problem is None
    assert found.found.endswith(", wake-ups by polling")
