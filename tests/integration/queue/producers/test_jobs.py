from __future__ import annotations

import threading

import polars as pl
import pytest

from core.database import DatabaseManager
from core.errors import DuplicateJob, QueueError, UnknownFlow
from core.queue import BatchQueue, FlowPolicy, NewBatch, RowFailure, views
from core.queue.leases import dead_letters
from core.queue.producers import jobs, stages


@pytest.fixture
def key(flow: str) -> str:
    return f"key-{flow}"


def ranges(n: int) -> list[NewBatch]:
    return [NewBatch(i, 10, {"uri": "x", "lo": i * 10, "hi": i * 10 + 10}) for i in range(n)]


def test_submit_resumes_an_unfinished_job_and_returns_a_finished_one(queue: BatchQueue, flow: str, key: str) -> None:
    job = queue.submit_job(flow, key, {"a": [1]}, "digest")
    assert (job.created, job.status, job.parameters) == (True, "running", {"a": [1]})
    again = queue.submit_job(flow, key, {}, "digest")
    assert (again.job_id, again.created) == (job.job_id, False)
    assert jobs.finish(queue.db, job.job_id) == "completed"
    assert queue.submit_job(flow, key, {}, "digest").status == "completed"
    anew = queue.submit_job(flow, key, {}, "digest", rerun=True)
    assert anew.created
    assert anew.job_id != job.job_id
    assert jobs.find(queue.db, key) == jobs.find(queue.db, anew.job_id)
    assert jobs.newest(queue.db, 1)[0].job_id == anew.job_id


def test_submit_starts_a_failed_job_anew(queue: BatchQueue, flow: str, key: str) -> None:
    job = queue.submit_job(flow, key, {}, "digest")
    jobs.set_status(queue.db, job.job_id, "failed")
    assert queue.submit_job(flow, key, {}, "digest").created


def test_submit_of_one_key_by_many_threads_makes_one_job(queue: BatchQueue, flow: str, key: str) -> None:
    found = []
    threads = [threading.Thread(target=lambda: found.append(queue.submit_job(flow, key, {}, "d"))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({job.job_id for job in found}) == 1
    assert sum(job.created for job in found) == 1


def test_submit_refuses_a_key_of_another_input_and_an_unknown_flow(queue: BatchQueue, flow: str, key: str) -> None:
    queue.submit_job(flow, key, {}, "digest")
    with pytest.raises(DuplicateJob) as caught:
        queue.submit_job(flow, key, {}, "other")
    assert caught.value.key == key
    with pytest.raises(UnknownFlow):
        queue.submit_job(flow + "x", key, {}, "digest")
    assert jobs.find(queue.db, "no such key") is None
    with pytest.raises(QueueError, match="there is no job 0"):
        jobs.set_status(queue.db, 0, "failed")


def test_open_stage_is_done_by_one_of_two_processes(queue: BatchQueue, other: BatchQueue, flow: str, key: str) -> None:
    job = queue.submit_job(flow, key, {}, "d")
    opened: list[bool] = []
    threads = [
        threading.Thread(target=lambda q=q: opened.append(q.open_stage(job.job_id, "match", ranges(20))))
        for q in (queue, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(opened) == [False, True]
    assert stages.progress_of(queue.db, job.job_id, "match").total == 20
    assert views.now(queue.db, flow).ready_batches == 20


@pytest.mark.parametrize(
    "batch",
    [
        NewBatch(0, 0, {}),
        NewBatch(0, 5, {}, splittable=True),
        NewBatch(0, 5, {"lo": 0, "hi": 9}, splittable=True),
        NewBatch(0, 5, {"lo": 0, "hi": 5}, priority=-1),
    ],
)
def test_open_stage_refuses_batches_that_cannot_be(queue: BatchQueue, flow: str, key: str, batch: NewBatch) -> None:
    job = queue.submit_job(flow, key, {}, "d")
    with pytest.raises(QueueError):
        queue.open_stage(job.job_id, "s", [batch])
    with pytest.raises(QueueError, match="no stage 's'"):
        stages.progress_of(queue.db, job.job_id, "s")


def test_stage_goes_from_open_to_drained_to_closed(queue: BatchQueue, flow: str, key: str) -> None:
    job = queue.submit_job(flow, key, {}, "d")
    assert queue.open_stage(job.job_id, "a", ranges(3))
    assert queue.open_stage(job.job_id, "empty", [])
    assert stages.progress_of(queue.db, job.job_id, "empty").drained
    for n, batch in enumerate(queue.claim(flow, 9, job_id=job.job_id, stage="a")):
        before = stages.progress_of(queue.db, job.job_id, "a")
        assert (before.done, before.live, before.drained) == (n, 3 - n, False)
        queue.complete(batch, pl.DataFrame({"seq": [0], "output": [f'{{"part": {batch.partition_no}}}']}))
    after = stages.progress_of(queue.db, job.job_id, "a")
    assert (after.done, after.live, after.rows, after.rows_done, after.drained) == (3, 0, 30, 30, True)
    assert stages.results(queue.db, job.job_id, "a") == [{"part": 0}, {"part": 1}, {"part": 2}]
    assert stages.output(queue.db, job.job_id, "a") is None
    stages.close(queue.db, job.job_id, "a", {"pairs": 3})
    stages.close(queue.db, job.job_id, "a", {"pairs": 4})
    assert stages.output(queue.db, job.job_id, "a") == {"pairs": 3}
    assert [stage.stage for stage in stages.progress(queue.db, job.job_id)] == ["a", "empty"]


def test_job_is_finished_by_the_last_of_two_completers(
    queue: BatchQueue, other: BatchQueue, flow: str, key: str
) -> None:
    job = queue.submit_job(flow, key, {}, "d")
    queue.open_stage(job.job_id, "a", ranges(2))
    first, second = queue.claim(flow, 2, job_id=job.job_id)
    assert jobs.finish(queue.db, job.job_id) == "running"
    threads = [threading.Thread(target=q.complete, args=[b]) for q, b in ((queue, first), (other, second))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = jobs.find(queue.db, job.job_id)
    assert found is not None
    assert found.status == "completed"
    assert found.finished_at is not None
    with pytest.raises(QueueError, match="gets no more work"):
        queue.open_stage(job.job_id, "late", [])
    with pytest.raises(QueueError, match="cannot become running"):
        jobs.set_status(queue.db, job.job_id, "running")


def test_job_between_two_stages_does_not_finish_by_itself(queue: BatchQueue, flow: str, key: str) -> None:
    job = queue.submit_job(flow, key, {}, "d")
    queue.open_stage(job.job_id, "a", ranges(1))
    queue.complete(queue.claim(flow, 1, job_id=job.job_id)[0])
    queue.sweep()
    assert stages.progress(queue.db, job.job_id)[0].drained
    found = jobs.find(queue.db, job.job_id)
    assert found is not None
    assert found.status == "running"


def test_job_with_dead_letters_completes_with_errors_and_reopens_on_redrive(
    queue: BatchQueue, flow: str, key: str, db: DatabaseManager
) -> None:
    queue.register_flow(FlowPolicy(flow, backoff_s=0))
    job = queue.submit_job(flow, key, {}, "d")
    queue.enqueue(flow, [{"n": n} for n in range(10)], job_id=job.job_id)
    (batch,) = queue.claim(flow, 1, job_id=job.job_id, stage="main")
    items = queue.items(batch)
    rest = items[1:].select("seq", pl.lit("1").alias("output"))
    queue.complete(batch, rest, failures=[RowFailure(0, "Timeout", "", "transient")])
    assert not stages.progress_of(queue.db, job.job_id, "main").drained
    assert jobs.finish(queue.db, job.job_id) == "running"
    db.execute_query("d", "UPDATE queue_retries SET due_at = now()")
    queue.sweep()
    (retry,) = queue.claim(flow, 1, job_id=job.job_id)
    queue.complete(retry, failures=[RowFailure(0, "Schema")])
    found = jobs.find(queue.db, job.job_id)
    assert found is not None
    assert found.status == "completed_with_errors"
    assert dead_letters.redrive(queue.db, flow, dead_letters.Which(job_id=job.job_id)) == 1
    queue.sweep()
    queue.complete(queue.claim(flow, 1, job_id=job.job_id)[0])
    assert jobs.finish(queue.db, job.job_id) == "completed"
    ((n_items, n_ok, dead),) = db.execute_query(
        "v", "SELECT n_items, n_ok, dead_items FROM job_statistics_v1 WHERE job_id = :j", {"j": job.job_id}
    )
    assert (n_items, n_ok, dead) == (10, 10, 0)


def test_paused_job_hands_out_nothing(queue: BatchQueue, flow: str, key: str) -> None:
    job = queue.submit_job(flow, key, {}, "d")
    queue.open_stage(job.job_id, "a", ranges(1))
    jobs.pause(queue.db, job.job_id)
    assert queue.claim(flow, 1, job_id=job.job_id) == []
    jobs.set_status(queue.db, job.job_id, "running")
    assert len(queue.claim(flow, 1, job_id=job.job_id)) == 1
