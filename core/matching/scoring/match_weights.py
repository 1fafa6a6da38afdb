"""From levels to the posterior log-odds of a pair."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.records.layout import LayoutArrays
from core.matching.records.pair_chunk import Chunk
from core.matching.scoring.classes import FIRST_APART, MOVED, N_ONE_PERSON, SAME
from core.matching.scoring.model import WeightArrays
from core.matching.specs.levels import MISSING


@kernel
def sum_evidence(
    levels: NDArray[np.uint8], size: int, layout: LayoutArrays, weights: WeightArrays, out: NDArray[np.float64]
) -> None:
    """Add up the evidence of all fields but what others imply: levels (F, >= size), out (>= size, C)."""
    bits, implied, n_tests = weights.bits, weights.implied, layout.n_tests
    n_classes = bits.shape[2]
    for pair in range(size):
        for class_ in range(n_classes):
            out[pair, class_] = 0.0
        for field in range(len(levels)):
            level = levels[field, pair]
            by = implied[field]
            if level == MISSING or (by >= 0 and levels[by, pair] == n_tests[by]):
                continue
            for class_ in range(n_classes):
                out[pair, class_] += bits[field, level, class_]


@kernel
def add_rarity(
    chunk: Chunk, levels: NDArray[np.uint8], layout: LayoutArrays, weights: WeightArrays,
    out: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:  # fmt: skip
    """Take the rarity of values agreed on exactly from the classes that agree on them by chance.

    out = (class sums (>= size, C), which it lowers; term-frequency bits of all fields (>= size), which it sets).
    """
    sums, total = out
    total[: chunk.size] = 0.0
    records, left = chunk.records, chunk.left
    for field in range(len(levels)):
        row, exact, at = weights.tf_row[field], layout.n_tests[field], layout.offset[field]
        if row < 0:
            continue
        rare, counts, by = weights.tf[row], weights.tf_counts, weights.implied[field]
        for pair in range(chunk.size):
            if levels[field, pair] != exact or (by >= 0 and levels[by, pair] != MISSING):
                continue
            bits = np.float64(rare[records[left[pair], at]])
            total[pair] += bits
            for class_ in range(N_ONE_PERSON, len(counts)):
                sums[pair, class_] -= bits * counts[class_, field]


@kernel
def log2_total(sums: NDArray[np.float64], shares: NDArray[np.float64], pair: int, span: tuple[int, int]) -> float:
    """log2 of the summed likelihoods of classes span[0] to span[1] - 1, without overflow."""
    highest = shares[span[0]] + sums[pair, span[0]]
    for class_ in range(span[0] + 1, span[1]):
        highest = max(highest, shares[class_] + sums[pair, class_])
    total = 0.0
    for class_ in range(span[0], span[1]):
        below = shares[class_] + sums[pair, class_] - highest
        # What is 2^60 times less likely does not reach the last bit.
        if below > -60.0:
            total += np.exp2(below)
    return float(highest + np.log2(total))


@kernel
def add_log2(a: float, b: float) -> float:
    """log2(2^a + 2^b)."""
    higher, lower = max(a, b), min(a, b)
    return float(higher if higher - lower > 60.0 else higher + np.log2(1.0 + np.exp2(lower - higher)))


@kernel
def posterior(
    sums: NDArray[np.float64], shares: NDArray[np.float64], size: int, in_order: bool, out: NDArray[np.float64]
) -> None:
    """Posterior log-odds in bits that both are one person; sums (>= size, C) is the evidence for each class.

    In order, two homes speak for one person, against two strangers, at most as much as one home does, against two
    people of one home: else two of one name at two addresses could be one person sooner than two at one address.
    Models of older versions are not.
    """
    n_classes = len(shares)
    for pair in range(size):
        if not in_order:
            one = log2_total(sums, shares, pair, (0, N_ONE_PERSON))
            out[pair] = one - log2_total(sums, shares, pair, (N_ONE_PERSON, n_classes))
            continue
        same, moved = shares[SAME] + sums[pair, SAME], shares[MOVED] + sums[pair, MOVED]
        near = log2_total(sums, shares, pair, (N_ONE_PERSON, FIRST_APART))
        apart = log2_total(sums, shares, pair, (FIRST_APART, n_classes))
        moved = min(moved, same - near + apart)
        out[pair] = add_log2(same, moved) - add_log2(near, apart)
