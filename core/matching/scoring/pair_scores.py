"""Scores of given pairs, whether blocking makes them or not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.records.layout import Layout
from core.matching.records.pair_chunk import CHUNK_PAIRS, Chunk
from core.matching.scoring.score_pairs import Scorer, Tables, tables_for, weigh_chunk
from core.matching.specs.levels import MISSING


def telling(layout: Layout) -> NDArray[np.int64]:
    """(G,) numbers of the fields that tell apart."""
    # A slip in an identifier is a level of its own, which a word cannot tell from another identifier.
    fields = enumerate(layout.spec.fields)
    return np.array([at for at, field in fields if field.tells_apart and field.kind != "identifier"], dtype=np.int64)


def differ_in_field(patterns: NDArray[np.uint64], layout: Layout) -> NDArray[np.bool_]:
    """Which patterns of levels differ in a field that tells apart."""
    found = np.zeros(len(patterns), dtype=np.bool_)
    for field in telling(layout):
        digits = patterns // layout.ops.place[field] % layout.radix[field]
        found |= (digits > 0) & (digits <= layout.ops.n_tests[field].astype(np.uint64))
    return found


def pair_scores(words: NDArray[np.uint32], ends: NDArray[np.uint32], scorer: Scorer) -> NDArray[np.float64]:
    """Log-odds in bits of pairs (2, k) of rows; minus infinity where they differ in a field that tells apart.

    Cost: 0.5 us a pair, and some 30 us for the first.
    """
    out = np.empty(ends.shape[1], dtype=np.float64)
    weigh_pairs(words, np.ascontiguousarray(ends), tables_for(scorer), telling(scorer.layout), out)
    return out


@kernel
def weigh_pairs(
    words: NDArray[np.uint32], ends: NDArray[np.uint32], tables: Tables, apart: NDArray[np.int64],
    out: NDArray[np.float64],
) -> None:  # fmt: skip
    """Weigh pairs (2, k) chunk by chunk, out (k,); apart (G,) fields that tell apart."""
    left, right = np.empty(CHUNK_PAIRS, dtype=np.int64), np.empty(CHUNK_PAIRS, dtype=np.int64)
    levels, scores, exact = tables[5].levels, tables[5].scores, tables[0].n_tests
    for start in range(0, len(out), CHUNK_PAIRS):
        size = min(CHUNK_PAIRS, len(out) - start)
        for at in range(size):
            left[at], right[at] = ends[0, start + at], ends[1, start + at]
        weigh_chunk(Chunk(words, left, right, size), tables)
        for at in range(size):
            out[start + at] = scores[at]
        tell_apart(levels, apart, exact, out[start : start + size])


@kernel
def tell_apart(
    levels: NDArray[np.uint8], apart: NDArray[np.int64], exact: NDArray[np.int32], out: NDArray[np.float64]
) -> None:
    """Minus infinity for each pair, out (k,), that differs in one of the fields `apart`; levels (n_fields, >= k)."""
    for field in apart:
        for pair in range(len(out)):
            if levels[field, pair] != MISSING and levels[field, pair] < exact[field]:
                out[pair] = -np.inf
