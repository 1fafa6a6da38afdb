"""What one expects before any data: how the records of one person and of two differ in general, and in how many pairs.

These shares carry files too small to learn from, and bound what may be learnt where a file would teach nonsense.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.matching.records.layout import Layout
from core.matching.scoring.classes import (
    CHANCE,
    CLASSES,
    JUNIOR,
    KIN,
    LODGER,
    MOVED,
    NAMESAKE,
    RELATIVE,
    SAME,
    T_CHANCE,
    T_KIN,
    T_MOVED,
    T_NAMESAKE,
    TABLES,
    possible,
)
from core.matching.specs.levels import TESTS
from core.matching.specs.spec import FieldSpec

Table = NDArray[np.float64]

SHARE_FLOOR = 1e-14
CHANCE_BELIEF_PAIRS = 40.0
# Before any data: one record in eight has a double; this many times as many pairs are of each class.
START_SHARE_SAME = 0.12
START_RATIOS = {SAME: 1.0, MOVED: 0.1, KIN: 1.0, JUNIOR: 0.05, LODGER: 0.1, NAMESAKE: 0.05, RELATIVE: 0.1}
# Of two records of one person, the share that differ beyond all levels, by kind. Birthdays hardly ever change.
DIFFER: Mapping[str, float] = {
    "given_name": 0.04, "surname": 0.05, "date": 0.01, "digits": 0.03, "identifier": 0.03, "street": 0.02, "city": 0.06,
    "category": 0.03, "code": 0.06, "email": 0.15, "text": 0.10, "number": 0.05,
}  # fmt: skip
DIFFER_OTHERWISE = 0.08
# Of two people at one address, the share who live in one flat of it.
KIN_ONE_UNIT = 0.8
DIFFER_TELEPHONE = 0.07
# The most that is believed where what was learnt cannot be true, by kind.
DIFFER_MAX: Mapping[str, float] = {
    "given_name": 0.12, "surname": 0.25, "date": 0.01, "digits": 0.30, "identifier": 0.30, "text": 0.35, "email": 0.35,
}  # fmt: skip
DIFFER_MAX_OTHERWISE = 0.5


def starting_tables(counted: Table, layout: Layout) -> Table:
    """(T, F, L) shares of each level; `counted` is (F, L), how many random pairs reached each."""
    shape = (layout.n_fields, max(layout.n_levels))
    same = np.zeros(shape)
    for row, field in enumerate(layout.spec.fields):
        same[row, : layout.n_levels[row]] = _of_one_person(field)
    same = _padded(same)
    chance = normal(counted + CHANCE_BELIEF_PAIRS * chance_belief(layout))
    tables = np.stack([same] * len(TABLES))
    tables[T_CHANCE] = chance
    for row, field in enumerate(layout.spec.fields):
        if field.belongs_to == "home":
            # Who moves often keeps his number.
            kept = 0.6 if field.kind == "digits" else 0.03
            tables[T_MOVED, row] = _mixed(kept, same[row], chance[row])
        if not field.shared:
            # Twins, or a mailbox of all.
            alike = (
                KIN_ONE_UNIT if field.mark == "unit" else {"date": 0.05}.get(field.kind, 0.3 if field.made_of else 0.0)
            )
            tables[T_KIN, row] = _mixed(alike, same[row], chance[row])
        if field.made_of:
            tables[T_NAMESAKE, row] = _mixed(0.1, same[row], chance[row])
    return tables


def starting_shares(total_pairs: float, layout: Layout, share_same: float) -> NDArray[np.float64]:
    """(classes,) among all pairs, if one record in 1 / `share_same` has a double."""
    n_records = np.sqrt(2.0 * max(total_pairs, 1.0))
    same = share_same * n_records / max(total_pairs, 1.0)
    shares = np.array([same * START_RATIOS.get(each, 0.0) for each in range(len(CLASSES))])
    shares[~possible(layout)] = SHARE_FLOOR
    shares[CHANCE] = max(1.0 - shares[:CHANCE].sum(), 0.5)
    return shares


def chance_belief(layout: Layout) -> Table:
    """(F, L) what the tests lead one to expect of strangers, before any data."""
    expected = np.zeros((layout.n_fields, max(layout.n_levels)))
    for row, field in enumerate(layout.spec.fields):
        expected[row, : layout.n_levels[row]] = field.expected_shares("u")
    return _padded(expected)


def within_bounds(same: Table, layout: Layout) -> Table:
    """The table of one person (F, L), in which no field differs more often than it can."""
    bounded = same.copy()
    for row, field in enumerate(layout.spec.fields):
        most = DIFFER_MAX.get(field.kind, DIFFER_MAX_OTHERWISE)
        if bounded[row, 0] > most:
            bounded[row] *= (1.0 - most) / (1.0 - bounded[row, 0])
            bounded[row, 0] = most
    return bounded


def normal(sums: Table) -> Table:
    """Shares of what was counted: the last axis sums to 1."""
    return np.asarray(sums / sums.sum(axis=-1, keepdims=True))


def _of_one_person(field: FieldSpec) -> list[float]:
    if field.mark is not None or field.kind == "words":
        return field.expected_shares("m")
    differ = DIFFER_TELEPHONE if field.kind == "digits" and field.shared else DIFFER.get(field.kind, DIFFER_OTHERWISE)
    near = [TESTS[level.test].m for level in reversed(field.levels[1:])]
    return [differ, *near, max(1.0 - differ - sum(near), 0.3)]


def _mixed(share: float, table: Table, other: Table) -> Table:
    return share * table + (1.0 - share) * other


def _padded(table: Table) -> Table:
    """Rows sum to 1 and no share is 0, not even of levels a field lacks, so that no logarithm is infinite."""
    return normal(np.maximum(table, 1e-9))
