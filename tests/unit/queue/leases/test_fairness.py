from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.queue.leases.fairness import ASK_LOW_EVERY, LOOK_BELOW_S, OLDEST_EVERY, Lane, Turns

A, B, C = Lane("a"), Lane("b"), Lane("c")


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def turns(clock: Clock) -> Turns:
    return Turns("worker", clock)


def share(turns: Turns, n_turns: int, lanes: dict[Lane, tuple[int, float]]) -> Counter[Lane]:
    """Rows that each lane gets in so many turns; lanes: rows a batch, weight."""
    rows: Counter[Lane] = Counter()
    for _ in range(n_turns):
        lane = turns.order(lanes)[0]
        n_rows, weight = lanes[lane]
        turns.served(lane, n_rows, weight)
        rows[lane] += n_rows
    return rows


@pytest.mark.parametrize(
    ("lanes", "shares"),
    [
        ({A: (10, 1.0), B: (10, 1.0)}, {A: 1, B: 1}),
        ({A: (10, 3.0), B: (10, 1.0)}, {A: 3, B: 1}),
        # In rows, not in batches: who brings large batches gets fewer.
        ({A: (100, 1.0), B: (10, 1.0)}, {A: 1, B: 1}),
        ({A: (50, 1.0), B: (10, 0.5), C: (20, 2.0)}, {A: 2, B: 1, C: 4}),
    ],
)
def test_lanes_share_rows_by_weight(
    turns: Turns, lanes: dict[Lane, tuple[int, float]], shares: dict[Lane, float]
) -> None:
    rows = share(turns, 700, lanes)
    whole, parts = sum(rows.values()), sum(shares.values())
    for lane, part in shares.items():
        assert rows[lane] / whole == pytest.approx(part / parts, rel=0.03)


def test_a_lane_that_was_idle_gets_its_turn_at_once_and_no_credit(turns: Turns) -> None:
    assert share(turns, 50, {A: (10, 1.0)}) == {A: 500}
    assert turns.order([A, B])[0] == B
    # From now on half each, but for that turn, although A has had fifty before.
    assert share(turns, 20, {A: (10, 1.0), B: (10, 1.0)}) == {A: 90, B: 110}


def test_a_lane_that_comes_back_after_a_pause_has_not_saved_up(turns: Turns) -> None:
    share(turns, 10, {A: (10, 1.0), B: (10, 1.0)})
    share(turns, 100, {A: (10, 1.0)})
    assert share(turns, 20, {A: (10, 1.0), B: (10, 1.0)})[B] <= 110


@given(
    st.lists(st.tuples(st.sampled_from([A, B, C]), st.booleans()), min_size=30, max_size=200),
    st.tuples(*[st.integers(1, 1_000)] * 3),
    st.tuples(*[st.sampled_from([0.25, 1.0, 4.0])] * 3),
)
def test_lanes_that_always_have_work_stay_within_one_batch_of_each_other(
    flips: list[tuple[Lane, bool]], rows: tuple[int, ...], weights: tuple[float, ...]
) -> None:
    """The bound of start-time fair queueing (Goyal et al. 1996), whatever a third lane does meanwhile."""
    turns, lanes = Turns("worker"), dict(zip((A, B, C), zip(rows, weights, strict=True), strict=True))
    got: Counter[Lane] = Counter()
    third = False
    for _, third_works in flips:
        third = third_works
        lane = turns.order([A, B, C] if third else [A, B])[0]
        turns.served(lane, *lanes[lane])
        got[lane] += lanes[lane][0]
    apart = abs(got[A] / lanes[A][1] - got[B] / lanes[B][1])
    assert apart <= lanes[A][0] / lanes[A][1] + lanes[B][0] / lanes[B][1] + 1e-6


def test_processes_that_start_together_start_with_different_lanes() -> None:
    lanes = [Lane("flow", f"tenant-{n}") for n in range(8)]
    first = {Turns(f"worker-{n}").order(lanes)[0] for n in range(40)}
    assert len(first) >= 6


def test_every_tenth_look_of_a_lane_takes_the_oldest(turns: Turns) -> None:
    looks = [turns.look(A).oldest for _ in range(3 * OLDEST_EVERY)]
    assert [n for n, oldest in enumerate(looks, start=1) if oldest] == [10, 20, 30]
    assert not turns.look(B).oldest


def test_low_is_asked_for_now_and_then_and_believed_one_answer_late(turns: Turns) -> None:
    asked = [n for n in range(1, 2 * ASK_LOW_EVERY + 1) if turns.look(A).ask_low]
    assert asked == [ASK_LOW_EVERY, 2 * ASK_LOW_EVERY]
    turns.live_from(A, 700)
    assert turns.look(A).low == 0
    turns.live_from(A, 900)
    assert turns.look(A).low == 700
    # An answer that goes back is believed at once.
    turns.live_from(A, 300)
    assert turns.look(A).low == 300


def test_a_batch_found_below_low_takes_it_down(turns: Turns) -> None:
    turns.look(A)
    turns.live_from(A, 700)
    turns.live_from(A, 900)
    turns.found(A, 40)
    assert turns.look(A).low == 40
    turns.live_from(A, 900)
    assert turns.look(A).low == 40
    turns.live_from(A, 950)
    assert turns.look(A).low == 900


def test_below_low_is_looked_at_again_after_a_while(turns: Turns, clock: Clock) -> None:
    assert turns.look(A).low == 0
    turns.live_from(A, 700)
    turns.live_from(A, 900)
    lows = []
    for _ in range(7):
        lows.append(turns.look(A).low)
        clock.now_s += LOOK_BELOW_S / 4
    assert lows == [700, 700, 700, 700, 0, 700, 700]


def test_lows_of_flows_leave_out_what_is_due_for_a_look_below(turns: Turns, clock: Clock) -> None:
    tenants = Lane("a", "one"), Lane("a", "two")
    for lane in (*tenants, B):
        for low in (500, 600):
            turns.live_from(lane, low)
    assert turns.lows(["a"]) == {}
    assert turns.lows(["a"]) == dict.fromkeys(tenants, 500)
    # Nobody asked for flow b yet.
    assert turns.lows(["a", "b"]) == dict.fromkeys(tenants, 500)
    assert turns.lows(["a", "b"]) == dict.fromkeys((*tenants, B), 500)
    clock.now_s += LOOK_BELOW_S
    assert turns.lows(["a", "b"]) == {}


def test_what_was_seen_of_a_flow_is_remembered_until_seen_anew(turns: Turns) -> None:
    assert (turns.known("a"), turns.shared("a")) == (False, False)
    turns.saw("a", shared=True)
    assert (turns.known("a"), turns.shared("a")) == (True, True)
    turns.saw("a", shared=False)
    assert (turns.known("a"), turns.shared("a")) == (True, False)
