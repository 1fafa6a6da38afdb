"""Scores of pairs from their levels alone, without looking at values: how rare what they agree on is, is left aside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.matching.records.layout import Layout
from core.matching.scoring.implied_fields import without_implied
from core.matching.scoring.match_weights import posterior
from core.matching.scoring.model import Model, evidence_table
from core.matching.specs.levels import MISSING


def level_scores(
    levels: NDArray[np.uint8], bits: NDArray[np.float64], shares: NDArray[np.float64], *, in_order: bool = True
) -> NDArray[np.float64]:
    """(G,) posterior log-odds in bits.

    Args:
        levels: (G, F) with MISSING, without what other fields imply. bits: (F, L, C). shares: (C,) log2.
    """
    sums = np.zeros((len(levels), len(shares)))
    for row, column in enumerate(levels.T):
        seen = column != MISSING
        sums[seen] += bits[row][column[seen]]
    scores = np.zeros(len(levels))
    posterior(sums, shares, len(levels), in_order, scores)
    return scores


def scores_by(model: Model, levels: NDArray[np.uint8], layout: Layout) -> NDArray[np.float64]:
    """`level_scores` of levels (G, F) as they were compared, by a model."""
    told, bits = without_implied(levels, model.implied, layout), evidence_table(model, layout)
    return level_scores(told, bits, model.log_shares, in_order=model.in_order)
