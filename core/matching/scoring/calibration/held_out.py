"""Whether a score holds what it says, told without labels: from fields that are left out of it.

Records err in several fields at once, which no class of pairs knows, so what disagrees counts too much. How much, the
pairs say themselves. A field that is a person's own is left out of the score, and of the pairs at each score, made by
passes that do not read the field, it is looked how often it agrees. Where it agrees more often than the score allows,
more of these pairs are one person than was said. The correction is a broken line over the score, learnt from all such
fields together, with a belief that there is none: few pairs move it little, and its error is known.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.matching.records.layout import Layout
from core.matching.scoring.calibration.level_scores import level_scores
from core.matching.scoring.histograms import held_out_fields
from core.matching.scoring.model import Model
from core.matching.specs.levels import MISSING
from core.matching.specs.spec import MatchSpec

# Scores at which the correction is learnt, in bits; between them it is a straight line, beyond them what it is there.
KNOTS = (-14.0, -10.0, -6.0, -3.0, 0.0, 3.0, 6.0, 10.0)
# Before any data: what disagrees in one record of a person disagrees together, so scores below an even chance are too
# low by this share, more or less so many bits (standard deviation), and so many than at the next knot.
BELIEF_SHARE = 0.25
BELIEF_BITS, BELIEF_STEP_BITS = 2.0, 1.0
# However many pairs were asked, one field does not err quite as another does.
ERROR_BITS = 0.75
ROUNDS_MAX, TOLERANCE_BITS = 200, 1e-3
STEP_BITS = 0.25
EXPECTED = tuple(BELIEF_SHARE * max(-knot, 0.0) for knot in KNOTS)
_LN2 = float(np.log(2.0))


@dataclass(frozen=True, slots=True)
class Line:
    """shift: bits to add to a score at each of `KNOTS`; error: standard deviation of each."""

    shift: tuple[float, ...] = (0.0,) * len(KNOTS)
    error: tuple[float, ...] = (BELIEF_BITS,) * len(KNOTS)

    def corrected(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log-odds in bits that pairs of these scores are one person; never lower for a higher score."""
        return np.asarray(scores + np.interp(scores, KNOTS, self.shift))

    def least_score(self, log_odds: float) -> float:
        """The lowest score that is worth such log-odds."""
        at = np.array(KNOTS) + np.array(self.shift)
        above = int(np.searchsorted(at, log_odds))
        if above in (0, len(at)):
            return log_odds - self.shift[min(above, len(at) - 1)]
        share = (log_odds - at[above - 1]) / (at[above] - at[above - 1])
        return float(KNOTS[above - 1] + share * (KNOTS[above] - KNOTS[above - 1]))

    def moved(self, errors: float) -> Line:
        """The same, off by so many standard deviations."""
        at = np.array(KNOTS) + np.array(self.shift) + errors * np.hypot(self.error, ERROR_BITS)
        return replace(self, shift=tuple((np.maximum.accumulate(at) - KNOTS).tolist()))


@dataclass(frozen=True, slots=True)
class Calibration:
    """What scores are worth: of pairs that one of the first `n_always` passes makes, and of those of wide ones alone.

    Pairs of wide passes are strangers more often than others of the same score: who differs in all that the narrow ones
    ask for is seldom one person. Of them by themselves nothing can be asked, for where a field agreed a narrow pass
    would have made the pair; so they have the line of all pairs, most of which they are.
    """

    always: Line = Line()
    wide: Line = Line()
    n_always: int = 32

    def log_odds(
        self, scores: NDArray[np.floating[Any]], passes: NDArray[np.uint32] | None = None
    ) -> NDArray[np.float64]:
        """Log-odds in bits that pairs are one person; passes: bits of those that make each, where that is known."""
        given = np.asarray(scores, dtype=np.float64)
        corrected = self.always.corrected(given)
        if passes is None:
            return corrected
        only_wide = (passes != 0) & (passes & np.uint32((1 << self.n_always) - 1) == 0)
        return np.where(only_wide, self.wide.corrected(given), corrected)

    def probability(
        self, scores: NDArray[np.floating[Any]], passes: NDArray[np.uint32] | None = None
    ) -> NDArray[np.float64]:
        """Probability that pairs are one person; arguments as of `log_odds`."""
        return chance_of(self.log_odds(scores, passes))

    def worth_a_look(
        self, scores: NDArray[np.floating[Any]], passes: NDArray[np.uint32], spec: MatchSpec
    ) -> NDArray[np.bool_]:
        """Which pairs are accepted by their score, or may be one person often enough for people to look at them."""
        return (self.log_odds(scores, passes) >= spec.review_bits) | (scores >= spec.match_bits)

    def least_score(self, spec: MatchSpec) -> float:
        """A score below which no pair is worth a look."""
        lowest = min(line.least_score(spec.review_bits) for line in (self.always, self.wide))
        # A hair lower, for scores are rounded.
        return min(lowest, spec.match_bits) - 1e-4

    def moved(self, errors: float) -> Calibration:
        """The same, off by so many standard deviations."""
        return replace(self, always=self.always.moved(errors), wide=self.wide.moved(errors))

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        lines = {"": self.always, "wide_": self.wide}
        said = {f"{of}{name}": list(getattr(line, name)) for of, line in lines.items() for name in ("shift", "error")}
        return said | {"n_always": self.n_always}

    @classmethod
    def of(cls, model: Model) -> Calibration:
        """That of a model; one of an older version has none, and its scores are taken at their word."""
        said = model.learning.get("calibration")
        if not said:
            return cls()
        always, wide = (Line(tuple(said[f"{of}shift"]), tuple(said[f"{of}error"])) for of in ("", "wide_"))
        return cls(always, wide, int(said["n_always"]))


def chance_of(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of log-odds in bits."""
    return np.asarray(1.0 / (1.0 + np.exp2(-np.clip(log_odds, -1000.0, 1000.0))))


def calibrate(
    levels: NDArray[np.uint8],
    counts: NDArray[np.float64],
    layout: Layout,
    bits: NDArray[np.float64],
    shares: NDArray[np.float64],
) -> Line:
    """Learn the correction of scores.

    Args:
        levels: (G, F) patterns with MISSING. counts: (G, H) by field of `held_out_fields`, how many pairs of each
            pattern the passes made that do not read it.
        bits: (F, L, C) evidence. shares: (C,) log2.
    Cost: two scores a pattern and field, then microseconds a pattern and round.
    """
    scores, told, weights = [np.zeros(0)], [np.zeros(0)], [np.zeros(0)]
    for column, row in enumerate(held_out_fields(layout)[: counts.shape[1]]):
        some = (levels[:, row] != MISSING) & (counts[:, column] > 0)
        whole = levels[some]
        without = whole.copy()
        without[:, row] = MISSING
        said = [level_scores(each, bits, shares, in_order=False) for each in (whole, without)]
        scores.append(level_scores(without, bits, shares))
        told.append(said[0] - said[1])
        weights.append(counts[some, column])
    return _fitted(*(np.concatenate(each) for each in (scores, told, weights)))


def _fitted(scores: NDArray[np.float64], told: NDArray[np.float64], weights: NDArray[np.float64]) -> Line:
    """Fit the line by EM; told: bits that the field left out says for one person.

    Each round asks how many pairs are one person with what the field says, and moves the line towards that (one step of
    Newton's method for a logistic regression).
    """
    near = (scores > KNOTS[0]) & (scores < KNOTS[-1])
    scores, told, weights = _in_steps(scores[near], told[near], weights[near])
    hats = _hats(scores)
    belief, expected = _belief(), np.array(EXPECTED)
    shift = expected.copy()
    for _ in range(ROUNDS_MAX):
        before = chance_of(scores + hats @ shift)
        after = chance_of(scores + hats @ shift + told)
        slope = _LN2 * hats.T @ (weights * (after - before)) - belief @ (shift - expected)
        step = np.linalg.solve(_curvature(hats, weights * before * (1.0 - before)) + belief, slope)
        shift += step
        if float(np.abs(step).max()) < TOLERANCE_BITS:
            break
    # What the fields left out do not tell is not known: information, less what is missing of it.
    known = weights * (before * (1.0 - before) - after * (1.0 - after))
    error = np.sqrt(np.diag(np.linalg.inv(_curvature(hats, np.maximum(known, 0.0)) + belief)))
    rising = np.maximum.accumulate(np.array(KNOTS) + shift) - KNOTS
    return Line(tuple(rising.tolist()), tuple(error.tolist()))


def _in_steps(
    scores: NDArray[np.float64], told: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Scores and what was told in steps of STEP_BITS, each combination once: a few thousand, however many pairs."""
    steps = np.rint(np.stack([scores, told], axis=1) / STEP_BITS)
    distinct, inverse = np.unique(steps, axis=0, return_inverse=True)
    return (
        distinct[:, 0] * STEP_BITS,
        distinct[:, 1] * STEP_BITS,
        np.bincount(inverse.ravel(), weights=weights, minlength=len(distinct)).astype(np.float64),
    )


def _hats(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, K) share of each knot in the line at each score."""
    knots = np.array(KNOTS)
    return np.stack([np.interp(scores, knots, each) for each in np.eye(len(knots))], axis=1)


def _belief() -> NDArray[np.float64]:
    """(K, K) inverse covariance of the shifts before any data."""
    steps = np.diff(np.eye(len(KNOTS)), axis=0)
    return np.asarray(np.eye(len(KNOTS)) / BELIEF_BITS**2 + steps.T @ steps / BELIEF_STEP_BITS**2)


def _curvature(hats: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(_LN2**2 * (hats * weights[:, None]).T @ hats)
