"""What a consumer says of itself while its database is away, without processes of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.consuming.request import ConsumeRequest
from core.consuming.run import ConsumerRun
from core.database import DatabaseManager
from core.queue import BatchQueue, FlowPolicy
from core.queue.consumers.supervisor import UNANSWERED_S, Figures
from core.runtime import Runtime
from core.settings import Settings

CLAIMING = Figures(workers=2, ready=2)


@pytest.fixture
def consumer(db: DatabaseManager, queue: BatchQueue) -> ConsumerRun:
    queue.register_flow(FlowPolicy("readiness"))
    request = ConsumeRequest(flows=("readiness",), handler="module:function")
    return ConsumerRun(Runtime(Settings(), db, "tests"), request)


@pytest.fixture
def queue(db: DatabaseManager) -> BatchQueue:
    return BatchQueue(db, Settings().queue, "tests")


def test_problem_tells_of_claims_that_are_not_answered_and_of_the_first_that_is(consumer: ConsumerRun) -> None:
    assert consumer.problem() == "no worker process has begun to claim"
    for figures, fits in (
        (CLAIMING, True),
        (replace(CLAIMING, unanswered_s=UNANSWERED_S / 2), True),
        (replace(CLAIMING, unanswered_s=12.0), False),
        (CLAIMING, True),
    ):
        consumer._note(figures)
        assert (consumer.problem() is None) is fits
    consumer._note(replace(CLAIMING, unanswered_s=12.0))
    assert (consumer.problem() or "").startswith("no claim was answered for 12 s")
