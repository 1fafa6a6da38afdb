"""Milligrams exactly rounded, also where a float cannot tell."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from core.workloads.emissions.rules.mass import exact_mass, line_masses


def mass_of(mantissa: int, places: int, *values: Fraction) -> int:
    zero = np.zeros(1, dtype=np.int64)
    masses, _ = line_masses((np.array([mantissa]), np.array([places])), [((value,), zero) for value in values])
    return int(masses[0])


def test_ties_go_to_the_even_milligram() -> None:
    assert [mass_of(n, 1, Fraction(1, 10**6)) for n in (5, 15, 25)] == [0, 2, 2]


def test_a_product_that_floats_put_on_the_wrong_side_is_decided_by_fractions() -> None:
    # 0.1 x 3 is 0.30000000000000004 as floats; a tie must still be seen as one.
    value = Fraction(3, 10) * Fraction(5, 3) / 10**6
    assert mass_of(1, 0, value) == exact_mass(1, 0, [value]) == 0


def test_masses_agree_with_fractions() -> None:
    rng = np.random.default_rng(7)
    mantissas = rng.integers(-(10**7), 10**7, 2_000)
    places = rng.integers(0, 4, 2_000)
    values = [Fraction(int(a), int(b)) for a, b in rng.integers(1, 10**6, (40, 2))]
    first, second = rng.integers(0, 40, 2_000), rng.integers(0, 40, 2_000)
    fits = np.array([abs(float(values[a] * values[b])) < 1e5 for a, b in zip(first, second, strict=True)])
    mantissas, places, first, second = (each[fits] for each in (mantissas, places, first, second))
    masses, _ = line_masses((mantissas, places), [(values, first), (values, second)])
    slow = [
        exact_mass(int(n), int(p), [values[a], values[b]])
        for n, p, a, b in zip(mantissas, places, first, second, strict=True)
    ]
    assert masses.tolist() == slow


def test_a_mass_beyond_what_is_counted_is_refused() -> None:
    with pytest.raises(OverflowError):
        mass_of(10**17, 0, Fraction(1))
