"""What callers and operators get wrong has one clear sentence, and harms no neighbour."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import polars as pl
import pytest

from core.database import DatabaseManager
from core.distributed import DistributedProcessor
from core.errors import InputError, QueueError, RowError
from core.queue import BatchQueue, ClaimedBatch, FlowPolicy, NewBatch, RowFailure
from core.queue.producers import jobs, stages
from core.settings import QueueSettings

HALF = "half \ud800"


@pytest.mark.parametrize("key", ["", "a\0", HALF, "x" * 501, 7])
def test_a_job_key_that_cannot_be_stored_is_refused(queue: BatchQueue, flow: str, key: Any) -> None:
    with pytest.raises(QueueError, match="a job key has 1 to 500 characters and no NUL"):
        queue.submit_job(flow, key, {}, "")


@pytest.mark.parametrize("value", [{1}, float("nan"), HALF])
def test_parameters_without_a_json_form_are_refused(queue: BatchQueue, flow: str, value: Any) -> None:
    with pytest.raises(InputError, match="the parameters of the job: "):
        queue.submit_job(flow, flow, {"a": value}, "")
    job = queue.submit_job(flow, flow, {}, "")
    with pytest.raises(InputError, match="the source of a batch: "):
        queue.open_stage(job.job_id, "one", [NewBatch(0, 1, {"uri": value})])
    queue.open_stage(job.job_id, "one", [])
    with pytest.raises(InputError, match="the output of the stage: "):
        stages.close(queue.db, job.job_id, "one", {"a": value})


@pytest.mark.parametrize("job_id", [10**30, 2**63, 0, -1, "x", None])
def test_a_job_that_cannot_be_is_not_there(queue: BatchQueue, flow: str, job_id: Any) -> None:
    acts: list[Any] = [partial(act, queue.db) for act in (jobs.pause, jobs.resume, jobs.cancel, jobs.finish)]
    if job_id is not None:
        acts.append(lambda job_id: queue.enqueue(flow, ["{}"], job_id=job_id))
    for act in acts:
        with pytest.raises(QueueError, match="there is no job "):
            act(job_id)


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        (NewBatch(2**31, 1, {"uri": "x"}), "partition_no 2147483648 is outside"),
        (NewBatch(-1, 1, {"uri": "x"}), "partition_no -1 is outside"),
        (NewBatch(0, 5, {"uri": "x", "lo": 2**63, "hi": 2**63 + 5}, splittable=True), "needs integers lo and hi"),
    ],
)
def test_a_batch_that_could_not_be_cut_or_stored_is_refused(
    queue: BatchQueue, flow: str, batch: NewBatch, said: str
) -> None:
    job = queue.submit_job(flow, flow, {}, "")
    with pytest.raises(QueueError, match=said):
        queue.open_stage(job.job_id, "one", [batch])


def test_names_that_cannot_be_stored_are_told_in_our_words(queue: BatchQueue, flow: str) -> None:
    for name in (flow + HALF, HALF):
        with pytest.raises(InputError, match="not valid Unicode"):
            queue.claim(name)
    with pytest.raises(Exception, match="a text with the character NUL cannot be stored, query flow_policy"):
        queue.enqueue("a\0", ["{}"])
    with pytest.raises(QueueError, match="a stage name"):
        queue.enqueue(flow, ["{}"], stage=HALF)


def test_payloads_that_can_be_read_only_once_are_all_kept(queue: BatchQueue, flow: str) -> None:
    rows: list[Any] = [{"n": 0}, {"n": 1}, {"n": {1}}, {"n": 3}]
    done = queue.enqueue(flow, (row for row in rows), on_bad="dead")  # type: ignore[arg-type]
    assert (done.n_rows, done.n_refused) == (3, 1)
    (batch,) = queue.claim(flow)
    assert queue.items(batch)["payload"].to_list() == ['{"n":0}', '{"n":1}', '{"n":3}']
    assert queue.enqueue(flow, (row for row in rows[:2]), batch_rows="auto").n_rows == 2  # type: ignore[arg-type]
    for wrong in (pl.LazyFrame({"a": [1]}), 5):
        with pytest.raises(InputError, match="payloads come as a list or a frame"):
            queue.enqueue(flow, wrong)  # type: ignore[arg-type]
    with pytest.raises(RowError, match="payload 2: "):
        queue.enqueue(flow, (row for row in rows))  # type: ignore[arg-type]


def test_results_that_are_no_frame_are_refused(queue: BatchQueue, flow: str) -> None:
    queue.enqueue(flow, ["1"])
    (batch,) = queue.claim(flow)
    for wrong in ([{"seq": 0}], "x", pl.LazyFrame({"seq": [0]})):
        with pytest.raises(QueueError, match="come as a polars frame, this is one "):
            queue.complete(batch, wrong)  # type: ignore[arg-type]
    assert queue.heartbeat([batch]) == []


def test_the_record_level_says_what_it_was_given(db: DatabaseManager, flow: str) -> None:
    with DistributedProcessor(db, QueueSettings()) as processor:
        for records in ([{"a": 1}, 5], [{}, None], [{}, "x"]):
            with pytest.raises(RowError, match="record 1: a record is a mapping, this is one ") as caught:
                processor.add_records_to_queue(flow, records)  # type: ignore[arg-type]
            assert caught.value.line == 1
        for wrong in (None, 5, "x", {"a": 1}):
            with pytest.raises(InputError, match="come as a list or a frame"):
                processor.add_records_to_queue(flow, wrong)  # type: ignore[arg-type]
        processor.add_records_to_queue(flow, [{}])
        for size in (0, 1.5, "x", None):
            with pytest.raises(QueueError, match="batch_size is "):
                processor.claim_records_batch(flow, size)  # type: ignore[arg-type]
        (record,) = processor.claim_records_batch(flow, np.int64(1))  # type: ignore[arg-type]
        for identity in (record["id"] + 0.5, "x", None):
            with pytest.raises(QueueError, match="a record id is an integer"):
                processor.mark_record_completed(identity, 1)
        for hours in (float("nan"), float("inf"), -1):
            with pytest.raises(QueueError, match="timeout_hours is "):
                processor.cleanup_orphaned_records(hours)
        assert processor.get_queue_status(flow)["processing_records"] == 1
        processor.mark_record_completed(str(record["id"]), 1)  # type: ignore[arg-type]
        assert processor.get_queue_status(flow)["completed_records"] == 1


def test_what_a_handler_says_of_a_failure_is_made_storable(
    queue: BatchQueue, flow: str, count: Callable[..., int]
) -> None:
    queue.enqueue(flow, ["1", "2", "3"], batch_rows=2)
    first, second = queue.claim(flow, 2)
    queue.complete(first, failures=[RowFailure(0, "E\0" + "x" * 10_000, HALF + "\0")])
    queue.fail(second, "E\0" + "y" * 10_000, HALF + "\0" * 3, retryable=False)
    assert count("dead_letters", flow_name=flow) == 2
    assert count("dead_letters", flow_name=flow, reason="half ?") == 2


def test_a_batch_that_cannot_be_rescued_holds_up_no_other(
    queue: BatchQueue,
    flow: str,
    db: DatabaseManager,
    expire: Callable[[ClaimedBatch], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.queue.leader.RESCUE_LIMIT", 2)
    gone = f"{flow}-gone"
    queue.register_flow(FlowPolicy(gone))
    for name in (gone, flow):
        queue.enqueue(name, ["1", "2", "3"], batch_rows=1)
        for batch in queue.claim(name, 3):
            expire(batch)
    queue.put(gone, {"n": 1})
    queue.put(flow, {"n": 1})
    db.execute_query("age", "UPDATE queue_inbox SET received_at = now() - interval '1 hour'")
    db.execute_query("drop", "DELETE FROM queue_flows WHERE flow_name = :f", {"f": gone})
    done = queue.sweep()
    assert (done.rescued, done.sealed, done.failed) == (3, 1, ())
    assert len(queue.claim(flow, 9)) == 4
    # Once the flow is there again, so is its work.
    queue.register_flow(FlowPolicy(gone))
    again = queue.sweep()
    assert (again.rescued, again.sealed) == (3, 1)
    assert len(queue.claim(gone, 9)) == 4
