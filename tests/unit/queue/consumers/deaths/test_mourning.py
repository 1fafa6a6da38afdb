from __future__ import annotations

import logging
import threading

import pytest

from core.errors import StoreUnavailable
from core.queue.consumers.deaths.mourning import Dead, Mourning
from core.queue.leases.failures import Failure

LIMIT_S = 30.0
ONE = Dead("worker-1", 7, Failure("WorkerDied", "the worker process was ended by SIGKILL"))
OTHER = Dead("worker-2", None, ONE.failure)


def test_mourning_tries_again_until_every_lease_is_ended() -> None:
    answers = iter([StoreUnavailable("away"), 2, 0])
    asked = []

    def bury(dead: Dead) -> int:
        asked.append(dead)
        answer = next(answers)
        if isinstance(answer, StoreUnavailable):
            raise answer
        return answer

    mourning = Mourning(bury)
    mourning.add(ONE)
    assert mourning.end(LIMIT_S)
    assert asked == [ONE] * 3


def test_mourning_ends_although_the_database_does_not_answer_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    asked, answered = threading.Event(), threading.Event()

    def bury(dead: Dead) -> int:
        asked.set()
        answered.wait(LIMIT_S)
        return 0

    mourning = Mourning(bury)
    mourning.add(ONE)
    assert asked.wait(LIMIT_S)
    # Neither does a second death wait.
    mourning.add(OTHER)
    with caplog.at_level(logging.WARNING):
        assert not mourning.end(0.01)
    answered.set()
    assert [record.message for record in caplog.records] == [
        "leases of 2 workers were not ended within 0.01 s, for the database does not answer; they run out by themselves"
    ]


def test_mourning_of_nobody_ends_at_once() -> None:
    assert Mourning(lambda dead: 1).end(LIMIT_S)
