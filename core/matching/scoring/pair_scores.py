"""Scores of given pairs, whether blocking makes them or not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.records.layout import Layout
from core.matching.records.pair_chunk import CHUNK_PAIRS, Chunk
from core.matching.scoring.score_pairs import Scorer, Tables, tables_for, weigh_chunk
from core.matching.specs.levels import MISSING

# What two records that contradict each other weigh beside others of their entity: clear of any bound on a fit.
CONTRADICTION_BITS = -64.0
# Marks of which one person's records may show two by a slip.
SLIPPING_MARKS = ("middle", "sex")
PERSONAL_KINDS = ("date", "digits", "identifier")


def telling(layout: Layout) -> NDArray[np.int64]:
    """(G,) numbers of the fields that tell apart."""
    # A slip in an identifier is a level of its own, which a word cannot tell from another identifier.
    fields = enumerate(layout.spec.fields)
    return np.array([at for at, field in fields if field.tells_apart and field.kind != "identifier"], dtype=np.int64)


def slipping(layout: Layout) -> NDArray[np.int64]:
    """(G,) numbers of the marks that tell apart whom nothing else makes one: James R and James T."""
    fields = enumerate(layout.spec.fields)
    return np.array([at for at, field in fields if field.mark in SLIPPING_MARKS], dtype=np.int64)


def personal(layout: Layout) -> NDArray[np.int64]:
    """(G,) numbers of the fields that are one person's alone and no part of his name: birthday, number."""
    fields = enumerate(layout.spec.fields)
    return np.array([at for at, field in fields if field.kind in PERSONAL_KINDS and not field.shared], dtype=np.int64)


def differ_in_field(
    patterns: NDArray[np.uint64], layout: Layout, fields: NDArray[np.int64] | None = None
) -> NDArray[np.bool_]:
    """Which patterns of levels differ in one of the fields, of themselves those that tell apart."""
    found = np.zeros(len(patterns), dtype=np.bool_)
    for field in telling(layout) if fields is None else fields:
        digits = patterns // layout.ops.place[field] % layout.radix[field]
        found |= (digits > 0) & (digits <= layout.ops.n_tests[field].astype(np.uint64))
    return found


def beside_others(bits: NDArray[np.float64], patterns: NDArray[np.uint64], layout: Layout, match_bits: float) -> None:
    """Lower scores (k,) to what they say of two records of one entity, see `pair_scores`."""
    contradicted = differ_in_field(patterns, layout, slipping(layout)) & (bits < match_bits)
    for field in personal(layout):
        digits = patterns // layout.ops.place[field] % layout.radix[field]
        # The digit of a pattern is the level and 1, and 0 where it is missing.
        contradicted &= digits <= 1
    bits[contradicted] = CONTRADICTION_BITS
    bits[differ_in_field(patterns, layout)] = -np.inf


def pair_scores(
    words: NDArray[np.uint32], ends: NDArray[np.uint32], scorer: Scorer, match_bits: float
) -> NDArray[np.float64]:
    """Log-odds in bits of pairs (2, k) of rows, as two records of one entity.

    Minus infinity where they differ in a field that tells apart; CONTRADICTION_BITS where they have two middle names or
    two sexes, are not even near in birthday or number, and are no match by themselves: a third record that shows
    neither mark must not make one of them.

    Cost: 0.5 us a pair, and some 30 us for the first.
    """
    out = np.empty(ends.shape[1], dtype=np.float64)
    told = telling(scorer.layout), slipping(scorer.layout), personal(scorer.layout)
    weigh_pairs(words, np.ascontiguousarray(ends), tables_for(scorer), told, match_bits, out)
    return out


@kernel
def weigh_pairs(
    words: NDArray[np.uint32], ends: NDArray[np.uint32], tables: Tables,
    told: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]], match_bits: float, out: NDArray[np.float64],
) -> None:  # fmt: skip
    """Weigh pairs (2, k) chunk by chunk, out (k,); told: fields that tell apart, slipping marks, personal fields."""
    left, right = np.empty(CHUNK_PAIRS, dtype=np.int64), np.empty(CHUNK_PAIRS, dtype=np.int64)
    levels, scores, exact = tables[5].levels, tables[5].scores, tables[0].n_tests
    for start in range(0, len(out), CHUNK_PAIRS):
        size = min(CHUNK_PAIRS, len(out) - start)
        for at in range(size):
            left[at], right[at] = ends[0, start + at], ends[1, start + at]
        weigh_chunk(Chunk(words, left, right, size), tables)
        for at in range(size):
            out[start + at] = scores[at]
        scored = out[start : start + size]
        contradict(levels, told[1:], exact, match_bits, scored)
        tell_apart(levels, told[0], exact, scored)


@kernel
def tell_apart(
    levels: NDArray[np.uint8], apart: NDArray[np.int64], exact: NDArray[np.int32], out: NDArray[np.float64]
) -> None:
    """Minus infinity for each pair, out (k,), that differs in one of the fields `apart`; levels (n_fields, >= k)."""
    for field in apart:
        for pair in range(len(out)):
            if levels[field, pair] != MISSING and levels[field, pair] < exact[field]:
                out[pair] = -np.inf


@kernel
def contradict(
    levels: NDArray[np.uint8], told: tuple[NDArray[np.int64], NDArray[np.int64]], exact: NDArray[np.int32],
    match_bits: float, out: NDArray[np.float64],
) -> None:  # fmt: skip
    """CONTRADICTION_BITS for each pair, out (k,), that `pair_scores` says; told: slipping marks, personal fields."""
    marks, own = told
    for mark in marks:
        for pair in range(len(out)):
            opposite = levels[mark, pair] != MISSING and levels[mark, pair] < exact[mark]
            if opposite and out[pair] < match_bits and not near_in(own, levels, pair):
                out[pair] = CONTRADICTION_BITS


@kernel
def near_in(fields: NDArray[np.int64], levels: NDArray[np.uint8], pair: int) -> bool:
    """Whether a pair is alike in one of the fields, if only nearly."""
    found = False
    for field in fields:
        found |= levels[field, pair] != MISSING and levels[field, pair] > 0
    return found
