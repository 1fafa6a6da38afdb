"""How often strangers share a value that random pairs are too few to show: an address, a number, an e-mail address.

Among a million random pairs hardly two strangers live in "12 Main Street", but among all pairs of a large file
thousands do, and a level that looks impossible by chance would outweigh everything else. All pairs of a sample of
records that share such a value are found by sorting; their level patterns let the training tell strangers from others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.matching.blocking.blocks import sort_keys
from core.matching.compare.patterns import compare_patterns
from core.matching.jit import kernel
from core.matching.records.layout import Layout
from core.matching.records.packing import NUMBER_MAX
from core.matching.records.record_hashes import record_hashes, sampled_rows
from core.matching.records.sources import WITHIN_ONE, Boundaries, across, pairs_across, source_numbers
from core.matching.records.vocabulary import Vocabulary
from core.matching.specs.spec import FieldSpec
from core.matching.text.hashing import splitmix

ROWS_MAX = 500_000
PAIRS_MAX = 100_000
# By kind the level, besides `exact`, that the shared value implies.
SHARED_LEVEL: Mapping[str, str] = {"street": "same_street", "digits": "exact", "email": "same_local_part"}


@dataclass(frozen=True, eq=False)
class Collisions:
    """Pairs of records that share a value of one field.

    `field` is its row in the layout; `levels` are those no pair can reach without the value; `patterns` and `counts`
    are the histogram, scaled to all pairs there are; `pairs_per_sampled` is how many a sampled one stands for.
    """

    field: int
    levels: tuple[int, ...]
    patterns: NDArray[np.uint64]
    counts: NDArray[np.float64]
    pairs_per_sampled: float


def collisions(
    words: NDArray[np.uint32],
    vocabulary: Vocabulary,
    layout: Layout,
    total_pairs: float,
    boundaries: Boundaries = WITHIN_ONE,
    hashes: NDArray[np.uint64] | None = None,
) -> tuple[Collisions, ...]:
    """Find the colliding pairs of every field whose values are nearly unique.

    Args:
        words: all records; at most 500,000 of them are looked at, drawn by their hashes.
        total_pairs: all pairs there are; of several sources, whose `boundaries` are given, those of two of them.
        hashes: of `record_hashes`, where they are known.
    Cost: per such field one sort of the sample and at most 100,000 comparisons.
    """
    rows = sampled_rows(record_hashes(words) if hashes is None else hashes, ROWS_MAX, boundaries)
    linked = len(boundaries) > 0
    sizes = np.bincount(source_numbers(rows, boundaries)).tolist()
    n_pairs = pairs_across(sizes) if linked else len(rows) * (len(rows) - 1) // 2
    sample = words[rows]
    found = []
    for number, field in enumerate(layout.spec.fields):
        if field.kind in SHARED_LEVEL and n_pairs > 0:
            spans = layout.value_words(field.name)
            left, right, times = _pairs(np.concatenate([_values(sample[:, span], field.kind) for span in spans]))
            if len(spans) > 1:
                left, right = _records(left, right, len(sample))
            if linked:
                apart = across(rows[left], rows[right], boundaries)
                left, right = left[apart], right[apart]
            patterns, counts = np.unique(compare_patterns(sample, vocabulary, layout, left, right), return_counts=True)
            scale = times * total_pairs / n_pairs
            found.append(Collisions(number, _levels(field), patterns, (counts * scale).astype(np.float64), scale))
    return tuple(found)


@kernel
def hash_values(values: NDArray[np.uint64]) -> None:
    """Replace each value by its hash; 0 stays 0."""
    for at in range(len(values)):
        if values[at] != np.uint64(0):
            values[at] = splitmix(values[at])


def _values(columns: NDArray[np.uint32], kind: str) -> NDArray[np.uint64]:
    """(n,) the shared value of each record; 0 where it has none."""
    words = columns.astype(np.uint64)
    if kind == "email":
        return np.ascontiguousarray(words[:, 1])
    low = words[:, 0] & np.uint64(NUMBER_MAX) if kind == "street" else words[:, 0]
    values = low | (words[:, 1] << np.uint64(32))
    return np.asarray(np.where(columns.any(axis=1), values, np.uint64(0)))


def _pairs(values: NDArray[np.uint64]) -> tuple[NDArray[np.uint32], NDArray[np.uint32], float]:
    """Pairs of places with one value, and how many pairs each stands for: all of them, or evenly drawn ones.

    The values are overwritten. Two of them share a block by chance once in some hundred runs: their hashes keep the
    upper 45 of 64 bits at least.
    """
    hash_values(values)
    blocks = sort_keys(values)
    starts = np.flatnonzero(blocks.depth == 0)
    sizes = np.diff(np.append(starts, len(blocks.rows)))
    ends = np.cumsum(sizes * (sizes - 1) // 2)
    total = int(ends[-1]) if len(ends) else 0
    step = max(total / PAIRS_MAX, 1.0)
    wanted = np.floor(np.arange(min(total, PAIRS_MAX)) * step).astype(np.int64)
    block = np.searchsorted(ends, wanted, side="right")
    inside = wanted - (ends[block] - sizes[block] * (sizes[block] - 1) // 2)
    # Pairs of a block are numbered by the later of their records: j(j-1)/2 come before record j.
    later = np.floor((1.0 + np.sqrt(1.0 + 8.0 * inside)) / 2.0).astype(np.int64)
    later -= later * (later - 1) // 2 > inside
    earlier = inside - later * (later - 1) // 2
    return blocks.rows[starts[block] + earlier], blocks.rows[starts[block] + later], step


def _records(
    left: NDArray[np.uint32], right: NDArray[np.uint32], n_records: int
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Pairs of records from pairs of places in all their values, one value of all records behind the other."""
    one, two = left % np.uint32(n_records), right % np.uint32(n_records)
    apart = one != two
    return np.minimum(one, two)[apart], np.maximum(one, two)[apart]


def _levels(field: FieldSpec) -> tuple[int, ...]:
    tests = [level.test for level in field.levels]
    return tuple(len(tests) - at for at, test in enumerate(tests) if test in {"exact", SHARED_LEVEL[field.kind]})
