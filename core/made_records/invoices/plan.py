"""What is paid how: bank lines are shared out to slices, and each slice gets its customers, items and days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.made_records import invoices as of
from core.made_records.draws import Draws, cumulative
from core.made_records.invoices.customers import Customers, Flags, Ints
from core.made_records.invoices.rates import MOST_EXACT, Rates
from core.made_records.invoices.words import COUNTRIES, TAXED

N_DAYS = 90
"""The bank lines are of so many days."""

(ALONE, RANGE, MONTH, UNWRITTEN, BY_ORDER, PARTS, ON_ACCOUNT) = range(7)
"""How the lines of a unit hang together, and how its items are told."""

# of lines that pay several items, how many pay 2, 3, ... ; the last two are a dozen and two dozen
_LIST_SIZES = np.array([2, 3, 4, 5, 6, 8, 12, 24])
_LIST_SHARES = cumulative(np.array([34.0, 24, 14, 9, 7, 6, 4, 2]))


@dataclass(frozen=True, slots=True)
class Plan:
    """Units: some items of one customer or group, and the lines that pay them. (n,) each.

    way: ALONE to ON_ACCOUNT. residual: place in `RESIDUALS`. n_items, n_lines: how many of each, of the items the last
    `n_credits` are credit notes. day: of the first line, 0 to 89. paid_again: lines that are paid, taken back and paid
    once more; doubled: lines paid twice; both places of units of one line.
    """

    slice: Ints
    way: Ints
    residual: Ints
    customer: Ints
    n_items: Ints
    n_credits: Ints
    n_lines: Ints
    day: Ints
    doubled: Ints
    reversed: Ints
    n_paid_again: int
    n_unrelated: int


def planned(n_lines: int, customers: Customers, draws: Draws, rates: Rates) -> Plan:
    """Units for `n_lines` bank lines in all. Cost: some 1 us a line."""
    quota = _quotas(n_lines, rates)
    n_paid_again = min(round(quota[of.REVERSAL] * rates["paid again"]), quota[of.EXACT] // 4)
    quota[of.EXACT] -= n_paid_again
    on_account = max(1, round(quota[of.PARTIAL] * rates["on account"] / 3)) if quota[of.PARTIAL] >= 6 else 0
    parts = _in_parts(quota[of.PARTIAL] - 3 * on_account, draws, rates)
    counts = quota.copy()
    counts[of.PARTIAL] = on_account + len(parts)
    slices = np.repeat(np.arange(of.DUPLICATE), counts[: of.DUPLICATE])
    units = np.arange(len(slices))
    n_of_lines = np.ones(len(units), dtype=np.int64)
    partial = np.flatnonzero(slices == of.PARTIAL)
    n_of_lines[partial[:on_account]] = 3
    n_of_lines[partial[on_account:]] = parts
    way = _ways(slices, draws, rates)
    way[partial] = PARTS
    way[partial[:on_account]] = ON_ACCOUNT
    residual = _residuals(slices, draws, rates)
    n_credits = np.where(slices == of.CREDIT, 1 + draws.flag("second credit", units, 0.2), 0)
    customer = _customers(slices, way, residual, customers, draws, rates)
    exact = draws.shuffled("of exact units", np.arange(counts[of.EXACT]), counts[of.EXACT])
    doubled = np.concatenate([exact[: quota[of.DUPLICATE] * 2 // 3], _first(slices, of.COMBINED, quota[of.DUPLICATE])])
    taken = len(exact[: quota[of.DUPLICATE] * 2 // 3])
    latest = N_DAYS - 20 * (n_of_lines - 1) - np.where(np.isin(units, exact[: taken + quota[of.REVERSAL]]), 25, 0)
    return Plan(
        slice=slices,
        way=way,
        residual=residual,
        customer=customer,
        n_items=_n_items(slices, way, residual, draws, rates) + n_credits,
        n_credits=n_credits,
        n_lines=n_of_lines,
        day=on_business_day(draws.below("day", units, latest)),
        doubled=doubled[: quota[of.DUPLICATE]],
        reversed=exact[taken : taken + quota[of.REVERSAL]],
        n_paid_again=n_paid_again,
        n_unrelated=int(quota[of.UNRELATED]),
    )


def on_business_day(days: Ints) -> Ints:
    """(n,) the same days, or the Monday after; day 0 is a Monday."""
    wait = np.array([0, 0, 0, 0, 0, 2, 1])
    moved: Ints = days + wait[days % 7]
    return moved


def _quotas(n_lines: int, rates: Rates) -> Ints:
    """(13,) lines of each slice, whole numbers that sum to `n_lines`, each at least 1 % of them."""
    shares = np.array([rates.get(name, 0.0) for name in of.SLICES])
    shares *= max(1.0, (1 - MOST_EXACT) / shares.sum())
    counts: Ints = np.maximum(np.rint(shares * n_lines), np.ceil(n_lines / 100)).astype(np.int64)
    counts[of.EXACT] = n_lines - counts[1:].sum()
    return counts


def _first(slices: Ints, wanted: int, most: int) -> Ints:
    return np.flatnonzero(slices == wanted)[:most]


def _in_parts(n_lines: int, draws: Draws, rates: Rates) -> Ints:
    """Lines of each invoice that is paid in parts: 2, 3, or 1 where the rest does not come; they sum to `n_lines`."""
    units = np.arange(n_lines)
    whole = np.where(draws.flag("three parts", units, 0.25), 3, 2)
    sizes = np.where(draws.flag("last part missing", units, rates["last part missing"]), whole - 1, whole)
    ends = np.cumsum(sizes)
    sizes = sizes[: np.searchsorted(ends, n_lines, side="right")]
    left = n_lines - sizes.sum()
    return np.concatenate([sizes, np.full(1 if left else 0, left)]).astype(np.int64)


def _ways(slices: Ints, draws: Draws, rates: Rates) -> Ints:
    units = np.arange(len(slices))
    names = ("list not written", "range", "month")
    edges = np.cumsum([rates[name] for name in names] + [rates["order number only"] / 3])
    several = np.searchsorted(edges, draws.unit("way of a list", units), side="right")
    way = np.where(slices == of.COMBINED, np.array([UNWRITTEN, RANGE, MONTH, BY_ORDER, ALONE])[several], ALONE)
    by_order = (slices == of.MISSING) & draws.flag("order only", units, rates["order number only"])
    way[(slices == of.MISSING) & ~by_order] = UNWRITTEN
    way[by_order] = BY_ORDER
    return way


def _residuals(slices: Ints, draws: Draws, rates: Rates) -> Ints:
    units = np.arange(len(slices))
    residual = np.zeros(len(slices), dtype=np.int64)
    place = of.RESIDUALS.index
    of_discounts = np.where(
        draws.flag("discount late", units, rates["discount late"]), place("discount_late"), place("discount")
    )
    of_fees = np.where(draws.flag("tax", units, rates["tax withheld"]), place("tax_withheld"), place("bank_fee"))
    names = ("rounding", "write_off", "short", "deduction", "prepayment")
    edges = np.cumsum([rates[name.replace("_", "-")] for name in names])
    # The kinds go round by rank, so that the smallest file has every one of them.
    rank = np.cumsum(slices == of.OVER_SHORT) - 1
    unit = np.where(rank < 6, np.append(edges, 1.0)[np.clip(rank, 0, 5)] - 1e-9, draws.unit("over or short", units))
    codes = np.array([*map(place, names), place("overpayment")])
    of_sums = codes[np.minimum(np.searchsorted(edges, unit, side="right"), 5)]
    for wanted, codes_of in ((of.DISCOUNT, of_discounts), (of.FEE, of_fees), (of.OVER_SHORT, of_sums)):
        residual = np.where(slices == wanted, codes_of, residual)
    residual[slices == of.EXCHANGE] = place("fx")
    for wanted, name in ((of.DISCOUNT, "discount_late"), (of.FEE, "tax_withheld")):
        residual[_first(slices, wanted, 1)] = place(name)
    return residual


def _n_items(slices: Ints, way: Ints, residual: Ints, draws: Draws, rates: Rates) -> Ints:
    units = np.arange(len(slices))
    several = _LIST_SIZES[draws.pick("length of list", units, _LIST_SHARES)]
    few = 2 + draws.below("a few", units, 2)
    n_items = np.ones(len(slices), dtype=np.int64)
    n_items = np.where(slices == of.COMBINED, several, n_items)
    n_items = np.where((way == BY_ORDER) & (slices == of.COMBINED), np.minimum(several, 5), n_items)
    n_items = np.where((slices == of.DISCOUNT) & draws.flag("two", units, rates["two discounts"]), few, n_items)
    n_items = np.where(slices == of.CREDIT, 1 + draws.below("with a credit", units, 3), n_items)
    n_items = np.where(way == ON_ACCOUNT, 2 + draws.below("on account", units, 4), n_items)
    return np.where(residual == of.RESIDUALS.index("prepayment"), 0, n_items)


def _customers(slices: Ints, way: Ints, residual: Ints, customers: Customers, draws: Draws, rates: Rates) -> Ints:
    """(n,) who pays each unit: one to whom that happens; a share of all units is of the big ones."""
    taxed = np.array([country.code in TAXED for country in COUNTRIES])[customers.country]
    eurozone = customers.currency == 0
    usual = ~customers.on_account
    pools: list[tuple[Flags, Flags]] = [
        (way == ON_ACCOUNT, customers.on_account),
        (slices == of.DISCOUNT, usual & (customers.percent > 0)),
        (residual == of.RESIDUALS.index("tax_withheld"), usual & taxed),
        (residual == of.RESIDUALS.index("bank_fee"), usual & ~eurozone),
    ]
    chosen = np.full(len(slices), -1, dtype=np.int64)
    units = np.arange(len(slices))
    of_big = draws.flag("of a big one", units, rates["big customers"])
    for asked, pool in [*pools, (np.ones(len(slices), dtype=np.bool_), usual)]:
        for wanted, able in ((of_big, pool & customers.big), (~of_big, pool & ~customers.big), (asked, pool)):
            rows, who = np.flatnonzero(asked & wanted & (chosen < 0)), np.flatnonzero(able)
            if len(who):
                chosen[rows] = who[_skewed(rows, len(who), draws)]
    once = np.flatnonzero(way == ON_ACCOUNT)
    who = np.flatnonzero(customers.on_account)
    if len(once) and len(who):
        # One chain each: the oldest item first holds only within one.
        chosen[once] = who[np.arange(len(once)) % len(who)]
    return chosen


def _skewed(rows: Ints, size: int, draws: Draws) -> Ints:
    """(n,) places below `size`; those in front come more often, as a few customers buy much."""
    return np.asarray(draws.unit("which customer", rows) ** 1.6 * size, dtype=np.int64)
