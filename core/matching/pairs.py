"""Pairs: walking blocks, drawing random ones, and scoring a range of blocks in one kernel call."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from core.matching.blocking import WINDOW_DEFAULT
from core.matching.compare import Scratch, field_level, scratch_for
from core.matching.edges import Edges
from core.matching.hashing import splitmix
from core.matching.layout import Layout, LayoutArrays
from core.matching.levels import MISSING
from core.matching.model import WeightArrays
from core.matching.vocabulary import Vocabulary, VocabularyArrays

FIRST_CAPACITY = 1024
_S32 = np.uint64(32)


@njit(nogil=True, cache=True)
def block_end(keys: NDArray[np.uint64], start: int) -> int:
    """First position after `start` with another key."""
    end = start + 1
    while end < len(keys) and keys[end] == keys[start]:
        end += 1
    return end


@njit(nogil=True, cache=True)
def wanted(row_a: np.uint32, row_b: np.uint32, boundary: int) -> bool:
    """Whether a pair is to be compared: any one when boundary is 0, else only across the two sources."""
    return boundary == 0 or (row_a < boundary) != (row_b < boundary)


@njit(nogil=True, cache=True)
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


@njit(nogil=True, cache=True)
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


def random_pairs(n: int, n_pairs: int, seed: int, boundary: int = 0) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Draw pairs of different records (across the sources when `boundary` > 0), the same for the same arguments.

    All pairs there are, when there are no more than `n_pairs`; otherwise drawn by hash, so a pair may repeat.
    """
    n_second = n - boundary if boundary else n
    n_all = boundary * n_second if boundary else n * (n - 1) // 2
    if n_all <= n_pairs:
        if boundary:
            first, second = np.meshgrid(np.arange(boundary), np.arange(boundary, n), indexing="ij")
            return first.ravel().astype(np.uint32), second.ravel().astype(np.uint32)
        upper = np.triu_indices(n, 1)
        return upper[0].astype(np.uint32), upper[1].astype(np.uint32)
    out = np.zeros((2, n_pairs), dtype=np.uint32)
    draw_pairs(n, seed, boundary, out)
    return out[0], out[1]


@njit(nogil=True, cache=True)
def draw_pairs(n: int, seed: int, boundary: int, out: NDArray[np.uint32]) -> None:
    """Fill out (2, n_pairs) with pairs drawn by hashing a counter."""
    counter, state = np.uint64(0), splitmix(np.uint64(seed))
    for at in range(out.shape[1]):
        a, b = np.uint64(0), np.uint64(0)
        while a == b:
            counter += np.uint64(1)
            drawn = splitmix(state ^ splitmix(counter))
            n_a = np.uint64(boundary) if boundary > 0 else np.uint64(n)
            n_b = np.uint64(n - boundary) if boundary > 0 else np.uint64(n)
            a = ((drawn & np.uint64(0xFFFFFFFF)) * n_a) >> _S32
            b = (((drawn >> _S32) * n_b) >> _S32) + np.uint64(boundary)
        out[0, at] = np.uint32(min(a, b))
        out[1, at] = np.uint32(max(a, b))


@njit(nogil=True, cache=True)
def log2_sum(a: float, b: float) -> float:
    """log2(2^a + 2^b) without overflow."""
    high, low = max(a, b), min(a, b)
    if high - low > 60.0:
        return high
    return high + np.log2(1.0 + np.exp2(low - high))


@njit(nogil=True, cache=True)
def pair_bits(
    sums: NDArray[np.float64], rarity: NDArray[np.float64], weights: WeightArrays
) -> float:
    """Posterior log-odds of a pair in bits.

    `sums` = evidence against chance of (one person at one home, one person moved, kin); `rarity` = term-frequency bits
    of (all fields, the fields kin do not share).
    """
    same = log2_sum(weights.shares[0] + sums[0], weights.shares[1] + sums[1])
    other = log2_sum(weights.shares[3] - rarity[0], weights.shares[2] + sums[2] - rarity[1])
    return same - other


@njit(nogil=True, cache=True)
def score_pair(
    a: NDArray[np.uint32],
    b: NDArray[np.uint32],
    layout: LayoutArrays,
    vocabulary: VocabularyArrays,
    weights: WeightArrays,
    scratch: Scratch,
) -> tuple[float, float, np.uint64]:
    """Posterior bits, term-frequency bits and level pattern of one pair."""
    sums, rarity, pattern = np.zeros(3), np.zeros(2), np.uint64(0)
    for field in range(len(layout.offset)):
        level = field_level(field, a, b, layout, vocabulary, scratch)
        if level == MISSING:
            continue
        pattern += np.uint64(level + 1) * layout.place[field]
        for each in range(3):
            sums[each] += weights.bits[each, field, level]
        row = weights.tf_row[field]
        if row >= 0 and level == layout.n_tests[field]:
            rare = np.float64(weights.tf[row, a[layout.offset[field]]])
            rarity[0] += rare
            rarity[1] += rare * weights.tf_kin[field]
    return pair_bits(sums, rarity, weights), rarity[0], pattern


@njit(nogil=True, cache=True)
def score_blocks(
    records: NDArray[np.uint32],
    keys: NDArray[np.uint64],
    rows: NDArray[np.uint32],
    tables: tuple[LayoutArrays, VocabularyArrays, WeightArrays, Scratch],
    rule: tuple[float, int, int],
) -> tuple[NDArray[np.uint32], NDArray[np.float32], NDArray[np.uint64], int, int]:
    """Walk, compare, weigh and keep; `records` are in block order, rule = (review bits, boundary, window).

    Returns:
        ends (2, kept), bits (2, kept), patterns (kept), how many were kept, how many pairs were compared; the arrays
        are longer than what was kept.
    """
    layout, vocabulary, weights, scratch = tables
    review_bits, boundary, window = rule
    ends = np.empty((2, FIRST_CAPACITY), dtype=np.uint32)
    bits = np.empty((2, FIRST_CAPACITY), dtype=np.float32)
    patterns = np.empty(FIRST_CAPACITY, dtype=np.uint64)
    n_kept, n_pairs, start = 0, 0, 0
    while start < len(keys):
        end = block_end(keys, start)
        reach = end - start if end - start <= window else window
        for i in range(start, end):
            for j in range(i + 1, min(i + reach, end)):
                if not wanted(rows[i], rows[j], boundary):
                    continue
                n_pairs += 1
                first, second = (i, j) if rows[i] < rows[j] else (j, i)
                score, rare, pattern = score_pair(records[first], records[second], layout, vocabulary, weights, scratch)
                if score < review_bits:
                    continue
                if n_kept == len(patterns):
                    ends, bits, patterns = grown(ends, bits, patterns)
                ends[0, n_kept], ends[1, n_kept] = rows[first], rows[second]
                bits[0, n_kept], bits[1, n_kept] = np.float32(score), np.float32(rare)
                patterns[n_kept] = pattern
                n_kept += 1
        start = end
    return ends, bits, patterns, n_kept, n_pairs


@njit(nogil=True, cache=True)
def grown(
    ends: NDArray[np.uint32], bits: NDArray[np.float32], patterns: NDArray[np.uint64]
) -> tuple[NDArray[np.uint32], NDArray[np.float32], NDArray[np.uint64]]:
    """Copies of twice the capacity."""
    size = len(patterns)
    new_ends = np.empty((2, 2 * size), dtype=np.uint32)
    new_bits = np.empty((2, 2 * size), dtype=np.float32)
    new_patterns = np.empty(2 * size, dtype=np.uint64)
    new_ends[:, :size] = ends
    new_bits[:, :size] = bits
    new_patterns[:size] = patterns
    return new_ends, new_bits, new_patterns


@dataclass(frozen=True, eq=False)
class Scorer:
    """Everything that scoring needs besides the records; one per job, shared by threads.

    `boundary` is 0, or the first row of the second source when linking; `window` bounds the blocks that are compared
    in full.
    """

    vocabulary: Vocabulary
    layout: Layout
    weights: WeightArrays
    review_bits: float
    boundary: int = 0
    window: int = WINDOW_DEFAULT


def score_range(
    words: NDArray[np.uint32],
    rows: NDArray[np.uint32],
    keys: NDArray[np.uint64],
    scorer: Scorer,
    pass_index: int = 0,
) -> tuple[Edges, int]:
    """Score every pair of a range of blocks and keep those at or above the review threshold.

    Args:
        words: all records, or a memory map of them; rows: those of the range in block order; keys: theirs, ascending.
        pass_index: sets its bit in the edges' `passes`.
    Returns:
        The edges in the order of the walk, and how many pairs were compared.
    Cost: about 0.3 us a pair; one gather of the range's records. Holds no GIL while it walks.
    """
    rows = windowed_order(words, rows, keys, scorer.window)
    scratch = scratch_for(scorer.vocabulary)
    tables = (scorer.layout.ops, scorer.vocabulary.arrays, scorer.weights, scratch)
    rule = (float(scorer.review_bits), scorer.boundary, scorer.window)
    ends, bits, patterns, kept, n_pairs = score_blocks(words[rows], keys, rows, tables, rule)
    passes = np.full(kept, 1 << pass_index, dtype=np.uint32)
    columns = (ends[0, :kept], ends[1, :kept], bits[0, :kept], bits[1, :kept], patterns[:kept])
    return Edges(*(column.copy() for column in columns), passes), n_pairs


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
