"""Union-find along edges in a given order, with the guards that refuse a merge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.matching.clustering.fit import People, draw_ring, fit
from core.matching.jit import kernel

MERGED, MISFIT, OVERSIZE, DENIED = 0, 1, 2, 3
"""What became of an edge: its ends are one, or why they were not made one."""
REFUSALS = 4096
"""Merges refused for lack of fit that are remembered, by the two clusters."""


class Ruling(NamedTuple):
    """Decisions as `unite` reads them: so many edges, the first ones, are decided; which pairs may never meet."""

    n_forced: int
    denied: NDArray[np.uint32]  # (2 d, 2) each pair both ways, ascending by its first row


@dataclass(frozen=True, eq=False)
class Decided:
    """Pairs of rows that people decided on: (n, 2) u32 each."""

    matches: NDArray[np.uint32]
    differs: NDArray[np.uint32]

    @classmethod
    def nothing(cls) -> Decided:
        """Nobody decided anything."""
        return cls(np.zeros((0, 2), dtype=np.uint32), np.zeros((0, 2), dtype=np.uint32))

    def ruling(self) -> Ruling:
        """For the kernel."""
        both = np.concatenate([self.differs, self.differs[:, ::-1]])
        return Ruling(len(self.matches), np.ascontiguousarray(both[np.lexsort((both[:, 1], both[:, 0]))]))

    def among(self, rows: NDArray[np.uint32]) -> Decided:
        """Those of two of some rows (ascending), by their places among these."""
        return Decided(*(_among(pairs, rows) for pairs in (self.matches, self.differs)))

    def groups(self, n_rows: int) -> NDArray[np.uint32]:
        """(n_rows,) the first record of those that were joined with each; empty where none were."""
        if len(self.matches) == 0:
            return np.zeros(0, dtype=np.uint32)
        groups = np.arange(n_rows, dtype=np.uint32)
        connect(np.ascontiguousarray(self.matches.T), groups)
        return groups


def _among(pairs: NDArray[np.uint32], rows: NDArray[np.uint32]) -> NDArray[np.uint32]:
    places = np.minimum(np.searchsorted(rows, pairs), max(len(rows) - 1, 0))
    here = (rows[places] == pairs).all(axis=1) if len(rows) else np.zeros(len(pairs), dtype=np.bool_)
    return np.asarray(places[here], dtype=np.uint32)


@kernel
def root_of(parent: NDArray[np.uint32], row: np.uint32) -> np.uint32:
    """Representative of a row; halves the path on the way."""
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = parent[row]
    return row


@kernel
def connect(ends: NDArray[np.uint32], parent: NDArray[np.uint32]) -> None:
    """Components along edges (2, e) whatever stands against it; parent[row] = row becomes the smallest row of each."""
    for edge in range(ends.shape[1]):
        a, b = root_of(parent, ends[0, edge]), root_of(parent, ends[1, edge])
        parent[max(a, b)] = min(a, b)
    for row in range(len(parent)):
        parent[row] = root_of(parent, np.uint32(row))


@kernel
def denied_between(
    a: int, other: np.uint32, following: NDArray[np.uint32], parent: NDArray[np.uint32], denied: NDArray[np.uint32]
) -> bool:
    """Whether a record of row a's cluster was told apart from one of the cluster whose root is `other`."""
    row = a
    while True:
        at = np.searchsorted(denied[:, 0], row)
        while at < len(denied) and denied[at, 0] == row:
            if root_of(parent, denied[at, 1]) == other:
                return True
            at += 1
        row = following[row]
        if row == a:
            return False


@kernel
def unite(
    ends: tuple[NDArray[np.uint32], NDArray[np.uint32]],
    people: People,
    size_max: int,
    parent: NDArray[np.uint32],
    ruling: Ruling,
    outcome: NDArray[np.uint8],
) -> None:
    """Merge along edges in the order given; parent[row] = row becomes the smallest row of its cluster.

    Args:
        ends: (n_edges,) rows of both sides. outcome: (n_edges,) receives what became of each.
    """
    left, right = ends
    n_rows, denied = len(parent), ruling.denied
    # Whether any record of the cluster with this root was told apart from some other.
    wary = np.zeros(n_rows if len(denied) else 0, dtype=np.bool_)
    for at in range(len(denied)):
        wary[denied[at, 0]] = True
    following, size = parent.copy(), np.ones(n_rows, dtype=np.uint32)
    refused = np.zeros((REFUSALS, 3), dtype=np.uint32)
    for edge in range(len(left)):
        a, b = left[edge], right[edge]
        root_a, root_b = root_of(parent, a), root_of(parent, b)
        # The smaller row is always the root, so labels need no second pass.
        keep, lose = min(root_a, root_b), max(root_a, root_b)
        outcome[edge] = MERGED
        if root_a == root_b:
            continue
        if len(denied) and wary[root_a] and wary[root_b] and denied_between(a, root_b, following, parent, denied):
            outcome[edge] = DENIED
            continue
        n_members = size[keep] + size[lose]
        if edge >= ruling.n_forced and n_members > 2:
            if n_members > size_max:
                outcome[edge] = OVERSIZE
                continue
            # Clusters only grow: of two that did not fit before, the same two do not fit now.
            before = refused[(np.int64(keep) * 31 + np.int64(lose)) % REFUSALS]
            known = before[0] == keep and before[1] == lose and before[2] == n_members
            if known or not rings_fit(a, b, following, people):
                before[0], before[1], before[2] = keep, lose, n_members
                outcome[edge] = MISFIT
                continue
        parent[lose] = keep
        size[keep] = n_members
        if len(denied):
            wary[keep] |= wary[lose]
        following[a], following[b] = following[b], following[a]
    for row in range(n_rows):
        parent[row] = root_of(parent, np.uint32(row))


@kernel
def rings_fit(a: np.uint32, b: np.uint32, following: NDArray[np.uint32], people: People) -> bool:
    """Whether the clusters of two rows fit each other; `following` links the rows of each in a ring."""
    n_left, n_right = draw_ring(a, following, people, 0), draw_ring(b, following, people, 1)
    return fit(people, n_left, n_right)
