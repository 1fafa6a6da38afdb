"""Rows of a file that are left out where the others are read in place."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

Longs = NDArray[np.int64]


def span_of(lo: int, hi: int, left_out: Longs) -> tuple[int, int]:
    """Where in a file the kept rows [lo, hi) lie: its rows [first, end).

    Args:
        left_out: (n,) numbers of the others, ascending.
    """
    kept_before = left_out - np.arange(len(left_out))
    first, last = (row + int(np.searchsorted(kept_before, row, side="right")) for row in (lo, hi - 1))
    return first, last + 1


def scan_without(frame: pl.LazyFrame, left_out: Longs) -> pl.LazyFrame:
    """All rows of a file but those left out; no column is called `#`."""
    if not len(left_out):
        return frame
    return frame.with_row_index("#").filter(~pl.col("#").is_in(pl.Series(left_out).implode())).drop("#")


def scan_span(scan: pl.LazyFrame, first: int, end: int, left_out: Longs) -> pl.LazyFrame:
    """Rows [first, end) of a file, without those left out. Cost: 3 ns a value more where there are some."""
    span = scan.slice(first, end - first)
    inside = left_out[(left_out >= first) & (left_out < end)] - first
    if not len(inside):
        return span
    keep = np.ones(end - first, dtype=np.bool_)
    keep[inside] = False
    # While the columns are read: a filter of the finished frame holds, and writes, every column twice.
    return span.filter(pl.lit(pl.Series(keep)))


def without(frame: pl.DataFrame, first: int, left_out: Longs) -> pl.DataFrame:
    """The rows of a file from `first` on, without those left out."""
    inside = left_out[(left_out >= first) & (left_out < first + len(frame))] - first
    if not len(inside):
        return frame
    keep = np.ones(len(frame), dtype=np.bool_)
    keep[inside] = False
    return frame.filter(pl.Series(keep))
