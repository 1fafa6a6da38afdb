from __future__ import annotations

from dataclasses import replace

import pytest

from core.database import DatabaseManager
from core.errors import ConfigError
from core.queue import BatchQueue, FlowPolicy, flows


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
