"""Records torn between clusters: what fits two that do not fit each other is evidence for neither.

Of a record's alternatives at most one is true. With odds o_A and o_B for clusters A and B the record is of A with
o_A / (1 + o_A + o_B), and none of them is true with 1 / (1 + o_A + o_B). Where even the best alternative falls below
the match threshold by that, the record is joined to none of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.matching.clustering.fit import People, Scores, draw_ring, fit
from core.matching.jit import kernel

# Clusters that a record is weighed between, the best ones first; more would change nothing that counts.
OTHERS_MAX = 8
NOBODY = np.uint32(0xFFFFFFFF)


class Neighbours(NamedTuple):
    """Accepted edges by row, the heaviest of each row first."""

    starts: NDArray[np.int64]  # (n + 1,)
    edges: NDArray[np.int64]  # (2 e,)


class Settled(NamedTuple):
    """What is known of each edge beyond its score, (e,) each."""

    bits: NDArray[np.float64]  # log-odds with the alternatives counted
    rival: NDArray[np.uint32]  # the record of the best other alternative; NOBODY: there is none
    torn: NDArray[np.bool_]  # ties nothing


class Standing(NamedTuple):
    """Clusters as they are, and the edges that lead from one to another."""

    labels: NDArray[np.uint32]
    following: NDArray[np.uint32]
    denied: NDArray[np.uint32]  # as `Ruling` has it
    open: NDArray[np.bool_]  # (e,) refused because records do not fit, or were told apart


def neighbours_of(left: NDArray[np.uint32], right: NDArray[np.uint32], n_rows: int) -> Neighbours:
    """Edges in falling order, by row."""
    ends = np.concatenate([left, right])
    edges = np.tile(np.arange(len(left), dtype=np.int64), 2)
    order = np.lexsort((edges, ends))
    return Neighbours(np.searchsorted(ends[order], np.arange(n_rows + 1)), edges[order])


@kernel
def link_rings(labels: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """(n,) the rows of each cluster linked in a ring."""
    following = np.empty_like(labels)
    for row in range(len(labels)):
        first = labels[row]
        following[row] = row
        if first != row:
            following[row], following[first] = following[first], row
    return following


@kernel
def told_apart(row: np.uint32, label: np.uint32, standing: Standing) -> bool:
    """Whether people told a record apart from one of a cluster."""
    denied = standing.denied
    at = np.searchsorted(denied[:, 0], row)
    while at < len(denied) and denied[at, 0] == row:
        if standing.labels[denied[at, 1]] == label:
            return True
        at += 1
    return False


@kernel
def against(row: np.uint32, others: NDArray[np.uint32], standing: Standing, people: People) -> bool:
    """Whether a record does not fit the cluster of one of `others`, which are rows of as many clusters."""
    for other in others:
        if len(standing.denied) and told_apart(row, standing.labels[other], standing):
            return True
        people.members[0, 0] = row
        if not fit(people, 1, draw_ring(other, standing.following, people, 1)):
            return True
    return False


@kernel
def other_end(ends: NDArray[np.uint32], edge: int, row: int) -> np.uint32:
    """The row at the other end of an edge; ends (2, e)."""
    return np.uint32(ends[1, edge] if ends[0, edge] == row else ends[0, edge])


@kernel
def rest_bits(odds: NDArray[np.float64], but: int) -> float:
    """log2 of the odds that another alternative, or none, is true; odds (k,) in bits, of which one is left out."""
    highest = 0.0
    for at in range(len(odds)):
        if at != but:
            highest = max(highest, odds[at])
    total = np.exp2(-highest)
    for at in range(len(odds)):
        if at != but:
            total += np.exp2(odds[at] - highest)
    return float(highest + np.log2(total))


class Alternatives(NamedTuple):
    """Clusters that a record fits: its best neighbour in each, and the odds of that in bits. 0 is its own cluster."""

    rows: NDArray[np.uint32]
    odds: NDArray[np.float64]


@kernel
def other_clusters(row: int, mine: NDArray[np.int64], accepted: Scores, standing: Standing) -> Alternatives:
    """The clusters that a record was kept from, the best ones; its own is left open."""
    rows, odds = np.full(OTHERS_MAX + 1, NOBODY, dtype=np.uint32), np.full(OTHERS_MAX + 1, -np.inf)
    n_found = 1
    for edge in mine:
        other = other_end(accepted.ends, edge, row)
        new = standing.open[edge] and standing.labels[other] != standing.labels[row] and n_found <= OTHERS_MAX
        for at in range(1, n_found):
            new = new and standing.labels[rows[at]] != standing.labels[other]
        if new:
            rows[n_found], odds[n_found] = other, accepted.bits[edge]
            n_found += 1
    return Alternatives(rows[:n_found], odds[:n_found])


@kernel
def weigh_alternatives(
    row: int, mine: NDArray[np.int64], accepted: Scores, seen: tuple[Standing, People], match_bits: float,
    settled: Settled,
) -> bool:  # fmt: skip
    """Settle the edges of one record; returns whether it loses the cluster that it is in."""
    ends, bits = accepted
    standing, people = seen
    alternatives = other_clusters(row, mine, accepted, standing)
    rows, odds = alternatives
    if len(rows) == 1:
        return False
    beside, torn = rest_bits(odds, 0), False
    mates = np.zeros(len(mine), dtype=np.bool_)
    for at in range(len(mine)):
        other = other_end(ends, mine[at], row)
        # Of its own cluster only those count that do not fit the others.
        if standing.labels[other] == standing.labels[row] and against(other, rows[1:], standing, people):
            mates[at] = True
            if rows[0] == NOBODY:
                rows[0], odds[0] = other, bits[mine[at]]
                torn = odds[0] - beside < match_bits
            if not torn:
                break
    if rows[0] == NOBODY:
        return False
    for at in range(len(mine)):
        which = place_of(standing.labels[other_end(ends, mine[at], row)], alternatives, standing)
        if (which > 0 and standing.open[mine[at]]) or (which == 0 and mates[at] and torn):
            settle_edge(mine[at], bits[mine[at]], alternatives, which, settled)
            settled.torn[mine[at]] |= torn
    return torn


@kernel
def settle_edge(edge: int, bits: float, alternatives: Alternatives, which: int, settled: Settled) -> None:
    """Count the alternatives to an edge in; of its two ends the one with the better alternatives says what it is."""
    rows, odds = alternatives
    found = bits - rest_bits(odds, which)
    if found >= settled.bits[edge]:
        return
    settled.bits[edge] = found
    best = -1
    for at in range(len(rows)):
        if at != which and (best < 0 or odds[at] > odds[best]):
            best = at
    settled.rival[edge] = rows[best]


@kernel
def find_torn(
    accepted: Scores, neighbours: Neighbours, seen: tuple[Standing, People], match_bits: float, settled: Settled
) -> int:
    """Weigh the alternatives of every record that was kept from a cluster; returns how many are torn.

    `accepted` in falling order; `settled` is what it changes.
    """
    n_torn = 0
    for row in range(len(seen[0].labels)):
        mine = neighbours.edges[neighbours.starts[row] : neighbours.starts[row + 1]]
        n_torn += int(len(mine) > 1 and weigh_alternatives(row, mine, accepted, seen, match_bits, settled))
    return n_torn


@kernel
def share_among(accepted: Scores, neighbours: Neighbours, standing: Standing, settled: Settled) -> None:
    """Let what each record is kept from, which is what is open, be alternatives of each other."""
    for row in range(len(standing.labels)):
        mine = neighbours.edges[neighbours.starts[row] : neighbours.starts[row + 1]]
        alternatives = other_clusters(row, mine, accepted, standing)
        for edge in mine if len(alternatives.rows) > 2 else mine[:0]:
            label = standing.labels[other_end(accepted.ends, edge, row)]
            place = place_of(label, alternatives, standing)
            if standing.open[edge] and place > 0:
                settle_edge(edge, accepted.bits[edge], alternatives, place, settled)


@kernel
def place_of(label: np.uint32, alternatives: Alternatives, standing: Standing) -> int:
    """Which alternative a cluster is, not counting the record's own; 0: none."""
    for place in range(1, len(alternatives.rows)):
        if standing.labels[alternatives.rows[place]] == label:
            return place
    return 0
