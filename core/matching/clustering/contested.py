"""Components of three records and more: clustered with all pairs in view, anew without the edges of torn records.

Two records that are accepted as a pair and as none with others are one, whatever there is to weigh.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.matching.clustering.fit import (
    WHOLE_MAX,
    People,
    Scores,
    arrange_ties,
    draw_ring,
    lowest_pair,
    pairs_unknown,
    people_of,
)
from core.matching.clustering.torn import (
    NOBODY,
    Neighbours,
    Settled,
    Standing,
    find_torn,
    link_rings,
    neighbours_of,
    share_among,
)
from core.matching.clustering.union_find import DENIED, MISFIT, OVERSIZE, Decided, connect, unite
from core.matching.edges import Edges
from core.matching.jit import kernel
from core.matching.records.record_hashes import record_hashes
from core.matching.scoring.pair_scores import pair_scores
from core.matching.scoring.score_pairs import Scorer

# Each round takes edges away; what is torn after so many is joined by falling weight.
ROUNDS_MAX = 8
# Times that clusters are made to find out which scores they hang on; what is not known then counts as no fit.
ASKS_MAX = 40
MISSED_MAX = 1 << 20
BY = ("record", "rival", "max_cluster", "decision", "field", "partner")
"""What keeps apart two records that were accepted as a pair; the number of each is its place."""
_BY_OUTCOME = {MISFIT: 0, OVERSIZE: 2, DENIED: 3}
RIVAL, FIELD, PARTNER = 1, 4, 5


@dataclass(frozen=True, eq=False)
class KeptApart:
    """Scores pairs whose records are not of one entity, ascending by (left, right).

    by: number in `BY`. one, other: the two records in the way, of one side and the other; NOBODY where there are none.
    bits: log-odds of the pair with all its alternatives counted in.
    """

    left: NDArray[np.uint32]
    right: NDArray[np.uint32]
    by: NDArray[np.uint8]
    one: NDArray[np.uint32]
    other: NDArray[np.uint32]
    bits: NDArray[np.float32]

    @classmethod
    def by_field(cls, edges: Edges) -> KeptApart:
        """Pairs that differ in a field that tells apart."""
        nobody = np.full(len(edges), NOBODY, dtype=np.uint32)
        by = np.full(len(edges), FIELD, dtype=np.uint8)
        return cls(edges.left, edges.right, by, nobody, nobody, edges.bits)

    def and_those(self, more: KeptApart) -> KeptApart:
        """Both together, in order."""
        columns = {name: np.concatenate([each, getattr(more, name)]) for name, each in vars(self).items()}
        order = np.lexsort((columns["right"], columns["left"]))
        return KeptApart(**{name: each[order] for name, each in columns.items()})


class Terms(NamedTuple):
    """What clusters are made under."""

    words: NDArray[np.uint32]
    scorer: Scorer
    size_max: int
    match_bits: float


def joined_first(decided: Decided, ends: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Pairs that people joined, and behind them edges, (2, .)."""
    return np.ascontiguousarray(np.concatenate([decided.matches.T, ends], axis=1))


def settle_contested(
    accepted: Scores, known: Scores, decided: Decided, terms: Terms
) -> tuple[NDArray[np.uint32], NDArray[np.uint8], KeptApart]:
    """Cluster along accepted edges.

    Args:
        known: all pairs with a score, in any order.
    Returns:
        Labels of all rows; what became of each edge of the contested components at last, torn ones aside; the accepted
        pairs that were kept apart.
    """
    labels = np.arange(len(terms.words), dtype=np.uint32)
    connect(joined_first(decided, accepted.ends), labels)
    contested = np.bincount(labels, minlength=len(labels)) > 2
    one, other = labels[decided.differs.T]
    contested[one[one == other]] = True
    rows = np.flatnonzero(contested[labels]).astype(np.uint32)
    if len(rows) == 0:
        return labels, np.zeros(0, dtype=np.uint8), KeptApart.by_field(Edges.empty())
    place = np.full(len(labels), NOBODY, dtype=np.uint32)
    place[rows] = np.arange(len(rows), dtype=np.uint32)
    mine, ruling = _inside(accepted, place), decided.among(rows)
    asked = Asked(terms, rows, place[labels[rows]], _inside(known, place), ruling.groups(len(rows)))
    arrange_ties(*mine, asked.people.hashes)
    found, outcome, settled = _settled(mine, ruling, asked)
    labels[rows] = rows[found]
    return labels, outcome, _kept_apart(mine.ends, rows, (found, outcome, settled), ruling, asked.people)


def _inside(edges: Scores, place: NDArray[np.uint32]) -> Scores:
    """The edges of two records that have a place, by these."""
    ends = place[edges.ends]
    here = (ends != NOBODY).all(axis=0)
    return Scores(np.ascontiguousarray(ends[:, here]), edges.bits[here])


class Asked:
    """Records of contested components, with as many scores of pairs as were asked for.

    parts: (n,) the component of each of the rows.
    """

    def __init__(
        self, terms: Terms, rows: NDArray[np.uint32], parts: NDArray[np.uint32], known: Scores,
        decided: NDArray[np.uint32],
    ) -> None:  # fmt: skip
        self.terms, self.parts = terms, parts
        self._rows, self._known = rows, known
        # What is in small components is weighed at once, so nothing is missed where there are no others.
        room = MISSED_MAX if (np.bincount(parts) > WHOLE_MAX).any() else 0
        self.people = people_of(known, record_hashes(np.ascontiguousarray(terms.words[rows])), decided, room)
        order = np.argsort(parts, kind="stable").astype(np.uint32)
        self._weigh(pairs_unknown(order, parts, self.people))

    def _weigh(self, ends: NDArray[np.uint32]) -> None:
        bits = pair_scores(self.terms.words, self._rows[ends], self.terms.scorer, self.terms.match_bits)
        ends, bits = np.concatenate([self._known.ends, ends], axis=1), np.concatenate([self._known.bits, bits])
        self._known = Scores(ends, bits)
        before = self.people
        self.people = people_of(self._known, before.hashes, before.decided, before.wanted.shape[1])

    def view(self, last: bool) -> People:
        """For the kernels; the last time there is no more asking."""
        return self.people._replace(missed=-np.inf) if last else self.people

    def satisfied(self) -> bool:
        """Weigh what was missed since; whether that was nothing."""
        n_wanted = int(self.people.n_wanted[0])
        if n_wanted:
            left, right = self.people.wanted[:, :n_wanted].astype(np.uint64)
            pairs = np.unique(left << np.uint64(32) | right)
            self._weigh(np.stack([pairs >> np.uint64(32), pairs & np.uint64(NOBODY)]).astype(np.uint32))
        return n_wanted == 0


def _settled(accepted: Scores, decided: Decided, asked: Asked) -> tuple[NDArray[np.uint32], NDArray[np.uint8], Settled]:
    """Labels, what became of each edge, and how each is settled; components without a refusal are done at once."""
    (ends, bits), parts = accepted, asked.parts
    settled = Settled(bits.copy(), np.full(len(bits), NOBODY, dtype=np.uint32), np.zeros(len(bits), dtype=np.bool_))
    labels, outcome = _united(ends, decided, asked)
    contested = np.zeros(len(parts), dtype=np.bool_)
    contested[parts[ends[0, labels[ends[0]] != labels[ends[1]]]]] = True
    within = contested[parts[ends[0]]]
    for _ in range(ROUNDS_MAX if within.any() else 0):
        open_ = np.isin(outcome, (MISFIT, DENIED)) & (labels[ends[0]] != labels[ends[1]]) & ~settled.torn
        active = np.flatnonzero(within & ~settled.torn)
        starts, places = neighbours_of(ends[0, active], ends[1, active], len(labels))
        standing = Standing(labels, link_rings(labels), decided.ruling().denied, open_)
        if not _find_torn(accepted, Neighbours(starts, active[places]), standing, asked, settled):
            break
        active = np.flatnonzero(within & ~settled.torn)
        anew, outcome[active] = _united(ends[:, active], decided, asked)
        labels = np.where(contested[parts], anew, labels)
    open_ = (settled.torn | (outcome == MISFIT)) & (labels[ends[0]] != labels[ends[1]])
    active = np.flatnonzero(open_)
    if len(active):
        starts, places = neighbours_of(ends[0, active], ends[1, active], len(labels))
        standing = Standing(labels, link_rings(labels), decided.ruling().denied, open_)
        share_among(accepted, Neighbours(starts, active[places]), standing, settled)
    return labels, outcome, settled


def _find_torn(accepted: Scores, neighbours: Neighbours, standing: Standing, asked: Asked, settled: Settled) -> int:
    """Settle the edges that are not torn yet; returns how many records were found to be."""
    loose = ~settled.torn
    for last in (*[False] * ASKS_MAX, True):
        settled.bits[loose], settled.rival[loose], settled.torn[loose] = accepted.bits[loose], NOBODY, False
        seen = (standing, asked.view(last))
        n_torn = int(find_torn(accepted, neighbours, seen, asked.terms.match_bits, settled))
        if asked.satisfied():
            break
    return n_torn


def _united(ends: NDArray[np.uint32], decided: Decided, asked: Asked) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """Unite along decisions and then along edges (2, e); labels of all rows, and what became of each edge."""
    ends = joined_first(decided, ends)
    outcome = np.empty(ends.shape[1], dtype=np.uint8)
    for last in (*[False] * ASKS_MAX, True):
        labels = np.arange(len(asked.parts), dtype=np.uint32)
        unite((ends[0], ends[1]), asked.view(last), asked.terms.size_max, labels, decided.ruling(), outcome)
        if asked.satisfied():
            break
    return labels, outcome[len(decided.matches) :]


def _kept_apart(
    ends: NDArray[np.uint32], rows: NDArray[np.uint32],
    found: tuple[NDArray[np.uint32], NDArray[np.uint8], Settled], decided: Decided, people: People,
) -> KeptApart:  # fmt: skip
    labels, outcome, settled = found
    apart = np.flatnonzero(labels[ends[0]] != labels[ends[1]])
    by = np.zeros(len(apart), dtype=np.uint8)
    for what, number in _BY_OUTCOME.items():
        by[outcome[apart] == what] = number
    by[settled.torn[apart]] = RIVAL
    ways = np.full((2, len(apart)), NOBODY, dtype=np.uint32)
    ways[0] = settled.rival[apart]
    standing = Standing(labels, link_rings(labels), decided.ruling().denied, np.zeros(0, dtype=np.bool_))
    find_ways(np.ascontiguousarray(ends[:, apart]), by, standing, people, ways)
    known = ways != NOBODY
    ways[known] = rows[ways[known]]
    left, right = rows[ends[:, apart]]
    one = KeptApart(left, right, by, ways[0], ways[1], settled.bits[apart].astype(np.float32))
    return one.and_those(KeptApart.by_field(Edges.empty()))


@kernel
def find_ways(
    ends: NDArray[np.uint32], by: NDArray[np.uint8], standing: Standing, people: People, ways: NDArray[np.uint32]
) -> None:
    """Fill ways (2, k): of each edge kept apart the two records that fit least, or that people told apart."""
    for edge in range(ends.shape[1]):
        a, b = ends[0, edge], ends[1, edge]
        if by[edge] == 0:
            n_left = draw_ring(a, standing.following, people, 0)
            n_right = draw_ring(b, standing.following, people, 1)
            ways[0, edge], ways[1, edge] = lowest_pair(people, n_left, n_right)
        elif by[edge] == 3:
            at = first_told_apart(a, b, standing)
            ways[0, edge], ways[1, edge] = standing.denied[at, 0], standing.denied[at, 1]


@kernel
def first_told_apart(a: np.uint32, b: np.uint32, standing: Standing) -> int:
    """Place of the first pair that people told apart of the clusters of two rows, of which there is one."""
    for at in range(len(standing.denied)):
        one, other = standing.denied[at, 0], standing.denied[at, 1]
        if standing.labels[one] == standing.labels[a] and standing.labels[other] == standing.labels[b]:
            return at
    return -1
