from __future__ import annotations

import pytest

from core.errors import ConfigError
from core.scaling.policy import Fleet, Memory, Policy, Signals, decide, for_batches, for_records

FRESH = Memory()


def batches(ready: int, leased: int = 0, at_s: float = 0.0, **more: float) -> Signals:
    return Signals(at_s, ready, leased, **{"batch_s": 3.0, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("signals", "fleet", "policy", "desired"),
    [
        # 60 s / 3 s: twenty batches a consumer.
        (batches(0), Fleet(), for_batches(), 0),
        (batches(1), Fleet(), for_batches(), 1),
        (batches(20), Fleet(), for_batches(), 1),
        (batches(21), Fleet(), for_batches(), 2),
        (batches(19, leased=2), Fleet(working=2), for_batches(), 2),
        # Slow batches: never more consumers than batches.
        (batches(3, batch_s=600.0), Fleet(), for_batches(), 3),
        # Nothing measured yet: 3 s assumed.
        (batches(40, batch_s=None), Fleet(), for_batches(), 2),
        # One more where the oldest waits too long, but not above what there is.
        (batches(20, oldest_age_s=121), Fleet(), for_batches(), 2),
        (batches(1, oldest_age_s=121), Fleet(), for_batches(), 1),
        (batches(0, leased=30, oldest_age_s=121), Fleet(working=2), for_batches(), 2),
        # From few to four at once, then double.
        (batches(2_000), Fleet(), for_batches(max_consumers=100), 4),
        (batches(2_000), Fleet(working=4), for_batches(max_consumers=100), 8),
        (batches(2_000), Fleet(working=8), for_batches(), 10),
        # More consumers than may run at once would be idle, leave, and be ordered again.
        (batches(2_000, running_most=2), Fleet(), for_batches(), 2),
        (batches(2_000, running_most=2), Fleet(), for_batches(min_consumers=3), 3),
        # Within a tenth nothing changes.
        (batches(220), Fleet(working=10), for_batches(max_consumers=100), 10),
        (batches(221), Fleet(working=10), for_batches(max_consumers=100), 12),
        (Signals(0, 1, 0, ready_items=1), Fleet(working=1), for_records(), 1),
        (Signals(0, 1, 0), Fleet(), for_records(), 1),
        (Signals(0, 9, 1, ready_items=250, leased_items=51), Fleet(working=1), for_records(), 4),
        (Signals(0, 9, 1, ready_items=9_000), Fleet(working=8), for_records(), 10),
    ],
)
def test_decide_follows_the_formula(signals: Signals, fleet: Fleet, policy: Policy, desired: int) -> None:
    assert decide(signals, fleet, policy, FRESH).desired == desired


def test_decide_waits_between_two_rises() -> None:
    policy = for_batches()
    first = decide(batches(200), Fleet(), policy, FRESH)
    assert (first.desired, first.memory.up_at_s) == (4, 0.0)
    held = decide(batches(200, at_s=14.9), Fleet(starting=4), policy, first.memory)
    assert held.desired == 4
    assert "last rise was 15 s ago" in held.reason
    assert decide(batches(200, at_s=15.0), Fleet(starting=4), policy, held.memory).desired == 8


def test_decide_does_not_wait_where_nobody_is_there() -> None:
    assert decide(batches(1, at_s=1.0), Fleet(), for_batches(), Memory(up_at_s=0.0)).desired == 1


def test_decide_survives_a_clock_that_is_set_back() -> None:
    assert decide(batches(200, at_s=0.0), Fleet(working=4), for_batches(), Memory(up_at_s=9_999.0)).desired == 8


def test_decide_wants_fewer_only_after_a_while() -> None:
    policy = for_records()
    quiet = Signals(100.0, 0, 0)
    first = decide(quiet, Fleet(working=5), policy, FRESH)
    assert (first.desired, first.need, first.memory.below_since_s) == (5, 1, 100.0)
    later = decide(Signals(400.0, 0, 0), Fleet(working=5), policy, first.memory)
    assert later.desired == 1
    busy_between = decide(Signals(200.0, 5, 0, ready_items=450), Fleet(working=5), policy, first.memory)
    assert busy_between.memory.below_since_s is None


def test_decide_adds_none_where_most_of_the_last_failed() -> None:
    broken = Fleet(working=1, ended_well=1, ended_badly=3)
    stuck = decide(batches(200), broken, for_batches(), FRESH)
    assert stuck.desired == 1
    assert "3 of the last 4 failed" in stuck.reason
    assert decide(batches(200), Fleet(working=1, ended_well=2, ended_badly=2), for_batches(), FRESH).desired == 4


def test_decide_says_why_in_words() -> None:
    told = decide(batches(24, leased=2, oldest_age_s=130.0), Fleet(working=2), for_batches(), FRESH)
    assert told.reason == (
        "24 batches wait and 2 run, 3 s each, to be done in 60 s: 2 consumers; the oldest waits 130 s, more than 120: "
        "one more"
    )


@pytest.mark.parametrize(
    "bad", [{"min_consumers": 5, "max_consumers": 3}, {"min_consumers": -1}, {"drain_target_s": 0}, {"cool_up_s": -1}]
)
def test_policy_refuses_what_makes_no_sense(bad: dict[str, float]) -> None:
    with pytest.raises(ConfigError) as refused:
        Policy(**bad)  # type: ignore[arg-type]
    assert "\n" not in refused.value.message


def test_policy_says_what_to_do_where_min_is_above_max() -> None:
    with pytest.raises(ConfigError, match="min is 5 consumers and max 3: raise max or lower min"):
        for_batches(min_consumers=5, max_consumers=3)
