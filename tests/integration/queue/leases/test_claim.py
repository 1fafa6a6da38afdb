"""Who gets what: caps, rates, shares of tenants and flows, the oldest now and then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import StoreUnavailable, UnknownFlow
from core.queue import BatchQueue, ClaimedBatch, FlowPolicy
from core.queue.leases import claim
from core.queue.leases.fairness import OLDEST_EVERY

Q = load("queue")
BUCKET = "SELECT bucket_rows FROM queue_flows WHERE flow_name = :f"
WAIT = "UPDATE queue_flows SET bucket_at = bucket_at - :s * interval '1 s' WHERE flow_name = :f"


def policy(flow: str, tenant: str = "default", **fields: Any) -> FlowPolicy:
    return FlowPolicy(flow, tenant, backoff_s=0, **fields)


def fill(queue: BatchQueue, flow: str, n_batches: int, rows: int = 1, **place: Any) -> list[int]:
    payloads = [{"n": n} for n in range(n_batches * rows)]
    return list(queue.enqueue(flow, payloads, batch_rows=rows, **place))


def done(queue: BatchQueue, batches: Iterable[ClaimedBatch]) -> None:
    for batch in batches:
        queue.complete(batch)


def one_by_one(queue: BatchQueue, flows: list[str], n_claims: int) -> Counter[tuple[str, str]]:
    """Rows by flow and tenant of so many claims, each of one batch."""
    rows: Counter[tuple[str, str]] = Counter()
    for _ in range(n_claims):
        for batch in queue.claim(flows[0]) if len(flows) == 1 else queue.claim_any(flows):
            rows[batch.flow_name, batch.tenant_id] += batch.n_items
    return rows


def test_a_claim_takes_what_the_cap_leaves_and_no_less(queue: BatchQueue, other: BatchQueue, flow: str) -> None:
    queue.register_flow(policy(flow, max_running=3))
    fill(queue, flow, 8)
    first = queue.claim(flow, 2)
    assert len(first) == 2
    second = other.claim(flow, 5)
    assert len(second) == 1
    assert queue.claim(flow) == []
    done(other, second)
    queue.release(first[:1])
    assert len(other.claim(flow, 5)) == 2
    # More room is seen by the next claim, less holds nobody up who runs already.
    queue.register_flow(policy(flow, max_running=4))
    assert len(queue.claim(flow, 5)) == 1
    queue.register_flow(policy(flow, max_running=2))
    assert queue.claim(flow) == []
    queue.register_flow(policy(flow))
    assert len(queue.claim(flow, 5)) == 3


def test_a_lease_that_ran_out_counts_until_it_is_rescued(
    queue: BatchQueue, flow: str, expire: Any, other: BatchQueue
) -> None:
    queue.register_flow(policy(flow, max_running=1))
    fill(queue, flow, 2)
    (batch,) = queue.claim(flow)
    expire(batch)
    assert other.claim(flow) == []
    assert other.rescue() == 1
    assert [again.batch_id for again in other.claim(flow, 2)] == [batch.batch_id]


def test_caps_of_tenants_are_apart_and_exact_under_claims_at_once(
    queue: BatchQueue, other: BatchQueue, flow: str
) -> None:
    caps = {"default": 1, "big": 4}
    for tenant, cap in caps.items():
        queue.register_flow(policy(flow, tenant, max_running=cap))
        fill(queue, flow, 20, tenant_id=tenant)
    with ThreadPoolExecutor(4) as threads:
        for _ in range(4):
            claims = [threads.submit(worker.claim, flow, 2) for worker in (queue, other) * 4]
            batches = [batch for claim in claims for batch in claim.result(60)]
            assert Counter(batch.tenant_id for batch in batches) == caps
            done(queue, batches)


def test_batches_of_a_job_are_claimed_within_the_caps_too(queue: BatchQueue, flow: str) -> None:
    queue.register_flow(policy(flow, max_running=2))
    job = queue.submit_job(flow, flow, {}, "")
    fill(queue, flow, 3, job_id=job.job_id, stage="one")
    fill(queue, flow, 3, job_id=job.job_id, stage="two")
    fill(queue, flow, 1)
    (loose,) = queue.claim(flow, 1, job_id=job.job_id, stage="two")
    assert (loose.job_id, loose.stage) == (job.job_id, "two")
    assert {batch.stage for batch in queue.claim(flow, 5, job_id=job.job_id)} == {"one"}
    assert queue.claim(flow, 5, job_id=job.job_id) == []
    assert queue.claim(flow) == []


def test_a_rate_hands_out_what_is_in_the_bucket(queue: BatchQueue, flow: str, db: DatabaseManager) -> None:
    """The bucket's clock is in its row, so a test can let time pass; at 1 row/s the test's own time does not matter."""
    queue.register_flow(policy(flow, rows_per_s=1.0, burst_rows=100))
    fill(queue, flow, 10, rows=60)

    def level() -> float:
        return db.execute_query("bucket", BUCKET, {"f": flow})[0][0]

    # The second batch begins within the burst and ends beyond it.
    assert len(queue.claim(flow, 9)) == 2
    assert level() == pytest.approx(-20)
    assert queue.claim(flow, 9) == []
    db.execute_query("wait", WAIT, {"f": flow, "s": 120})
    assert len(queue.claim(flow, 1)) == 1
    assert level() == pytest.approx(40, abs=5)
    assert len(queue.claim(flow, 9)) == 1
    db.execute_query("wait", WAIT, {"f": flow, "s": 10**6})
    assert len(queue.claim(flow, 9)) == 2


def test_a_batch_larger_than_the_burst_runs_and_is_paid_back(queue: BatchQueue, flow: str, db: DatabaseManager) -> None:
    queue.register_flow(policy(flow, rows_per_s=1.0))
    fill(queue, flow, 3, rows=50)
    assert len(queue.claim(flow, 3)) == 1
    assert queue.claim(flow, 3) == []
    db.execute_query("wait", WAIT, {"f": flow, "s": 60})
    assert len(queue.claim(flow, 3)) == 1


def test_rate_and_cap_hold_together(queue: BatchQueue, flow: str) -> None:
    queue.register_flow(policy(flow, rows_per_s=1.0, burst_rows=1_000, max_running=2))
    fill(queue, flow, 5, rows=10)
    assert len(queue.claim(flow, 5)) == 2
    assert queue.claim(flow, 5) == []


def test_tenants_share_rows_by_weight(queue: BatchQueue, flow: str) -> None:
    for tenant, weight, rows in (("default", 3.0, 4), ("small", 1.0, 2)):
        queue.register_flow(policy(flow, tenant, weight=weight))
        fill(queue, flow, 60, rows, tenant_id=tenant)
    # 3 : 1 in rows is 3 : 2 in batches.
    assert one_by_one(queue, [flow], 50) == {(flow, "default"): 120, (flow, "small"): 40}


def test_a_tenant_alone_with_work_gets_all(queue: BatchQueue, flow: str) -> None:
    for tenant in ("idle", "busy"):
        queue.register_flow(policy(flow, tenant))
    fill(queue, flow, 6, tenant_id="busy")
    assert len(queue.claim(flow, 4)) == 4
    assert one_by_one(queue, [flow], 5) == {(flow, "busy"): 2}


def test_a_tenant_that_joins_later_is_served(queue: BatchQueue, flow: str) -> None:
    fill(queue, flow, 40)
    assert one_by_one(queue, [flow], 10) == {(flow, "default"): 10}
    queue.register_flow(policy(flow, "late"))
    fill(queue, flow, 20, tenant_id="late")
    assert one_by_one(queue, [flow], 10) == {(flow, "default"): 5, (flow, "late"): 5}


def test_a_tenant_that_is_paused_does_not_hold_up_the_other(queue: BatchQueue, flow: str, db: DatabaseManager) -> None:
    queue.register_flow(policy(flow, "calm"))
    for tenant in ("default", "calm"):
        fill(queue, flow, 5, tenant_id=tenant)
    pause = "UPDATE queue_flows SET paused = true WHERE flow_name = :f AND tenant_id = 'default'"
    db.execute_query("pause", pause, {"f": flow})
    assert {batch.tenant_id for batch in queue.claim(flow, 9)} == {"calm"}
    assert queue.claim(flow) == []


def test_flows_share_rows_by_weight_and_one_at_its_cap_leaves_its_part(queue: BatchQueue, flow: str) -> None:
    heavy, capped = f"{flow}-heavy", f"{flow}-capped"
    queue.register_flow(policy(heavy, weight=2.0))
    queue.register_flow(policy(capped, max_running=3))
    for name in (flow, heavy, capped):
        fill(queue, name, 40)
    rows = one_by_one(queue, [flow, heavy, capped], 33)
    assert rows == {(flow, "default"): 10, (heavy, "default"): 20, (capped, "default"): 3}


def test_a_claim_of_many_goes_on_with_the_next_flow(queue: BatchQueue, flow: str) -> None:
    second = f"{flow}-second"
    queue.register_flow(policy(second))
    fill(queue, flow, 2)
    fill(queue, second, 2)
    assert Counter(batch.flow_name for batch in queue.claim_any([flow, second], 9)) == {flow: 2, second: 2}
    assert queue.claim_any([flow, second], 9) == []


@pytest.mark.parametrize("limits", [{}, {"max_running": 100}], ids=["free", "capped"])
def test_every_tenth_claim_takes_the_oldest_whatever_its_priority(
    queue: BatchQueue, flow: str, limits: dict[str, int]
) -> None:
    queue.register_flow(policy(flow, **limits))
    old = fill(queue, flow, 2, priority=900)
    urgent = fill(queue, flow, 40, priority=1)
    claimed = [queue.claim(flow)[0].batch_id for _ in range(2 * OLDEST_EVERY)]
    assert claimed[OLDEST_EVERY - 1 :: OLDEST_EVERY] == old
    assert [batch_id for batch_id in claimed if batch_id not in old] == urgent[:18]


def test_a_claim_gives_up_behind_one_that_hangs(
    queue: BatchQueue, flow: str, db: DatabaseManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.register_flow(policy(flow, max_running=1))
    fill(queue, flow, 1)
    monkeypatch.setattr(claim, "LOCK_WAIT_MS", 20)
    with db.transaction() as conn:
        run(conn, Q["claim_lock"], {"flow_name": flow, "tenant_id": "default", "wait_ms": 1_000})
        assert queue.claim(flow) == []
    assert len(queue.claim(flow)) == 1


def test_one_unknown_flow_among_several_is_named(queue: BatchQueue, flow: str) -> None:
    fill(queue, flow, 1)
    with pytest.raises(UnknownFlow, match="no such flow"):
        queue.claim_any([flow, "no such flow"])


def test_what_one_tenant_gave_is_kept_when_the_next_one_cannot_be_asked(
    queue: BatchQueue, flow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tenant in ("default", "second"):
        queue.register_flow(policy(flow, tenant))
        fill(queue, flow, 2, tenant_id=tenant)
    asked, once = [], queue.db.execute_once

    def breaks_at_the_second(*given: Any) -> Any:
        asked.append(given)
        if len(asked) == 2:
            raise StoreUnavailable("away")
        return once(*given)

    monkeypatch.setattr(queue.db, "execute_once", breaks_at_the_second)
    assert len(queue.claim_any([flow], 4)) == 2
    monkeypatch.setattr(queue.db, "execute_once", breaks_at_the_second)
    asked[:] = [()]
    with pytest.raises(StoreUnavailable):
        queue.claim_any([flow], 4)
