"""Sources whose rows are numbered one behind the other, and which pairs of rows are of two of them.

`boundaries` has the first row of every source but the first, ascending, i64; it is empty where the records of one
source are compared with each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Final

import numpy as np
from numpy.typing import NDArray

Boundaries = NDArray[np.int64]
Rows = NDArray[np.uint32] | NDArray[np.int64]

WITHIN_ONE: Final[Boundaries] = np.empty(0, dtype=np.int64)


def boundaries_of(sizes: Sequence[int]) -> Boundaries:
    """Where the sources after the first begin, from how many rows each has."""
    return np.fromiter(accumulate(sizes[:-1]), dtype=np.int64)


def pairs_across(sizes: Sequence[int]) -> int:
    """How many pairs of rows are of two different sources."""
    return sum(rows * before for rows, before in zip(sizes, accumulate(sizes, initial=0), strict=False))


def across(left: Rows, right: Rows, boundaries: Boundaries) -> NDArray[np.bool_]:
    """(n,) whether the rows of each pair are of two sources: a boundary lies between them."""
    apart = np.zeros(len(left), dtype=np.bool_)
    for first in boundaries:
        apart |= (left < first) != (right < first)
    return apart


def linked_sources(rows: Rows, boundaries: Boundaries) -> NDArray[np.uint8]:
    """(n,) the source of each row where only rows of different ones are compared; empty within one source."""
    return source_numbers(rows, boundaries) if len(boundaries) else np.empty(0, dtype=np.uint8)


def source_numbers(rows: Rows, boundaries: Boundaries) -> NDArray[np.uint8]:
    """(n,) the source of each row, from 0."""
    found = np.zeros(len(rows), dtype=np.uint8)
    for first in boundaries:
        found += rows >= first
    return found
