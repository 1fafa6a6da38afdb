from __future__ import annotations

import random
import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path

import pytest

from core.errors import ConfigError, InputError
from core.scaling.simulation import chart
from core.scaling.simulation.bound import optimum
from core.scaling.simulation.compare import Comparison, Terms, compare
from core.scaling.simulation.load import SCENARIOS, Batch, Limits, Shape, load, read
from core.scaling.simulation.rules import Fixed, Keda, Seen, Threshold
from core.scaling.simulation.world import World, rises_after_falls

LIMITS = Limits(10, 2.0)


def compared(name: str, limits: Limits = LIMITS, shape: Shape | None = None, **terms: float) -> Comparison:
    batches = load(name, shape or Shape(), limits, random.Random(1))
    return compare(batches, Terms(limits, **terms))  # type: ignore[arg-type]


@pytest.mark.parametrize("startup_s", [2.0, 10.0, 20.0])
@pytest.mark.parametrize("most", [2, 10, 40])
@pytest.mark.parametrize("burst_s", [160.0, 640.0])
def test_ours_is_within_a_fifth_of_the_optimum_for_bursts(startup_s: float, most: int, burst_s: float) -> None:
    """And below the rivals; at the start-up times of local processes and of work pools."""
    ours, threshold, keda, _, _ = compared("burst", Limits(most, startup_s), Shape(burst_s=burst_s)).rows()
    assert ours["of_bound"] <= 1.2
    assert ours["cost"] < min(threshold["cost"], keda["cost"])
    assert ours["oscillations"] == 0


@cache
def usual(name: str) -> Comparison:
    """A scenario as it is, which nobody changes."""
    return compared(name)


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_no_rule_beats_the_bound(name: str) -> None:
    comparison = usual(name)
    assert min(row["of_bound"] for row in comparison.rows()) == 1.0
    soonest = optimum(load(name, Shape(), LIMITS, random.Random(1)), LIMITS, 0.0).drained_s
    for outcome in comparison.outcomes:
        assert outcome.cost(0.1) >= comparison.bound.cost
        assert outcome.drained_s >= soonest - 1e-6


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_every_attempt_is_made_and_consumers_are_paid(name: str) -> None:
    batches = load(name, Shape(), LIMITS, random.Random(1))
    work_s = sum(batch.work_s * batch.attempts for batch in batches)
    for outcome in usual(name).outcomes:
        assert len(outcome.waits_s) == sum(batch.attempts for batch in batches)
        assert outcome.consumer_s >= work_s
        assert outcome.peak <= LIMITS.max_consumers
        assert outcome.moments[-1].depth == 0


def test_compare_is_the_same_for_the_same_seed() -> None:
    assert compared("poison").rows() == usual("poison").rows()


def test_world_runs_one_batch_as_one_would_by_hand() -> None:
    batches = [Batch(0.0, 4.0), Batch(0.0, 4.0), Batch(0.0, 4.0)]
    outcome = World(Fixed(2), Limits(2, 0.0), random.Random(1)).run(batches)
    assert outcome.drained_s == 8.0
    assert outcome.waits_s == [0.0, 0.0, 4.0]
    # Whoever has nothing left to take goes.
    assert outcome.consumer_s == pytest.approx(12.0, abs=2.0)


def test_optimum_weighs_consumers_against_time() -> None:
    batches = [Batch(0.0, 1.0)] * 100
    cheap = optimum(batches, Limits(10, 10.0), 10.0)
    dear = optimum(batches, Limits(10, 10.0), 0.01)
    # k consumers cost 100 / k of time, and ten start-up seconds each at their price.
    assert (cheap.consumers, dear.consumers) == (1, 10)
    assert dear.drained_s == 20.0
    assert dear.cost == pytest.approx(20.0 + 0.01 * (100 + 100))


def test_optimum_waits_for_what_comes_late_and_for_pauses_of_retries() -> None:
    assert optimum([Batch(0.0, 1.0), Batch(100.0, 3.0)], Limits(10, 2.0), 0.0).drained_s == 103.0
    assert optimum([Batch(0.0, 1.0, attempts=3)], Limits(10, 2.0), 0.0).drained_s == 3.0 + 2.0 + 4.0


def seen(at_s: float, ready: int, working: int) -> Seen:
    return Seen(at_s, ready, 0, None, 3.0, working, 0, more=True)


def test_threshold_steps_by_one_and_waits_five_minutes() -> None:
    rule = Threshold(10)
    assert rule.want(seen(0, 500, 0)) == 1
    assert rule.want(seen(15, 500, 1)) == 2
    assert rule.want(seen(300, 500, 2)) == 2
    assert rule.want(seen(315, 500, 2)) == 3
    assert rule.want(seen(700, 100, 3)) == 3
    assert rule.want(seen(715, 49, 3)) == 2
    assert rule.want(seen(9_000, 0, 1)) == 1


def test_keda_follows_the_documented_defaults() -> None:
    rule = Keda(10, target=20.0)
    assert rule.want(seen(0, 500, 0)) == 1
    assert rule.want(seen(15, 500, 1)) == 5
    assert rule.want(seen(30, 500, 5)) == 10
    # Within a tenth of the target nothing changes; a smaller wish counts after five minutes.
    assert rule.want(seen(45, 190, 10)) == 10
    assert rule.want(seen(60, 20, 10)) == 10
    assert rule.want(seen(361, 20, 10)) == 1
    assert rule.want(seen(400, 0, 1)) == 1
    assert rule.want(seen(700, 0, 1)) == 0


@pytest.mark.parametrize(
    ("counts", "turns"), [([0, 4, 8, 3, 0], 0), ([0, 4, 3, 4, 0], 1), ([1, 0, 1, 0, 1], 2), ([5, 5], 0)]
)
def test_rises_after_falls_counts_oscillations(counts: list[int], turns: int) -> None:
    assert rises_after_falls(counts) == turns


def test_read_takes_a_recorded_load_in_order(tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    path.write_text("at_s,work_s,attempts\n20.5,1,\n10,2.5,3\n")
    assert read(path) == [Batch(0.0, 2.5, 3), Batch(10.5, 1.0, 1)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("at_s\n1\n", "no column work_s"),
        ("at_s,work_s\n1,2\n1,x\n", "line 3: at_s and work_s must be numbers"),
        ("at_s,work_s\n1,-2\n", "line 2: .*work_s above 0"),
        ("at_s,work_s\n", "holds 0 batches"),
    ],
)
def test_read_says_what_is_wrong_and_where(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "load.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        read(path)


def test_load_names_the_scenarios() -> None:
    with pytest.raises(ConfigError, match="burst, step, ramp, diurnal, poison"):
        load("brust", Shape(), LIMITS, random.Random(1))


def test_svg_is_whole_alone_and_escaped() -> None:
    drawn = chart.svg(usual("burst"), "a <b> & c")
    root = ET.fromstring(drawn)
    assert root.tag.endswith("svg")
    paths = root.findall("{http://www.w3.org/2000/svg}path")
    # Four rules in three panels, ours drawn last and thicker.
    assert len(paths) == 12
    assert [path.get("class") for path in paths[3::4]] == ["ours"] * 3
    assert "prefers-color-scheme: dark" in drawn
    assert "a &lt;b&gt; &amp; c" in drawn
    assert drawn.count("http") == 1


def test_text_has_a_line_for_each_rule_and_panel() -> None:
    lines = chart.text(usual("burst")).splitlines()
    assert len(lines) == 15
    assert {len(line) for line in lines if "|" in line} == {2 + 12 + 1 + chart.COLUMNS + 1}
