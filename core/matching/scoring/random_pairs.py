"""Random pairs, drawn by a seed: what records that have nothing in common agree on."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.records.record_hashes import sampled_rows
from core.matching.records.sources import WITHIN_ONE, Boundaries, source_numbers
from core.matching.text.hashing import splitmix

SAMPLE_ROWS = 500_000
_S32 = np.uint64(32)


def random_pairs(
    n: int, n_pairs: int, seed: int, boundaries: Boundaries = WITHIN_ONE
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Draw pairs of different records (of two sources, where there are several), the same for the same arguments.

    All pairs there are, when there are no more than `n_pairs`; otherwise drawn by hash, so a pair may repeat. Every two
    sources give as many as their share of all pairs.
    """
    spans = list(pairwise([0, *boundaries.tolist(), n]))
    if len(spans) == 1:
        if n * (n - 1) // 2 <= n_pairs:
            upper = np.triu_indices(n, 1)
            return upper[0].astype(np.uint32), upper[1].astype(np.uint32)
        return _drawn(n_pairs, seed, spans[0], spans[0])
    every_two = list(combinations(spans, 2))
    sizes = [(a[1] - a[0]) * (b[1] - b[0]) for a, b in every_two]
    if sum(sizes) <= n_pairs:
        found = [np.meshgrid(np.arange(*a), np.arange(*b), indexing="ij") for a, b in every_two]
    else:
        # Rounded sums, not rounded parts: they add up.
        ends = np.rint(np.cumsum(sizes, dtype=np.float64) / sum(sizes) * n_pairs).astype(np.int64)
        counts = np.diff(ends, prepend=0).tolist()
        found = [
            _drawn(count, seed + at, a, b) for at, ((a, b), count) in enumerate(zip(every_two, counts, strict=True))
        ]
    left, right = (np.concatenate([each[side].ravel() for each in found]).astype(np.uint32) for side in (0, 1))
    return left, right


def pairs_of_sample(
    hashes: NDArray[np.uint64], n_pairs: int, seed: int, boundaries: Boundaries = WITHIN_ONE
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """`random_pairs` of rows that stand in the order of their records' hashes: shuffling the rows draws the same ones.

    Args:
        hashes: of `record_hashes`, of all rows; of more than SAMPLE_ROWS about as many are drawn from.
    """
    rows = sampled_rows(hashes, SAMPLE_ROWS, boundaries).astype(np.uint32)
    cuts = np.cumsum(np.bincount(source_numbers(rows, boundaries), minlength=len(boundaries) + 1))[:-1]
    places = random_pairs(len(rows), n_pairs, seed, cuts.astype(np.int64))
    left, right = rows[places[0]], rows[places[1]]
    return np.minimum(left, right), np.maximum(left, right)


def _drawn(
    n_pairs: int, seed: int, span_a: tuple[int, int], span_b: tuple[int, int]
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    out = np.zeros((2, n_pairs), dtype=np.uint32)
    if n_pairs:
        draw_pairs((span_a[0], span_a[1] - span_a[0], span_b[0], span_b[1] - span_b[0]), seed, out)
    return out[0], out[1]


@kernel
def draw_pairs(spans: tuple[int, int, int, int], seed: int, out: NDArray[np.uint32]) -> None:
    """Fill out (2, n_pairs) with pairs drawn by hashing a counter; spans = first row and rows of each side."""
    counter, state = np.uint64(0), splitmix(np.uint64(seed))
    first_a, n_a, first_b, n_b = spans
    for at in range(out.shape[1]):
        a, b = np.uint64(0), np.uint64(0)
        while a == b:
            counter += np.uint64(1)
            drawn = splitmix(state ^ splitmix(counter))
            a = (((drawn & np.uint64(0xFFFFFFFF)) * np.uint64(n_a)) >> _S32) + np.uint64(first_a)
            b = (((drawn >> _S32) * np.uint64(n_b)) >> _S32) + np.uint64(first_b)
        out[0, at] = np.uint32(min(a, b))
        out[1, at] = np.uint32(max(a, b))
