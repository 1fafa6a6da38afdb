from __future__ import annotations

import logging
import tempfile
import threading
from collections.abc import Callable

import pytest

from core.errors import StoreError, StoreReadOnly, StoreUnavailable
from core.queue.consumers import outages
from core.queue.consumers.outages import Outages
from core.queue.consumers.status_board import Board


class Pauses(threading.Event):
    """An event that is never waited for; set by the pause of that number."""

    def __init__(self, stop_at: int | None = None) -> None:
        super().__init__()
        self.seconds: list[float] = []
        self._stop_at = stop_at

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.seconds.append(timeout)
        if len(self.seconds) == self._stop_at:
            self.set()
        return self.is_set()


def after(n_outages: int) -> Callable[[], str]:
    """Something that the database does after so many refusals."""
    left = [StoreUnavailable("away")] * n_outages

    def act() -> str:
        if left:
            raise left.pop()
        return "done"

    return act


@pytest.mark.parametrize("how", [Outages.wait_out, Outages.insist])
def test_an_outage_is_waited_for_longer_from_try_to_try(how: Callable[[Outages, Callable[[], str]], str]) -> None:
    pauses = Pauses()
    assert how(Outages(pauses, 2.0), after(5)) == "done"
    assert pauses.seconds == [2.0, 4.0, 8.0, outages.OUTAGE_PAUSE_MAX_S, outages.OUTAGE_PAUSE_MAX_S]


@pytest.mark.parametrize("how", [Outages.wait_out, Outages.insist])
def test_what_is_refused_for_good_is_raised_at_once(how: Callable[[Outages, Callable[[], str]], str]) -> None:
    pauses = Pauses()

    def act() -> str:
        raise StoreError("no such column")

    with pytest.raises(StoreError, match="no such column"):
        how(Outages(pauses, 2.0), act)
    assert pauses.seconds == []


def test_told_to_stop_it_gives_up_waiting() -> None:
    assert Outages(Pauses(stop_at=2), 1.0).wait_out(after(2)) is None


def test_told_to_stop_it_tries_once_more_for_a_batch_in_hand() -> None:
    assert Outages(Pauses(stop_at=2), 1.0).insist(after(2)) == "done"
    with pytest.raises(StoreUnavailable):
        Outages(Pauses(stop_at=2), 1.0).insist(after(3))


def test_an_outage_is_logged_once_and_that_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        Outages(Pauses(), 2.0).wait_out(after(5))
    assert [record.getMessage() for record in caplog.records] == ["away", "the database does what it is asked again"]


def test_a_failover_is_asked_after_often() -> None:
    pauses = Pauses()
    left: list[StoreError] = [StoreReadOnly("read only")] * 4

    def act() -> None:
        if left:
            raise left.pop()

    Outages(pauses, 1.0).insist(act)
    assert pauses.seconds == [1.0, 2.0, 2.0, 2.0]


def test_the_board_shows_since_when_nothing_was_answered() -> None:
    with tempfile.TemporaryFile(buffering=0) as file:
        board, shown = Board(file), []
        trouble = after(2)

        def act() -> str:
            shown.append(board.look().asks_since)
            return trouble()

        assert Outages(Pauses(), 1.0, board).wait_out(act) == "done"
        assert shown[0] == 0.0
        assert shown[1] == shown[2] > 0.0
        assert board.look().asks_since == 0.0
        board.close()
