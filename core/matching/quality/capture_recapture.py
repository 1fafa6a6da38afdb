"""How much was missed: capture-recapture across blocking passes, and what each pass alone brought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PassYield:
    """Accepted edges a pass made, and those no other pass made."""

    name: str
    n_edges: int
    n_only: int


@dataclass(frozen=True)
class RecallEstimate:
    """Estimated share of the true pairs that some pass made; an upper bound where passes err together."""

    n_edges: int
    n_missed: float
    recall: float
    passes: tuple[PassYield, ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "edges": self.n_edges,
            "missed_estimate": round(self.n_missed, 1),
            # Without a match there is nothing to judge by.
            "recall_estimate": round(self.recall, 6) if self.n_edges else None,
            "passes": {each.name: {"edges": each.n_edges, "only": each.n_only} for each in self.passes},
        }


def capture_recapture(passes: NDArray[np.uint32], names: Sequence[str]) -> RecallEstimate:
    """Estimate how many matching pairs no pass made, from how many passes made each accepted edge.

    With f1 edges made by exactly one of t passes and f2 by exactly two, at least (t-1)/t * f1(f1-1)/(2(f2+1)) were
    made by none. Passes that fail on the same records make this a lower bound, hence recall an upper one.

    Args:
        passes: pass bits of the accepted edges, each pair once.
        names: of the passes, by bit.
    Source: Chao (1987), Biometrics 43:783, in the bias-corrected form for t occasions.
    """
    # Thirty million edges have a few thousand sets of passes.
    masks, counts = np.unique(passes, return_counts=True)
    hits = ((masks[:, None] >> np.arange(len(names), dtype=np.uint32)) & np.uint32(1)).astype(np.int64)
    times = hits.sum(axis=1)
    once, twice = int(counts[times == 1].sum()), int(counts[times == 2].sum())
    occasions = max(len(names), 1)
    missed = (occasions - 1) / occasions * max(once * (once - 1), 0) / (2.0 * (twice + 1))
    total = len(passes) + missed
    made, only = counts @ hits, counts[times == 1] @ hits[times == 1]
    yields = tuple(PassYield(name, int(each), int(alone)) for name, each, alone in zip(names, made, only, strict=True))
    return RecallEstimate(len(passes), missed, len(passes) / total if total else 1.0, yields)
