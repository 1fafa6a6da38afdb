"""Both adapters of the port behave alike: one suite, a folder and a queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.database import DatabaseManager
from core.jobs.local_source import LocalManifest
from core.jobs.ports import BatchSource
from core.jobs.queue_source import QueueSource
from core.queue import BatchQueue, FlowPolicy
from core.settings import QueueSettings

FLOW = "staged"
Reopen = Callable[[], BatchSource]


@pytest.fixture(params=["manifest", "queue"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reopen]:
    """Make the source of one job, as often as asked: each call is a process that joins the job anew."""
    opened: list[BatchSource] = []
    if request.param == "manifest":

        def make() -> BatchSource:
            opened.append(LocalManifest(tmp_path))
            return opened[-1]
    else:
        db: DatabaseManager = request.getfixturevalue("db")
        key = request.node.name

        def make() -> BatchSource:
            queue = BatchQueue(db, QueueSettings(), f"worker-{len(opened)}")
            queue.register_flow(FlowPolicy(FLOW))
            job = queue.submit_job(FLOW, key, {}, "digest")
            opened.append(QueueSource(queue, FLOW, job.job_id, str(tmp_path)))
            return opened[-1]

    yield make
    for source in opened:
        source.close()


def test_claim_hands_out_each_batch_once_in_order(reopen: Reopen) -> None:
    source = reopen()
    source.open_stage("ingest", [10, 20, 30])
    first, second = source.claim("ingest", 2), source.claim("ingest", 2)
    assert [(batch.partition, batch.n_items) for batch in first + second] == [(0, 10), (1, 20), (2, 30)]
    assert source.claim("ingest", 1) == []
    assert len({batch.tag for batch in first + second}) == 3


def test_open_stage_twice_changes_nothing(reopen: Reopen) -> None:
    source = reopen()
    source.open_stage("ingest", [5, 5])
    source.open_stage("ingest", [1, 2, 3])
    assert source.progress("ingest").total == 2


def test_complete_keeps_the_output_by_partition(reopen: Reopen) -> None:
    source = reopen()
    source.open_stage("match", [7, 8])
    one, two = source.claim("match", 2)
    source.complete(two, {"pairs": 2})
    assert not source.progress("match").drained
    source.complete(one, {"pairs": 1})
    assert source.progress("match").drained
    assert source.outputs("match") == [{"pairs": 1}, {"pairs": 2}]


def test_released_batch_is_handed_out_again(reopen: Reopen) -> None:
    source = reopen()
    source.open_stage("reduce", [4])
    source.release(source.claim("reduce", 1))
    assert [batch.partition for batch in source.claim("reduce", 1)] == [0]


def test_failed_for_good_is_dead_and_not_handed_out(reopen: Reopen) -> None:
    source = reopen()
    source.open_stage("train", [4])
    source.fail(source.claim("train", 1)[0], "MatchError", "no pairs to learn from", retryable=False)
    progress = source.progress("train")
    assert (progress.dead, progress.live, progress.drained) == (1, 0, True)
    assert source.claim("train", 1) == []


def test_acknowledged_batches_survive_a_new_process(reopen: Reopen) -> None:
    source = reopen()
    source.open_stage("ingest", [1, 1])
    source.complete(source.claim("ingest", 1)[0], {"rows": 1})
    again = reopen()
    again.open_stage("ingest", [1, 1])
    assert [batch.partition for batch in again.claim("ingest", 5)] == [1]
    assert again.outputs("ingest") == [{"rows": 1}]


def test_stage_without_batches_is_drained(reopen: Reopen) -> None:
    source = reopen()
    source.open_stage("match", [])
    assert source.progress("match").drained
    assert source.outputs("match") == []
