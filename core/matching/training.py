# budget: pair kernels are loops over blocks, records and partners
"""Histograms of level patterns to learn from: candidate pairs, each once, and random pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.matching.blocking import WINDOW_DEFAULT, block_histogram, pairs_of, sorted_pass
from core.matching.chunk import CHUNK_PAIRS, Chunk, Scratch, scratch_for
from core.matching.compare import compare_chunk, compare_pairs, number_patterns, patterns_of
from core.matching.hashing import splitmix
from core.matching.jit import kernel
from core.matching.layout import Layout, LayoutArrays
from core.matching.pairs import block_end, wanted, windowed_order
from core.matching.vocabulary import Vocabulary, VocabularyArrays

PAIRS_PER_PASS = 2_000_000
RANDOM_PAIRS = 1_000_000
COMPARE_CHUNK = 1_000_000
HASH_RANGE = float(2**64)


@kernel
def made_earlier(keys_a: NDArray[np.uint64], keys_b: NDArray[np.uint64], each: int) -> bool:
    """Whether a pass before `each` makes this pair too."""
    for before in range(each):
        if keys_a[before] == keys_b[before] and keys_a[before] != 0:
            return True
    return False


@kernel
def append_patterns(
    chunk: Chunk,
    tables: tuple[LayoutArrays, VocabularyArrays, Scratch],
    levels: NDArray[np.uint8],
    patterns: NDArray[np.uint64],
    n_patterns: int,
) -> NDArray[np.uint64]:
    """Compare a chunk and write its patterns behind the first `n_patterns`, into a larger copy if need be."""
    layout, vocabulary, scratch = tables
    if n_patterns + CHUNK_PAIRS > len(patterns):
        larger = np.empty(2 * len(patterns), dtype=np.uint64)
        larger[:n_patterns] = patterns[:n_patterns]
        patterns = larger
    compare_chunk(chunk, layout, vocabulary, scratch, levels)
    number_patterns(levels, chunk.size, layout.place, patterns[n_patterns:])
    return patterns


@kernel
def pass_patterns(
    words: NDArray[np.uint32],
    keys: NDArray[np.uint64],
    block: tuple[NDArray[np.uint64], NDArray[np.uint32]],
    tables: tuple[LayoutArrays, VocabularyArrays, Scratch],
    rule: tuple[int, np.uint64, int, int],
) -> tuple[NDArray[np.uint64], int]:
    """Patterns of the pairs one pass makes first; `block` = (keys ascending, rows), `keys` (n, n_passes) of all.

    rule = (pass, highest hash of a block that is sampled, boundary, window). Returns the patterns (longer than filled)
    and how many there are.
    """
    block_keys, rows = block
    each, hash_max, boundary, window = rule
    left, right = np.empty(CHUNK_PAIRS, dtype=np.int64), np.empty(CHUNK_PAIRS, dtype=np.int64)
    levels = np.empty((len(tables[0].offset), CHUNK_PAIRS), dtype=np.uint8)
    patterns = np.empty(CHUNK_PAIRS, dtype=np.uint64)
    n_patterns, size, start = 0, 0, 0
    while start < len(block_keys):
        end = block_end(block_keys, start)
        reach = end - start if end - start <= window else window
        last = end if splitmix(block_keys[start]) <= hash_max else start
        for i in range(start, last):
            for j in range(i + 1, min(i + reach, end)):
                a, b = min(rows[i], rows[j]), max(rows[i], rows[j])
                if not wanted(a, b, boundary) or made_earlier(keys[a], keys[b], each):
                    continue
                left[size], right[size] = a, b
                size += 1
                if size == CHUNK_PAIRS:
                    chunk = Chunk(words, left, right, size)
                    patterns = append_patterns(chunk, tables, levels, patterns, n_patterns)
                    n_patterns, size = n_patterns + size, 0
        start = end
    patterns = append_patterns(Chunk(words, left, right, size), tables, levels, patterns, n_patterns)
    return patterns, n_patterns + size


def candidate_histogram(
    words: NDArray[np.uint32],
    keys: NDArray[np.uint64],
    vocabulary: Vocabulary,
    layout: Layout,
    *,
    boundary: int = 0,
    window: int = WINDOW_DEFAULT,
    pairs_per_pass: int = PAIRS_PER_PASS,
) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    """Histogram of the patterns of candidate pairs, for `scoring.train`.

    A pair belongs to the first pass that makes it. Where a pass makes more than `pairs_per_pass` pairs, blocks are
    drawn by the hash of their key, so neither threads nor ranges change the draw, and each counts for several.

    Args:
        keys: (n, n_passes), as `pass_keys` gives them.
    Returns:
        Distinct patterns ascending, and how many pairs each stands for.
    """
    parts: list[NDArray[np.uint64]] = []
    shares: list[NDArray[np.float64]] = []
    tables = (layout.ops, vocabulary.arrays, scratch_for(vocabulary))
    for each in range(keys.shape[1]):
        block_keys, rows = sorted_pass(keys[:, each])
        _, sizes = block_histogram(block_keys)
        rate = min(1.0, pairs_per_pass / max(int(pairs_of(sizes, window).sum()), 1))
        hash_max = np.uint64(2**64 - 1) if rate == 1.0 else np.uint64(int(rate * HASH_RANGE))
        rows = windowed_order(words, rows, block_keys, window)
        found, count = pass_patterns(words, keys, (block_keys, rows), tables, (each, hash_max, boundary, window))
        distinct, counts = np.unique(found[:count], return_counts=True)
        parts.append(distinct)
        shares.append(counts / rate)
    return merge_histograms(parts, shares)


def merge_histograms(
    patterns: list[NDArray[np.uint64]], counts: list[NDArray[np.float64]]
) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    """Add up histograms in the order given."""
    if not patterns:
        return np.zeros(0, dtype=np.uint64), np.zeros(0)
    distinct, inverse = np.unique(np.concatenate(patterns), return_inverse=True)
    totals = np.bincount(inverse, weights=np.concatenate(counts), minlength=len(distinct))
    return distinct, totals.astype(np.float64)


def pair_histogram(
    words: NDArray[np.uint32],
    vocabulary: Vocabulary,
    layout: Layout,
    left: NDArray[np.uint32],
    right: NDArray[np.uint32],
) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    """Histogram of the patterns of given pairs, such as random ones."""
    parts, shares = [], []
    for start in range(0, len(left), COMPARE_CHUNK):
        chunk = slice(start, start + COMPARE_CHUNK)
        levels = compare_pairs(words, vocabulary, layout, left[chunk], right[chunk])
        distinct, counts = np.unique(patterns_of(levels, layout), return_counts=True)
        parts.append(distinct)
        shares.append(counts.astype(np.float64))
    return merge_histograms(parts, shares)
