"""Linking of several sources where an entity holds at most one record of each, shared sources aside.

Two records of a source are one entity only by way of a record of another source that is shared. The best assignment is
found for two sources only (`assignment`), of which none is shared; for three it is NP-hard. Here pairs are taken from
the heaviest down, and one that would bring together what may not be is left out.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.clustering.entity_ids import RecordIds, texts_at
from core.matching.clustering.union_find import root_of
from core.matching.edges import Edges
from core.matching.jit import kernel
from core.matching.records.sources import Boundaries, source_numbers


def one_of_each(
    edges: Edges,
    boundaries: Boundaries,
    match_bits: float,
    ids: RecordIds,
    shared: Collection[int] = (),
) -> NDArray[np.bool_]:
    """Choose the accepted edges that hold entities together in which no source has two records that may not be.

    Ties of weight are settled by source and id, so the order of the rows in a file decides nothing. Edges below
    `match_bits` are kept as they are: they join nothing.

    Args:
        edges: each pair once, its two rows of two sources. ids: bytes of all record ids, and where each begins.
        shared: numbers of the sources whose records may be with several of another.
    Returns:
        Mask over `edges`.
    Cost: one sort of the accepted edges, and one of the ids of their records.
    """
    keep = np.ones(len(edges), dtype=np.bool_)
    accepted = np.flatnonzero(edges.bits >= np.float32(match_bits))
    if len(accepted) == 0:
        return keep
    rows, nodes = np.unique(np.concatenate([edges.left[accepted], edges.right[accepted]]), return_inverse=True)
    sources, place = source_numbers(rows, boundaries), places_by_id(rows, boundaries, ids)
    ends = nodes.reshape(2, -1)
    order = np.lexsort((place[ends[1]], place[ends[0]], -edges.bits[accepted]))
    chosen = np.empty(len(accepted), dtype=np.bool_)
    held, parent = np.uint32(1) << sources.astype(np.uint32), np.arange(len(rows), dtype=np.uint32)
    may = np.uint32(sum(1 << number for number in set(shared)))
    unite_sources(np.ascontiguousarray(ends[:, order].astype(np.uint32)), held, may, parent, chosen)
    keep[accepted[order]] = chosen
    return keep


def places_by_id(rows: NDArray[np.uint32], boundaries: Boundaries, ids: RecordIds) -> NDArray[np.int64]:
    """(n,) the place of each row among them by source and id, which no order of rows changes."""
    named = pl.DataFrame({"source": source_numbers(rows, boundaries), "id": texts_at("id", rows, ids)})
    place = np.empty(len(rows), dtype=np.int64)
    place[named.select(pl.arg_sort_by("source", "id")).to_series().to_numpy()] = np.arange(len(rows))
    return place


@kernel
def unite_sources(
    ends: NDArray[np.uint32],
    held: NDArray[np.uint32],
    shared: np.uint32,
    parent: NDArray[np.uint32],
    chosen: NDArray[np.bool_],
) -> None:
    """Unite along edges in the order given, where no source has two records but by way of a shared one.

    Args:
        ends: (2, n_edges). held: (n,) the bit of each node's source; changed. shared: bits of shared sources.
        parent: (n,) each node its own; changed. chosen: (n_edges,) receives whether the ends of each edge are one.
    """
    # Bits of the sources of which a group holds several records.
    several = np.zeros(len(parent), dtype=np.uint32)
    for edge in range(ends.shape[1]):
        a, b = root_of(parent, ends[0, edge]), root_of(parent, ends[1, edge])
        if a == b:
            continue
        twice = several[a] | several[b] | (held[a] & held[b])
        ways = (held[a] | held[b]) & shared
        # A source with several needs a shared one beside it: any of two, or the only one if that is another.
        if twice == 0 or ways & (ways - np.uint32(1)) != 0 or (ways != 0 and twice & ways == 0):
            keep, lose = min(a, b), max(a, b)
            parent[lose] = keep
            held[keep] |= held[lose]
            several[keep] = twice
    for edge in range(ends.shape[1]):
        chosen[edge] = root_of(parent, ends[0, edge]) == root_of(parent, ends[1, edge])
