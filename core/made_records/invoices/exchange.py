"""Rates of exchange by day, as whole millionths, and amounts from one currency into another without a float."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.currencies import EXPONENTS
from core.made_records.draws import Draws
from core.made_records.invoices.customers import CURRENCIES, Ints

SCALE = 1_000_000
_LEVELS = {"EUR": 1.0, "USD": 1.1, "GBP": 0.86, "CHF": 0.95, "JPY": 158.0, "KWD": 0.335}


@dataclass(frozen=True, slots=True)
class Exchange:
    """Units of each currency for one euro, in millionths: (n_days, 6). The first day is `first_day` of the books."""

    millionths: NDArray[np.int64]
    first_day: int

    def on(self, day: Ints, currency: Ints) -> Ints:
        """(n,) millionths of that day; days outside are taken for the nearest there is."""
        row = np.clip(day - self.first_day, 0, len(self.millionths) - 1)
        return self.millionths[row, currency]

    def converted(self, minor: Ints, source: Ints, target: Ints, day: Ints, spread: Ints | None = None) -> Ints:
        """(n,) minor units of `target`, halves away from 0.

        Args:
            source, target: places in `CURRENCIES`. spread: millionths that the payer's bank adds to the rate.
        Cost: some 1 us each: whole numbers of any size, since products leave 64 bits.
        """
        digits = np.array([EXPONENTS[code] for code in CURRENCIES])
        shift = (digits[target] - digits[source]).tolist()
        extra = np.zeros(len(minor), dtype=np.int64) if spread is None else spread
        rows = zip(
            minor.tolist(),
            self.on(day, source).tolist(),
            self.on(day, target).tolist(),
            shift,
            extra.tolist(),
            strict=True,
        )
        return np.array([_converted(*row) for row in rows], dtype=np.int64)


def _converted(minor: int, rate_source: int, rate_target: int, shift: int, spread: int) -> int:
    over: int = abs(minor) * rate_target * (SCALE + spread) * 10 ** max(shift, 0)
    under: int = rate_source * SCALE * 10 ** max(-shift, 0)
    whole = (2 * over + under) // (2 * under)
    return whole if minor >= 0 else -whole


def made_exchange(first_day: int, n_days: int, draws: Draws) -> Exchange:
    """A walk of half a percent a day from each currency's level; the euro stays at 1."""
    steps = np.arange(n_days)
    columns = []
    for code, level in _LEVELS.items():
        walk = np.cumsum(draws.unit(f"rate of {code}", steps) - 0.5) * 0.01
        columns.append(np.rint(level * np.exp(walk if code != "EUR" else 0 * walk) * SCALE))
    return Exchange(np.stack(columns, axis=1).astype(np.int64), first_day)
