from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from core.database import DatabaseManager
from core.errors import LeaseLost, QueueError
from core.queue import BatchQueue, ClaimedBatch, FlowPolicy
from core.queue.leases.together import Finished
from core.queue.store.items import items_together

HISTORY = """
SELECT outcome, n_ok, n_failed, n_rows, n_bytes, wall_ms, cpu_ms FROM queue_history
WHERE flow_name = :f ORDER BY batch_id
"""
RESULTS = """
SELECT (r.output->>'n')::int, (i.payload->>'n')::int FROM queue_results r
JOIN queue_batches b USING (batch_id) LEFT JOIN queue_items i ON i.batch_id = r.batch_id AND i.seq = r.seq
WHERE b.flow_name = :f ORDER BY 1
"""


def numbers(n: int) -> list[dict[str, int]]:
    return [{"n": i} for i in range(n)]


def finished(queue: BatchQueue, batches: list[ClaimedBatch]) -> list[Finished]:
    texts = items_together(queue.db, batches)
    frames = [texts[batch.batch_id].frame().select("seq", output="payload") for batch in batches]
    return [Finished(batch, frame, 2.0, 1.0, 7) for batch, frame in zip(batches, frames, strict=True)]


def test_claim_takes_no_more_rows_together_than_asked_for(queue: BatchQueue, flow: str) -> None:
    queue.enqueue(flow, numbers(50), batch_rows=10)
    assert [batch.n_items for batch in queue.claim(flow, 5, together_rows=30)] == [10] * 3
    assert [batch.n_items for batch in queue.claim(flow, 5, together_rows=5)] == [10]


def test_claim_takes_a_batch_that_was_tried_before_alone(
    queue: BatchQueue, flow: str, expire: Callable[[ClaimedBatch], None]
) -> None:
    queue.enqueue(flow, numbers(5), batch_rows=1)
    first, second, third, *_ = queue.claim(flow, 5)
    queue.release([first, third])
    expire(second)
    queue.rescue()
    assert [batch.batch_id for batch in queue.claim(flow, 5, together_rows=100)] == [first.batch_id]
    assert [batch.attempt for batch in queue.claim(flow, 5, together_rows=100)] == [2]
    assert [batch.batch_id for batch in queue.claim(flow, 5, together_rows=100)] == [third.batch_id]


def test_claim_leaves_places_of_a_limited_flow_to_others(queue: BatchQueue, flow: str) -> None:
    queue.register_flow(FlowPolicy(flow, max_running=3))
    queue.enqueue(flow, numbers(5), batch_rows=1)
    for _ in range(3):
        assert len(queue.claim(flow, 5, together_rows=100)) == 1
    assert queue.claim(flow, 5, together_rows=100) == []


def test_complete_writes_results_and_a_history_row_of_each_batch(
    queue: BatchQueue, flow: str, db: DatabaseManager, count: Callable[..., int]
) -> None:
    queue.enqueue(flow, numbers(25), batch_rows=10)
    queue.complete_together(finished(queue, queue.claim(flow, 3, together_rows=100)))
    assert db.execute_query("r", RESULTS, {"f": flow}) == [(n, n) for n in range(25)]
    assert db.execute_query("h", HISTORY, {"f": flow}) == [("completed", n, 0, n, 7, 2.0, 1.0) for n in (10, 10, 5)]
    assert count("processing_queue", flow_name=flow) == 0


@pytest.mark.parametrize("place", [0, 1, 2])
def test_complete_writes_nothing_if_one_lease_is_lost_and_the_others_stand(
    queue: BatchQueue, other: BatchQueue, flow: str, expire: Callable[[ClaimedBatch], None], count: Callable[..., int],
    place: int,
) -> None:  # fmt: skip
    queue.enqueue(flow, numbers(3), batch_rows=1)
    group = finished(queue, queue.claim(flow, 3, together_rows=100))
    expire(group[place].batch)
    other.rescue()
    with pytest.raises(LeaseLost, match=str(group[place].batch.batch_id)):
        queue.complete_together(group)
    kept = [one for n, one in enumerate(group) if n != place]
    assert count("queue_history", flow_name=flow, outcome="completed") == 0
    queue.complete_together(kept)
    (again,) = finished(other, other.claim(flow, 3, together_rows=100))
    other.complete(again.batch, again.results)
    assert count("queue_history", flow_name=flow, outcome="completed") == 3


def test_complete_refuses_results_that_do_not_fit_before_anything_is_written(
    queue: BatchQueue, flow: str, count: Callable[..., int]
) -> None:
    queue.enqueue(flow, numbers(4), batch_rows=2)
    one, two = finished(queue, queue.claim(flow, 2, together_rows=100))
    with pytest.raises(QueueError, match="complete it by itself"):
        queue.complete_together([one, Finished(two.batch, two.results.head(1), 1.0, 1.0)])
    assert count("queue_history", flow_name=flow) == 0
    queue.complete_together([one, two])


def test_complete_whose_reply_was_lost_is_found_done(queue: BatchQueue, flow: str, count: Callable[..., int]) -> None:
    queue.enqueue(flow, numbers(2), batch_rows=1)
    one, two = finished(queue, queue.claim(flow, 2, together_rows=100))
    queue.complete_together([one, two])
    # What a lost connection after the commit leaves behind.
    queue._unsure.update([one.batch.token, two.batch.token])
    assert queue.complete(one.batch, pl.DataFrame({"seq": [0], "output": ["1"]})) == "completed"
    assert queue.complete(two.batch, pl.DataFrame({"seq": [0], "output": ["1"]})) == "completed"
    assert count("queue_history", flow_name=flow) == 2
