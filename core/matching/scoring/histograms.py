# budget: parameters, a pass is told by its blocks and its number, and what it is drawn by has defaults
"""Histograms of level patterns to learn from: candidate pairs, and random pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.matching.blocking.block_keys import WINDOW_DEFAULT, keys_by_choice, shared_keys
from core.matching.blocking.blocks import Blocks, cut, pairs_of
from core.matching.blocking.shared_passes import KeyParts, shared_passes
from core.matching.compare.patterns import compare_patterns
from core.matching.jit import kernel
from core.matching.records.layout import Layout
from core.matching.records.record_hashes import chosen_blocks, order_ties, record_hashes
from core.matching.records.sources import WITHIN_ONE, Boundaries
from core.matching.records.vocabulary import Vocabulary

PAIRS_PER_PASS = 25_000
RANDOM_PAIRS = 150_000
COMPARE_CHUNK = 250_000
HASH_RANGE = float(2**64)
WHOLE_PAIR = 720_720.0
"""What a pair weighs that one pass makes: divided by up to sixteen passes it stays whole, so sums have no order."""


@dataclass(frozen=True, eq=False)
class Histogram:
    """Distinct level patterns, ascending, and for how many pairs each stands.

    without: (G, H), by field of `held_out_fields`, how many of them the passes make that do not read the field; of
    pairs that no pass made (G, 0).
    """

    patterns: NDArray[np.uint64]
    counts: NDArray[np.float64]
    without: NDArray[np.float64]

    @classmethod
    def of(cls, patterns: NDArray[np.uint64], counts: NDArray[np.float64]) -> Histogram:
        """Of pairs that no pass made."""
        return cls(patterns, counts, np.zeros((len(patterns), 0)))


@kernel
def wanted(row_a: np.uint32, row_b: np.uint32, boundaries: Boundaries) -> bool:
    """Whether a pair is to be compared: any one of a single source, else only one of two sources."""
    for at in range(len(boundaries)):
        if (row_a < boundaries[at]) != (row_b < boundaries[at]):
            return True
    return len(boundaries) == 0


@kernel
def sample_block(
    rows: NDArray[np.uint32], span: tuple[int, int], rule: tuple[Boundaries, int], out: NDArray[np.uint32],
    n_pairs: int,
) -> int:  # fmt: skip
    """Write the pairs of one block, rows[span[0]:span[1]], behind the first `n_pairs`; returns how many there are."""
    start, end = span
    boundaries, window = rule
    reach = end - start if end - start <= window else window
    for i in range(start, end):
        for j in range(i + 1, min(i + reach, end)):
            if not wanted(rows[i], rows[j], boundaries):
                continue
            if n_pairs < out.shape[1]:
                out[0, n_pairs] = min(rows[i], rows[j])
                out[1, n_pairs] = max(rows[i], rows[j])
            n_pairs += 1
    return n_pairs


@kernel
def sample_pairs(
    rows: NDArray[np.uint32],
    blocks: tuple[NDArray[np.uint32], NDArray[np.uint32]],
    rule: tuple[Boundaries, int],
    out: NDArray[np.uint32],
) -> int:
    """Write the pairs of blocks; returns how many there are.

    blocks = (starts, sizes); rule = (boundaries, window). What `out` has no room for is only counted.
    """
    n_pairs = 0
    for block in range(len(blocks[0])):
        start = np.int64(blocks[0][block])
        end = start + np.int64(blocks[1][block])
        n_pairs = sample_block(rows, (start, end), rule, out, n_pairs)
    return n_pairs


def pass_histogram(
    words: NDArray[np.uint32],
    blocks: Blocks,
    vocabulary: Vocabulary,
    layout: Layout,
    *,
    boundaries: Boundaries = WITHIN_ONE,
    pairs_per_pass: int | None = None,
    number: int | None = None,
    hashes: NDArray[np.uint64] | None = None,
    parts: KeyParts | None = None,
) -> Histogram:
    """Histogram of the candidate pairs of one pass, each weighed by one over the number of passes that make it.

    `number` is the pass; without it no pair is taken to stand in several of its blocks. `hashes`: of `record_hashes`,
    where they are known. `parts`: of the passes in use, where these are not all.

    So the histograms of all passes add up to one in which each pair counts once. Where the pass makes more than
    `pairs_per_pass` (PAIRS_PER_PASS) pairs, blocks are drawn by the hash of their records, so neither threads nor
    machines nor the order of rows change the draw, and each counts for several.

    Source: Horvitz & Thompson (1952), JASA 47:663; Birnbaum & Sirken (1965) for the multiplicity.
    """
    pairs_per_pass = pairs_per_pass or PAIRS_PER_PASS
    whole = cut(blocks, WINDOW_DEFAULT, 0)
    total = int(pairs_of(whole.sizes, WINDOW_DEFAULT).sum())
    rate = min(1.0, pairs_per_pass / max(total, 1))
    rows, ends = blocks.rows, (whole.starts, whole.sizes)
    if rate < 1.0:
        hashes = record_hashes(words) if hashes is None else hashes
        drawn = np.empty(len(whole.starts), dtype=np.bool_)
        chosen_blocks(rows, ends, hashes, np.uint64(int(rate * HASH_RANGE)), drawn)
        rows, ends = rows.copy(), (whole.starts[drawn], whole.sizes[drawn])
        order_ties(rows, blocks.depth, ends, hashes, WINDOW_DEFAULT)
    left, right = _pairs_in(rows, ends, boundaries, min(total, 2 * pairs_per_pass))
    masks = shared_passes(words, (left, right), vocabulary, layout, parts)
    n_pairs, times = len(left), np.ones(len(masks))
    if number is not None and len(layout.key_choices[number]) > 1:
        # Two records that share two values of one field stand in two blocks of the pass.
        times = times * _blocks_shared(words, (left, right), vocabulary, layout.key_choices[number])
    weights = _weights(masks, times, number, layout)
    if number is not None and layout.spec.passes[number].top is not None:
        # No key tells which pairs of other passes are its own too, so it counts for those alone that no key makes.
        weights[masks > 0] = 0.0
    found = merge_histograms(
        [_histogram(words, vocabulary, layout, (left[some], right[some]), weights[some]) for some in _chunks(n_pairs)]
    )
    return Histogram(found.patterns, found.counts / (WHOLE_PAIR * rate), found.without / (WHOLE_PAIR * rate))


def _weights(
    masks: NDArray[np.uint32], blocks: NDArray[np.float64], number: int | None, layout: Layout
) -> NDArray[np.float64]:
    """(n, 1 + H) what each pair counts as: among all passes, and among those that do not read a field.

    blocks: (n,) in how many blocks of the pass it stands.
    """
    asked = np.concatenate([[np.uint32(0xFFFFFFFF)], passes_without(layout)]).astype(np.uint32)
    times = np.maximum(np.bitwise_count(masks[:, None] & asked), 1) * blocks[:, None]
    weights = np.rint(WHOLE_PAIR / times)
    if number is not None:
        weights[:, 1:] *= (asked[1:] >> np.uint32(number)) & np.uint32(1)
    return np.asarray(weights)


def _pairs_in(
    rows: NDArray[np.uint32], ends: tuple[NDArray[np.uint32], NDArray[np.uint32]], boundaries: Boundaries, room: int
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """The pairs of blocks = (starts, sizes); `room` is how many are expected at most."""
    rule, out = (boundaries, WINDOW_DEFAULT), np.empty((2, room), dtype=np.uint32)
    n_pairs = sample_pairs(rows, ends, rule, out)
    if n_pairs > room:
        out = np.empty((2, n_pairs), dtype=np.uint32)
        sample_pairs(rows, ends, rule, out)
    return out[0, :n_pairs], out[1, :n_pairs]


def _blocks_shared(
    words: NDArray[np.uint32],
    ends: tuple[NDArray[np.uint32], NDArray[np.uint32]],
    vocabulary: Vocabulary,
    choices: NDArray[np.int32],
) -> NDArray[np.int64]:
    """In how many blocks of one pass each pair stands, at least 1."""
    sides = [keys_by_choice(words[rows], vocabulary, choices) for rows in ends]
    return np.maximum(np.asarray(np.count_nonzero(shared_keys(sides[0], sides[1]), axis=1), dtype=np.int64), 1)


def pair_histogram(
    words: NDArray[np.uint32],
    vocabulary: Vocabulary,
    layout: Layout,
    left: NDArray[np.uint32],
    right: NDArray[np.uint32],
) -> Histogram:
    """Histogram of the patterns of given pairs, such as random ones."""
    ones = np.ones((len(left), 1))
    return merge_histograms(
        [_histogram(words, vocabulary, layout, (left[some], right[some]), ones[some]) for some in _chunks(len(left))]
    )


def held_out_fields(layout: Layout) -> list[int]:
    """Fields that are left out in turn: a person's own, with values enough that strangers seldom agree."""
    return [
        row
        for row, field in enumerate(layout.spec.fields)
        if not field.shared and not field.made_of and field.mark is None
    ]


def passes_without(layout: Layout) -> NDArray[np.uint32]:
    """(H,) by field left out, bits of the passes whose keys do not read it.

    Pairs of other passes cannot be asked: they were made because the field agrees.
    """
    reading = [set(each.fields) for each in layout.spec.passes]
    masks = [
        sum(1 << number for number, names in enumerate(reading) if layout.names[row] not in names)
        for row in held_out_fields(layout)
    ]
    return np.array(masks, dtype=np.uint32)


def merge_histograms(parts: list[Histogram]) -> Histogram:
    """Add up histograms in the order given."""
    some = [each for each in parts if len(each.patterns)]
    if not some:
        return Histogram.of(np.zeros(0, dtype=np.uint64), np.zeros(0))
    weights = [np.column_stack([each.counts, each.without]) for each in some]
    return _summed(np.concatenate([each.patterns for each in some]), np.concatenate(weights))


def _chunks(n: int) -> list[slice]:
    return [slice(lo, min(lo + COMPARE_CHUNK, n)) for lo in range(0, n, COMPARE_CHUNK)]


def _histogram(
    words: NDArray[np.uint32],
    vocabulary: Vocabulary,
    layout: Layout,
    ends: tuple[NDArray[np.uint32], NDArray[np.uint32]],
    weights: NDArray[np.float64],
) -> Histogram:
    return _summed(compare_patterns(words, vocabulary, layout, ends[0], ends[1]), weights)


def _summed(patterns: NDArray[np.uint64], weights: NDArray[np.float64]) -> Histogram:
    """weights: (n, 1 + H) as of `_weights`."""
    distinct, inverse = np.unique(patterns, return_inverse=True)
    sums = [np.bincount(inverse, weights=each, minlength=len(distinct)).astype(np.float64) for each in weights.T]
    return Histogram(distinct, sums[0], np.stack(sums, axis=1)[:, 1:])
