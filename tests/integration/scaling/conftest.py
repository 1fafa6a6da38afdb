"""A queue on the module's database, and a flow of the test's own."""

from __future__ import annotations

import uuid

import pytest

from core.database import DatabaseManager
from core.queue import BatchQueue, FlowPolicy
from core.settings import QueueSettings


@pytest.fixture
def queue(db: DatabaseManager) -> BatchQueue:
    return BatchQueue(db, QueueSettings(poll_s=0.2), "producer", jitter=lambda: 0.5)


@pytest.fixture
def flow(queue: BatchQueue) -> str:
    name = f"flow-{uuid.uuid4().hex[:8]}"
    queue.register_flow(FlowPolicy(name, backoff_s=0))
    return name
