"""How much of what is true was found, as the run itself can estimate it: expected pairs found, rejected, never made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.matching.blocking.equal_parts import equal_parts, parts_by_field
from core.matching.blocking.shared_passes import key_parts
from core.matching.clustering.contested import KeptApart
from core.matching.edges import Edges
from core.matching.quality.capture_recapture import PassYield, pass_yields, true_pairs_not_made
from core.matching.records.record_hashes import record_hashes
from core.matching.records.sources import Boundaries
from core.matching.scoring.calibration.held_out import Calibration
from core.matching.scoring.score_pairs import Scorer

# Pairs that are looked at for what no pass made; of more a part is drawn.
SAMPLED_MAX = 200_000
# A statement reaches so many standard deviations either way: of the calibration, and of what chance does to counts.
ERRORS = 2.0
# What no pass made may be so many times more or less than is estimated, for records differ in more than two kinds.
NOT_MADE_FACTOR = 2.0
# What was rejected, too: a model that fits a file badly says too little of its worst kept records. On made files of
# customers (4,000 rows, four seeds) 1.5 to 2.1 times as many true pairs were rejected as was estimated.
REJECTED_FACTOR = 1.5


class Expected(NamedTuple):
    """Expected true pairs."""

    found: float
    rejected: float
    not_made: float

    @property
    def recall(self) -> float:
        """Share of the true pairs that are found."""
        return self.recall_beside(self.rejected + self.not_made)

    def recall_beside(self, lost: float) -> float:
        """The same where so many true pairs are not found."""
        return self.found / (self.found + lost) if self.found + lost > 0.0 else 1.0

    def bound(self, errors: float) -> float:
        """The same where chance made so many standard deviations more of them."""
        lost = self.rejected + self.not_made
        # One more or less is always possible.
        return self.recall_beside(max(lost + errors * float(np.sqrt(lost + 0.25)), 0.0))


@dataclass(frozen=True)
class RecallEstimate:
    """An estimate of the share of true pairs that are inside entities, and between which bounds it is likely.

    n_edges: accepted pairs; without any there is nothing to judge by.
    """

    n_edges: int
    expected: Expected
    low: float
    high: float
    passes: tuple[PassYield, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        known = self.n_edges > 0
        return {
            "edges": self.n_edges,
            "found_estimate": round(self.expected.found, 1),
            "rejected_estimate": round(self.expected.rejected, 1),
            "missed_estimate": round(self.expected.not_made, 1),
            "recall_estimate": round(self.expected.recall, 6) if known else None,
            "recall_low": round(self.low, 6) if known else None,
            "recall_high": round(self.high, 6) if known else None,
            "passes": {each.name: {"edges": each.n_edges, "only": each.n_only} for each in self.passes},
        }


@dataclass(frozen=True, eq=False)
class Found:
    """What a run found.

    edges: all pairs with a score. labels: (n,) of the rows. apart: accepted pairs that are not joined. boundaries: of
    sources, where only pairs of two are wanted. below: expected true pairs below the review threshold for one in
    review, see `learn.Learnt`.
    """

    edges: Edges
    labels: NDArray[np.uint32]
    apart: KeptApart
    boundaries: Boundaries
    below: float


def estimate_recall(
    found: Found, words: NDArray[np.uint32], scorer: Scorer, calibration: Calibration
) -> RecallEstimate:
    """Estimate how many of the true pairs are inside entities.

    Cost: 0.3 us a pair for up to 200,000 pairs, and some passes over all of them.
    """
    edges, spec = found.edges, scorer.layout.spec
    accepted = edges.bits >= np.float32(spec.match_bits)
    joined = found.labels[edges.left] == found.labels[edges.right]
    settled = _settled(edges, found.apart)
    n_inside = pairs_inside(found.labels, found.boundaries) - int(np.count_nonzero(joined))

    def expected(errors: float, not_made: float, rejected: float) -> Expected:
        chances = calibration.moved(errors).probability(settled, edges.passes)
        in_entities = float(chances[joined].sum())
        # Who is joined by way of others is true where both links are.
        closed = n_inside * (in_entities / max(int(np.count_nonzero(joined)), 1)) ** 2
        n_rejected = float(chances[~joined].sum()) * (1.0 + found.below) * rejected
        return Expected(in_entities + closed, n_rejected, max(n_lost * not_made - closed, 0.0))

    n_lost = _not_made(edges, np.where(joined, 1.0, calibration.probability(settled, edges.passes)), words, scorer)
    low = expected(ERRORS, NOT_MADE_FACTOR, REJECTED_FACTOR).bound(ERRORS)
    high = expected(-ERRORS, 1.0 / NOT_MADE_FACTOR, 1.0 / REJECTED_FACTOR).bound(-ERRORS)
    middle = expected(0.0, 1.0, 1.0)
    yields = pass_yields(edges.passes[accepted], [each.name for each in spec.passes])
    n_accepted = int(np.count_nonzero(accepted))
    return RecallEstimate(n_accepted, middle, min(low, middle.recall), max(high, middle.recall), yields)


def pairs_inside(labels: NDArray[np.uint32], boundaries: Boundaries) -> int:
    """How many pairs of rows are of one entity, of linked sources those of two of them."""

    def within(rows: NDArray[np.uint32]) -> int:
        sizes = np.bincount(rows).astype(np.int64)
        return int((sizes * (sizes - 1) // 2).sum())

    sources = np.split(labels, boundaries) if len(boundaries) else []
    return within(labels) - sum(within(each) for each in sources)


def _settled(edges: Edges, apart: KeptApart) -> NDArray[np.float64]:
    """(e,) scores, of pairs kept apart with their alternatives counted."""
    bits = edges.bits.astype(np.float64)
    at = np.searchsorted(_pair_keys(edges.left, edges.right), _pair_keys(apart.left, apart.right))
    bits[at] = apart.bits
    return bits


def _pair_keys(left: NDArray[np.uint32], right: NDArray[np.uint32]) -> NDArray[np.uint64]:
    return np.asarray(left.astype(np.uint64) << np.uint64(32) | right.astype(np.uint64))


def _not_made(edges: Edges, chances: NDArray[np.float64], words: NDArray[np.uint32], scorer: Scorer) -> float:
    """Expected true pairs that no pass made, those that entities hold all the same among them."""
    parts = key_parts(scorer.layout.ops) if scorer.parts is None else scorer.parts
    some = np.arange(len(edges))
    if len(edges) > SAMPLED_MAX:
        # Drawn by what the records say, so their order decides nothing.
        hashes = record_hashes(words)
        drawn = (hashes[edges.left] + hashes[edges.right]) / 2.0**64
        some = np.flatnonzero(drawn < SAMPLED_MAX / len(edges))
    sampled = edges.take(some)
    alike = equal_parts(words, np.stack([sampled.left, sampled.right]), scorer.vocabulary, parts)
    found = true_pairs_not_made(alike, chances[some], parts.needed, parts_by_field(parts))
    return found * len(edges) / max(len(some), 1)
