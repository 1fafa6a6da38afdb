"""Draws of a total against the formula, and the same whatever the order of lines."""

from __future__ import annotations

import numpy as np
import pytest

from core.workloads.emissions.rules.simulation import simulate
from core.workloads.emissions.rules.uncertainty import spread_of

X = np.array([800.0, 200.0, 3000.0])
OWN = np.array([0.1, 0.1, 0.2])
GROUP = np.array([0, 0, 1])
FACTORS = (np.array([0.4, 0.2]), np.array([0.5, 0.2]))


def test_draws_agree_with_the_formula() -> None:
    formula, found = spread_of((X, OWN, GROUP), FACTORS), simulate((X, OWN, GROUP), FACTORS, 200_000, 7)
    assert found.mean == pytest.approx(formula.mean, rel=0.005)
    assert found.sd == pytest.approx(formula.sd, rel=0.02)
    assert (found.low, found.high) == (pytest.approx(formula.low, rel=0.03), pytest.approx(formula.high, rel=0.03))
    assert found.shares.sum() == pytest.approx(1)
    assert found.shares[0] > found.shares[1]


def test_the_order_of_lines_changes_no_draw_and_a_seed_does() -> None:
    turned = (X[::-1].copy(), OWN[::-1].copy(), GROUP[::-1].copy())
    first, second = simulate((X, OWN, GROUP), FACTORS, 500, 7), simulate(turned, FACTORS, 500, 7)
    assert (first.mean, first.sd) == pytest.approx((second.mean, second.sd), rel=1e-12)
    assert simulate((X, OWN, GROUP), FACTORS, 500, 8).mean != first.mean


def test_without_spread_every_draw_is_the_total() -> None:
    sure = simulate((X, np.zeros(3), GROUP), (FACTORS[0], np.zeros(2)), 100, 1)
    assert (sure.mean, sure.sd) == (pytest.approx(1000), pytest.approx(0, abs=1e-9))
