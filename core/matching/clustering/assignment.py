"""One-to-one linking: each record of one source gets at most one partner in the other."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.matching.edges import Edges

# Larger components are matched greedily: the exact method is cubic.
EXACT_RECORDS_MAX = 400


Places = Callable[[NDArray[np.uint32]], NDArray[np.int64]]


def one_to_one(edges: Edges, match_bits: float, places: Places | None = None) -> NDArray[np.bool_]:
    """Choose the accepted edges of a best assignment.

    Within each connected component the sum of bits above `match_bits` is greatest (components of more than 400
    records: the heaviest edge first). Edges below `match_bits` are kept as they are: they join nothing.

    Args:
        edges: each pair once, its left row of the first source, its right one of the second.
        places: gives rows (ascending) the places by which ties are settled; None: by row.
    Returns:
        Mask over `edges`.
    """
    # scipy takes longer to import than a small job takes to run, and only this use needs it.
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    keep = np.ones(len(edges), dtype=np.bool_)
    accepted = np.flatnonzero(edges.bits >= np.float32(match_bits))
    if len(accepted) == 0:
        return keep
    keep[accepted] = False
    left, right = edges.left[accepted].astype(np.int64), edges.right[accepted].astype(np.int64)
    gains = edges.bits[accepted].astype(np.float64) - match_bits
    _, nodes = np.unique(np.concatenate([left, right]), return_inverse=True)
    ends = nodes.reshape(2, -1)
    n_nodes = int(nodes.max()) + 1
    graph = coo_matrix((np.ones(len(accepted)), (ends[0], ends[1])), shape=(n_nodes, n_nodes))
    _, component = connected_components(graph, directed=False)
    of_edge = component[ends[0]]
    order = np.argsort(of_edge, kind="stable")
    left, right = _tied(left, right, np.bincount(of_edge)[of_edge] > 1, places)
    borders = np.flatnonzero(np.concatenate([[True], of_edge[order][1:] != of_edge[order][:-1], [True]]))
    for start, stop in pairwise(borders.tolist()):
        inside = order[start:stop]
        chosen = inside if stop - start == 1 else inside[_assign(left[inside], right[inside], gains[inside])]
        keep[accepted[chosen]] = True
    return keep


def _tied(
    left: NDArray[np.int64], right: NDArray[np.int64], contested: NDArray[np.bool_], places: Places | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of both sides of the contested edges as places, the others as they are: these meet nobody."""
    if places is None or not contested.any():
        return left, right
    ends = np.stack([left, right])
    rows, at = np.unique(ends[:, contested], return_inverse=True)
    ends[:, contested] = places(rows.astype(np.uint32))[at.reshape(2, -1)]
    return ends[0], ends[1]


def _assign(left: NDArray[np.int64], right: NDArray[np.int64], gains: NDArray[np.float64]) -> NDArray[np.int64]:
    from scipy.optimize import linear_sum_assignment

    lefts, row = np.unique(left, return_inverse=True)
    rights, column = np.unique(right, return_inverse=True)
    if len(lefts) + len(rights) > EXACT_RECORDS_MAX:
        return _greedy(left, right, gains)
    # A chosen pair that is no edge gains nothing; every edge gains a little even at the threshold.
    table = np.zeros((len(lefts), len(rights)))
    table[row, column] = gains + 1e-9
    edge = np.full(table.shape, -1, dtype=np.int64)
    edge[row, column] = np.arange(len(left))
    chosen = edge[linear_sum_assignment(table, maximize=True)]
    return np.asarray(chosen[chosen >= 0])


def _greedy(left: NDArray[np.int64], right: NDArray[np.int64], gains: NDArray[np.float64]) -> NDArray[np.int64]:
    taken_left, taken_right, chosen = set(), set(), []
    for edge in np.lexsort((right, left, -gains)).tolist():
        a, b = int(left[edge]), int(right[edge])
        if a not in taken_left and b not in taken_right:
            taken_left.add(a)
            taken_right.add(b)
            chosen.append(edge)
    return np.array(chosen, dtype=np.int64)
