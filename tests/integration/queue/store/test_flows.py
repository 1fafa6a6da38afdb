from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from core.database import DatabaseManager
from core.errors import ConfigError
from core.queue import BatchQueue, FlowPolicy
from core.queue.store import flows


def test_policy_is_stored_and_read_whole(queue: BatchQueue, flow: str, db: DatabaseManager) -> None:
    policy = FlowPolicy(flow, "default", 7, 60, True, 0.5, 3, 1000.5, 20, 2.5, 9_000)
    queue.register_flow(policy)
    with db.transaction() as conn:
        assert flows.policy_of(conn, flow) == policy
    bare = FlowPolicy(flow)
    queue.register_flow(bare)
    with db.transaction() as conn:
        assert flows.policy_of(conn, flow) == bare


def test_refused_policy_changes_nothing(queue: BatchQueue, flow: str, db: DatabaseManager) -> None:
    with db.transaction() as conn:
        before = flows.policy_of(conn, flow)
    with pytest.raises(ConfigError, match="max_running"):
        queue.register_flow(replace(before, max_running=0))
    with db.transaction() as conn:
        assert flows.policy_of(conn, flow) == before


def test_a_flow_that_is_there_keeps_what_an_operator_set(queue: BatchQueue, flow: str, db: DatabaseManager) -> None:
    flows.change(db, flow, "default", {"max_running": 2})
    flows.ensure(queue.db, FlowPolicy(flow, work_queue="matching"))
    (found,) = flows.registered(db, flow)
    assert (found.policy.max_running, found.policy.work_queue) == (2, "default")
    flows.ensure(queue.db, FlowPolicy(flow, "acme", work_queue="matching"))
    assert [one.policy.work_queue for one in flows.registered(db, flow)] == ["matching", "default"]


def test_two_changes_at_once_both_hold(flow: str, db: DatabaseManager) -> None:
    with ThreadPoolExecutor(8) as pool:
        changes = [{"max_running": 3}, {"rows_per_s": 5.0}, {"weight": 2.0}, {"depth_limit_rows": 9}] * 2
        list(pool.map(lambda fields: flows.change(db, flow, "default", fields), changes))
    (found,) = flows.registered(db, flow)
    policy = found.policy
    assert (policy.max_running, policy.rows_per_s, policy.weight, policy.depth_limit_rows) == (3, 5.0, 2.0, 9)
