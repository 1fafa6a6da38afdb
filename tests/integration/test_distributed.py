from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from core import distributed
from core.database import DatabaseManager
from core.distributed import RECORDS_PER_BATCH, DistributedProcessor
from core.errors import LeaseLost, QueueError, RowError, StoreUnavailable
from core.queue import BatchQueue, leader, views
from core.queue.leases import dead_letters
from core.settings import DatabaseSettings, QueueSettings


@pytest.fixture
def flow(request: pytest.FixtureRequest) -> str:
    return request.node.name


@pytest.fixture
def processor(db: DatabaseManager) -> Iterator[DistributedProcessor]:
    with DistributedProcessor(db, QueueSettings()) as one:
        yield one


@pytest.fixture
def second(db: DatabaseManager) -> Iterator[DistributedProcessor]:
    with DistributedProcessor(db, QueueSettings()) as one:
        yield one


def counts(processor: DistributedProcessor, flow: str) -> tuple[int, int, int, int]:
    status = processor.get_queue_status(flow)
    parts = tuple(status[f"{name}_records"] for name in ("pending", "processing", "completed", "failed"))
    assert status["total_records"] == sum(parts)
    assert status["by_flow"][flow]["total_records"] == sum(parts)
    return parts


def expire_all(db: DatabaseManager, flow: str) -> None:
    db.execute_query(
        "x",
        "UPDATE processing_queue SET lease_until = now() - interval '1 s' WHERE flow_name = :f AND state = 'running'",
        {"f": flow},
    )


def test_records_come_back_as_they_went_in_and_in_order(processor: DistributedProcessor, flow: str) -> None:
    went_in = [
        {"name": 'Ünï \t\n"x"', "n": 2**70, "deep": {"a": [1, 2.5, None, True]}},
        {"payload": {"x": 1}, "other": 2},
        {"payload": "text"},
        {},
    ]
    assert processor.add_records_to_queue(flow, [*went_in, {"payload": {"wrapped": 1}}]) == 5
    came = processor.claim_records_batch(flow, 50)
    assert [one["payload"] for one in came] == [*went_in, {"wrapped": 1}]
    assert [type(one["id"]) for one in came] == [int] * 5
    assert [one["retry_count"] for one in came] == [0] * 5
    assert processor.claim_records_batch(flow, 50) == []


def test_counts_are_exact_after_every_mark_also_across_a_roll_up(
    processor: DistributedProcessor, flow: str, db: DatabaseManager
) -> None:
    assert counts(processor, flow) == (0, 0, 0, 0)
    processor.add_records_to_queue(flow, [{"n": n} for n in range(10)])
    first, *rest = processor.claim_records_batch(flow, 6)
    assert counts(processor, flow) == (4, 6, 0, 0)
    processor.mark_record_failed(first["id"], "why")
    assert counts(processor, flow) == (4, 5, 0, 1)
    for n, record in enumerate(rest, 1):
        processor.mark_record_completed(record["id"], {"n": n})
        leader.roll_up(db)
        assert counts(processor, flow) == (4, 5 - n, n, 1)
    processor.mark_records_completed([(one["id"], None) for one in processor.claim_records_batch(flow, 9)])
    assert counts(processor, flow) == (0, 0, 9, 1)
    assert processor.get_queue_status()["by_flow"][flow]["completed_records"] == 9


def test_claims_span_and_share_out_batches_without_overlap(
    processor: DistributedProcessor, second: DistributedProcessor, flow: str
) -> None:
    for n in range(4):
        processor.add_records_to_queue(flow, [{"n": n * 10 + i} for i in range(10)])
    mine = processor.claim_records_batch(flow, 25)
    theirs = second.claim_records_batch(flow, 10)
    last = processor.claim_records_batch(flow, 100)
    assert [one["payload"]["n"] for one in mine + theirs + last] == list(range(40))
    assert [len(mine), len(theirs), len(last)] == [25, 10, 5]


def test_add_records_of_one_call_may_be_many_batches(processor: DistributedProcessor, flow: str) -> None:
    n = RECORDS_PER_BATCH + 1
    assert processor.add_records_to_queue(flow, [{"n": i} for i in range(n)]) == n
    assert processor.add_records_to_queue(flow, []) == 0
    came = processor.claim_records_batch(flow, 2 * n)
    assert [one["payload"]["n"] for one in came] == list(range(n))


def test_the_first_mark_wins(processor: DistributedProcessor, flow: str, db: DatabaseManager) -> None:
    processor.add_records_to_queue(flow, [{}, {}])
    one, two = (record["id"] for record in processor.claim_records_batch(flow, 2))
    processor.mark_record_completed(one, "first")
    processor.mark_record_completed(one, "second")
    processor.mark_record_failed(one, "third")
    processor.mark_record_failed(two, "first")
    processor.mark_record_completed(two, "second")
    rows = db.execute_query(
        "v", "SELECT status, result, error FROM processing_queue_records WHERE flow_name = :f ORDER BY id", {"f": flow}
    )
    assert rows == [("completed", "first", None), ("failed", None, "first")]


def test_a_foreign_id_raises_lease_lost_and_the_others_of_the_call_are_marked(
    processor: DistributedProcessor, second: DistributedProcessor, flow: str
) -> None:
    processor.add_records_to_queue(flow, [{}, {}])
    mine = processor.claim_records_batch(flow, 1)[0]["id"]
    foreign = second.claim_records_batch(flow, 1)[0]["id"]
    with pytest.raises(LeaseLost) as caught:
        processor.mark_records_completed([(mine, 1), (foreign, 1), (12345, 1)])
    assert caught.value.record_ids == [foreign, 12345]
    assert counts(processor, flow) == (0, 1, 1, 0)


def test_a_rescued_batch_serves_only_records_without_a_result(
    processor: DistributedProcessor, second: DistributedProcessor, flow: str, db: DatabaseManager
) -> None:
    processor.add_records_to_queue(flow, [{"n": n} for n in range(6)])
    ids = [one["id"] for one in processor.claim_records_batch(flow, 6)]
    processor.mark_record_completed(ids[1], "kept")
    processor.mark_record_failed(ids[4], "kept")
    expire_all(db, flow)
    BatchQueue(db, QueueSettings(), "rescuer").rescue()
    assert counts(second, flow) == (4, 0, 1, 1)
    again = second.claim_records_batch(flow, 3)
    assert [(one["payload"]["n"], one["retry_count"]) for one in again] == [(0, 1), (2, 1), (3, 1)]
    with pytest.raises(LeaseLost):
        processor.mark_record_completed(ids[0], "late")
    with pytest.raises(LeaseLost):
        processor.mark_record_completed(ids[5], "late")
    for one in again + second.claim_records_batch(flow, 3):
        second.mark_record_completed(one["id"], "new")
    assert counts(second, flow) == (0, 0, 5, 1)
    rows = db.execute_query(
        "r", "SELECT id, result FROM processing_queue_records WHERE flow_name = :f ORDER BY id", {"f": flow}
    )
    assert rows == [(i, {1: "kept", 4: None}.get(n, "new")) for n, i in enumerate(ids)]


def test_a_batch_that_was_marked_whole_before_its_owner_died_is_closed_by_the_next_claim(
    processor: DistributedProcessor, second: DistributedProcessor, flow: str, db: DatabaseManager
) -> None:
    processor.add_records_to_queue(flow, [{}, {}])
    records_in = processor.claim_records_batch(flow, 2)
    db.execute_query(
        "r",
        "INSERT INTO queue_results SELECT :o, s, '1' FROM generate_series(0, 1) s",
        {"o": records_in[0]["id"] >> 20},
    )
    assert processor.cleanup_orphaned_records(0) == 0
    assert second.claim_records_batch(flow, 5) == []
    assert counts(second, flow) == (0, 0, 2, 0)
    assert db.execute_query("q", "SELECT count(*) FROM processing_queue WHERE flow_name = :f", {"f": flow}) == [(0,)]


def test_a_batch_worker_takes_over_what_the_record_level_left(
    processor: DistributedProcessor, flow: str, db: DatabaseManager
) -> None:
    processor.add_records_to_queue(flow, [{"n": n} for n in range(5)])
    first = processor.claim_records_batch(flow, 5)[0]["id"]
    processor.mark_record_completed(first, "kept")
    processor.close()
    queue = BatchQueue(db, QueueSettings(), "batch-worker")
    (batch,) = queue.claim(flow)
    items = queue.items(batch)
    assert items["seq"].to_list() == [1, 2, 3, 4]
    with pytest.raises(QueueError, match="1 missing"):
        queue.complete(batch, items[1:].select("seq", output="payload"))
    queue.complete(batch, items.select("seq", output="payload"))
    assert counts(processor, flow) == (0, 0, 5, 0)


def test_cleanup_ignores_heartbeats_and_counts_records(
    processor: DistributedProcessor, flow: str, db: DatabaseManager
) -> None:
    processor.add_records_to_queue(flow, [{}] * 5)
    ids = [one["id"] for one in processor.claim_records_batch(flow, 4)]
    processor.mark_record_completed(ids[0])
    assert processor.cleanup_orphaned_records(1) == 0
    db.execute_query(
        "old",
        "UPDATE processing_queue SET claimed_at = now() - interval '2 hours', lease_until = now() + interval '1 hour' "
        "WHERE flow_name = :f AND state = 'running'",
        {"f": flow},
    )
    assert processor.cleanup_orphaned_records(1) == 3
    assert counts(processor, flow) == (4, 0, 1, 0)
    with pytest.raises(QueueError):
        processor.cleanup_orphaned_records(-1)


def test_failed_records_are_retried_where_the_setting_says_so(db: DatabaseManager, flow: str) -> None:
    settings = QueueSettings(record_max_attempts=2)
    queue = BatchQueue(db, settings, "sweeper")
    with DistributedProcessor(db, settings) as processor:
        processor.add_records_to_queue(flow, [{"n": 0}, {"n": 1}])
        ids = [one["id"] for one in processor.claim_records_batch(flow, 2)]
        for identity in ids:
            processor.mark_record_failed(identity, ValueError("once"))
        assert counts(processor, flow) == (0, 0, 0, 2)
        db.execute_query("d", "UPDATE queue_retries SET due_at = now() WHERE flow_name = :f", {"f": flow})
        queue.sweep()
        assert counts(processor, flow) == (2, 0, 0, 0)
        again = processor.claim_records_batch(flow, 9)
        assert [(one["id"], one["retry_count"], one["payload"]) for one in again] == [
            (ids[0], 1, {"n": 0}),
            (ids[1], 1, {"n": 1}),
        ]
        processor.mark_record_completed(ids[0], "at last")
        assert counts(processor, flow) == (0, 1, 1, 0)
        processor.mark_record_failed(ids[1], ValueError("twice"))
        assert counts(processor, flow) == (0, 0, 1, 1)
    assert db.execute_query("q", "SELECT count(*) FROM queue_retries WHERE flow_name = :f", {"f": flow}) == [(0,)]
    assert dead_letters.redrive(queue.db, flow, dead_letters.Which(error_class="ValueError")) == 1


@pytest.mark.parametrize("attempts", [1, 2])
def test_rows_given_up_by_a_live_batch_wait_until_it_ends(db: DatabaseManager, flow: str, attempts: int) -> None:
    """Else the batch, when it ends, would count what a retry has done as its own."""
    queue = BatchQueue(db, QueueSettings(), "sweeper")
    with DistributedProcessor(db, QueueSettings(record_max_attempts=attempts)) as processor:
        processor.add_records_to_queue(flow, [{"n": 0}, {"n": 1}])
        bad, good = (one["id"] for one in processor.claim_records_batch(flow, 2))
        processor.mark_record_failed(bad, "once")

        def give_another_chance() -> int:
            dead_letters.redrive(queue.db, flow)
            db.execute_query("d", "UPDATE queue_retries SET due_at = now() WHERE flow_name = :f", {"f": flow})
            queue.sweep()
            return views.now(queue.db, flow).ready_batches

        assert give_another_chance() == 0
        assert counts(processor, flow) == (0, 1, 0, 1)
        processor.mark_record_completed(good)
        assert give_another_chance() == 1
        (again,) = processor.claim_records_batch(flow, 9)
        assert again["id"] == bad
        processor.mark_record_completed(bad)
        assert counts(processor, flow) == (0, 0, 2, 0)


def test_threads_mark_everything_once(processor: DistributedProcessor, flow: str, db: DatabaseManager) -> None:
    processor.add_records_to_queue(flow, [{"n": n} for n in range(120)])
    errors: list[Exception] = []

    def work() -> None:
        try:
            while came := processor.claim_records_batch(flow, 7):
                for one in came:
                    processor.mark_record_completed(one["id"], one["payload"]["n"])
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    shared = processor.claim_records_batch(flow, 30)

    def mark_shared() -> None:
        # Every thread marks the same records: the first of each wins, none is told that it lost them.
        try:
            for one in shared:
                processor.mark_record_completed(one["id"], one["payload"]["n"])
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=target) for target in (work, work, mark_shared, mark_shared, mark_shared)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert counts(processor, flow) == (0, 0, 120, 0)
    rows = db.execute_query(
        "r",
        "SELECT (r.output#>>'{}')::int FROM queue_results r JOIN queue_batches b USING (batch_id) "
        "WHERE b.flow_name = :f",
        {"f": flow},
    )
    assert sorted(rows) == [(n,) for n in range(120)]
    assert db.execute_query("q", "SELECT count(*) FROM processing_queue WHERE flow_name = :f", {"f": flow}) == [(0,)]


def test_flush_every_collects_marks_until_flush(db: DatabaseManager, flow: str) -> None:
    with DistributedProcessor(db, QueueSettings(), flush_every=3) as processor, DistributedProcessor(db) as reader:
        processor.add_records_to_queue(flow, [{}] * 5)
        ids = [one["id"] for one in processor.claim_records_batch(flow, 5)]
        processor.mark_record_completed(ids[0], "first")
        processor.mark_record_completed(ids[0], "second")
        processor.mark_record_completed(ids[1])
        assert counts(reader, flow) == (0, 5, 0, 0)
        processor.mark_record_failed(ids[2], "why")
        assert counts(reader, flow) == (0, 2, 2, 1)
        processor.mark_record_completed(ids[3])
        assert counts(processor, flow) == (0, 1, 3, 1)
        processor.mark_record_completed(ids[4])
        processor.flush()
    assert db.execute_query("q", "SELECT count(*) FROM processing_queue WHERE flow_name = :f", {"f": flow}) == [(0,)]


def test_values_without_a_json_form_are_refused_without_being_shown(processor: DistributedProcessor, flow: str) -> None:
    with pytest.raises(RowError, match="payload 1: Object of type set") as caught:
        processor.add_records_to_queue(flow, [{}, {"ssn": {"078-05-1120"}}])
    assert "078" not in str(caught.value)
    with pytest.raises(RowError):
        processor.add_records_to_queue(flow, [{"n": float("nan")}])
    assert counts(processor, flow) == (0, 0, 0, 0)
    processor.add_records_to_queue(flow, [{}])
    (one,) = processor.claim_records_batch(flow, 1)
    with pytest.raises(RowError):
        processor.mark_record_completed(one["id"], object())
    processor.mark_record_completed(one["id"], [None])


def test_close_and_the_end_of_the_process_give_claims_back(
    processor: DistributedProcessor, flow: str, database_url: str, tmp_path: Path
) -> None:
    processor.add_records_to_queue(flow, [{"n": n} for n in range(3)])
    script = (
        "from core.database import DatabaseManager\n"
        "from core.distributed import DistributedProcessor\n"
        f"came = DistributedProcessor(DatabaseManager('rpa_db')).claim_records_batch({flow!r}, 3)\n"
        "print(len(came))\n"
    )
    environ = {**os.environ, "DEVELOPMENT_GLOBAL_RPA_DB_URL": database_url}
    ran = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True)
    assert (ran.stdout.strip(), ran.stderr) == ("3", "")
    assert counts(processor, flow) == (3, 0, 0, 0)
    processor.claim_records_batch(flow, 2)
    processor.close()
    assert counts(processor, flow) == (3, 0, 0, 0)
    assert len(processor.claim_records_batch(flow, 2)) == 2


def test_health_check_raises_when_the_store_is_down(processor: DistributedProcessor, database_url: str) -> None:
    assert processor.health_check()["status"] == "healthy"
    assert processor.rpa_db is not None
    assert processor.logger.name
    assert processor._generate_instance_id() != processor._generate_instance_id()
    gone = DatabaseManager(
        "gone", DatabaseSettings(url=SecretStr("postgresql://u@/x?host=/nonexistent"), connect_retry_s=0)
    )
    with pytest.raises(StoreUnavailable):
        DistributedProcessor(gone, QueueSettings()).health_check()


def test_the_end_of_a_process_does_not_wait_for_a_database_that_is_away(
    processor: DistributedProcessor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    back = threading.Event()
    monkeypatch.setattr(distributed, "EXIT_S", 0.01)
    with monkeypatch.context() as patch:
        patch.setattr(processor, "close", lambda: back.wait(60))
        processor._at_exit()
    assert "claims were not given back within 0.01 s" in caplog.text
    back.set()
