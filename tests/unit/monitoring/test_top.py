from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from core.cli.queue.top import drawn
from core.errors import StoreUnavailable
from core.monitoring.top import (
    FlowReading,
    Frame,
    Reading,
    Window,
    WorkerFigures,
    eta_s,
    figures,
    shown_age,
    shown_count,
    watch,
)

FLOW = FlowReading("survey", 10, 1_000, 2, 200, 0, 0, 0, 0, 0, 12.0, False)


def reading(at_s: float, *flows: FlowReading) -> Reading:
    return Reading(at_s, flows, ())


def test_rates_are_what_ended_and_what_piled_up() -> None:
    before = replace(FLOW, n_ended=5_000)
    # 600 rows ended in ten seconds, and the backlog fell by 400: so 200 came in.
    now = replace(before, ready_rows=600, n_ended=5_600)
    (line,) = figures(reading(100.0, before), reading(110.0, now)).flows
    assert (line.out_per_s, line.in_per_s) == (60.0, 20.0)
    assert line.backlog_rows == 800
    assert line.eta_s == 800 / 40.0


def test_every_row_that_has_not_ended_counts_as_backlog() -> None:
    flow = replace(FLOW, ready_rows=1, running_rows=2, scheduled_rows=4, paused_rows=8, retries=16, inbox=32)
    assert flow.backlog_rows == 63


def test_a_counter_that_falls_or_rows_that_are_cancelled_give_no_negative_rate() -> None:
    before = replace(FLOW, n_ended=5_000)
    (line,) = figures(reading(0.0, before), reading(1.0, replace(FLOW, n_ended=0, ready_rows=0))).flows
    assert (line.out_per_s, line.in_per_s) == (0.0, 0.0)


def test_a_flow_that_was_not_there_before_has_no_rates_yet() -> None:
    (line,) = figures(reading(0.0), reading(1.0, FLOW)).flows
    assert (line.in_per_s, line.out_per_s, line.eta_s) == (None, None, None)


@pytest.mark.parametrize(
    ("backlog", "in_per_s", "out_per_s", "expected"),
    [(0, None, None, 0.0), (100, None, None, None), (100, 0.0, 0.0, None), (100, 10.0, 10.0, None), (100, 5, 10, 20.0)],
)
def test_eta(backlog: int, in_per_s: float | None, out_per_s: float | None, expected: float | None) -> None:
    assert eta_s(backlog, in_per_s, out_per_s) == expected


def test_window_compares_with_the_oldest_reading_of_the_last_half_minute() -> None:
    window = Window(window_s=30.0)
    for at_s, n_ended in ((0.0, 0), (10.0, 1_000), (20.0, 1_000)):
        window.add(reading(at_s, replace(FLOW, n_ended=n_ended)))
    (line,) = window.add(reading(30.0, replace(FLOW, n_ended=1_000))).flows
    assert line.out_per_s == 1_000 / 30
    # The burst of the first ten seconds is over half a minute old.
    (line,) = window.add(reading(40.0, replace(FLOW, n_ended=1_000))).flows
    assert line.out_per_s == 0.0


def test_window_begins_anew_when_the_servers_clock_goes_back() -> None:
    window = Window()
    window.add(reading(100.0, FLOW))
    (line,) = window.add(reading(50.0, FLOW)).flows
    assert line.out_per_s is None


def script(*steps: Reading | Exception) -> Callable[[], Reading]:
    left: Iterator[Reading | Exception] = iter(steps)

    def read() -> Reading:
        step = next(left)
        if isinstance(step, Exception):
            raise step
        return step

    return read


def waits(n: int) -> Callable[[], bool]:
    left = iter([False] * n + [True])
    return lambda: next(left)


def test_watch_says_that_the_database_is_away_and_goes_on() -> None:
    shown: list[Frame] = []
    read = script(reading(0.0, FLOW), StoreUnavailable("refused"), reading(2.0, replace(FLOW, n_ended=10)))
    watch(read, shown.append, waits(2), once=False)
    assert [frame.away for frame in shown] == [None, "refused", None]
    assert shown[1].flows == shown[0].flows
    assert shown[2].flows[0].out_per_s == 5.0


def test_watch_fails_when_the_first_reading_fails() -> None:
    with pytest.raises(StoreUnavailable):
        watch(script(StoreUnavailable("refused")), lambda _: None, waits(2), once=False)


def test_watch_once_shows_one_frame_with_rates() -> None:
    shown: list[Frame] = []
    watch(script(reading(0.0, FLOW), reading(1.0, replace(FLOW, n_ended=7))), shown.append, waits(1), once=True)
    (frame,) = shown
    assert frame.flows[0].out_per_s == 7.0


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0s"), (119, "119s"), (120, "2m"), (7_199, "119m"), (7_200, "2h"), (200_000, "2d")]
)
def test_ages_grow_coarser(seconds: float, words: str) -> None:
    assert shown_age(seconds) == words


@pytest.mark.parametrize(
    ("value", "words"), [(0, "0"), (999, "999"), (1_200, "1.2k"), (45_000, "45k"), (3_400_000, "3.4M"), (7e9, "7.0G")]
)
def test_counts_are_short(value: float, words: str) -> None:
    assert shown_count(value) == words


def test_what_is_drawn_does_not_change_while_nothing_happens() -> None:
    worker = WorkerFigures("w1", "host", 0, 3.0, 0.0)
    idle = replace(FLOW, ready_batches=0, ready_rows=0, running_batches=0, running_rows=0, oldest_age_s=0.0)
    first = figures(Reading(0.0, (idle,), (worker,)), Reading(1.0, (idle,), (worker,)))
    later = figures(Reading(0.0, (idle,), ()), Reading(2.0, (idle,), (replace(worker, silent_s=9.0),)))
    assert drawn(first) == drawn(later)


def test_drawn_marks_paused_flows_many_dead_letters_and_silent_workers() -> None:
    flow = replace(FLOW, paused=True, dead=1_001)
    worker = WorkerFigures("w1", "host", 2, 40.0, 12.0)
    (line,), (who,), away = drawn(figures(reading(0.0, flow), Reading(1.0, (flow,), (worker,))))
    assert (line[0], line[1], line[-1], away) == ("survey", "paused", "1.0k+", None)
    assert who == ["w1", "host", "2", "12", "40s"]


def test_many_workers_are_summed_up() -> None:
    workers = tuple(WorkerFigures(f"w{i}", "host", 1, 10.0, 1.0) for i in range(25))
    _, lines, _ = drawn(Frame(0.0, (), workers))
    assert len(lines) == 21
    assert lines[-1] == ["and 5 more", "", "5", "5", ""]


def test_nobody_at_work_is_said_so() -> None:
    _, ((who, *_),), _ = drawn(Frame(0.0, (), ()))
    assert who == "no process works on a batch"
