"""Masses of lines as whole milligrams, rounded once each and half to even: sums are then exact in any order."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

MG_A_KG: Final = 1_000_000
MASS_MAX_MG: Final = 2**62
"""Above this no line is: 4.6 million million kg."""
_SLACK: Final = 2.0**-48
"""Relative error of the float product below, with room: at most 8 factors and 7 products of 2^-53 each."""


def line_masses(
    amounts: tuple[NDArray[np.int64], NDArray[np.int64]], terms: Sequence[tuple[Sequence[Fraction], NDArray[np.int64]]]
) -> tuple[NDArray[np.int64], int]:
    """mg = amount / 10^places x the terms of each line, exactly rounded.

    A product of floats finds the whole number; where it lies too near a half, or beyond what a float counts in ones,
    fractions decide. So no line is off by one, and the result does not hang on the order of the factors.

    Args:
        amounts: (n,) mantissas and (n,) decimal places. terms: at most 6 of distinct fractions, together in
            kg, and (n,) which of them each line takes.
    Returns: (n,) mg, and how many lines fractions decided.
    Raises OverflowError: a mass above `MASS_MAX_MG`.
    Cost: some 50 ns a line, and 5 us a line that fractions decide.
    """
    mantissas, places = amounts
    product = mantissas.astype(np.float64) / 10.0 ** places.astype(np.float64) * MG_A_KG
    for values, which in terms:
        product *= np.array([float(value) for value in values], dtype=np.float64)[which]
    if np.any(np.abs(product) >= MASS_MAX_MG):
        raise OverflowError("a mass is beyond what is counted")
    size = np.abs(product)
    near = np.abs(size - np.floor(size) - 0.5) <= size * _SLACK
    hard = np.flatnonzero(near | (size >= 2.0**46) | (np.abs(mantissas) >= 2**53))
    masses = np.rint(product).astype(np.int64)
    for row in hard.tolist():
        masses[row] = exact_mass(
            int(mantissas[row]), int(places[row]), [values[int(which[row])] for values, which in terms]
        )
    return masses, len(hard)


def exact_mass(mantissa: int, places: int, values: Sequence[Fraction]) -> int:
    """The mass of one line in fractions; slow and obvious."""
    mass = Fraction(mantissa, 10**places) * MG_A_KG
    for value in values:
        mass *= value
    return round(mass)
