"""Dead letters: what is shown of them, and the way back by class, fault and job, in bounded chunks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.database import DatabaseManager
from core.queue import BatchQueue, FlowPolicy, NewBatch, RowFailure
from core.queue.leases import dead_letters
from core.queue.leases.dead_letters import Which
from core.queue.producers import jobs

Count = Callable[..., int]


@pytest.fixture
def letters(queue: BatchQueue, flow: str) -> int:
    """The id of a job with 6 dead rows and a dead range of 9; 4 dead rows and 1 unreadable letter have no job."""
    job = queue.submit_job(flow, f"key-{flow}", {}, "d")
    queue.enqueue(flow, [{"n": n} for n in range(40)], job_id=job.job_id)
    failures = [RowFailure(n, "Timeout", "slow", "permanent") for n in range(4)]
    failures += [RowFailure(n, "Schema", "odd", "poison") for n in range(4, 6)]
    queue.complete(queue.claim(flow)[0], failures=failures)
    queue.open_stage(job.job_id, "ranges", [NewBatch(0, 9, {"table": "t", "lo": 0, "hi": 9})])
    queue.fail(queue.claim(flow)[0], "Timeout", "too slow", retryable=False)
    queue.enqueue(flow, [*['{"n":1}'] * 40, "{"], on_bad="dead")
    queue.complete(queue.claim(flow)[0], failures=[RowFailure(n, "Timeout", "slow") for n in range(4)])
    return job.job_id


def test_letters_are_shown_with_their_context(queue: BatchQueue, flow: str, letters: int) -> None:
    found = dead_letters.letters(queue.db, Which(fault="poison", job_id=letters), 9)
    assert [(one.seq, one.stage, one.attempts, one.worker_id, one.reason, one.payload) for one in found] == [
        (5, "main", 1, "worker-a", "odd", None),
        (4, "main", 1, "worker-a", "odd", None),
    ]
    (unreadable,) = dead_letters.letters(queue.db, Which(error_class="RowError"), 9, flow_name=flow, payload=True)
    assert (unreadable.payload, unreadable.reason) == ("{", "payload 40: it is not JSON")


def test_redrive_counts_before_it_moves(queue: BatchQueue, flow: str, letters: int, count: Count) -> None:
    told = dead_letters.would_redrive(queue.db, flow, Which())
    assert [(one.error_class, one.fault, one.n_letters, one.n_items, one.n_kept) for one in told] == [
        ("Timeout", "permanent", 9, 17, 0),
        ("Schema", "poison", 2, 2, 0),
        ("RowError", "poison", 0, 0, 1),
    ]
    assert [one.n_items for one in dead_letters.would_redrive(queue.db, flow, Which("Timeout", job_id=letters))] == [13]
    assert dead_letters.would_redrive(queue.db, flow, Which(job_id=0)) == []
    assert count("dead_letters", flow_name=flow) == 12
    assert dead_letters.redrive(queue.db, flow) == 19


@pytest.mark.parametrize(
    ("which", "n_items", "n_left"),
    [
        (Which("Timeout"), 17, 3),
        (Which(fault="poison"), 2, 10),
        (Which("Timeout", "poison"), 0, 12),
        (Which("Timeout", "permanent"), 17, 3),
    ],
)
def test_redrive_takes_what_was_asked_for(
    queue: BatchQueue, flow: str, letters: int, which: Which, n_items: int, n_left: int
) -> None:
    assert (
        dead_letters.redrive(queue.db, flow, dead_letters.Which(error_class=which.error_class, fault=which.fault))
        == n_items
    )
    assert len(dead_letters.letters(queue.db, Which(), 99, flow_name=flow)) == n_left


def test_redrive_of_one_job_leaves_the_others(queue: BatchQueue, flow: str, letters: int, count: Count) -> None:
    assert dead_letters.redrive(queue.db, flow, dead_letters.Which(job_id=letters)) == 15
    assert count("dead_letters", flow_name=flow) == 5
    queue.sweep()
    assert {batch.job_id for batch in queue.claim(flow, 9)} == {letters}


def test_redrive_goes_in_chunks_up_to_its_limit(
    queue: BatchQueue, flow: str, letters: int, count: Count, monkeypatch: pytest.MonkeyPatch, db: DatabaseManager
) -> None:
    monkeypatch.setattr(dead_letters, "CHUNK", 3)
    before = db.pool_figures()["requests"]
    assert dead_letters.redrive(queue.db, flow, limit=7) == 7
    # Two whole chunks and one letter, a transaction each.
    assert db.pool_figures()["requests"] - before == 3
    assert count("dead_letters", flow_name=flow) == 5
    # Three rows, then the range beside nothing, then nothing.
    assert dead_letters.redrive(queue.db, flow) == 3 + 9
    assert count("dead_letters", flow_name=flow) == 1


def test_redriven_letters_run_again_with_new_attempts(queue: BatchQueue, flow: str, letters: int) -> None:
    queue.register_flow(FlowPolicy(flow, backoff_s=0))
    dead_letters.redrive(queue.db, flow)
    queue.sweep()
    batches = queue.claim(flow, 9)
    assert sorted((batch.kind, batch.stage, batch.n_items, batch.attempt) for batch in batches) == [
        ("new", "ranges", 9, 1),
        ("retry", "main", 4, 1),
        ("retry", "main", 6, 1),
    ]
    for batch in batches:
        queue.complete(batch)
    assert jobs.finish(queue.db, letters) == "completed"
