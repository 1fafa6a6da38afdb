"""Limits of depth: refused with the figures, or waited for, without a lock."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.database import DatabaseManager
from core.errors import QueueError, QueueFull
from core.queue import BatchQueue, FlowPolicy, RowFailure
from core.queue.producers import jobs
from core.queue.producers.backpressure import Patience, patiently

Count = Callable[..., int]


@pytest.fixture
def limited(queue: BatchQueue, flow: str) -> str:
    queue.register_flow(FlowPolicy(flow, backoff_s=60, depth_limit_rows=10))
    return flow


def numbers(n: int) -> list[dict[str, int]]:
    return [{"n": i} for i in range(n)]


class Clock:
    """Time that passes only while somebody waits; `meanwhile` is called then."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self.meanwhile = meanwhile

    def patience(self, block_s: float = 0.0) -> Patience:
        return Patience(block_s, lambda: self.now, self.wait, lambda: 0.5)

    def wait(self, pause_s: float) -> None:
        self.now += pause_s
        self.pauses.append(pause_s)
        self.meanwhile()


def test_a_full_queue_refuses_with_its_figures_and_stores_nothing(
    queue: BatchQueue, limited: str, count: Count
) -> None:
    queue.enqueue(limited, numbers(8), batch_rows=4)
    queue.enqueue(limited, numbers(2))
    with pytest.raises(QueueFull) as caught:
        queue.enqueue(limited, numbers(1), unique_keys=["a"])
    full = pickle.loads(pickle.dumps(caught.value))
    assert (full.queue, full.depth, full.limit, full.retryable, full.exit_code) == (limited, 10, 10, True, 75)
    assert full.message == (
        f"the queue of flow {limited} is full: 10 rows wait, the limit is 10, 1 rows more do not fit; "
        "try again later, or add consumers"
    )
    assert count("queue_batches", flow_name=limited) == 3
    assert count("queue_dedupe", flow_name=limited) == 0
    with pytest.raises(QueueFull, match="10 rows wait"):
        queue.put(limited, {"n": 1})


def test_running_batches_make_room_and_everything_that_waits_takes_it(
    queue: BatchQueue, limited: str, db: DatabaseManager
) -> None:
    queue.enqueue(limited, numbers(10))
    (batch,) = queue.claim(limited)
    queue.enqueue(limited, numbers(3), not_before=datetime(2040, 1, 1, tzinfo=UTC))
    job = queue.submit_job(limited, f"key-{limited}", {}, "d")
    queue.enqueue(limited, numbers(2), job_id=job.job_id)
    jobs.pause(queue.db, job.job_id)
    queue.put(limited, {"n": 1})
    queue.complete(batch, failures=[RowFailure(seq, "E", "", "transient") for seq in (1, 2)])
    queue.enqueue(limited, numbers(2))
    with pytest.raises(QueueFull) as caught:
        queue.enqueue(limited, numbers(1))
    assert caught.value.depth == 3 + 2 + 1 + 2 + 2
    queue.register_flow(FlowPolicy(limited, tenant_id="acme", depth_limit_rows=1))
    queue.enqueue(limited, numbers(1), tenant_id="acme")
    with pytest.raises(QueueFull):
        queue.enqueue(limited, numbers(1), tenant_id="acme")


def test_blocking_waits_with_longer_pauses_until_there_is_room(queue: BatchQueue, limited: str) -> None:
    queue.enqueue(limited, numbers(10))

    def make_room() -> None:
        if len(clock.pauses) == 4:
            queue.complete(queue.claim(limited)[0])

    clock = Clock(make_room)
    queue.patience = clock.patience()
    assert queue.enqueue(limited, numbers(10), block_s=5).n_rows == 10
    assert clock.pauses == pytest.approx([0.05, 0.1, 0.2, 0.4])


def test_blocking_ends_at_its_bound(queue: BatchQueue, limited: str) -> None:
    queue.enqueue(limited, numbers(10))
    clock = Clock()
    queue.patience = clock.patience()
    with pytest.raises(QueueFull):
        queue.enqueue(limited, numbers(1), block_s=3)
    assert clock.now == pytest.approx(3)
    assert max(clock.pauses) <= 1
    with pytest.raises(QueueFull):
        queue.put(limited, {}, block_s=0.01)
    assert clock.now == pytest.approx(3.01)


def test_a_call_above_the_limit_is_refused_at_once(queue: BatchQueue, limited: str) -> None:
    clock = Clock()
    queue.patience = clock.patience()
    with pytest.raises(QueueFull, match="11 rows more do not fit; enqueue fewer at once"):
        queue.enqueue(limited, numbers(11), block_s=60)
    assert clock.pauses == []
    assert queue.enqueue(limited, [*numbers(10), {"n": 10}], unique_keys=["a"] * 11).n_rows == 1


def test_no_lock_is_held_while_waiting(queue: BatchQueue, limited: str, db: DatabaseManager) -> None:
    queue.enqueue(limited, numbers(10))
    job = queue.submit_job(limited, f"key-{limited}", {}, "d")

    def others_work() -> None:
        jobs.pause(queue.db, job.job_id)
        jobs.resume(queue.db, job.job_id)
        assert db.pool_figures()["checked_out"] == 0

    clock = Clock(others_work)
    queue.patience = clock.patience()
    with pytest.raises(QueueFull):
        queue.enqueue(limited, numbers(1), block_s=0.1, job_id=job.job_id, unique_keys=["a"])


@pytest.mark.parametrize("block_s", [-1.0, math.nan, math.inf])
def test_patience_needs_a_bound(block_s: float) -> None:
    with pytest.raises(QueueError, match="is not a time to wait"):
        patiently(replace(Clock().patience(), block_s=block_s), lambda: None)


def test_the_check_stops_adding_up_at_the_limit(queue: BatchQueue, limited: str, db: DatabaseManager) -> None:
    """It reads as many waiting batches as the limit needs, not all there are, and no other flow's."""
    fill = (
        "INSERT INTO processing_queue (batch_id, origin_batch_id, flow_name, n_items, item_hi) "
        "SELECT n, n, CASE WHEN n % 2 = 0 THEN :f ELSE :f || 'x' END, 5, 5 FROM generate_series(-40000, -1) n"
    )
    db.execute_query("fill", fill, {"f": limited})
    db.execute_query("analyze", "ANALYZE processing_queue")
    from core.database.queries import load, run

    with db.transaction() as conn:
        params = {"flow_name": limited, "tenant_id": "default", "room": 500}
        explained = "EXPLAIN (ANALYZE, FORMAT JSON) " + load("queue")["depth_above"].sql
        (((plan,),),) = [conn.execute(explained, params).fetchall()[0]]
        assert run(conn, load("queue")["depth_waiting"], params) == [(100_000,)]
    db.execute_query("clear", "DELETE FROM processing_queue WHERE batch_id < 0")
    read = sum(node["Actual Rows"] for node in scans(plan["Plan"]))
    assert 100 <= read <= 110


def scans(plan: dict[str, object]) -> list[dict[str, float]]:
    """The leaves of a plan."""
    inner = plan.get("Plans", [])
    assert isinstance(inner, list)
    return [leaf for node in inner for leaf in scans(node)] or [plan]  # type: ignore[list-item]
