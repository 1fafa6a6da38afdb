"""Hashes of whole records: what samples are drawn by, so that the order of the rows of a file decides nothing.

Codes ascend with the strings of a job, so records that say the same have one hash in whichever row they stand.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.records.sources import Boundaries, source_numbers
from core.matching.text.hashing import splitmix

_S32 = np.uint64(32)


@kernel
def fill_hashes(words: NDArray[np.uint32], out: NDArray[np.uint64]) -> None:
    """out[row] = hash of the words of the record, two at a time."""
    for row in range(len(out)):
        state = np.uint64(0)
        for at in range(0, words.shape[1], 2):
            state = splitmix(state ^ (np.uint64(words[row, at]) | (np.uint64(words[row, at + 1]) << _S32)))
        out[row] = state


def record_hashes(words: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """(n,) a hash of each record.

    Args:
        words: (n, stride) packed records; a memory map is read once, in order.
    Cost: 30 ns a record of 64 bytes.
    """
    hashes = np.empty(len(words), dtype=np.uint64)
    fill_hashes(words, hashes)
    return hashes


def sampled_rows(hashes: NDArray[np.uint64], n_max: int, boundaries: Boundaries) -> NDArray[np.int64]:
    """All rows, or about `n_max` of them, chosen by their hashes and in the order of these, source by source.

    Rows of equal records fall into row order: which is which cannot be told.

    Args:
        hashes: of `record_hashes`, of all rows. boundaries: of their sources; empty: all are of one.
    """
    rows = np.arange(len(hashes))
    if len(hashes) > n_max:
        rows = np.flatnonzero(hashes < np.uint64(int(n_max / len(hashes) * 2.0**64)))
    order = np.argsort(hashes[rows], kind="stable")
    if len(boundaries):
        order = order[np.argsort(source_numbers(rows[order], boundaries), kind="stable")]
    return rows[order]


@kernel
def order_ties(
    rows: NDArray[np.uint32], depth: NDArray[np.uint8], blocks: tuple[NDArray[np.uint32], NDArray[np.uint32]],
    hashes: NDArray[np.uint64], window: int,
) -> None:  # fmt: skip
    """Order records that nothing tells apart by their hashes, in place, in blocks of more than `window`.

    Args:
        depth: a record with the highest value stands in one part with the record before it.
        blocks: (starts, sizes), places in `rows`.
    """
    for block in range(len(blocks[0])):
        start, size = np.int64(blocks[0][block]), np.int64(blocks[1][block])
        at = start if size > window else start + size
        while at < start + size:
            end = at + 1
            while end < start + size and depth[end] == np.uint8(255):
                end += 1
            order = np.argsort(hashes[rows[at:end]], kind="mergesort")
            rows[at:end] = rows[at:end][order]
            at = end


@kernel
def chosen_blocks(
    rows: NDArray[np.uint32], blocks: tuple[NDArray[np.uint32], NDArray[np.uint32]], hashes: NDArray[np.uint64],
    highest: np.uint64, out: NDArray[np.bool_],
) -> None:  # fmt: skip
    """out[block] = whether the hash of all its records is at most `highest`; blocks = (starts, sizes)."""
    for block in range(len(out)):
        start = np.int64(blocks[0][block])
        total = np.uint64(0)
        for at in range(start, start + np.int64(blocks[1][block])):
            total += hashes[rows[at]]
        out[block] = splitmix(total) <= highest
