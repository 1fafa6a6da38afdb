"""Clusters from scored pairs: union-find in falling order of weight, with guards against chains.

Two guards refuse a merge. Size: no cluster grows above the spec's limit, so what holds a giant together by its weakest
edges stays apart. Fit: the records of both sides must fit each other, those that were never compared too (see `fit`).
A record that fits two clusters which do not fit each other ties neither to anything unless one of them is far the
better (see `torn`).

What people decided comes before all: pairs they joined are united first, whatever the guards say, and no merge brings
together two records that they told apart, not even by a chain of others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.matching.clustering.assignment import one_to_one
from core.matching.clustering.contested import KeptApart, Terms, settle_contested
from core.matching.clustering.fit import Scores
from core.matching.clustering.union_find import DENIED, MISFIT, OVERSIZE, Decided
from core.matching.edges import Edges
from core.matching.jit import kernel
from core.matching.records.sources import Boundaries
from core.matching.scoring.pair_scores import beside_others, differ_in_field
from core.matching.scoring.score_pairs import Scorer

__all__ = ["ClusterReport", "Clustered", "Decided", "cluster", "one_to_one"]


@dataclass(frozen=True)
class ClusterReport:
    """What clustering did. `sizes` counts clusters by their number of rows, singletons included."""

    n_clusters: int
    largest: int
    sizes: dict[int, int]
    n_contradicted: int
    n_oversize: int
    n_denied: int = 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "clusters": self.n_clusters,
            "largest": self.largest,
            "sizes": {str(size): count for size, count in self.sizes.items()},
            "merges_contradicted": self.n_contradicted,
            "merges_oversize": self.n_oversize,
            "merges_denied": self.n_denied,
        }


def falling(edges: Edges, match_bits: float) -> NDArray[np.uint32]:
    """Positions of the accepted edges, heaviest first, ties in their order; one sort of 8 bytes an edge."""
    accepted = np.flatnonzero(edges.bits >= np.float32(match_bits)).astype(np.uint64)
    # Adding 0 makes one zero of two.
    pattern = (edges.bits[accepted] + np.float32(0)).view(np.uint32)
    # As unsigned integers floats ascend with their value when the sign is flipped, negative ones wholly.
    ascending = np.where(pattern >> np.uint32(31), ~pattern, pattern | np.uint32(1 << 31))
    mixed = (~ascending).astype(np.uint64) << np.uint64(32) | accepted
    mixed.sort()
    return mixed.astype(np.uint32)


@kernel
def cluster_sizes(labels: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Number of rows of each cluster."""
    sizes = np.zeros(len(labels), dtype=np.uint32)
    for row in range(len(labels)):
        sizes[labels[row]] += np.uint32(1)
    return sizes[sizes > 0]


@kernel
def name_rows(
    labels: NDArray[np.uint32], ids: NDArray[np.uint8], starts: NDArray[np.int64], boundaries: Boundaries
) -> NDArray[np.uint32]:
    """Per cluster, at its smallest row, the row with the smallest record id; ids of an earlier source are smaller."""
    named = labels.copy()
    for row in range(len(labels)):
        label = labels[row]
        best = named[label]
        if row != best and smaller_id(row, np.int64(best), ids, starts, boundaries):
            named[label] = row
    return named


@kernel
def smaller_id(a: int, b: int, ids: NDArray[np.uint8], starts: NDArray[np.int64], boundaries: Boundaries) -> bool:
    """Whether row a's id stands before row b's: by source, then byte by byte."""
    for at in range(len(boundaries)):
        if (a >= boundaries[at]) != (b >= boundaries[at]):
            return a < b
    at_a, at_b = starts[a], starts[b]
    while at_a < starts[a + 1] and at_b < starts[b + 1] and ids[at_a] == ids[at_b]:
        at_a += 1
        at_b += 1
    if at_b == starts[b + 1]:
        return False
    return bool(at_a == starts[a + 1] or ids[at_a] < ids[at_b])


class Clustered(NamedTuple):
    """labels: (n_rows,) u32, the smallest row of each row's cluster. apart: accepted pairs that it does not join."""

    labels: NDArray[np.uint32]
    report: ClusterReport
    apart: KeptApart


def cluster(
    edges: Edges, words: NDArray[np.uint32], scorer: Scorer, size_max: int, match_bits: float,
    decided: Decided | None = None,
) -> Clustered:  # fmt: skip
    """Label every row with the smallest row of its cluster. The order of the rows decides nothing else.

    Args:
        edges: each pair once, ascending by (left, right); those below `match_bits` are left aside.
        words: all records, (n_rows, stride).
        scorer: weighs the pairs across two clusters; its `review_bits` do not count.
        decided: must not contradict itself; see `linkage.history.decisions`.
    Cost: O(edges log edges) for the order, then near-linear; at most 1,024 pairs are weighed a merge, none for one of
        two single records.
    """
    decided = decided or Decided.nothing()
    order = falling(edges, match_bits)
    told = differ_in_field(edges.pattern[order], scorer.layout)
    kept_apart, order = KeptApart.by_field(edges.take(np.sort(order[told]).astype(np.int64))), order[~told]
    accepted = Scores(np.stack([edges.left[order], edges.right[order]]), edges.bits[order].astype(np.float64))
    scores = edges.bits.astype(np.float64)
    beside_others(scores, edges.pattern, scorer.layout, match_bits)
    known = Scores(np.stack([edges.left, edges.right]), scores)
    labels, outcome, more = settle_contested(accepted, known, decided, Terms(words, scorer, size_max, match_bits))
    return Clustered(labels, report_of(labels, outcome), kept_apart.and_those(more))


def report_of(labels: NDArray[np.uint32], outcome: NDArray[np.uint8]) -> ClusterReport:
    """Count the clusters of labels, and what became of edges."""
    times = np.bincount(cluster_sizes(labels))
    distinct = np.flatnonzero(times[1:]) + 1
    counts = times[distinct]
    return ClusterReport(
        n_clusters=int(counts.sum()),
        largest=int(distinct.max(initial=0)),
        sizes=dict(zip(distinct.tolist(), counts.tolist(), strict=True)),
        n_contradicted=int((outcome == MISFIT).sum()),
        n_oversize=int((outcome == OVERSIZE).sum()),
        n_denied=int((outcome == DENIED).sum()),
    )
