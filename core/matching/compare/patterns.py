"""Level patterns of pairs: as numbers, for histograms to learn from, and in words."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.compare.vectors import compare_chunk
from core.matching.jit import kernel
from core.matching.records.layout import Layout, LayoutArrays
from core.matching.records.pair_chunk import (
    CHUNK_PAIRS,
    Chunk,
    Scratch,
    scratch_for,
)
from core.matching.records.vocabulary import Vocabulary, VocabularyArrays
from core.matching.specs.levels import MISSING


def compare_pairs(
    words: NDArray[np.uint32],
    vocabulary: Vocabulary,
    layout: Layout,
    left: NDArray[np.uint32],
    right: NDArray[np.uint32],
) -> NDArray[np.uint8]:
    """Levels of pairs of records.

    Returns:
        (n_pairs, n_fields) uint8: 0 = differ ... number of tests = exact, MISSING (255) = one side has no value.
    Cost: about 0.6 us a pair of persons, much of it waiting for memory where rows lie far apart.
    """
    return levels_of(compare_patterns(words, vocabulary, layout, left, right), layout)


def compare_patterns(
    words: NDArray[np.uint32],
    vocabulary: Vocabulary,
    layout: Layout,
    left: NDArray[np.uint32],
    right: NDArray[np.uint32],
) -> NDArray[np.uint64]:
    """Patterns of levels of pairs of records, (n_pairs,), without the levels ever being stored: 0.5 us a pair."""
    out = np.empty(len(left), dtype=np.uint64)
    pairs = (left.astype(np.int64), right.astype(np.int64))
    fill_patterns(words, pairs, layout.ops, vocabulary.arrays, scratch_for(vocabulary), out)
    return out


@kernel
def fill_patterns(
    words: NDArray[np.uint32],
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
    layout: LayoutArrays,
    vocabulary: VocabularyArrays,
    scratch: Scratch,
    out: NDArray[np.uint64],
) -> None:
    """Patterns of many pairs, chunk by chunk: out (n_pairs,)."""
    left, right = pairs
    levels = np.empty((len(layout.offset), CHUNK_PAIRS), dtype=np.uint8)
    for start in range(0, len(left), CHUNK_PAIRS):
        stop = min(start + CHUNK_PAIRS, len(left))
        chunk = Chunk(words, left[start:stop], right[start:stop], stop - start)
        compare_chunk(chunk, layout, vocabulary, scratch, levels)
        number_patterns(levels, stop - start, layout.place, out[start:stop])


def pattern_numbers(texts: pl.Series, layout: Layout) -> NDArray[np.uint64]:
    """Undo `pattern_texts`: (n,) u64.

    Raises:
        ValueError, KeyError: a text does not fit the layout.
    """
    labels = []
    for field in layout.spec.fields:
        levels = ["differ", *(level.label for level in reversed(field.levels))]
        labels.append(
            {f"{field.name}={label}": at + 1 for at, label in enumerate(levels)} | {f"{field.name}=missing": 0}
        )
    places = [int(place) for place in layout.ops.place]
    distinct = texts.unique()
    numbers = [
        sum(found[part] * place for found, part, place in zip(labels, text.split(","), places, strict=True))
        for text in distinct
    ]
    return texts.replace_strict(distinct, pl.Series(numbers, dtype=pl.UInt64), return_dtype=pl.UInt64).to_numpy()


def pattern_texts(patterns: NDArray[np.uint64], layout: Layout) -> pl.Series:
    """Write each pattern as `first_name=exact,dob=differ,...`.

    Returns:
        String, one per pattern.
    Cost: 1 us a pattern.
    """
    levels = levels_of(patterns, layout)
    columns = []
    for at, field in enumerate(layout.spec.fields):
        labels = ["differ", *(level.label for level in reversed(field.levels)), "missing"]
        place = levels[:, at].astype("uint32")
        place[levels[:, at] == MISSING] = len(labels) - 1
        columns.append(pl.Series(field.name, [f"{field.name}={label}" for label in labels]).gather(place))
    return pl.DataFrame(columns).select(pattern=pl.concat_str(pl.all(), separator=",")).to_series()


def patterns_of(levels: NDArray[np.uint8], layout: Layout) -> NDArray[np.uint64]:
    """Number each row of levels: mixed radix, per field 0 = missing and level + 1 otherwise."""
    digits = np.where(levels == MISSING, 0, levels.astype(np.uint64) + np.uint64(1))
    return np.asarray((digits.astype(np.uint64) * layout.ops.place).sum(axis=1, dtype=np.uint64))


def levels_of(patterns: NDArray[np.uint64], layout: Layout) -> NDArray[np.uint8]:
    """Undo `patterns_of`."""
    digits = patterns[:, None] // layout.ops.place % layout.radix
    return np.where(digits == 0, MISSING, digits - np.uint64(1)).astype(np.uint8)


@kernel
def number_patterns(levels: NDArray[np.uint8], size: int, place: NDArray[np.uint64], out: NDArray[np.uint64]) -> None:
    """Twin of `patterns_of` for a chunk: levels (n_fields, >= size), out (>= size)."""
    out[:size] = np.uint64(0)
    for field in range(len(place)):
        for pair in range(size):
            level = levels[field, pair]
            if level != MISSING:
                out[pair] += (np.uint64(level) + np.uint64(1)) * place[field]
