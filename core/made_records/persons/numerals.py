"""Numbers and dates as text, many at once: gathered from tables, which is some five times faster than to print them."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_FIRST_YEAR, _N_YEARS = 1900, 200


@cache
def _table(width: int, before: str = "", after: str = "") -> pl.Series:
    """(10**width,) numbers with leading zeros; width at most 5."""
    return before + pl.Series(np.arange(10**width)).cast(pl.String).str.zfill(width) + after


def digits(numbers: Ints, width: int, after: str = "") -> pl.Series:
    """(n,) numbers below 10**width with leading zeros, each followed by `after`; width at most 5."""
    return _table(width, after=after).gather(numbers)


def numbered(before: str, numbers: Ints, width: int) -> pl.Series:
    """(n,) names such as P0000017: `before` and a number with leading zeros; width 5 to 9."""
    front, last = np.divmod(numbers, 10_000)
    return together(_table(width - 4, before=before).gather(front), digits(last, 4))


def dates_text(year: Ints, month: Ints, day: Ints) -> pl.Series:
    """(n,) YYYY-MM-DD of the years 1900 to 2099; what lies outside becomes any of these."""
    days = (year - _FIRST_YEAR) * 372 + (month - 1) * 31 + day - 1
    return _dates().gather(np.clip(days, 0, _N_YEARS * 372 - 1))


@cache
def _dates() -> pl.Series:
    """All dates in months of 31 days."""
    month, day = np.divmod(np.arange(_N_YEARS * 372), 31)
    year, month = np.divmod(month, 12)
    return together(digits(year + _FIRST_YEAR, 4, "-"), digits(month + 1, 2, "-"), digits(day + 1, 2))


def together(*parts: pl.Series) -> pl.Series:
    """(n,) the parts behind each other."""
    frame = pl.DataFrame([part.alias(str(index)) for index, part in enumerate(parts)])
    return frame.select(pl.concat_str(pl.all())).to_series()
