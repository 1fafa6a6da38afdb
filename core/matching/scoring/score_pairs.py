"""Scored pairs: the blocks of a range are walked, compared, weighed and kept in one kernel call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.matching.blocking.block_keys import WINDOW_DEFAULT
from core.matching.blocking.blocks import windowed_order
from core.matching.blocking.candidate_pairs import at_end, gather, next_pairs, start_walk
from core.matching.blocking.shared_passes import (
    ALL_PARTS,
    KeyParts,
    drop_made_earlier,
    key_parts,
    mark_parts,
    passes_of,
)
from core.matching.compare.patterns import number_patterns
from core.matching.compare.vectors import compare_chunk
from core.matching.edges import Edges
from core.matching.jit import kernel
from core.matching.records.layout import Layout, LayoutArrays
from core.matching.records.pair_chunk import CHUNK_PAIRS, Chunk, Scratch, scratch_for
from core.matching.records.sources import WITHIN_ONE, Boundaries, linked_sources
from core.matching.records.vocabulary import Vocabulary, VocabularyArrays
from core.matching.scoring.classes import CLASSES
from core.matching.scoring.match_weights import add_rarity, posterior, sum_evidence
from core.matching.scoring.model import WeightArrays

_S32 = np.uint64(32)


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
def weigh_chunk(chunk: Chunk, tables: Tables) -> None:
    """Compare and weigh a chunk: sets levels, class sums, rarity and scores of the tables' work."""
    layout, vocabulary, weights, _, scratch, work = tables
    compare_chunk(chunk, layout, vocabulary, scratch, work.levels)
    sum_evidence(work.levels, chunk.size, layout, weights, work.sums)
    add_rarity(chunk, work.levels, layout, weights, (work.sums, work.rarity))
    posterior(work.sums, weights.shares, chunk.size, weights.in_order, work.scores)


@kernel
def score_chunk(chunk: Chunk, rows: NDArray[np.uint32], tables: Tables, kept: Kept, n_kept: int, rule: Rule) -> int:
    """Score a chunk and append what reaches the review threshold to `kept` (which has room); returns the new count."""
    layout, vocabulary, _, keys, _, work = tables
    levels, _, rarity, scores, patterns, parts, passes = work
    if rule.earlier != 0:
        n_new, _ = drop_made_earlier(chunk, keys, vocabulary, rule.earlier, parts)
        chunk = Chunk(chunk.records, chunk.left, chunk.right, n_new)
    weigh_chunk(chunk, tables)
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
    words: NDArray[np.uint32],
    keys: NDArray[np.uint64],
    rows: NDArray[np.uint32],
    sources: NDArray[np.uint8],
    tables: Tables,
    rule: Rule,
) -> tuple[Kept, int, int]:
    """Walk, compare, weigh and keep; `rows`, their `keys` and `sources` are in block order.

    Returns:
        The edges, how many they are, and how many pairs were made.
    """
    walk = start_walk(keys, words.shape[1])
    kept = room_for(CHUNK_PAIRS)
    n_kept, n_pairs = 0, 0
    while not at_end(walk, keys):
        size = next_pairs(walk, keys, rows, sources, rule.window, rule.since)
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
    # One by one: for slices of several dimensions numba compiles what words its errors, which takes longer than these.
    for at in range(n_kept):
        for side in range(2):
            larger.ends[side, at], larger.bits[side, at] = kept.ends[side, at], kept.bits[side, at]
        larger.patterns[at], larger.passes[at] = kept.patterns[at], kept.passes[at]
    return larger


@dataclass(frozen=True, eq=False)
class Scorer:
    """Everything that scoring needs besides the records; one per job, shared by threads.

    `boundaries` are those of several sources, of which only pairs of two are made; `window` bounds the blocks that are
    compared in full. `whole_passes` has bit p set when pass p makes every pair of all its blocks (none is larger than
    the window, none was dropped): later ones leave its pairs out, which changes no edge once the passes are united.
    Only set it if all these passes are scored. Pairs of two rows before `since` are left out: an earlier run has them.
    `parts` are the layout's; made at every call where they are not given.
    """

    vocabulary: Vocabulary
    layout: Layout
    weights: WeightArrays
    review_bits: float
    boundaries: Boundaries = field(default_factory=lambda: WITHIN_ONE)
    window: int = WINDOW_DEFAULT
    whole_passes: int = 0
    since: int = 0
    parts: KeyParts | None = None


def tables_for(scorer: Scorer) -> Tables:
    """What the kernels of one thread work with."""
    layout, vocabulary = scorer.layout, scorer.vocabulary
    parts = key_parts(layout.ops) if scorer.parts is None else scorer.parts
    return layout.ops, vocabulary.arrays, scorer.weights, parts, scratch_for(vocabulary), work_for(layout)


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
    tables = tables_for(scorer)
    parts = tables[3]
    whole = scorer.whole_passes & sum(1 << int(each) for each in np.flatnonzero(parts.needed))
    here = 1 << pass_index
    rule = Rule(
        review_bits=float(scorer.review_bits),
        window=scorer.window,
        here=np.uint32(here),
        earlier=np.uint32(whole & (here - 1)),
        since=scorer.since,
    )
    kept, n_kept, n_pairs = score_blocks(words, keys, rows, linked_sources(rows, scorer.boundaries), tables, rule)
    edges = Edges(
        left=kept.ends[0, :n_kept].copy(),
        right=kept.ends[1, :n_kept].copy(),
        bits=kept.bits[0, :n_kept].copy(),
        tf_bits=kept.bits[1, :n_kept].copy(),
        pattern=kept.patterns[:n_kept].copy(),
        passes=kept.passes[:n_kept].copy(),
    )
    return edges, n_pairs
