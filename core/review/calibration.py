"""What verdicts say: whether stated probabilities are right, and whether two people who look say the same. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from math import sqrt
from typing import Any, Literal

VERDICTS_MIN = 50
BANDS = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
_Z = 1.959964
"""Of 95 %."""

Judgement = Literal["as stated", "stated too high", "stated too low", "too few"]
_FEW = 5


@dataclass(frozen=True, slots=True)
class Band:
    """Cases whose stated probability lies in [lo, hi), the last with its end.

    stated: their mean. found: share of them that people called so; low, high: its 95 % interval (Wilson).
    """

    lo: float
    hi: float
    n_cases: int
    stated: float
    found: float
    low: float
    high: float

    @property
    def says(self) -> Judgement:
        """Whether the statement lies in the interval."""
        if self.n_cases < _FEW:
            return "too few"
        if self.low <= self.stated <= self.high:
            return "as stated"
        return "stated too high" if self.stated > self.high else "stated too low"

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self) | {"says": self.says}


def wilson(n_hits: int, n_all: int) -> tuple[float, float]:
    """The 95 % interval of a share. Source: Wilson (1927), JASA 22:209. Raises ZeroDivisionError: of nothing."""
    share, spread = n_hits / n_all, _Z * _Z / n_all
    centre = share + spread / 2
    half = _Z * sqrt(share * (1 - share) / n_all + spread / (4 * n_all))
    return max(0.0, (centre - half) / (1 + spread)), min(1.0, (centre + half) / (1 + spread))


def calibration(stated: Sequence[tuple[float, bool]]) -> list[Band]:
    """Bands that have cases, from the least probable on; none below VERDICTS_MIN verdicts.

    Args:
        stated: of each verdict the probability that the run stated, 0 to 1, and whether people said so.
    """
    if len(stated) < VERDICTS_MIN:
        return []
    found = []
    for lo, hi in pairwise(BANDS):
        mine = [(p, yes) for p, yes in stated if lo <= p < hi or (p == hi == BANDS[-1])]
        if mine:
            n_hits = sum(yes for _, yes in mine)
            mean = sum(p for p, _ in mine) / len(mine)
            found.append(Band(lo, hi, len(mine), mean, n_hits / len(mine), *wilson(n_hits, len(mine))))
    return found


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of second looks, how many said what the first one had said; low, high: the 95 % interval of the share."""

    n_looks: int
    n_same: int
    low: float
    high: float


def agreement(looks: Sequence[tuple[str, str]]) -> Agreement | None:
    """First and second word of each case that was looked at twice; None where none was."""
    if not looks:
        return None
    n_same = sum(first == second for first, second in looks)
    return Agreement(len(looks), n_same, *wilson(n_same, len(looks)))
