"""Fellegi-Sunter with kin and movers: class shares and level shares, learnt by EM from histograms of level patterns.

Every pair of records belongs to one of four classes:

    same    one person, both records at one home
    moved   one person, the records at two homes (fields of the home agree as among movers)
    kin     two people of one home: they share what a home or family shares, and agree by chance elsewhere; their
            birth dates are learnt apart, because of twins
    chance  two strangers

Strangers' level shares come from random pairs. Pairs that no blocking pass made are taken to be strangers, so shares
are shares of all pairs and blocking does not bias the prior. Within a class levels are independent. A missing field
says nothing in any class.

Source: Fellegi & Sunter (1969), JASA 64:1183; Dempster, Laird & Rubin (1977); Winkler (1988) for EM on patterns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.matching.compare import levels_of
from core.matching.layout import Layout
from core.matching.levels import MISSING, TESTS
from core.matching.spec import FieldSpec

Table = NDArray[np.float64]

SAME, MOVED, KIN, CHANCE = range(4)
ITERATIONS_MAX = 200
TOLERANCE = 1e-6
# Pairs' worth of belief in the starting shares: carries small files, drowns in large ones.
BELIEF_PAIRS = 8.0
CHANCE_BELIEF_PAIRS = 40.0
SHARE_FLOOR = 1e-14
# Below this many expected pairs a level's weight may not overtake that of a stronger level.
THIN_PAIRS = 50.0


@dataclass(frozen=True, eq=False)
class Parameters:
    """What was learnt. Tables are (F, L): share of a field's level within the class, rows sum to 1."""

    same: Table
    moved: Table
    kin: Table
    chance: Table
    shares: NDArray[np.float64]  # (4,) of same, moved, kin, chance among all pairs
    total_pairs: float
    iterations: int
    converged: bool

    @property
    def tables(self) -> tuple[Table, Table, Table, Table]:
        """The four tables in class order."""
        return self.same, self.moved, self.kin, self.chance


@dataclass(frozen=True, eq=False)
class _Histogram:
    """Distinct level patterns: digits (G, F) with `missing` as mask, and how many pairs each stands for."""

    levels: NDArray[np.int64]
    present: NDArray[np.bool_]
    counts: NDArray[np.float64]

    @classmethod
    def of(cls, patterns: NDArray[np.uint64], counts: NDArray[np.float64], layout: Layout) -> _Histogram:
        levels = levels_of(patterns, layout)
        present = levels != MISSING
        return cls(np.where(present, levels, 0).astype(np.int64), present, counts.astype(np.float64))

    def log_shares(self, table: Table) -> NDArray[np.float64]:
        """log2 P(pattern | class), (G,)."""
        logs = np.log2(table)
        fields = np.arange(self.levels.shape[1])
        return np.asarray(np.where(self.present, logs[fields, self.levels], 0.0).sum(axis=1))

    def level_sums(self, weights: NDArray[np.float64], shape: tuple[int, int]) -> Table:
        """Sum of weights per field and level."""
        sums = np.zeros(shape)
        for field in range(shape[0]):
            here = self.present[:, field]
            sums[field] = np.bincount(self.levels[here, field], weights=weights[here], minlength=shape[1])
        return sums


def train(
    patterns: NDArray[np.uint64],
    counts: NDArray[np.float64],
    random_patterns: NDArray[np.uint64],
    random_counts: NDArray[np.float64],
    total_pairs: float,
    layout: Layout,
) -> Parameters:
    """Learn the parameters without labels.

    Args:
        patterns, counts: histogram of the candidate pairs, each pair once; counts may be inverse sampling rates.
        random_patterns, random_counts: histogram of random pairs.
        total_pairs: all pairs there are: n(n-1)/2, or nA*nB when linking.
    Cost: O(patterns * fields) an iteration; single-threaded in a fixed order, so the same input gives the same bits.
    """
    candidates = _Histogram.of(patterns, counts, layout)
    random = _Histogram.of(random_patterns, random_counts, layout)
    start = _starting_point(random, total_pairs, layout)
    tables, shares = list(start), _starting_shares(total_pairs, layout)
    converged, iteration = False, 0
    while iteration < ITERATIONS_MAX and not converged:
        iteration += 1
        weights = _responsibilities(candidates, tables, shares) * candidates.counts[:, None]
        strangers = _responsibilities(random, tables, shares)[:, CHANCE] * random.counts
        new_tables = _maximise(candidates, weights, (random, strangers), start, layout)
        new_shares = _shares(weights, total_pairs, layout)
        moved_by = max(float(np.abs(new - old).max()) for new, old in zip(new_tables, tables, strict=True))
        moved_by = max(moved_by, float(np.abs(np.log(new_shares / shares)).max()))
        converged = moved_by < TOLERANCE
        tables, shares = new_tables, new_shares
    return Parameters(tables[0], tables[1], tables[2], tables[3], shares, float(total_pairs), iteration, converged)


def _responsibilities(histogram: _Histogram, tables: list[Table], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """P(class | pattern), (G, 4)."""
    logs = np.stack([histogram.log_shares(table) for table in tables], axis=1) + np.log2(shares)
    odds = np.exp2(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def _maximise(
    candidates: _Histogram,
    weights: NDArray[np.float64],
    strangers: tuple[_Histogram, NDArray[np.float64]],
    start: tuple[Table, Table, Table, Table],
    layout: Layout,
) -> list[Table]:
    """New level shares from class memberships, with the starting shares as prior."""
    shape = start[SAME].shape
    at_home = candidates.level_sums(weights[:, SAME], shape)
    away = candidates.level_sums(weights[:, MOVED], shape)
    kin = candidates.level_sums(weights[:, KIN], shape)
    chance = _normal(strangers[0].level_sums(strangers[1], shape) + CHANCE_BELIEF_PAIRS * start[CHANCE])
    same = _normal(at_home + away + BELIEF_PAIRS * start[SAME])
    same_home = _normal(at_home + BELIEF_PAIRS * start[SAME])
    moved_home = _normal(away + BELIEF_PAIRS * start[MOVED])
    kin_shared = _normal(kin + BELIEF_PAIRS * start[KIN])
    tables = [same.copy(), same.copy(), chance.copy(), chance]
    for row, field in enumerate(layout.spec.fields):
        if field.belongs_to == "home":
            tables[SAME][row] = same_home[row]
            tables[MOVED][row] = moved_home[row]
        if field.shared or field.kind == "date":
            tables[KIN][row] = kin_shared[row]
    return tables


def _normal(sums: Table) -> Table:
    total = sums.sum(axis=1, keepdims=True)
    return np.asarray(sums / total)


def _shares(weights: NDArray[np.float64], total_pairs: float, layout: Layout) -> NDArray[np.float64]:
    shares = np.maximum(weights.sum(axis=0) / max(total_pairs, 1.0), SHARE_FLOOR)
    possible = _possible(layout)
    shares[~possible] = SHARE_FLOOR
    shares[CHANCE] = max(1.0 - shares[:CHANCE].sum(), SHARE_FLOOR)
    return np.asarray(shares)


def _possible(layout: Layout) -> NDArray[np.bool_]:
    """Classes the mapped fields can tell apart: movers need a home, kin something shared and something of one's own."""
    owners = {field.belongs_to for field in layout.spec.fields}
    kin = {"home", "person"} <= owners
    return np.array([True, "home" in owners, kin, True])


def _starting_shares(total_pairs: float, layout: Layout) -> NDArray[np.float64]:
    """Before any data: one record in eight has a double, fewer moved, as many kin as doubles."""
    n_records = np.sqrt(2.0 * max(total_pairs, 1.0))
    same = 0.12 * n_records / max(total_pairs, 1.0)
    shares = np.array([same, same * 0.1, same, 1.0])
    shares[~_possible(layout)] = SHARE_FLOOR
    shares[CHANCE] = max(1.0 - shares[:CHANCE].sum(), 0.5)
    return shares


def _starting_point(random: _Histogram, total_pairs: float, layout: Layout) -> tuple[Table, Table, Table, Table]:
    shape = (layout.n_fields, max(layout.n_levels))
    same, expected = np.full(shape, 0.0), np.full(shape, 0.0)
    for row, field in enumerate(layout.spec.fields):
        same[row, : layout.n_levels[row]] = _expected(field, "m")
        expected[row, : layout.n_levels[row]] = _expected(field, "u")
    # The tests' expectations weigh little against counted strangers, and all where nothing was counted.
    counted = random.level_sums(random.counts, shape)
    chance = _normal(counted + CHANCE_BELIEF_PAIRS * _padded(expected))
    moved, kin = _padded(same), chance.copy()
    for row, field in enumerate(layout.spec.fields):
        if field.belongs_to == "home":
            moved[row] = 0.1 * _padded(same)[row] + 0.9 * chance[row]
        if field.shared:
            kin[row] = _padded(same)[row]
    return _padded(same), moved, kin, chance


def _padded(table: Table) -> Table:
    """Rows sum to 1 and no share is 0, not even of levels a field lacks, so that no logarithm is infinite."""
    return _normal(np.maximum(table, 1e-9))


def _expected(field: FieldSpec, side: str) -> list[float]:
    shares = [getattr(TESTS[level.test], side) for level in reversed(field.levels)]
    return [max(1.0 - sum(shares), 0.02), *shares]


def evidence(parameters: Parameters, layout: Layout) -> tuple[Table, Table, Table]:
    """Bits of evidence against chance per field and level, for same, moved and kin.

    Where a level is thin its weight may not exceed that of a stronger level: neighbours are pooled (m and u added)
    until the weights ascend.
    """
    n_same = float(parameters.shares[SAME] + parameters.shares[MOVED]) * parameters.total_pairs
    same = np.zeros_like(parameters.same)
    moved, kin = same.copy(), same.copy()
    for row, field in enumerate(layout.spec.fields):
        n_levels = layout.n_levels[row]
        m, u = parameters.same[row, :n_levels], parameters.chance[row, :n_levels]
        same[row, :n_levels] = ascending_bits(m, u, n_same)
        moved[row, :n_levels] = np.log2(parameters.moved[row, :n_levels] / u)
        kin[row, :n_levels] = np.log2(parameters.kin[row, :n_levels] / u)
        if field.belongs_to != "home":
            moved[row] = same[row]
    return same, moved, kin


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
