"""One-to-one linking of three sources and more: an entity holds at most one record of each.

The best assignment is found for two sources only (`assignment`); for three it is NP-hard. Here pairs are taken from the
heaviest down, and one that would bring two records of a source together is left out.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.clustering.entity_ids import texts_at
from core.matching.clustering.union_find import root_of
from core.matching.edges import Edges
from core.matching.jit import kernel
from core.matching.records.sources import Boundaries, source_numbers


def one_of_each(
    edges: Edges, boundaries: Boundaries, match_bits: float, ids: tuple[NDArray[np.uint8], NDArray[np.int64]]
) -> NDArray[np.bool_]:
    """Choose the accepted edges that hold entities together in which no source has two records.

    Ties of weight are settled by source and id, so the order of the rows in a file decides nothing. Edges below
    `match_bits` are kept as they are: they join nothing.

    Args:
        edges: each pair once, its two rows of two sources. ids: bytes of all record ids, and where each begins.
    Returns:
        Mask over `edges`.
    Cost: one sort of the accepted edges, and one of the ids of their records.
    """
    keep = np.ones(len(edges), dtype=np.bool_)
    accepted = np.flatnonzero(edges.bits >= np.float32(match_bits))
    if len(accepted) == 0:
        return keep
    rows, nodes = np.unique(np.concatenate([edges.left[accepted], edges.right[accepted]]), return_inverse=True)
    sources = source_numbers(rows, boundaries)
    named = pl.DataFrame({"source": sources, "id": texts_at("id", rows, ids)})
    place = np.empty(len(rows), dtype=np.int64)
    place[named.select(pl.arg_sort_by("source", "id")).to_series().to_numpy()] = np.arange(len(rows))
    ends = nodes.reshape(2, -1)
    order = np.lexsort((place[ends[1]], place[ends[0]], -edges.bits[accepted]))
    chosen = np.empty(len(accepted), dtype=np.bool_)
    held, parent = np.uint32(1) << sources.astype(np.uint32), np.arange(len(rows), dtype=np.uint32)
    unite_sources(np.ascontiguousarray(ends[:, order].astype(np.uint32)), held, parent, chosen)
    keep[accepted[order]] = chosen
    return keep


@kernel
def unite_sources(
    ends: NDArray[np.uint32], held: NDArray[np.uint32], parent: NDArray[np.uint32], chosen: NDArray[np.bool_]
) -> None:
    """Unite along edges in the order given, where no source has a record on both sides.

    Args:
        ends: (2, n_edges). held: (n,) the bit of each node's source; changed. parent: (n,) each node its own; changed.
        chosen: (n_edges,) receives whether the ends of each edge were one then, or became it.
    """
    for edge in range(ends.shape[1]):
        a, b = root_of(parent, ends[0, edge]), root_of(parent, ends[1, edge])
        chosen[edge] = a == b or held[a] & held[b] == 0
        if chosen[edge] and a != b:
            keep, lose = min(a, b), max(a, b)
            parent[lose] = keep
            held[keep] |= held[lose]
