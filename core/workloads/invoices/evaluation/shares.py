"""Shares of few cases with the interval that they leave open, and whether stated probabilities come true."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import polars as pl

Z = 1.959963984540054
"""Standard errors of a two-sided interval of 95 %."""

BANDS = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1.0)
"""Upper ends of the bands of stated probabilities; a band holds its upper end."""
_MANY = 1000
_POINTS = 0.02


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `whole`, and the interval of 95 % by Wilson; without a whole there is no share."""

    part: int
    whole: int

    @property
    def value(self) -> float | None:
        """The share, 0 to 1."""
        return self.part / self.whole if self.whole else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Lowest and highest. Source: Wilson (1927), JASA 22:209."""
        if not self.whole:
            return None
        n, share, z2 = self.whole, self.part / self.whole, Z * Z
        middle = (share + z2 / (2 * n)) / (1 + z2 / n)
        half = Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)

    def facts(self) -> dict[str, Any]:
        """For JSON: n, right, share, low, high."""
        low, high = self.interval or (None, None)
        return {"n": self.whole, "right": self.part, "share": self.value, "low": low, "high": high}


def calibration(explanations: pl.DataFrame) -> list[dict[str, Any]]:
    """The bands of stated probability that hold any explanation, against how many of them are right.

    Args:
        explanations: posterior and right, one row for each payment: what is held most likely of it.
    Returns:
        For each band: above, upto, n, stated (mean), right (share), low, high, fits: within 2 points of the share where
        there are at least 1,000 payments, else the stated mean lies within the interval of 95 %.
    """
    bands = []
    for above, upto in zip((-1.0, *BANDS[:-1]), BANDS, strict=True):
        inside = explanations.filter((pl.col("posterior") > above) & (pl.col("posterior") <= upto))
        if inside.is_empty():
            continue
        share = Share(int(inside["right"].sum()), len(inside))
        stated = float(inside["posterior"].mean())  # type: ignore[arg-type]
        low, high = share.interval or (0.0, 1.0)
        near = abs(stated - (share.value or 0.0)) <= _POINTS
        fits = near if share.whole >= _MANY else low <= stated <= high
        bands.append(
            {
                "above": max(above, 0.0),
                "upto": upto,
                "n": share.whole,
                "stated": stated,
                "right": share.value,
                "low": low,
                "high": high,
                "fits": fits,
            }
        )
    return bands
