"""The pairs of sorted blocks: counted, filled and walked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.matching.blocking.block_keys import WINDOW_DEFAULT
from core.matching.jit import kernel


@kernel
def block_end(keys: NDArray[np.uint64], start: int) -> int:
    """First position after `start` with another key."""
    end = start + 1
    while end < len(keys) and keys[end] == keys[start]:
        end += 1
    return end


@kernel
def wanted(row_a: np.uint32, row_b: np.uint32, boundary: int) -> bool:
    """Whether a pair is to be compared: any one when boundary is 0, else only across the two sources."""
    return boundary == 0 or (row_a < boundary) != (row_b < boundary)


@kernel
def count_pairs(keys: NDArray[np.uint64], rows: NDArray[np.uint32], boundary: int, window: int) -> int:
    """How many pairs `fill_pairs` will write."""
    n_pairs, start = 0, 0
    while start < len(keys):
        end = block_end(keys, start)
        reach = end - start if end - start <= window else window
        for i in range(start, end):
            for j in range(i + 1, min(i + reach, end)):
                if wanted(rows[i], rows[j], boundary):
                    n_pairs += 1
        start = end
    return n_pairs


@kernel
def fill_pairs(
    keys: NDArray[np.uint64],
    rows: NDArray[np.uint32],
    boundary: int,
    window: int,
    out: NDArray[np.uint32],
) -> None:
    """All pairs of equal key: out (2, n_pairs), the smaller row first."""
    at, start = 0, 0
    while start < len(keys):
        end = block_end(keys, start)
        reach = end - start if end - start <= window else window
        for i in range(start, end):
            for j in range(i + 1, min(i + reach, end)):
                if wanted(rows[i], rows[j], boundary):
                    out[0, at] = min(rows[i], rows[j])
                    out[1, at] = max(rows[i], rows[j])
                    at += 1
        start = end


def walk_pairs(
    keys: NDArray[np.uint64], rows: NDArray[np.uint32], boundary: int = 0, window: int = WINDOW_DEFAULT
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """All pairs of records with equal keys.

    Args:
        keys: ascending; rows: the records, in the same order.
        boundary: 0 pairs every record with every other; else the first row of the second source: only pairs across.
        window: in a larger block a record meets only the next `window` - 1 ones.
    Returns:
        left and right rows, left < right, in the order of the walk.
    """
    out = np.zeros((2, count_pairs(keys, rows, boundary, window)), dtype=np.uint32)
    fill_pairs(keys, rows, boundary, window, out)
    return out[0], out[1]


def windowed_order(
    words: NDArray[np.uint32], rows: NDArray[np.uint32], keys: NDArray[np.uint64], window: int
) -> NDArray[np.uint32]:
    """Sort the records of oversize blocks by their first words, so that a window meets the likeliest pairs.

    Codes ascend with their strings, so records whose first fields are spelt alike lie side by side.
    """
    if len(keys) <= window:
        return rows
    borders = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1], [True]]))
    large = np.flatnonzero(np.diff(borders) > window)
    if len(large) == 0:
        return rows
    ordered = rows.copy()
    for block in large:
        inside = rows[borders[block] : borders[block + 1]]
        columns = words[inside][:, : min(4, words.shape[1])]
        order = np.lexsort((inside, *columns.T[::-1]))
        ordered[borders[block] : borders[block + 1]] = inside[order]
    return ordered
