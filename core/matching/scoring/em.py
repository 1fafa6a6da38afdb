"""Fellegi-Sunter with more than two classes, learnt by EM from histograms of level patterns, without labels.

Strangers' level shares come from random pairs. Pairs that no blocking pass made are taken to be strangers, so class
shares are shares of all pairs and blocking does not bias the prior. Within a class levels are independent. A missing
field says nothing in any class. The classes are those of `classes`.

Source: Fellegi & Sunter (1969), JASA 64:1183; Dempster, Laird & Rubin (1977); Winkler (1988) for EM on patterns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.matching.compare.patterns import levels_of
from core.matching.records.layout import Layout
from core.matching.scoring.chance_agreement import Collisions
from core.matching.scoring.classes import (
    CHANCE,
    CLASSES,
    JUNIOR,
    KIN,
    MOVED,
    N_ONE_PERSON,
    NAMESAKE,
    SAME,
    T_CHANCE,
    T_KIN,
    T_MOVED,
    T_NAMESAKE,
    T_SAME,
    TABLES,
    class_tables,
    possible,
)
from core.matching.scoring.em_kernels import add_levels, fill_class_shares
from core.matching.scoring.histograms import Histogram
from core.matching.specs.levels import MISSING

Table = NDArray[np.float64]

ITERATIONS_MAX = 200
TOLERANCE = 1e-6
# Pairs' worth of belief in the starting shares: carries small files, drowns in large ones.
BELIEF_PAIRS = 8.0
CHANCE_BELIEF_PAIRS = 40.0
SHARE_FLOOR = 1e-14
# How often one person's records differ in a field that tells apart: 2^-30.
NEVER_SHARE = 1e-9
# One person's initials and sex differ by slips only. What seems to show more are fathers and sons.
MARKS_DIFFER_MAX = 0.02
# Below this many expected pairs a level's weight may not overtake that of a stronger level.
THIN_PAIRS = 50.0


# Before any data: one record in eight has a double; this many times as many pairs are of each class.
START_SHARE_SAME = 0.12
START_RATIOS = {SAME: 1.0, MOVED: 0.1, KIN: 1.0, JUNIOR: 0.05, NAMESAKE: 0.05}


@dataclass(frozen=True, eq=False)
class Parameters:
    """What was learnt.

    `tables` is (T, F, L): share of a field's level; rows sum to 1. `shares` is (classes,) among all pairs.
    """

    tables: Table
    shares: NDArray[np.float64]
    total_pairs: float
    iterations: int
    converged: bool


@dataclass(frozen=True, eq=False)
class _LevelCounts:
    """A histogram with its patterns read: levels (G, F) with MISSING, and for how many pairs each stands."""

    levels: NDArray[np.uint8]
    counts: NDArray[np.float64]

    @classmethod
    def of(cls, counted: Histogram | Collisions, layout: Layout) -> _LevelCounts:
        return cls(levels_of(counted.patterns, layout), counted.counts.astype(np.float64))

    def class_shares(self, tables: Table, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """P(class | pattern), (G, classes), from the level shares of each class, (classes, F, L)."""
        out = np.empty((len(self.levels), len(shares)))
        fill_class_shares(self.levels, np.log2(tables), np.log2(shares), out)
        return out

    def level_sums(self, weights: NDArray[np.float64], shape: tuple[int, int]) -> Table:
        """Sum of weights (G, C) per class, field and level, (C, F, L)."""
        sums = np.zeros((weights.shape[1], *shape))
        add_levels(self.levels, weights, sums)
        return sums


def train(
    made: Histogram, drawn: Histogram, total_pairs: float, layout: Layout, shared: Sequence[Collisions] = ()
) -> Parameters:
    """Learn the parameters without labels.

    Args:
        made: of the candidate pairs, each pair once; counts may be inverse sampling rates.
        drawn: of random pairs.
        total_pairs: all pairs there are: n(n-1)/2, or nA*nB when linking.
        shared: pairs that share a value which random pairs are too few to show.
    Cost: O(patterns * fields) an iteration; single-threaded in a fixed order, so the same input gives the same bits.
    """
    candidates, random = _LevelCounts.of(made, layout), _LevelCounts.of(drawn, layout)
    start = _starting_tables(random, layout)
    start[[T_SAME, T_MOVED]] = _told_apart(start[[T_SAME, T_MOVED]], layout)
    rare = _RareLevels.of(shared, random, total_pairs, layout)
    start[T_CHANCE] = rare.into(start[T_CHANCE], [None] * len(shared))
    tables, shares = start, _starting_shares(total_pairs, layout)
    roles, belief = class_tables(layout), _chance_belief(layout)
    converged, iteration = False, 0
    while iteration < ITERATIONS_MAX and not converged:
        iteration += 1
        by_class = tables[roles, np.arange(layout.n_fields)]
        for row, level in _told_already(layout):
            by_class[:, row, level] = 1.0
        weights = candidates.class_shares(by_class, shares) * candidates.counts[:, None]
        strangers = random.class_shares(by_class, shares)[:, CHANCE:] * random.counts[:, None]
        new_tables = _maximise(candidates, weights, roles, start)
        new_tables[[T_SAME, T_MOVED]] = _told_apart(new_tables[[T_SAME, T_MOVED]], layout)
        counted = random.level_sums(strangers, start.shape[1:])[0]
        chance = _normal(counted + CHANCE_BELIEF_PAIRS * belief)
        among = [each.class_shares(by_class, shares)[:, CHANCE] for each in rare.histograms]
        new_tables[T_CHANCE] = rare.into(chance, among)
        new_shares = _shares(weights, total_pairs, layout)
        moved_by = max(float(np.abs(new_tables - tables).max()), float(np.abs(np.log(new_shares / shares)).max()))
        converged = moved_by < TOLERANCE
        tables, shares = new_tables, new_shares
    return Parameters(tables, shares, float(total_pairs), iteration, converged)


@dataclass(frozen=True, eq=False)
class _RareLevels:
    """Levels of nearly unique values; strangers at them are counted among all pairs, not among random ones."""

    shared: Sequence[Collisions]
    histograms: tuple[_LevelCounts, ...]
    compared: NDArray[np.float64]

    @classmethod
    def of(cls, shared: Sequence[Collisions], random: _LevelCounts, total_pairs: float, layout: Layout) -> _RareLevels:
        """`compared` is (F,) how many of all pairs have the field on both sides."""
        histograms = tuple(_LevelCounts.of(each, layout) for each in shared)
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


def _maximise(candidates: _LevelCounts, weights: NDArray[np.float64], roles: NDArray[np.int64], start: Table) -> Table:
    """New level shares from class memberships, with the starting shares as prior.

    A table learns from the classes that use it, but what one person's names look like is not learnt from namesakes.
    """
    sums = candidates.level_sums(weights, start.shape[1:])
    tables = BELIEF_PAIRS * start
    for class_ in (SAME, MOVED, KIN, JUNIOR, NAMESAKE):
        for table in (T_SAME, T_MOVED, T_KIN, T_NAMESAKE):
            if table != T_SAME or class_ < N_ONE_PERSON:
                uses = (roles[class_] == table)[:, None]
                tables[table] += np.where(uses, sums[class_], 0.0)
    return np.stack([_normal(table) for table in tables])


def _told_apart(tables: Table, layout: Layout) -> Table:
    """One person's tables, in which fields that tell apart never differ, and marks seldom: rules, whatever was seen."""
    ruled = tables.copy()
    for row, field in enumerate(layout.spec.fields):
        if field.tells_apart:
            ruled[:, row, 0] = 0.0
            ruled[:, row] = _normal(np.maximum(ruled[:, row], NEVER_SHARE))
        elif field.mark is not None:
            ruled[:, row, 0] = np.minimum(ruled[:, row, 0], MARKS_DIFFER_MAX)
            ruled[:, row] = _normal(ruled[:, row])
    return ruled


def _normal(sums: Table) -> Table:
    total = sums.sum(axis=1, keepdims=True)
    return np.asarray(sums / total)


def _shares(weights: NDArray[np.float64], total_pairs: float, layout: Layout) -> NDArray[np.float64]:
    shares = np.maximum(weights.sum(axis=0) / max(total_pairs, 1.0), SHARE_FLOOR)
    shares[~possible(layout)] = SHARE_FLOOR
    shares[CHANCE] = max(1.0 - shares[:CHANCE].sum(), SHARE_FLOOR)
    return np.asarray(shares)


def _starting_shares(total_pairs: float, layout: Layout) -> NDArray[np.float64]:
    n_records = np.sqrt(2.0 * max(total_pairs, 1.0))
    same = START_SHARE_SAME * n_records / max(total_pairs, 1.0)
    shares = np.array([same * START_RATIOS.get(each, 0.0) for each in range(len(CLASSES))])
    shares[~possible(layout)] = SHARE_FLOOR
    shares[CHANCE] = max(1.0 - shares[:CHANCE].sum(), 0.5)
    return shares


def _starting_tables(random: _LevelCounts, layout: Layout) -> Table:
    shape = (layout.n_fields, max(layout.n_levels))
    same = np.zeros(shape)
    for row, field in enumerate(layout.spec.fields):
        same[row, : layout.n_levels[row]] = field.expected_shares("m")
    same = _padded(same)
    # The tests' expectations weigh little against counted strangers, and all where nothing was counted.
    counted = random.level_sums(random.counts[:, None], shape)[0]
    chance = _normal(counted + CHANCE_BELIEF_PAIRS * _chance_belief(layout))
    tables = np.stack([same] * len(TABLES))
    tables[T_CHANCE] = chance
    for row, field in enumerate(layout.spec.fields):
        if field.belongs_to == "home":
            tables[T_MOVED, row] = 0.1 * same[row] + 0.9 * chance[row]
        if not field.shared:
            tables[T_KIN, row] = chance[row]
        if field.made_of:
            tables[T_NAMESAKE, row] = 0.5 * same[row] + 0.5 * chance[row]
    return tables


def _chance_belief(layout: Layout) -> Table:
    """(F, L) what the tests lead one to expect of strangers, before any data."""
    expected = np.zeros((layout.n_fields, max(layout.n_levels)))
    for row, field in enumerate(layout.spec.fields):
        expected[row, : layout.n_levels[row]] = field.expected_shares("u")
    return _padded(expected)


def _told_already(layout: Layout) -> list[tuple[int, int]]:
    """(field, level) of each `swapped` that the field's partner has said: two fields change places in one event."""
    found = []
    for row, field in enumerate(layout.spec.fields):
        if field.swap_with is not None and layout.names.index(field.swap_with) < row:
            found += [(row, len(field.levels) - at) for at, level in enumerate(field.levels) if level.test == "swapped"]
    return found


def _padded(table: Table) -> Table:
    """Rows sum to 1 and no share is 0, not even of levels a field lacks, so that no logarithm is infinite."""
    return _normal(np.maximum(table, 1e-9))


def evidence(parameters: Parameters, layout: Layout) -> Table:
    """Bits of evidence against chance, (classes, F, L); 0 throughout for the class of strangers.

    Where a level is thin its weight for one person may not exceed that of a stronger level: neighbours are pooled (m
    and u added) until the weights ascend. Values that changed places weigh in the first of the two fields only.
    """
    tables = parameters.tables
    bits = np.log2(tables / tables[T_CHANCE])
    n_same = float(parameters.shares[:N_ONE_PERSON].sum()) * parameters.total_pairs
    for row, n_levels in enumerate(layout.n_levels):
        same, chance = tables[T_SAME, row, :n_levels], tables[T_CHANCE, row, :n_levels]
        bits[T_SAME, row, :n_levels] = ascending_bits(same, chance, n_same)
        bits[:, row, n_levels:] = 0.0
    by_class = np.asarray(bits[class_tables(layout), np.arange(layout.n_fields)])
    for row, level in _told_already(layout):
        by_class[:, row, level] = 0.0
    return by_class


def ascending_bits(m: NDArray[np.float64], u: NDArray[np.float64], n_same: float) -> NDArray[np.float64]:
    """log2(m/u) per level, thin neighbours pooled so that a stronger level never weighs less.

    Source: pool adjacent violators (Ayer et al. 1955), stopped where both sides have data enough.
    """
    groups = [([level], float(m[level]), float(u[level])) for level in range(len(m))]
    at = 0
    while at + 1 < len(groups):
        (low, low_m, low_u), (high, high_m, high_u) = groups[at], groups[at + 1]
        thin = min(low_m, high_m) * n_same < THIN_PAIRS
        if thin and low_m / low_u > high_m / high_u:
            groups[at : at + 2] = [(low + high, low_m + high_m, low_u + high_u)]
            at = max(at - 1, 0)
        else:
            at += 1
    bits = np.zeros(len(m))
    for levels, group_m, group_u in groups:
        bits[levels] = np.log2(group_m / group_u)
    return bits
