"""Learning that cannot settle on the wrong thing: what was learnt is held against what can be true.

1. From the usual start. If it is plausible, that is all.
2. Else from other starts; of plausible results the likeliest.
3. Else within bounds of what one person's records look like, which a notice says, and names the field that misled.
4. If what would be accepted is still implausible, the expectations alone decide.
5. If even that accepts what cannot be one person, nothing is accepted: the run is refused.

A single text has nothing beside it to be held against: it is weighed by what is usual, see `lone_text`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import MatchError
from core.matching.records.layout import Layout
from core.matching.scoring.calibration.held_out import Calibration, Line, calibrate, chance_of
from core.matching.scoring.calibration.level_scores import level_scores
from core.matching.scoring.chance_agreement import Collisions
from core.matching.scoring.classes import N_ONE_PERSON, SAME, T_MOVED, T_SAME
from core.matching.scoring.evidence import evidence
from core.matching.scoring.histograms import Histogram
from core.matching.scoring.learning.em import LevelCounts, Parameters, Start, implied_in, shares_by_class, train
from core.matching.scoring.learning.lone_text import lone_text, weigh_lone_text
from core.matching.scoring.learning.plausibility import KINDS, Findings, findings
from core.matching.scoring.learning.starting_tables import starting_tables
from core.matching.specs.levels import MISSING

# Shares of records with a double to begin with; the first is the usual one.
STARTS = (0.12, 0.02, 0.6)
# Fewer pairs of one person than this teach what two of them happen to be.
PAIRS_MIN = 20.0
# What is accepted is judged from so many pairs on: of fewer nobody can tell what they mostly are.
ACCEPTED_MIN = 10.0
Way = Literal["free", "bounded", "expected", "usual"]


@dataclass(frozen=True, eq=False)
class Learnt:
    """Parameters, the way they were found, and what they are of.

    refused: by start, why its result was not taken. misled: the field that spoke most for pairs that are not one
    person, where there were such. learnt: of the pairs taken for one person; accepted: of those at or above the match
    threshold. below: how many pairs of one person lie below the review threshold for one in review, one at least.
    """

    parameters: Parameters
    way: Way
    refused: tuple[tuple[str, ...], ...]
    misled: str | None
    learnt: Findings
    accepted: Findings
    calibration: Calibration
    below: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "way": self.way,
            "refused": [list(faults) for faults in self.refused],
            "misled": self.misled,
            "learnt": self.learnt.to_dict(),
            "accepted": self.accepted.to_dict(),
            "calibration": self.calibration.to_dict(),
            "below_review": self.below,
        }


def learn(
    made: Histogram,
    drawn: Histogram,
    total_pairs: float,
    layout: Layout,
    shared: Sequence[Collisions] = (),
    compared: Sequence[Histogram] = (),
) -> Learnt:
    """Learn without labels, and hold the result against what can be true; arguments as of `em.train`.

    Args:
        compared: of the pairs of the passes that every job makes, and where there are wide ones of all pairs, from
            which it is told what scores are worth; where that is not given, `made` are all there are.
    Raises:
        MatchError: whatever is tried, pairs would be accepted that cannot be one person; says what they differ in.
    Cost: as `train`; about four times that where the first result is implausible.
    """
    implied = implied_in(drawn, layout)
    asked = tuple((LevelCounts.of(each, layout, implied), each.without) for each in compared or (made,))
    judge = _Judge(LevelCounts.of(made, layout, implied), layout, asked)
    text = lone_text(layout)
    if text is not None:
        random = LevelCounts.of(drawn, layout, implied)
        return judge.learnt(weigh_lone_text(judge.candidates, random, total_pairs, layout, text), "usual", [], None)

    def fit(begin: Start) -> Parameters:
        return train(made, drawn, total_pairs, layout, shared, begin)

    refused, misled, plausible = list[tuple[str, ...]](), None, list[Parameters]()
    for share in STARTS:
        parameters = fit(Start(share))
        faults, implausible = judge.faults(parameters)
        if not faults:
            plausible.append(parameters)
            if share == STARTS[0]:
                break
        refused.append(faults)
        misled = misled or (judge.misled_by(parameters) if implausible else None)
    if plausible:
        return judge.learnt(max(plausible, key=lambda each: each.log_likelihood), "free", refused, misled)
    found = judge.learnt(fit(Start(bounded=True)), "bounded", refused, misled)
    if judge.acceptable(found):
        return found
    found = judge.learnt(_expected(found.parameters, layout), "expected", refused, misled)
    if judge.acceptable(found):
        return found
    raise MatchError(
        f"what would be taken for one person cannot be: {'; '.join(found.accepted.faults(layout))}. Look at the "
        f"columns{'' if misled is None else f', first at {misled}'}, leave one out with `--map FIELD=`, or use a model "
        "of other data with `--model`",
        fields=("mapping", "model"),
    )


@dataclass(frozen=True, eq=False)
class _Judge:
    """Holds parameters against the candidate pairs; asked: see `compared` of `learn`, beside `Histogram.without`."""

    candidates: LevelCounts
    layout: Layout
    asked: Sequence[tuple[LevelCounts, NDArray[np.float64]]]

    def faults(self, parameters: Parameters) -> tuple[tuple[str, ...], bool]:
        """Why a result is not taken, and whether that is because it cannot be true."""
        found = self._taken(parameters)
        faults = found.faults(self.layout)
        few = [] if found.pairs >= PAIRS_MIN else [f"{found.pairs:.0f} pairs are too few to learn from"]
        return (*faults, *few), bool(faults)

    def learnt(self, parameters: Parameters, way: Way, refused: list[tuple[str, ...]], misled: str | None) -> Learnt:
        """The result with what it means for the candidate pairs."""
        bits, shares = evidence(parameters, self.layout).transpose(1, 2, 0), np.log2(parameters.shares)
        spec, scores = self.layout.spec, level_scores(self.candidates.levels, bits, shares)
        weights = np.where(scores >= spec.match_bits, self.candidates.counts, 0.0)
        accepted = findings(self.candidates.levels, weights, self.layout)
        lines, below = self._calibrated(bits, shares)
        calibration = Calibration(lines[0], lines[-1], spec.n_always)
        return Learnt(parameters, way, tuple(refused), misled, self._taken(parameters), accepted, calibration, below)

    def _calibrated(self, bits: NDArray[np.float64], shares: NDArray[np.float64]) -> tuple[list[Line], float]:
        """What scores are worth, and `Learnt.below`."""
        lines = [calibrate(pairs.levels, without, self.layout, bits, shares) for pairs, without in self.asked]
        review, below = self._on_either_side(self.asked[0][0], lines[0], bits, shares)
        if len(lines) > 1:
            # Pairs of wide passes alone: of all, less the others.
            every, others = (self._on_either_side(pairs, lines[1], bits, shares) for pairs, _ in self.asked[::-1])
            review, below = review + every[0] - others[0], below + every[1] - others[1]
        return lines, max(below, 0.0) / max(review, 1.0)

    def _on_either_side(
        self, pairs: LevelCounts, line: Line, bits: NDArray[np.float64], shares: NDArray[np.float64]
    ) -> tuple[float, float]:
        """How many pairs of one person lie above the review threshold and are not accepted, and below it."""
        spec, scores = self.layout.spec, level_scores(pairs.levels, bits, shares)
        log_odds = line.corrected(scores)
        one_person = chance_of(log_odds) * pairs.counts
        review, refused = log_odds >= spec.review_bits, scores < spec.match_bits
        return float(one_person[refused & review].sum()), float(one_person[refused & ~review].sum())

    def acceptable(self, found: Learnt) -> bool:
        """Whether what would be accepted can be one person."""
        return found.accepted.pairs < ACCEPTED_MIN or not found.accepted.faults(self.layout)

    def misled_by(self, parameters: Parameters) -> str | None:
        """The field that says most for the pairs that differ in what is a person's own; None where no pair does."""
        bits, levels = evidence(parameters, self.layout)[SAME], self.candidates.levels
        fields = self.layout.spec.fields
        own = [row for row, field in enumerate(fields) if field.kind in KINDS and not field.shared]
        differing = (levels[:, own] == 0).any(axis=1)
        weights = self._one_person(parameters) * differing
        said = [
            float((weights * np.where(column == MISSING, 0.0, bits[row][np.where(column == MISSING, 0, column)])).sum())
            for row, column in enumerate(levels.T)
        ]
        others = [row for row in range(len(said)) if row not in own]
        best = max(others, key=said.__getitem__, default=None)
        return None if best is None or said[best] <= 0.0 else self.layout.names[best]

    def _taken(self, parameters: Parameters) -> Findings:
        return findings(self.candidates.levels, self._one_person(parameters), self.layout)

    def _one_person(self, parameters: Parameters) -> NDArray[np.float64]:
        """(G,) how many pairs of each pattern are one person."""
        by_class = shares_by_class(parameters.tables, self.layout)
        shares = self.candidates.class_shares(by_class, parameters.shares)
        return np.asarray(shares[:, :N_ONE_PERSON].sum(axis=1) * self.candidates.counts)


def _expected(parameters: Parameters, layout: Layout) -> Parameters:
    """What is expected of one person before any data, under the class shares that were learnt."""
    tables = parameters.tables.copy()
    expected = starting_tables(np.zeros(tables.shape[1:]), layout)
    tables[[T_SAME, T_MOVED]] = expected[[T_SAME, T_MOVED]]
    return replace(parameters, tables=tables)
