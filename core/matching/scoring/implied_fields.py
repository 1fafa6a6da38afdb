"""Fields that another one implies, as a postcode implies its town: agreement in both is one agreement, not two.

Such a field weighs only where the implying one does not agree; how rare its value is counts only where that is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np
from numpy.typing import NDArray

from core.matching.records.layout import Layout
from core.matching.specs.levels import MISSING

SHARE_MIN = 0.95
# Pairs' worth of belief that a postcode implies its town and state, and that nothing else implies anything.
BELIEF_PAIRS = 20.0
BELIEF_PLACE, BELIEF_OTHER = 0.97, 0.5
# Of several that imply a field, the one that says most: parts of an address from the smallest up.
IMPLYING = ("code", "city")
IMPLIED = ("city", "category")


def implied_fields(levels: NDArray[np.uint8], counts: NDArray[np.float64], layout: Layout) -> dict[str, str]:
    """By field the one that implies it, told from random pairs.

    Args:
        levels: (G, F) with MISSING. counts: (G,) pairs of each pattern.
    """
    found: dict[str, str] = {}
    homes = [row for row, field in enumerate(layout.spec.fields) if field.belongs_to == "home"]
    for kind in IMPLYING:
        for by, row in product(homes, homes):
            implying, implied = layout.spec.fields[by], layout.spec.fields[row]
            fits = implying.kind == kind and implied.kind in IMPLIED and implied.kind != kind
            if not fits or implied.name in found or implying.name in found:
                continue
            exact = layout.n_levels[by] - 1, layout.n_levels[row] - 1
            if _share(levels[:, [by, row]], counts, exact, kind) > SHARE_MIN:
                found[implied.name] = implying.name
    return found


def rows_of(implied: Mapping[str, str], layout: Layout) -> NDArray[np.int32]:
    """(F,) row of the implying field of each field, else -1."""
    names = layout.names
    return np.array([names.index(implied[name]) if name in implied else -1 for name in names], dtype=np.int32)


def without_implied(levels: NDArray[np.uint8], implied: Mapping[str, str], layout: Layout) -> NDArray[np.uint8]:
    """The same levels (G, F), MISSING where the implying field agrees exactly."""
    told = levels.copy()
    for row, by in enumerate(rows_of(implied, layout)):
        if by >= 0:
            told[levels[:, by] == layout.n_levels[by] - 1, row] = MISSING
    return told


def _share(levels: NDArray[np.uint8], counts: NDArray[np.float64], exact: tuple[int, int], kind: str) -> float:
    """How often the second field agrees where the first does."""
    both = (levels[:, 0] == exact[0]) & (levels[:, 1] != MISSING)
    belief = BELIEF_PLACE if kind == "code" else BELIEF_OTHER
    agreed = float(counts[both & (levels[:, 1] == exact[1])].sum())
    return (agreed + BELIEF_PAIRS * belief) / (float(counts[both].sum()) + BELIEF_PAIRS)
