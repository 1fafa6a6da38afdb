"""Fellegi-Sunter with more than two classes, learnt by EM from histograms of level patterns, without labels.

Strangers' level shares come from random pairs. Pairs that no blocking pass made are taken to be strangers, so class
shares are shares of all pairs and blocking does not bias the prior. Within a class levels are independent. A missing
field says nothing in any class. The classes are those of `classes`.

Source: Fellegi & Sunter (1969), JASA 64:1183; Dempster, Laird & Rubin (1977); Winkler (1988) for EM on patterns.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.matching.compare.patterns import levels_of
from core.matching.records.layout import Layout
from core.matching.scoring.chance_agreement import Collisions
from core.matching.scoring.classes import (
    CHANCE,
    JUNIOR,
    N_ONE_PERSON,
    NAMESAKE,
    T_CHANCE,
    T_MOVED,
    T_SAME,
    class_tables,
    exact_levels,
    named_alike,
    possible,
)
from core.matching.scoring.histograms import Histogram
from core.matching.scoring.implied_fields import implied_fields, without_implied
from core.matching.scoring.learning.em_kernels import add_levels, fill_class_shares
from core.matching.scoring.learning.starting_tables import (
    CHANCE_BELIEF_PAIRS,
    SHARE_FLOOR,
    START_SHARE_SAME,
    Table,
    chance_belief,
    normal,
    starting_shares,
    starting_tables,
    within_bounds,
)
from core.matching.specs.levels import MISSING

ITERATIONS_MAX = 200
TOLERANCE = 1e-6
# Pairs' worth of belief in the starting shares: carries small files, drowns in large ones. Of one person it grows with
# the candidates, for where next to none of many is one person, a few dozen pairs of others would teach who one is.
BELIEF_PAIRS = 8.0
BELIEF_SAME_SHARE, BELIEF_SAME_MAX = 0.015, 1000.0
# Birthdays hardly ever change: a few dozen pairs that differ in them are fathers and sons before they are one person.
BELIEF_DATE_PAIRS = 60.0
# How often one person's records differ in a field that tells apart: 2^-30.
NEVER_SHARE = 1e-9
# One person's initials and sex differ by slips only. What seems to show more are fathers and sons.
MARKS_DIFFER_MAX = 0.005
# Before any data, father and son, and namesakes, are these shares of doubles: so many pairs' worth of doubles believe
# it, and where bounds are needed they are no rarer.
OTHERS_SHARE = {JUNIOR: 0.05, NAMESAKE: 0.08}
OTHERS_BELIEF_PAIRS = 30.0


@dataclass(frozen=True, slots=True)
class Start:
    """Where learning begins: the share of records with a double; whether it stays within bounds, see `learning`."""

    share_same: float = START_SHARE_SAME
    bounded: bool = False


@dataclass(frozen=True, eq=False)
class Parameters:
    """What was learnt; `implied` see `implied_fields`.

    `tables` is (T, F, L): share of a field's level; rows sum to 1. `shares` is (classes,) among all pairs.
    """

    tables: Table
    shares: NDArray[np.float64]
    total_pairs: float
    iterations: int
    converged: bool
    log_likelihood: float = 0.0
    implied: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class LevelCounts:
    """A histogram with its patterns read: levels (G, F) with MISSING, and for how many pairs each stands."""

    levels: NDArray[np.uint8]
    counts: NDArray[np.float64]

    @classmethod
    def of(
        cls, counted: Histogram | Collisions, layout: Layout, implied: Mapping[str, str] | None = None
    ) -> LevelCounts:
        """Read the patterns of a histogram, without what other fields imply."""
        levels = levels_of(counted.patterns, layout)
        # Neighbours in a house of flats teach what relatives are not, and relatives then pass for one person.
        levels[:, layout.unit_rows] = MISSING
        return cls(without_implied(levels, implied or {}, layout), counted.counts.astype(np.float64))

    def class_shares(self, tables: Table, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """P(class | pattern), (G, classes), from the level shares of each class, (classes, F, L)."""
        out = np.empty((len(self.levels), len(shares)))
        fill_class_shares(self.levels, np.log2(tables), np.log2(shares), out)
        return out

    def log_likelihood(self, tables: Table, shares: NDArray[np.float64]) -> float:
        """Log2 of how likely these pairs are, from the level shares of each class, (classes, F, L)."""
        sums = np.tile(np.log2(shares), (len(self.levels), 1))
        for row, levels in enumerate(self.levels.T):
            seen = levels != MISSING
            sums[seen] += np.log2(tables[:, row, :]).T[levels[seen]]
        return float(np.logaddexp2.reduce(sums, axis=1) @ self.counts)

    def level_sums(self, weights: NDArray[np.float64], shape: tuple[int, int]) -> Table:
        """Sum of weights (G, C) per class, field and level, (C, F, L)."""
        sums = np.zeros((weights.shape[1], *shape))
        add_levels(self.levels, weights, sums)
        return sums


def train(
    made: Histogram,
    drawn: Histogram,
    total_pairs: float,
    layout: Layout,
    shared: Sequence[Collisions] = (),
    begin: Start | None = None,
) -> Parameters:
    """Learn the parameters without labels, from one start.

    Args:
        made: of the candidate pairs, each pair once; counts may be inverse sampling rates.
        drawn: of random pairs.
        total_pairs: all pairs there are: n(n-1)/2, or nA*nB when linking.
        shared: pairs that share a value which random pairs are too few to show.
    Cost: O(patterns * fields) an iteration; single-threaded in a fixed order, so the same input gives the same bits.
    """
    begin = begin or Start()
    implied = implied_in(drawn, layout)
    candidates, random = (LevelCounts.of(each, layout, implied) for each in (made, drawn))
    start = starting_tables(random.level_sums(random.counts[:, None], _shape(layout))[0], layout)
    start[[T_SAME, T_MOVED]] = _told_apart(start[[T_SAME, T_MOVED]], layout)
    rare = _RareLevels.of(shared, random, total_pairs, layout, implied)
    start[T_CHANCE] = rare.into(start[T_CHANCE], [None] * len(shared))
    tables, shares = start, starting_shares(total_pairs, layout, begin.share_same)
    belief = _belief(float(candidates.counts.sum()), len(start), layout) * start
    converged, iteration = False, 0
    while iteration < ITERATIONS_MAX and not converged:
        iteration += 1
        by_class = shares_by_class(tables, layout)
        weights = candidates.class_shares(by_class, shares) * candidates.counts[:, None]
        new_tables = _maximise(candidates, weights, belief, layout)
        if begin.bounded:
            new_tables[T_SAME] = within_bounds(new_tables[T_SAME], layout)
        new_tables[[T_SAME, T_MOVED]] = _told_apart(new_tables[[T_SAME, T_MOVED]], layout)
        new_tables[T_CHANCE] = _strangers(random, rare, (by_class, shares), layout)
        new_shares = _shares(weights, total_pairs, layout, begin.bounded)
        moved_by = max(float(np.abs(new_tables - tables).max()), float(np.abs(np.log(new_shares / shares)).max()))
        converged = moved_by < TOLERANCE
        tables, shares = new_tables, new_shares
    likelihood = candidates.log_likelihood(shares_by_class(tables, layout), shares)
    return Parameters(tables, shares, float(total_pairs), iteration, converged, likelihood, implied)


def implied_in(drawn: Histogram, layout: Layout) -> dict[str, str]:
    """By field the one that implies it among random pairs, see `implied_fields`."""
    return implied_fields(levels_of(drawn.patterns, layout), drawn.counts.astype(np.float64), layout)


def shares_by_class(tables: Table, layout: Layout) -> Table:
    """(classes, F, L) level shares of each class, from those of the tables (T, F, L)."""
    by_class = np.asarray(tables[class_tables(layout), np.arange(layout.n_fields)])
    rows, exact = exact_levels(layout)
    by_class[:, rows, exact] *= named_alike(layout)
    for row, level in told_already(layout):
        by_class[:, row, level] = 1.0
    return by_class


def _strangers(
    random: LevelCounts, rare: _RareLevels, learnt: tuple[Table, NDArray[np.float64]], layout: Layout
) -> Table:
    """Strangers' table (F, L): of random pairs as far as they are strangers, and of all pairs where values are rare."""
    by_class, shares = learnt
    strangers = random.class_shares(by_class, shares)[:, CHANCE:] * random.counts[:, None]
    counted = random.level_sums(strangers, _shape(layout))[0]
    among = [each.class_shares(by_class, shares)[:, CHANCE] for each in rare.histograms]
    return rare.into(normal(counted + CHANCE_BELIEF_PAIRS * chance_belief(layout)), among)


def _shape(layout: Layout) -> tuple[int, int]:
    return layout.n_fields, max(layout.n_levels)


def _belief(n_candidates: float, n_tables: int, layout: Layout) -> Table:
    """(T, F, 1) pairs' worth of belief in each starting table."""
    pairs = np.full((n_tables, layout.n_fields, 1), BELIEF_PAIRS)
    pairs[T_SAME] = min(max(BELIEF_PAIRS, BELIEF_SAME_SHARE * n_candidates), BELIEF_SAME_MAX)
    dates = [field.kind == "date" for field in layout.spec.fields]
    pairs[T_SAME, dates] = np.maximum(pairs[T_SAME, dates], BELIEF_DATE_PAIRS)
    return pairs


@dataclass(frozen=True, eq=False)
class _RareLevels:
    """Levels of nearly unique values; strangers at them are counted among all pairs, not among random ones."""

    shared: Sequence[Collisions]
    histograms: tuple[LevelCounts, ...]
    compared: NDArray[np.float64]

    @classmethod
    def of(
        cls, shared: Sequence[Collisions], random: LevelCounts, total_pairs: float, layout: Layout,
        implied: Mapping[str, str],
    ) -> _RareLevels:  # fmt: skip
        """`compared` is (F,) how many of all pairs have the field on both sides."""
        histograms = tuple(LevelCounts.of(each, layout, implied) for each in shared)
        present = ((random.levels != MISSING) * random.counts[:, None]).sum(axis=0) / max(
            float(random.counts.sum()), 1.0
        )
        return cls(shared, histograms, np.maximum(present, 1e-6) * max(total_pairs, 1.0))

    def into(self, chance: Table, strangers: Sequence[NDArray[np.float64] | None]) -> Table:
        """Put the counted shares into strangers' table; `strangers` is P(chance) per pattern, None counts all pairs."""
        table = chance.copy()
        for collided, histogram, share in zip(self.shared, self.histograms, strangers, strict=True):
            field, levels = collided.field, np.array(collided.levels)
            counts = histogram.counts if share is None else histogram.counts * share
            sums = histogram.level_sums(counts[:, None], chance.shape)[0, field]
            # Half a sampled pair for a level that none reached: it is rare, not impossible.
            counted = (sums[levels] + 0.5 * collided.pairs_per_sampled) / self.compared[field]
            table[field, levels] = np.clip(counted, SHARE_FLOOR, 0.5)
            others = np.setdiff1d(np.arange(chance.shape[1]), levels)
            left = max(1.0 - float(table[field, levels].sum()), SHARE_FLOOR)
            table[field, others] *= left / table[field, others].sum()
        return table


def _maximise(candidates: LevelCounts, weights: NDArray[np.float64], belief: Table, layout: Layout) -> Table:
    """New level shares from class memberships, with the starting shares as prior.

    A table learns from the classes that use it, but what one person's names look like is not learnt from namesakes.
    """
    sums = candidates.level_sums(weights, _shape(layout))
    tables, roles = belief.copy(), class_tables(layout)
    for class_ in range(CHANCE):
        for table in range(T_CHANCE):
            if table != T_SAME or class_ < N_ONE_PERSON:
                uses = (roles[class_] == table)[:, None]
                tables[table] += np.where(uses, sums[class_], 0.0)
    return normal(tables)


def _told_apart(tables: Table, layout: Layout) -> Table:
    """One person's tables, in which fields that tell apart never differ, and marks seldom: rules, whatever was seen."""
    ruled = tables.copy()
    for row, field in enumerate(layout.spec.fields):
        if field.tells_apart:
            ruled[:, row, 0] = 0.0
            ruled[:, row] = normal(np.maximum(ruled[:, row], NEVER_SHARE))
        elif field.mark is not None:
            ruled[:, row, 0] = np.minimum(ruled[:, row, 0], MARKS_DIFFER_MAX)
            ruled[:, row] = normal(ruled[:, row])
    return ruled


def _shares(weights: NDArray[np.float64], total_pairs: float, layout: Layout, bounded: bool) -> NDArray[np.float64]:
    sums = _with_others(weights.sum(axis=0), bounded)
    shares = sums / max(total_pairs, 1.0)
    shares = np.maximum(shares, SHARE_FLOOR)
    shares[~possible(layout)] = SHARE_FLOOR
    shares[CHANCE] = max(1.0 - shares[:CHANCE].sum(), SHARE_FLOOR)
    return np.asarray(shares)


def _with_others(sums: NDArray[np.float64], bounded: bool) -> NDArray[np.float64]:
    """Pairs of each class (classes,), of which those of one name are shared out with what is believed of them.

    So where nothing tells father and son from one person, they are as frequent as is believed, and not ever more.
    """
    shared = sums.copy()
    one_name = [*range(N_ONE_PERSON), *OTHERS_SHARE]
    total = float(sums[one_name].sum())
    belief = min(OTHERS_BELIEF_PAIRS, total)
    shared[one_name] *= total / max(total + belief, 1e-300)
    for class_, share in OTHERS_SHARE.items():
        shared[class_] += share * belief * total / max(total + belief, 1e-300)
    doubles = float(shared[:N_ONE_PERSON].sum())
    shared[:N_ONE_PERSON] *= (total - float(shared[list(OTHERS_SHARE)].sum())) / max(doubles, 1e-300)
    if bounded:
        for class_, share in OTHERS_SHARE.items():
            shared[class_] = max(shared[class_], share * doubles)
    return shared


def told_already(layout: Layout) -> list[tuple[int, int]]:
    """(field, level) of each `swapped` that the field's partner has said: two fields change places in one event."""
    found = []
    for row, field in enumerate(layout.spec.fields):
        if field.swap_with is not None and layout.names.index(field.swap_with) < row:
            found += [(row, len(field.levels) - at) for at, level in enumerate(field.levels) if level.test == "swapped"]
    return found
