"""From learnt shares to bits of evidence in which no disagreement speaks for one person.

A score is monotone if it never falls where a field agrees better. It is so for every pattern of levels when, field by
field, what a better level adds to "one person" is at least what it adds to each class of two people; for what a home
shares: when it adds at least as much to the same home of one person as to that of two, and to both more than to two
homes. `match_weights.posterior` does the rest. Learnt shares nearly are so, and `in_order` makes them so.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from core.matching.records.layout import Layout
from core.matching.scoring.classes import (
    CHANCE,
    FIRST_APART,
    KIN,
    MOVED,
    N_ONE_PERSON,
    SAME,
    T_CHANCE,
    T_SAME,
    class_tables,
    exact_levels,
    named_alike,
    rarity_counts,
)
from core.matching.scoring.implied_fields import rows_of
from core.matching.scoring.learning.em import Parameters, told_already
from core.matching.scoring.learning.starting_tables import Table

# Below this many expected pairs a level's weight may not overtake that of a stronger level.
THIN_PAIRS = 50.0


def evidence(parameters: Parameters, layout: Layout, commonest: Mapping[str, float] | None = None) -> Table:
    """Bits of evidence against chance, (classes, F, L), in order; missing values have none.

    Where a level is thin its weight for one person may not exceed that of a stronger level: neighbours are pooled (m
    and u added) until the weights ascend. Values that changed places weigh once, in two fields together.

    Args:
        commonest: by field, the bits that agreement on its most frequent value weighs less than agreement as such.
    """
    tables = parameters.tables
    bits = np.log2(tables / tables[T_CHANCE])
    n_same = float(parameters.shares[:N_ONE_PERSON].sum()) * parameters.total_pairs
    for row, n_levels in enumerate(layout.n_levels):
        same, chance = tables[T_SAME, row, :n_levels], tables[T_CHANCE, row, :n_levels]
        bits[T_SAME, row, :n_levels] = ascending_bits(same, chance, n_same)
        bits[:, row, n_levels:] = 0.0
    by_class = np.asarray(bits[class_tables(layout), np.arange(layout.n_fields)])
    rows, exact = exact_levels(layout)
    by_class[:, rows, exact] += np.log2(named_alike(layout))
    # Of two people of one house the most live in one flat: that it is one says nothing, that it is not one speaks.
    by_class[:, layout.unit_rows, 1] = 0.0
    return in_order(by_class, layout, commonest or {}, parameters.implied)


def in_order(by_class: Table, layout: Layout, commonest: Mapping[str, float], implied: Mapping[str, str]) -> Table:
    """The same bits, lowered for one person or raised for two at weak levels, until every field is in order."""
    bits = by_class.copy()
    rarity = rarity_counts(layout)
    for row, level in told_already(layout):
        _share_swapped(bits, layout, row, level)
    implying, room = rows_of(implied, layout), dict[int, Table]()
    # Those that imply others first: they bound them.
    for row in np.argsort(implying >= 0, kind="stable").tolist():
        field, by = layout.spec.fields[row], implying[row]
        of_field = bits[:, row, : layout.n_levels[row]]
        if by >= 0:
            added = np.diff(bits[:, by, : layout.n_levels[by]], axis=1)[:, -1]
            _bound_implied(of_field, room.setdefault(by, added))
        lowest = rarity[:, row] * min(commonest.get(field.name, 0.0), 0.0)
        order = _order_home if field.belongs_to == "home" else _order_own
        order(of_field, lowest)
    return bits


def _bound_implied(bits: Table, room: NDArray[np.float64]) -> None:
    """Let a field say no more than what the one that implies it adds by agreeing, for then it falls away.

    `room` (classes,) is what is left of that, and becomes less.
    """
    over, more = bits[SAME] - bits[KIN], room[SAME] - room[KIN]
    for class_ in range(MOVED, FIRST_APART):
        bits[class_] = np.minimum(bits[class_], room[class_])
        room[class_] -= max(float(bits[class_, -1]), 0.0)
    bits[SAME] = bits[KIN] + np.minimum(over, more)
    room[SAME] = room[KIN] + more - max(min(float(over[-1]), more), 0.0)


def _order_own(bits: Table, lowest: NDArray[np.float64]) -> None:
    """bits (classes, L) of a field that a person keeps wherever he lives; `lowest` (classes,) see `in_order`."""
    bits[:N_ONE_PERSON] = _lowered(bits[SAME], _steps(bits[CHANCE:], lowest[CHANCE:]).max(axis=0))
    for class_ in range(N_ONE_PERSON, CHANCE):
        bits[class_] = _raised(bits[class_], np.diff(bits[SAME]), lowest[class_])


def _order_home(bits: Table, lowest: NDArray[np.float64]) -> None:
    """bits (classes, L) of a field that people of one home share."""
    by_chance = _steps(bits[CHANCE:], lowest[CHANCE:])[0]
    for class_ in range(MOVED, FIRST_APART):
        bits[class_] = _lowered(bits[class_], by_chance)
    least = np.diff(bits[MOVED:FIRST_APART]).min(axis=0)
    for class_ in range(FIRST_APART, CHANCE):
        bits[class_] = _raised(bits[class_], least, lowest[class_])
    near = slice(N_ONE_PERSON, FIRST_APART)
    bits[SAME] = _lowered(bits[SAME], _steps(bits[near], lowest[near]).max(axis=0))


def _steps(bits: Table, lowest: NDArray[np.float64]) -> Table:
    """(n, L - 1) what each level adds to the one below, at the commonest value."""
    steps = np.diff(bits, axis=1)
    steps[:, -1] -= lowest
    return np.asarray(steps)


def _lowered(bits: NDArray[np.float64], steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest values at most `bits`, equal at the top, that rise by `steps` at least."""
    found = bits.copy()
    for level in reversed(range(len(steps))):
        found[level] = min(found[level], found[level + 1] - steps[level])
    return found


def _raised(bits: NDArray[np.float64], steps: NDArray[np.float64], lowest: float) -> NDArray[np.float64]:
    """The smallest values at least `bits`, equal at the top, that rise by `steps` at most, the top one less rarity."""
    found = bits.copy()
    for level in reversed(range(len(steps))):
        least = found[level + 1] - steps[level] - (lowest if level == len(steps) - 1 else 0.0)
        found[level] = max(found[level], least)
    return found


def _share_swapped(bits: Table, layout: Layout, row: int, level: int) -> None:
    """Spread what `swapped` says over both fields, so that in each it says no less than the level below."""
    field = layout.spec.fields[row]
    partner = layout.names.index(str(field.swap_with))
    told = next(at for at, each in enumerate(reversed(layout.spec.fields[partner].levels), 1) if each.test == "swapped")
    both = bits[:, partner, told] - bits[CHANCE, partner, told]
    below, beside = bits[:, row, level - 1].copy(), bits[:, partner, told - 1].copy()
    bits[:, row, level] = below
    # Against each class of two people: what both say together, less what the other field has said.
    left = (both[SAME] - both) - (below[SAME] - below)
    least = beside[SAME] - beside
    against = np.maximum(left, least)
    bits[:, partner, told] = against[CHANCE] - against
    bits[:N_ONE_PERSON, partner, told] = against[CHANCE]


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
