"""Whether what was learnt can be true of people: pairs that are taken for one person must mostly agree in what is his.

EM finds the two kinds of pairs that differ most, whatever they are. Where homes share more than persons do, it finds
"one home" and calls it one person; its pairs then differ in given names and birthdays, and in both of them together.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.matching.records.layout import Layout
from core.matching.specs.levels import MISSING
from core.matching.specs.spec import FieldSpec

# Fields that one person's records rarely differ in beyond slips.
KINDS = ("given_name", "date", "digits", "identifier")
NAMES = ("given_name", "surname")
DIFFER_MAX = 0.5
# Errors in one person's fields come apart: odds ratios of 1.0 to 2.6 were seen, and 57 in families.
TOGETHER_ODDS_MAX, TOGETHER_SHARE_MIN = 10.0, 0.05


@dataclass(frozen=True, slots=True)
class Findings:
    """What pairs that are taken for one person are like.

    pairs: how many. differ: by field of a person, the share of them in which it differs beyond all levels. together:
    the two fields that differ together most, their odds ratio; None where no two differ often enough.
    """

    pairs: float
    differ: dict[str, float]
    together: tuple[str, str, float] | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)

    def faults(self, layout: Layout) -> list[str]:
        """Why this cannot be one person, in words; empty where it can."""
        kinds = {field.name: field.kind for field in layout.spec.fields}
        found = [
            f"{name} differs in {share:.0%} of the pairs"
            for name, share in self.differ.items()
            if kinds[name] in KINDS and share > DIFFER_MAX
        ]
        if self.together is not None and self.together[2] > TOGETHER_ODDS_MAX:
            one, two, odds = self.together
            found.append(
                f"{one} and {two} differ together ({self.differ[one]:.0%} and {self.differ[two]:.0%} of the pairs, "
                f"odds ratio {odds:.0f})"
            )
        return found


def findings(levels: NDArray[np.uint8], weights: NDArray[np.float64], layout: Layout) -> Findings:
    """Look at pairs by their levels.

    Args:
        levels: (G, F) with MISSING. weights: (G,) how many pairs of each pattern are taken for one person.
    """
    own = [row for row, field in enumerate(layout.spec.fields) if not field.shared and not field.made_of]
    differ = {layout.names[row]: _share(levels[:, row] == 0, levels[:, row] != MISSING, weights) for row in own}
    people, worst = any(field.kind in NAMES for field in layout.spec.fields), None
    for row, other in combinations(own, 2):
        if _one_event(layout.spec.fields[row], layout.spec.fields[other], people):
            continue
        odds = _odds(levels[:, [row, other]], weights)
        if odds is not None and (worst is None or odds > worst[2]):
            worst = (layout.names[row], layout.names[other], odds)
    return Findings(float(weights.sum()), differ, worst)


def _one_event(one: FieldSpec, two: FieldSpec, people: bool) -> bool:
    """Whether two fields differ together by their nature: parts of one column, or values that change places.

    Of things what tells little differs together in another edition of them: venue and year of a paper, number and
    length of a song.
    """
    return one.column == two.column or one.swap_with == two.name or not (people or {one.kind, two.kind} & {*KINDS})


def _share(which: NDArray[np.bool_], among: NDArray[np.bool_], weights: NDArray[np.float64]) -> float:
    return float(weights[which & among].sum() / max(weights[among].sum(), 1e-9))


def _odds(levels: NDArray[np.uint8], weights: NDArray[np.float64]) -> float | None:
    """Odds ratio of two fields differing together; None where one differs too seldom to tell."""
    seen = (levels != MISSING).all(axis=1)
    counts = np.array(
        [
            [weights[seen & ((levels[:, 0] == 0) == one) & ((levels[:, 1] == 0) == two)].sum() for two in (True, False)]
            for one in (True, False)
        ]
    )
    shares = counts[0].sum(), counts[:, 0].sum()
    if min(shares) < TOGETHER_SHARE_MIN * max(float(counts.sum()), 1.0):
        return None
    # Half a pair in each corner, so that none is empty.
    counts += 0.5
    return float(counts[0, 0] * counts[1, 1] / (counts[0, 1] * counts[1, 0]))
