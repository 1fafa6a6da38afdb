"""Linked sources: which accepted pairs are taken where records have one partner in another source, or one answer.

Exclusive: a record has at most one partner in each other source, those of shared sources any number. A reference: each
record of the others has one of its records for an answer, or none; its records answer any number.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.matching.clustering.assignment import one_to_one
from core.matching.clustering.contested import PARTNER, RIVAL, KeptApart
from core.matching.clustering.entity_ids import RecordIds
from core.matching.clustering.one_of_each import one_of_each, places_by_id
from core.matching.clustering.torn import NOBODY
from core.matching.clustering.union_find import connect
from core.matching.edges import Edges
from core.matching.records.sources import Boundaries, source_numbers


class Choice(NamedTuple):
    """taken: (n,) which edges stay; those below the threshold do. lost: the accepted ones that do not.

    better: (n_sources,) of how many lost pairs the record of each source has another partner in the other one.
    """

    taken: NDArray[np.bool_]
    lost: KeptApart
    better: NDArray[np.int64]


def choose_partners(
    edges: Edges,
    told: NDArray[np.bool_],
    boundaries: Boundaries,
    shared: Collection[int],
    match_bits: float,
    ids: RecordIds,
) -> Choice:
    """Choose the accepted edges that are taken: of two sources without a shared one the best assignment.

    Args:
        edges: each pair once, its two rows of two sources. told: (n,) those that a field tells apart; they compete with
            none and are left for others to refuse. shared: numbers of sources.
    Cost: as `one_to_one` and `one_of_each`; ids of records with several accepted pairs are sorted.
    """
    taken = np.ones(len(edges), dtype=np.bool_)
    if len(set(shared)) <= len(boundaries):
        rivals = edges.take(~told)
        if len(boundaries) == 1 and not shared:
            chosen = one_to_one(rivals, match_bits, partial(places_by_id, boundaries=boundaries, ids=ids))
        else:
            chosen = one_of_each(rivals, boundaries, match_bits, ids, shared)
        taken[~told] = chosen
    held = taken & ~told & (edges.bits >= np.float32(match_bits))
    return Choice(taken, *_in_the_way(edges.take(held), edges.take(~taken), boundaries, shared))


def _in_the_way(
    held: Edges, lost: Edges, boundaries: Boundaries, shared: Collection[int]
) -> tuple[KeptApart, NDArray[np.int64]]:
    """Name of each lost edge two records of one source that it would have brought together."""
    n_sources = len(boundaries) + 1
    rows, nodes = np.unique(np.concatenate([held.left, held.right, lost.left, lost.right]), return_inverse=True)
    ends = np.ascontiguousarray(nodes[: 2 * len(held)].reshape(2, -1).astype(np.uint32))
    left, right = nodes[2 * len(held) :].reshape(2, -1)
    parent = np.arange(len(rows), dtype=np.uint32)
    connect(ends, parent)
    # Row by group and source, the smallest of several.
    member = np.full((len(rows), n_sources), NOBODY, dtype=np.uint32)
    np.minimum.at(member, (parent, source_numbers(rows, boundaries)), rows)
    ones, others = member[parent[left]], member[parent[right]]
    both = (ones != NOBODY) | (others != NOBODY)
    ways = both[:, sorted(set(shared))].sum(axis=1)
    barred = (ones != NOBODY) & (others != NOBODY)
    for number in range(n_sources):
        barred[:, number] &= ways - (both[:, number] if number in shared else 0) == 0
    source_a, source_b = (source_numbers(side, boundaries) for side in (lost.left, lost.right))
    at = np.arange(len(lost))
    which = barred.argmax(axis=1)
    for source in (source_a, source_b):
        which = np.where(barred[at, source], source, which)
    better = np.zeros(n_sources, dtype=np.int64)
    # Two of the right one's source: the left record has a partner there already, and the other way round.
    np.add.at(better, source_a[barred[at, source_b]], 1)
    np.add.at(better, source_b[barred[at, source_a]], 1)
    settled = lost.bits - np.logaddexp2(0.0, _best(held, ends, len(rows))[np.stack([left, right])].max(axis=0))
    by = np.full(len(lost), PARTNER, dtype=np.uint8)
    # The pair's own record stands for its side where it is one of the two.
    one = np.where(which == source_a, lost.left, ones[at, which])
    other = np.where(which == source_b, lost.right, others[at, which])
    return KeptApart(lost.left, lost.right, by, one, other, settled.astype(np.float32)), better


def _best(held: Edges, ends: NDArray[np.uint32], n_nodes: int) -> NDArray[np.float64]:
    """(n_nodes,) bits of the heaviest edge of each node; minus infinity of none."""
    best = np.full(n_nodes, -np.inf)
    for side in ends:
        np.maximum.at(best, side, held.bits.astype(np.float64))
    return best


class Answers(NamedTuple):
    """Edges between records and what may answer them, the probable ones of each record first.

    edge: (n,) place of each among all edges. bits: (n,) log-odds with all alternatives counted: the probabilities of a
    record and that of no answer are 1 together. given: (n,) whether it is the answer.
    """

    edge: NDArray[np.int64]
    record: NDArray[np.uint32]
    answer: NDArray[np.uint32]
    bits: NDArray[np.float32]
    given: NDArray[np.bool_]


def find_answers(
    edges: Edges, told: NDArray[np.bool_], boundaries: Boundaries, reference: int, match_bits: float, ids: RecordIds
) -> Answers:
    """Weigh the edges of each record outside the source `reference` to that: at most one of them is right.

    The probability of one is its odds by 1 and the odds of all. The likeliest is given where its log-odds against all
    else are `match_bits` or more; ids settle which of equals comes first. Edges that a field tells apart are no answer.

    Cost: one sort of the edges, and one of the ids of what answers.
    """
    source_a, source_b = (source_numbers(side, boundaries) for side in (edges.left, edges.right))
    place = np.flatnonzero(((source_a == reference) | (source_b == reference)) & ~told)
    turned = source_a[place] == reference
    record = np.where(turned, edges.right[place], edges.left[place])
    answer = np.where(turned, edges.left[place], edges.right[place])
    bits = edges.bits[place].astype(np.float64)
    names, at = np.unique(answer, return_inverse=True)
    order = np.lexsort((places_by_id(names, boundaries, ids)[at], -bits, record))
    place, record, answer, bits = place[order], record[order], answer[order], bits[order]
    settled, first = _against_all_else(record, bits)
    return Answers(place, record, answer, settled, first & (settled >= np.float32(match_bits)))


def _against_all_else(
    record: NDArray[np.uint32], bits: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Log-odds of each against the others of its record and none; and which is the first of its record."""
    first = np.concatenate([[True], record[1:] != record[:-1]])[: len(record)]
    starts = np.flatnonzero(first)
    of_record = np.cumsum(first) - 1
    # Odds by the greatest of each record, so that none is too large for a float; the greatest itself is added last.
    top = bits[starts][of_record]
    odds, none = np.exp2(bits - top), np.exp2(-top)
    others = np.bincount(of_record, np.where(first, 0.0, odds), len(starts))[of_record]
    rest = none + np.where(first, others, 1.0 + others - odds)
    return (bits - top - np.log2(np.maximum(rest, np.finfo(np.float64).tiny))).astype(np.float32), first


def lost_answers(edges: Edges, answers: Answers, match_bits: float) -> KeptApart:
    """The edges that their score alone accepts and that are no answer, in any order: another is, or two are as good."""
    lost = np.flatnonzero((edges.bits[answers.edge] >= np.float32(match_bits)) & ~answers.given)
    best = np.searchsorted(answers.record, answers.record[lost])
    # What stands in the way of the best is the next: alone it would be given.
    rival = np.where(best == lost, best + 1, best)
    by = np.where(answers.given[best], PARTNER, RIVAL).astype(np.uint8)
    nobody = np.full(len(lost), NOBODY, dtype=np.uint32)
    left, right = edges.left[answers.edge[lost]], edges.right[answers.edge[lost]]
    return KeptApart(left, right, by, answers.answer[rival], nobody, answers.bits[lost])
