"""How many true pairs no blocking pass made, told from those that were made (capture and recapture).

A pass makes a pair if both records have all its key parts alike. What a part says of one field and of another is taken
to be independent within a kind of pairs, of which there are two that the data divide: those with few errors, and those
with many. So how often parts are alike is learnt from the pairs made, and how often no pass would have all it needs
follows from it. Passes as such are not independent, for they share parts, and counting them as if they were
says far too little where all passes ask for one field, and far too much where each asks for another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

KINDS = 2
# Combinations of parts alike that are told apart, of one field and of all: more are counted as if none was alike.
STATES_MAX, CELLS_MAX = 16, 1 << 18
ROUNDS_MAX, TOLERANCE, TOLERANCE_PAIRS = 300, 1e-4, 1e-3
# Pairs' worth of belief that the two kinds are alike; that a pair is of either.
BELIEF_PAIRS, BELIEF_KIND_PAIRS = 4.0, 1.0


@dataclass(frozen=True)
class PassYield:
    """Accepted edges a pass made, and those no other pass made."""

    name: str
    n_edges: int
    n_only: int


def pass_yields(passes: NDArray[np.uint32], names: Sequence[str]) -> tuple[PassYield, ...]:
    """What each pass brought; passes: (e,) pass bits of the accepted edges, each pair once, names by bit."""
    # Thirty million edges have a few thousand sets of passes.
    masks, counts = np.unique(passes, return_counts=True)
    hits = ((masks[:, None] >> np.arange(len(names), dtype=np.uint32)) & np.uint32(1)).astype(np.int64)
    alone = hits.sum(axis=1) == 1
    made, only = counts @ hits, counts[alone] @ hits[alone]
    return tuple(PassYield(name, int(each), int(one)) for name, each, one in zip(names, made, only, strict=True))


def true_pairs_not_made(
    alike: NDArray[np.uint64],
    weights: NDArray[np.float64],
    needed: NDArray[np.uint64],
    groups: Sequence[Sequence[int]],
) -> float:
    """Expected number of true pairs that no pass made.

    Args:
        alike: (e,) of the pairs made, bit d for each key part d alike. weights: (e,) probability that each is true.
        needed: (P,) bits of the parts that each pass asks for. groups: parts that err together, each part in one.
    Cost: some milliseconds and 0.2 us a pair.
    Source: Sanathanan (1972), Annals of Mathematical Statistics 43:142, for multinomials without one cell; Dempster,
        Laird & Rubin (1977); two latent classes as Agresti (1994), Biometrics 50:494.
    """
    cells = _Cells.of(alike, weights, needed, groups)
    if cells.total <= 0.0 or not cells.missed.any():
        return 0.0
    tables, kinds, n_lost = cells.starting_tables(), np.array([0.5, 0.5]), 0.0
    for _ in range(ROUNDS_MAX):
        joint = np.stack([kinds[kind] * _outer(tables[kind]) for kind in range(KINDS)])
        seen = joint.reshape(KINDS, -1)[:, cells.places]
        lost = np.where(cells.missed, joint, 0.0)
        n_all = cells.total / max(1.0 - float(lost.sum()), 1e-9)
        belongs = seen / np.maximum(seen.sum(axis=0), 1e-300) * cells.counts
        tables = [cells.tables_of(belongs[kind], n_all * lost[kind]) for kind in range(KINDS)]
        sums = belongs.sum(axis=1) + n_all * lost.reshape(KINDS, -1).sum(axis=1) + BELIEF_KIND_PAIRS
        kinds, before, n_lost = sums / sums.sum(), n_lost, float(n_all - cells.total)
        if abs(n_lost - before) < TOLERANCE_PAIRS + TOLERANCE * n_lost:
            break
    return n_lost


@dataclass(frozen=True, eq=False)
class _Cells:
    """Every combination of states of all groups, in a table with one axis a group.

    missed: no pass makes such a pair. places: (c,) flat, of those that were made; counts: (c,) their pairs.
    """

    missed: NDArray[np.bool_]
    places: NDArray[np.int64]
    counts: NDArray[np.float64]

    @classmethod
    def of(
        cls, alike: NDArray[np.uint64], weights: NDArray[np.float64], needed: NDArray[np.uint64],
        groups: Sequence[Sequence[int]],
    ) -> _Cells:  # fmt: skip
        """Lay out the table, and count the pairs."""
        masks = [np.uint64(sum(1 << part for part in group)) for group in groups]
        states = [_states(alike & mask, weights, STATES_MAX) for mask in masks]
        while prod(map(len, states)) > CELLS_MAX:
            largest = max(range(len(states)), key=lambda axis: len(states[axis]))
            states[largest] = _states(alike & masks[largest], weights, len(states[largest]) - 1)
        shape = [len(each) for each in states]
        whole = np.zeros(shape, dtype=np.uint64)
        for axis, each in enumerate(states):
            whole |= each.reshape([-1 if other == axis else 1 for other in range(len(shape))])
        asked = needed[needed != 0]
        missed = np.ones(shape, dtype=np.bool_)
        for each in asked:
            missed &= (whole & each) != each
        at = [_place(alike & mask, each) for mask, each in zip(masks, states, strict=True)]
        places, inverse = np.unique(np.ravel_multi_index(at, shape), return_inverse=True)
        counts = np.bincount(inverse, weights=weights, minlength=len(places)).astype(np.float64)
        # What was made and seems not to be, for its states are not told apart, teaches nothing.
        counts[missed.ravel()[places]] = 0.0
        return cls(missed, places, counts)

    @property
    def total(self) -> float:
        """How many pairs were made."""
        return float(self.counts.sum())

    def starting_tables(self) -> list[list[NDArray[np.float64]]]:
        """By kind and group shares of the states: pairs with much alike, and with little, lean to one kind each."""
        shape = self.missed.shape
        states = np.stack(np.unravel_index(self.places, shape))
        much = (states > 0).sum(axis=0) >= np.median((states > 0).sum(axis=0))
        leaning = np.where(much, 0.8, 0.2) * self.counts
        nothing = np.zeros(shape)
        return [self.tables_of(leaning, nothing), self.tables_of(self.counts - leaning, nothing)]

    def tables_of(self, counts: NDArray[np.float64], lost: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """By group, shares of the states among pairs made, (c,) counts, and those lost, in the shape of the table."""
        states = np.unravel_index(self.places, self.missed.shape)
        tables = []
        for axis, size in enumerate(self.missed.shape):
            others = tuple(other for other in range(self.missed.ndim) if other != axis)
            among_all = np.bincount(states[axis], weights=self.counts, minlength=size) / self.total
            sums = np.bincount(states[axis], weights=counts, minlength=size) + lost.sum(axis=others)
            sums += BELIEF_PAIRS * among_all
            tables.append(sums / sums.sum())
        return tables


def _states(alike: NDArray[np.uint64], weights: NDArray[np.float64], most: int) -> NDArray[np.uint64]:
    """The commonest combinations, ascending; nothing alike, which is 0, is one of them."""
    states, inverse = np.unique(np.append(alike, np.uint64(0)), return_inverse=True)
    counts = np.bincount(inverse, weights=np.append(weights, 0.0), minlength=len(states))
    counts[0] = np.inf
    return np.asarray(np.sort(states[np.argsort(-counts, kind="stable")[:most]]))


def _place(alike: NDArray[np.uint64], states: NDArray[np.uint64]) -> NDArray[np.int64]:
    at = np.minimum(np.searchsorted(states, alike), len(states) - 1)
    return np.where(states[at] == alike, at, 0).astype(np.int64)


def _outer(tables: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Probability of every combination where groups are independent."""
    found = tables[0]
    for each in tables[1:]:
        found = np.multiply.outer(found, each)
    return found
