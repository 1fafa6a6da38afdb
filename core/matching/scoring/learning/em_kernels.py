"""The two sums of an EM step over a histogram of level patterns. Slow twins: `reference.class_shares`, `level_sums`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.specs.levels import MISSING


@kernel
def fill_class_shares(
    levels: NDArray[np.uint8], logs: NDArray[np.float64], log_shares: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    """P(class | pattern) of each pattern: levels (G, F), logs (C, F, L) log2 of level shares, out (G, C)."""
    n_classes = len(log_shares)
    for pattern in range(len(levels)):
        highest = -np.inf
        for class_ in range(n_classes):
            total = log_shares[class_]
            for field in range(levels.shape[1]):
                level = levels[pattern, field]
                total += logs[class_, field, level] if level != MISSING else 0.0
            out[pattern, class_] = total
            highest = max(highest, total)
        whole = 0.0
        for class_ in range(n_classes):
            share = np.exp2(out[pattern, class_] - highest)
            out[pattern, class_] = share
            whole += share
        for class_ in range(n_classes):
            out[pattern, class_] /= whole


@kernel
def add_levels(levels: NDArray[np.uint8], weights: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Add each pattern's weights (G, C) to its levels: out (C, F, L)."""
    for pattern in range(len(levels)):
        for field in range(levels.shape[1]):
            level = levels[pattern, field]
            if level == MISSING:
                continue
            for class_ in range(weights.shape[1]):
                out[class_, field, level] += weights[pattern, class_]
