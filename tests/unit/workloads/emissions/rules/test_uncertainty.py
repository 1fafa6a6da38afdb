"""Formulas against draws: moments and bounds of sums whose factors share their errors."""

from __future__ import annotations

import numpy as np

from core.workloads.emissions.rules.uncertainty import spread_of

X = np.array([800.0, 200.0, 3_000.0])
S = np.array([0.10, 0.10, 0.20])
GROUP = np.array([0, 0, 1])
FACTORS = np.array([0.4, 0.2]), np.array([0.5, 0.2])


def test_formula_agrees_with_draws() -> None:
    found = spread_of((X, S, GROUP), FACTORS, price_s=0.1)
    rng = np.random.default_rng(7)
    n = 200_000
    own, shared, price = rng.normal(size=(n, 3)), rng.normal(size=(n, 2)), rng.normal(size=(n, 1))
    logs = own * S - S**2 / 2 + (shared * FACTORS[1] - FACTORS[1] ** 2 / 2)[:, GROUP] + price * 0.1 - 0.005
    totals = (np.exp(logs) * X * FACTORS[0][GROUP]).sum(axis=1)
    assert abs(totals.mean() / found.mean - 1) < 0.005
    assert abs(totals.std() / found.sd - 1) < 0.02
    assert abs(np.quantile(totals, [0.025, 0.975]) / [found.low, found.high] - 1).max() < 0.03


def test_without_uncertainty_the_interval_is_the_total() -> None:
    found = spread_of((X, np.zeros(3), GROUP), (FACTORS[0], np.zeros(2)))
    assert (found.mean, found.sd, found.low, found.high) == (1_000.0, 0.0, 1_000.0, 1_000.0)
