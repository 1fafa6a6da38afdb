from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from core.errors import StoreUnavailable
from core.queue.consumers.together import BATCHES_MAX, LATE_S, ROWS_MAX, Pace, Waiting


def test_pace_doubles_while_batches_are_short_and_falls_to_one_at_once() -> None:
    pace, limits = Pace(), []
    for took_s in (0.001, 0.001, 0.001, 0.02, 0.2, 0.001):
        limits.append(pace.limit())
        pace.took([(0.001, 10), (took_s, 10)])
    assert limits == [1, 2, 4, 8, 5, 1]
    assert pace.limit() == 2


def test_pace_counts_rows_and_batches() -> None:
    large, small = Pace(), Pace()
    for _ in range(10):
        large.took([(0.001, ROWS_MAX // 2 + 1)])
        small.took([(0.0, 1)])
    assert large.limit() == 1
    assert small.limit() == BATCHES_MAX
    small.took([])
    assert small.limit() == BATCHES_MAX


def test_waiting_gives_back_only_what_has_waited_too_long() -> None:
    now, back = [0.0], list[Any]()

    def release(batches: Sequence[Any]) -> int:
        back.extend(batches)
        return len(batches)

    waiting = Waiting(release, lambda: now[0])
    batches: list[Any] = ["a", "b", "c"]
    waiting.put(batches)
    assert waiting.next() == "a"
    waiting.give_back_late()
    assert back == []
    now[0] = LATE_S * 1.1
    waiting.give_back_late()
    assert back == ["b", "c"]
    assert waiting.next() is None


def test_waiting_keeps_what_could_not_be_given_back() -> None:
    def release(batches: Sequence[Any]) -> int:
        raise StoreUnavailable("away")

    waiting = Waiting(release)
    batches: list[Any] = ["a", "b"]
    waiting.put(batches)
    with pytest.raises(StoreUnavailable):
        waiting.give_back()
    assert [waiting.next(), waiting.next(), waiting.next()] == ["a", "b", None]
