"""From levels to the posterior log-odds of a pair."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.records.layout import LayoutArrays
from core.matching.records.pair_chunk import Chunk
from core.matching.scoring.classes import N_ONE_PERSON
from core.matching.scoring.model import WeightArrays
from core.matching.specs.levels import MISSING


@kernel
def sum_evidence(levels: NDArray[np.uint8], size: int, bits: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Add up the evidence of all fields: bits (F, L, C), levels (F, >= size), out (>= size, C)."""
    n_classes = bits.shape[2]
    for pair in range(size):
        for class_ in range(n_classes):
            out[pair, class_] = 0.0
        for field in range(len(levels)):
            level = levels[field, pair]
            if level == MISSING:
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
        rare, counts = weights.tf[row], weights.tf_counts
        for pair in range(chunk.size):
            if levels[field, pair] != exact:
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
def posterior(sums: NDArray[np.float64], shares: NDArray[np.float64], size: int, out: NDArray[np.float64]) -> None:
    """Posterior log-odds in bits that both are one person; sums (>= size, C) is the evidence for each class."""
    n_classes = len(shares)
    for pair in range(size):
        one = log2_total(sums, shares, pair, (0, N_ONE_PERSON))
        two = log2_total(sums, shares, pair, (N_ONE_PERSON, n_classes))
        out[pair] = one - two
