# budget: pair kernels are loops over blocks, records and partners
"""Pairs: walking blocks, drawing random ones, and scoring a range of blocks in one kernel call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.matching.blocking import WINDOW_DEFAULT
from core.matching.chunk import CHUNK_PAIRS, Chunk, Scratch, scratch_for
from core.matching.classes import CLASSES
from core.matching.compare import compare_chunk, number_patterns
from core.matching.edges import Edges
from core.matching.hashing import splitmix
from core.matching.jit import kernel
from core.matching.layout import Layout, LayoutArrays
from core.matching.model import WeightArrays
from core.matching.sharing import ALL_PARTS, KeyParts, drop_made_earlier, key_parts, mark_parts, passes_of
from core.matching.vocabulary import Vocabulary, VocabularyArrays
from core.matching.walking import at_end, gather, next_pairs, start_walk
from core.matching.weighing import add_rarity, posterior, sum_evidence

_S32 = np.uint64(32)


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


@kernel
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


class Work(NamedTuple):
    """Intermediate results of a chunk; the dot stands for CHUNK_PAIRS."""

    levels: NDArray[np.uint8]  # (F, .)
    sums: NDArray[np.float64]  # (., C)
    rarity: NDArray[np.float64]
    scores: NDArray[np.float64]
    patterns: NDArray[np.uint64]
    parts: NDArray[np.uint64]
    passes: NDArray[np.uint32]


class Kept(NamedTuple):
    """Edges so far, in arrays that are longer than filled."""

    ends: NDArray[np.uint32]  # (2, .)
    bits: NDArray[np.float32]  # (2, .) score; the part of it that is rarity
    patterns: NDArray[np.uint64]
    passes: NDArray[np.uint32]


class Rule(NamedTuple):
    """What a kernel call keeps, and which pairs it makes."""

    review_bits: float
    boundary: int
    window: int
    here: np.uint32  # bit of the pass at hand
    earlier: np.uint32  # bits of earlier passes that make every pair of their blocks
    since: int


Tables = tuple[LayoutArrays, VocabularyArrays, WeightArrays, KeyParts, Scratch, Work]


def work_for(layout: Layout) -> Work:
    """Buffers for the chunks of one kernel call."""
    return Work(
        levels=np.zeros((layout.n_fields, CHUNK_PAIRS), dtype=np.uint8),
        sums=np.zeros((CHUNK_PAIRS, len(CLASSES)), dtype=np.float64),
        rarity=np.zeros(CHUNK_PAIRS, dtype=np.float64),
        scores=np.zeros(CHUNK_PAIRS, dtype=np.float64),
        patterns=np.zeros(CHUNK_PAIRS, dtype=np.uint64),
        parts=np.zeros(CHUNK_PAIRS, dtype=np.uint64),
        passes=np.zeros(CHUNK_PAIRS, dtype=np.uint32),
    )


@kernel
def score_chunk(chunk: Chunk, rows: NDArray[np.uint32], tables: Tables, kept: Kept, n_kept: int, rule: Rule) -> int:
    """Score a chunk and append what reaches the review threshold to `kept` (which has room); returns the new count."""
    layout, vocabulary, weights, keys, scratch, work = tables
    levels, sums, rarity, scores, patterns, parts, passes = work
    if rule.earlier != 0:
        n_new, _ = drop_made_earlier(chunk, keys, vocabulary, rule.earlier, parts)
        chunk = Chunk(chunk.records, chunk.left, chunk.right, n_new)
    compare_chunk(chunk, layout, vocabulary, scratch, levels)
    sum_evidence(levels, chunk.size, weights.bits, sums)
    add_rarity(chunk, levels, layout, weights, (sums, rarity))
    posterior(sums, weights.shares, chunk.size, scores)
    number_patterns(levels, chunk.size, layout.place, patterns)
    left, right, n_new = chunk.left, chunk.right, 0
    for pair in range(chunk.size):
        if scores[pair] >= rule.review_bits:
            at = n_kept + n_new
            kept.ends[0, at], kept.ends[1, at] = rows[left[pair]], rows[right[pair]]
            kept.bits[0, at], kept.bits[1, at] = np.float32(scores[pair]), np.float32(rarity[pair])
            kept.patterns[at] = patterns[pair]
            left[n_new], right[n_new], parts[n_new] = left[pair], right[pair], 0
            n_new += 1
    mark_parts(Chunk(chunk.records, left, right, n_new), keys, vocabulary, ALL_PARTS, parts)
    passes_of(parts, n_new, keys.needed, passes)
    for pair in range(n_new):
        kept.passes[n_kept + pair] = passes[pair] | rule.here
    return n_kept + n_new


@kernel
def score_blocks(
    words: NDArray[np.uint32], keys: NDArray[np.uint64], rows: NDArray[np.uint32], tables: Tables, rule: Rule
) -> tuple[Kept, int, int]:
    """Walk, compare, weigh and keep; `rows` and `keys` are in block order.

    Returns:
        The edges, how many they are, and how many pairs were made.
    """
    walk = start_walk(keys, words.shape[1])
    kept = room_for(CHUNK_PAIRS)
    n_kept, n_pairs = 0, 0
    while not at_end(walk, keys):
        size = next_pairs(walk, keys, rows, rule.boundary, rule.window, rule.since)
        gather(walk, words)
        kept = grown(kept, n_kept)
        chunk = Chunk(walk.records, walk.left, walk.right, size)
        n_kept = score_chunk(chunk, walk.rows, tables, kept, n_kept, rule)
        n_pairs += size
    return kept, n_kept, n_pairs


@kernel
def room_for(size: int) -> Kept:
    """Uninitialised arrays for `size` edges."""
    ends, bits = np.empty((2, size), dtype=np.uint32), np.empty((2, size), dtype=np.float32)
    return Kept(ends, bits, np.empty(size, dtype=np.uint64), np.empty(size, dtype=np.uint32))


@kernel
def grown(kept: Kept, n_kept: int) -> Kept:
    """The same edges with room for another chunk; copies to twice the size when there is none."""
    size = len(kept.patterns)
    if n_kept + CHUNK_PAIRS <= size:
        return kept
    larger = room_for(2 * size)
    larger.ends[:, :n_kept] = kept.ends[:, :n_kept]
    larger.bits[:, :n_kept] = kept.bits[:, :n_kept]
    larger.patterns[:n_kept] = kept.patterns[:n_kept]
    larger.passes[:n_kept] = kept.passes[:n_kept]
    return larger


@dataclass(frozen=True, eq=False)
class Scorer:
    """Everything that scoring needs besides the records; one per job, shared by threads.

    `boundary` is 0, or the first row of the second source when linking; `window` bounds the blocks that are compared
    in full. `whole_passes` has bit p set when pass p makes every pair of all its blocks (none is larger than the
    window, none was dropped): later ones leave its pairs out, which changes no edge once the passes are united. Only
    set it if all these passes are scored. Pairs of two rows before `since` are left out: an earlier run has them.
    `parts` are the layout's; made at every call where they are not given.
    """

    vocabulary: Vocabulary
    layout: Layout
    weights: WeightArrays
    review_bits: float
    boundary: int = 0
    window: int = WINDOW_DEFAULT
    whole_passes: int = 0
    since: int = 0
    parts: KeyParts | None = None


def score_range(
    words: NDArray[np.uint32],
    rows: NDArray[np.uint32],
    keys: NDArray[np.uint64],
    scorer: Scorer,
    pass_index: int = 0,
) -> tuple[Edges, int]:
    """Score the pairs of a range of blocks and keep those at or above the review threshold.

    Args:
        words: all records, or a memory map of them; rows: those of the range in block order; keys: theirs, ascending.
        pass_index: its bit is set in the edges' `passes` beside those of all passes whose key the pair shares; pairs
            that an earlier one of `scorer.whole_passes` makes are left out.
    Returns:
        The edges in the order of the walk, and how many pairs were made, those left out included.
    Cost: about 0.3 us a pair, 0.1 us for one left out; each record of a block of two or more is fetched once. Holds no
        GIL while it walks.
    """
    rows = windowed_order(words, rows, keys, scorer.window)
    layout, vocabulary = scorer.layout, scorer.vocabulary
    parts = key_parts(layout.ops) if scorer.parts is None else scorer.parts
    whole = scorer.whole_passes & sum(1 << int(each) for each in np.flatnonzero(parts.needed))
    here = 1 << pass_index
    rule = Rule(
        review_bits=float(scorer.review_bits),
        boundary=scorer.boundary,
        window=scorer.window,
        here=np.uint32(here),
        earlier=np.uint32(whole & (here - 1)),
        since=scorer.since,
    )
    tables = (layout.ops, vocabulary.arrays, scorer.weights, parts, scratch_for(vocabulary), work_for(layout))
    kept, n_kept, n_pairs = score_blocks(words, keys, rows, tables, rule)
    edges = Edges(
        left=kept.ends[0, :n_kept].copy(),
        right=kept.ends[1, :n_kept].copy(),
        bits=kept.bits[0, :n_kept].copy(),
        tf_bits=kept.bits[1, :n_kept].copy(),
        pattern=kept.patterns[:n_kept].copy(),
        passes=kept.passes[:n_kept].copy(),
    )
    return edges, n_pairs


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
