from __future__ import annotations

import numpy as np
import pytest

from core.matching.quality.drift import drift_of, level_shares, neighbours, population_stability
from core.matching.records.layout import Layout
from core.matching.records.sources import WITHIN_ONE, boundaries_of
from core.matching.specs.levels import MISSING
from core.matching.specs.spec import load_spec

LAYOUT = Layout.of(load_spec("persons"))


def test_neighbours_are_records_side_by_side_in_a_block() -> None:
    rows = np.array([5, 2, 9, 1, 7], dtype=np.uint32)
    together = np.array([True, True, False, True])
    left, right = neighbours(rows, together, boundaries=WITHIN_ONE)
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == [(2, 5), (2, 9), (1, 7)]
    left, right = neighbours(rows, together, boundaries=boundaries_of([6, 99]))
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == [(2, 9), (1, 7)]


def test_neighbours_are_evenly_spaced_and_bounded() -> None:
    rows, together = np.arange(1_001, dtype=np.uint32), np.ones(1_000, dtype=np.bool_)
    left, _ = neighbours(rows, together, boundaries=WITHIN_ONE, pairs_max=300)
    assert left.tolist() == list(range(0, 1_000, 4))


def test_level_shares_count_missing_first() -> None:
    levels = np.full((4, LAYOUT.n_fields), MISSING, dtype=np.uint8)
    levels[:, 0] = [0, LAYOUT.n_levels[0] - 1, LAYOUT.n_levels[0] - 1, MISSING]
    shares = level_shares(levels, LAYOUT)
    assert shares["first_name"] == (0.25, 0.25, *[0.0] * (LAYOUT.n_levels[0] - 2), 0.5)
    assert shares["zip"] == (1.0, *[0.0] * LAYOUT.n_levels[LAYOUT.names.index("zip")])
    assert all(sum(each) == pytest.approx(1.0) for each in shares.values())


def test_population_stability_is_symmetric_and_zero_for_equals() -> None:
    one, other = (0.1, 0.4, 0.5), (0.3, 0.3, 0.4)
    assert population_stability(one, one) == 0.0
    assert population_stability(one, other) == pytest.approx(population_stability(other, one))
    by_hand = 0.2 * np.log(3) + -0.1 * np.log(0.75) + -0.1 * np.log(0.8)
    assert population_stability(one, other) == pytest.approx(by_hand, rel=0.02)
    assert 3.0 < population_stability((0.0, 1.0), (0.5, 0.5)) < 4.0


def test_drift_names_the_field_that_moved_most() -> None:
    expected = {"a": (0.5, 0.5), "b": (0.9, 0.1)}
    drift = drift_of(expected, {"a": (0.4, 0.6), "b": (0.1, 0.9)}, 1_000)
    assert drift is not None
    assert (drift.worst, drift.to_dict()["worst_field"], drift.to_dict()["pairs"]) == ("b", "b", 1_000)
    assert drift.worst_psi > 3.0


def test_drift_is_not_told_from_a_handful_of_pairs_or_without_shares() -> None:
    assert drift_of({"a": (0.5, 0.5)}, {"a": (0.0, 1.0)}, 50) is None
    assert drift_of({}, {"a": (0.0, 1.0)}, 5_000) is None
