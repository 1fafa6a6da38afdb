"""What must hold of every decision, whatever comes in."""

from __future__ import annotations

import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from core.scaling.policy import Decision, Fleet, Memory, Policy, Signals, decide

COUNT = st.integers(0, 5_000)
SECONDS = st.floats(0, 5_000, allow_nan=False)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    least = draw(st.integers(0, 20))
    return Policy(
        kind=draw(st.sampled_from(["batch", "record"])),
        min_consumers=least,
        max_consumers=draw(st.integers(max(1, least), 200)),
        drain_target_s=draw(st.floats(1, 1_000)),
        depth_per_consumer=draw(st.integers(1, 1_000)),
        oldest_s=draw(SECONDS),
        cool_up_s=draw(st.floats(0, 60)),
        down_after_s=draw(st.floats(0, 600)),
    )


SIGNALS = st.builds(
    Signals,
    at_s=SECONDS,
    ready_batches=COUNT,
    leased_batches=COUNT,
    ready_items=COUNT,
    leased_items=COUNT,
    oldest_age_s=st.none() | SECONDS,
    batch_s=st.none() | st.floats(0, 1_000),
    running_most=st.none() | st.integers(1, 50),
    items_per_s=st.none() | st.floats(0, 10_000),
    items_per_s_most=st.none() | st.floats(0.01, 1e6),
)
FLEETS = st.builds(Fleet, working=st.integers(0, 250), starting=st.integers(0, 20), ended_well=COUNT, ended_badly=COUNT)
MEMORIES = st.builds(Memory, up_at_s=st.none() | SECONDS, below_since_s=st.none() | SECONDS)


def load(signals: Signals, policy: Policy) -> int:
    if policy.kind == "batch":
        return signals.ready_batches + signals.leased_batches
    return signals.ready_items + signals.leased_items


@given(SIGNALS, FLEETS, policies(), MEMORIES)
def test_decide_needs_never_more_than_there_is_and_stays_within_bounds(
    signals: Signals, fleet: Fleet, policy: Policy, memory: Memory
) -> None:
    told = decide(signals, fleet, policy, memory)
    assert policy.min_consumers <= told.need <= policy.max_consumers
    assert told.need <= max(load(signals, policy), policy.min_consumers)
    assert 0 <= told.desired <= policy.max_consumers or told.desired == fleet.active
    assert told.reason


@given(SIGNALS, FLEETS, policies(), MEMORIES, st.floats(0.01, 1e6), st.floats(0.01, 1e4))
def test_decide_wants_no_more_than_a_rate_limit_feeds(
    signals: Signals, fleet: Fleet, policy: Policy, memory: Memory, rate: float, speed: float
) -> None:
    free = decide(replace(signals, items_per_s=speed, items_per_s_most=None), fleet, policy, memory)
    told = decide(replace(signals, items_per_s=speed, items_per_s_most=rate), fleet, policy, memory)
    assert told.need == max(min(free.need, max(1, -(-rate // speed))), policy.min_consumers)
    assert ("rows a second" in told.reason) >= (told.need < free.need)
    # One less would leave rows waiting that the limit lets through.
    if policy.min_consumers < told.need < free.need:
        assert told.need == 1 or (told.need - 1) * speed < rate * (1 + 1e-6)


@given(SIGNALS, FLEETS, policies(), MEMORIES)
def test_decide_never_rises_above_what_there_is(signals: Signals, fleet: Fleet, policy: Policy, memory: Memory) -> None:
    told = decide(signals, fleet, policy, memory)
    most = max(load(signals, policy), policy.min_consumers)
    if told.desired > fleet.active:
        assert told.desired <= min(most, max(2 * fleet.active, 4, policy.min_consumers))
    if policy.kind == "batch" and told.desired < fleet.active:
        assert told.desired <= most


@given(SIGNALS, FLEETS, policies(), MEMORIES)
def test_decide_is_below_min_only_where_consumers_keep_failing(
    signals: Signals, fleet: Fleet, policy: Policy, memory: Memory
) -> None:
    told = decide(signals, replace(fleet, ended_well=0, ended_badly=0), policy, replace(memory, up_at_s=None))
    assert told.desired >= policy.min_consumers


@given(SIGNALS, st.integers(0, 3_000), FLEETS, policies(), MEMORIES)
def test_decide_grows_with_the_depth(signals: Signals, more: int, fleet: Fleet, policy: Policy, memory: Memory) -> None:
    deeper = replace(signals, ready_batches=signals.ready_batches + more, ready_items=signals.ready_items + more)
    assert decide(deeper, fleet, policy, memory).desired >= decide(signals, fleet, policy, memory).desired
    assert decide(deeper, fleet, policy, memory).need >= decide(signals, fleet, policy, memory).need


def followed(signals: Signals, policy: Policy, active: int, ticks: int) -> list[int]:
    """Numbers of consumers where each decision is carried out at once and the signals stay."""
    memory, numbers = Memory(), [active]
    for tick in range(ticks):
        told: Decision = decide(replace(signals, at_s=5.0 * tick), Fleet(working=numbers[-1]), policy, memory)
        memory = told.memory
        numbers.append(told.desired)
    return numbers


@given(SIGNALS, policies(), st.integers(0, 200))
def test_decide_settles_under_constant_load(signals: Signals, policy: Policy, active: int) -> None:
    numbers = followed(signals, policy, active, 300)
    steps = [after - before for before, after in itertools.pairwise(numbers)]
    assert all(step >= 0 for step in steps) or all(step <= 0 for step in steps)
    assert set(numbers[-100:]) == {numbers[-1]}


@given(st.lists(st.floats(0.961, 1.039), min_size=50, max_size=50), st.integers(40, 150), st.integers(11, 190))
def test_decide_does_not_follow_noise_below_the_hysteresis(noise: list[float], wanted: int, start: int) -> None:
    """A load that trembles by four per cent turns the number at most once."""
    policy = Policy(max_consumers=200, cool_up_s=0, down_after_s=0)
    memory, active, turns, direction = Memory(), start, 0, 0
    for tick, factor in enumerate(noise * 4):
        ready = round(20 * wanted * factor)
        told = decide(Signals(5.0 * tick, ready, 0, batch_s=3.0), Fleet(working=active), policy, memory)
        step = (told.desired > active) - (told.desired < active)
        turns += step != 0 and direction not in (0, step)
        direction, active, memory = step or direction, told.desired, told.memory
    assert turns <= 1
