"""Claims begin where live batches were seen to begin; what becomes ready below that is found all the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.database import DatabaseManager
from core.database.queries import Query
from core.errors import StoreUnavailable
from core.queue import BatchQueue, FlowPolicy
from core.queue.leases.fairness import ASK_LOW_EVERY, LOOK_BELOW_S, Lane, Turns
from core.queue.producers import jobs
from core.settings import QueueSettings


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def turns(clock: Clock) -> Turns:
    return Turns("worker-a", clock)


@pytest.fixture
def queue(db: DatabaseManager, turns: Turns) -> BatchQueue:
    queue = BatchQueue(db, QueueSettings(), "worker-a", jitter=lambda: 0.5)
    queue.claimant = replace(queue.claimant, turns=turns)
    return queue


def fill(queue: BatchQueue, flow: str, n_batches: int, job_id: int | None = None) -> list[int]:
    return list(queue.enqueue(flow, [{"n": n} for n in range(n_batches)], batch_rows=1, job_id=job_id))


def believe(turns: Turns, lane: Lane, low: int) -> None:
    """As if the database had said so twice; both looks below are just over."""
    turns.look(lane)
    turns.live_from(lane, low)
    turns.live_from(lane, low)
    turns.lows([lane.flow_name])


def low_of(turns: Turns, flow: str) -> int:
    return turns.look(Lane(flow)).low


def test_low_rises_over_what_is_finished_and_stays_below_what_runs(queue: BatchQueue, turns: Turns, flow: str) -> None:
    ids = fill(queue, flow, 3 * ASK_LOW_EVERY + 2)
    (running,) = queue.claim(flow)
    for _ in range(2 * ASK_LOW_EVERY):
        queue.complete(queue.claim(flow)[0])
    assert low_of(turns, flow) == running.batch_id == ids[0]
    queue.complete(running)
    for _ in range(ASK_LOW_EVERY):
        queue.complete(queue.claim(flow)[0])
    # Said once it is not believed yet; the answer before was the batch that ran.
    assert low_of(turns, flow) == ids[0]


def test_low_is_behind_the_finished_in_the_end(queue: BatchQueue, turns: Turns, flow: str) -> None:
    ids = fill(queue, flow, 2 * ASK_LOW_EVERY + 10)
    for _ in range(2 * ASK_LOW_EVERY):
        queue.complete(queue.claim(flow)[0])
    assert low_of(turns, flow) == ids[ASK_LOW_EVERY - 1]


def test_what_is_ready_below_low_is_found_where_nothing_is_above(queue: BatchQueue, turns: Turns, flow: str) -> None:
    """As after a transaction that drew its ids early and committed late."""
    ids = fill(queue, flow, 3)
    believe(turns, Lane(flow), ids[-1] + 1)
    assert [batch.batch_id for batch in queue.claim(flow)] == ids[:1]
    # Which proves it wrong.
    assert low_of(turns, flow) == ids[0]


def test_batches_of_a_job_that_goes_on_are_found_though_others_wait_above(
    queue: BatchQueue, turns: Turns, clock: Clock, flow: str
) -> None:
    job = queue.submit_job(flow, flow, {}, "")
    paused = fill(queue, flow, 2, job.job_id)
    jobs.pause(queue.db, job.job_id)
    above = fill(queue, flow, 5)
    believe(turns, Lane(flow), above[0])
    jobs.resume(queue.db, job.job_id)
    assert [batch.batch_id for batch in queue.claim(flow)] == above[:1]
    clock.now_s += LOOK_BELOW_S
    assert [batch.batch_id for batch in queue.claim(flow, 2)] == paused


def test_a_job_is_claimed_below_low_too(queue: BatchQueue, turns: Turns, flow: str) -> None:
    job = queue.submit_job(flow, flow, {}, "")
    ids = fill(queue, flow, 2, job.job_id)
    believe(turns, Lane(flow), ids[-1] + 1)
    assert [batch.batch_id for batch in queue.claim(flow, 2, job_id=job.job_id)] == ids


def test_of_several_flows_one_that_is_ready_below_low_is_found(
    queue: BatchQueue, turns: Turns, clock: Clock, flow: str
) -> None:
    second = f"{flow}-second"
    queue.register_flow(FlowPolicy(second))
    below, above = fill(queue, flow, 2), fill(queue, second, 3)
    believe(turns, Lane(flow, "default"), above[-1] + 1)
    believe(turns, Lane(second, "default"), above[0])
    # Others have work, so nobody looks below at once.
    assert [batch.batch_id for batch in queue.claim_any([flow, second])] == above[:1]
    clock.now_s += LOOK_BELOW_S
    assert below[0] in {batch.batch_id for batch in queue.claim_any([flow, second], 2)}


def test_of_several_flows_the_only_one_with_work_is_found_below_low(queue: BatchQueue, turns: Turns, flow: str) -> None:
    second = f"{flow}-second"
    queue.register_flow(FlowPolicy(second))
    ids = fill(queue, flow, 2)
    believe(turns, Lane(flow, "default"), ids[-1] + 1)
    assert [batch.batch_id for batch in queue.claim_any([flow, second], 2)] == ids


def test_a_wrong_low_never_hides_work_from_a_claim_under_limits(queue: BatchQueue, turns: Turns, flow: str) -> None:
    queue.register_flow(FlowPolicy(flow, max_running=2))
    ids = fill(queue, flow, 3)
    believe(turns, Lane(flow, "default"), ids[-1] + 1)
    assert [batch.batch_id for batch in queue.claim(flow, 9)] == ids[:2]


def test_a_look_for_where_live_batches_begin_costs_no_batch_when_it_fails(
    queue: BatchQueue, flow: str, db: DatabaseManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim is committed by then."""
    once, asked = db.execute_once, []

    def lost(query: Query, params: Any) -> Any:
        asked.append(query.name)
        if query.name == "claim_low":
            raise StoreUnavailable("the connection was lost")
        return once(query, params)

    monkeypatch.setattr(db, "execute_once", lost)
    ids = fill(queue, flow, ASK_LOW_EVERY)
    assert [batch.batch_id for _ in ids for batch in queue.claim(flow)] == ids
    # Each claim is one statement that commits itself.
    assert asked == ["batch_claim"] * ASK_LOW_EVERY + ["claim_low"]
