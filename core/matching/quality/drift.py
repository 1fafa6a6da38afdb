"""Whether new records look like those a model was trained on, told from the levels of neighbours in their blocks.

Two records side by side in a block stand for its candidate pairs. The share of each level among those that are two
people, missing values included, is kept in the model; new records are measured the same way, and each field's shares
are compared. How many doubles a file has is no drift: a first load may have none, and the next one many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.matching.records.layout import Layout
from core.matching.records.sources import Boundaries, across
from core.matching.specs.levels import MISSING

PAIRS_PER_PASS = 5_000
# Below this many pairs shares are noise: a file of a few hundred records may look like anything.
PAIRS_MIN = 200
# Pairs' worth of every level that both sides are given, so that a level nobody saw does not weigh infinitely.
BELIEF_SHARE = 1e-3
NOTICE_PSI = 0.25
REFUSAL_PSI = 1.0


@dataclass(frozen=True)
class Drift:
    """How far each field has moved; 0 = not at all."""

    n_pairs: int
    psi: Mapping[str, float]

    @property
    def worst(self) -> str:
        """The field that moved most; the first of equals."""
        return max(self.psi, key=self.psi.__getitem__)

    @property
    def worst_psi(self) -> float:
        """How far that field has moved."""
        return self.psi[self.worst]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        fields = {name: round(value, 4) for name, value in self.psi.items()}
        return {"pairs": self.n_pairs, "worst_field": self.worst, "worst_psi": fields[self.worst], "psi": fields}


def neighbours(
    rows: NDArray[np.uint32], together: NDArray[np.bool_], boundaries: Boundaries, pairs_max: int = PAIRS_PER_PASS
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Pairs of records that stand side by side in a block, evenly spaced over a pass.

    Args:
        rows: of the pass in block order.
        together: (n - 1,), whether the row at i + 1 is in the block of the row at i.
        boundaries: of several sources, of which only pairs of two are compared; empty: within one.
    Cost: O(n). Blocks are ordered by a hash, so even spacing draws them at random and the same ones every time.
    """
    if len(boundaries):
        together = together & across(rows[:-1], rows[1:], boundaries)
    at = np.flatnonzero(together)
    at = at[:: max(1, -(-len(at) // pairs_max))]
    return np.minimum(rows[at], rows[at + 1]), np.maximum(rows[at], rows[at + 1])


def level_shares(
    levels: NDArray[np.uint8], layout: Layout, weights: NDArray[np.float64] | None = None
) -> dict[str, tuple[float, ...]]:
    """Per field the shares of pairs with a missing value, then of each level from `differ` to `exact`.

    Args:
        levels: (n_pairs, n_fields), as `compare_pairs` gives them. weights: (n_pairs,) what each counts; 1 without.
    """
    weights = np.ones(len(levels)) if weights is None else weights
    found = {}
    for at, (name, n_levels) in enumerate(zip(layout.names, layout.n_levels, strict=True)):
        column = levels[:, at].astype(np.int64)
        counts = np.bincount(np.where(column == MISSING, 0, column + 1), weights, minlength=n_levels + 1)
        found[name] = tuple((counts / max(float(weights.sum()), 1e-9)).tolist())
    return found


def population_stability(expected: Sequence[float], found: Sequence[float]) -> float:
    """Population stability index of two distributions over the same levels: sum of (p - q) ln(p / q); symmetric.

    By the usual reading below 0.1 nothing has changed, and above 0.25 a lot.
    """
    p, q = (np.asarray(each) + BELIEF_SHARE for each in (found, expected))
    p, q = p / p.sum(), q / q.sum()
    return float(((p - q) * np.log(p / q)).sum())


def drift_of(
    expected: Mapping[str, Sequence[float]], found: Mapping[str, Sequence[float]], n_pairs: int
) -> Drift | None:
    """Compare new shares with a model's; None where either has too few pairs to tell."""
    if not expected or n_pairs < PAIRS_MIN:
        return None
    return Drift(n_pairs, {name: population_stability(shares, found[name]) for name, shares in expected.items()})
