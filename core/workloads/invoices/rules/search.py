"""The search for sets of items that a receipt may settle: kernels of `propose`."""

from __future__ import annotations

import numpy as np

from core.matching.jit import kernel
from core.workloads.invoices.rules.explanations import (
    ALL_DUE,
    ALL_OPEN,
    DISCOUNT_LATE,
    EXACT,
    FREE_2,
    FREE_MORE,
    MONTH,
    ORDER,
    OVERPAYMENT,
    PART,
    RUN,
    RUN_ITEMS_MOST,
    SHORT,
    SINGLE,
    Found,
    Habits,
    Integers,
    Items,
    Lines,
    Pools,
)
from core.workloads.invoices.rules.residuals import Payment, add_explanation, discount_of, try_set
from core.workloads.invoices.rules.subset_sums import find_any, find_few

SINGLES_MOST, RUNS_MOST, SETS_MOST = 12, 6, 4
NAMED_MOST = 64
POOL_ITEMS_MOST = 400
"""Items of a pool in which runs, months and orders are looked for."""
ANY_ITEMS_MOST, MANY_OTHERS_MOST = 14, 22
GRIDS = (1, 100, 500, 2_500, 10_000)
"""Minor units that round amounts are multiples of."""
CHANCE_MOST = 0.05
"""Expected sets by chance above which free sets of a size are not looked for."""


@kernel
def search_lines(items: Items, pools: Pools, lines: Lines, habits: Habits, found: Found) -> None:
    """Fill `found` with explanations of each line; where there is no room, only their number goes on."""
    for line in range(len(lines.receipt)):
        pool = lines.pool[line]
        lo, hi = pools.starts[pool], pools.starts[pool + 1]
        about = (lines.currency[line], lines.country[line])
        payment = (lines.amount[line], lines.tolerance[line], lines.date[line], lo, hi, about[0], about[1])
        named = habits.named[lines.first_named[line] : lines.end_named[line]][:NAMED_MOST]
        before = found.n[0]
        _search_named(items, payment, (named, line), habits, found)
        settled = _has_whole(found, before, len(named))
        _search_singles(items, payment, line, habits, found)
        if hi - lo > 1 and payment[1] == 0 and not settled:
            if hi - lo <= POOL_ITEMS_MOST:
                _search_runs(items, payment, line, habits, found)
                _search_alike(items.month, (line, MONTH), (items, payment), habits, found)
                _search_alike(items.order, (line, ORDER), (items, payment), habits, found)
            _search_free(items, payment, (line, pool), pools, found)


@kernel
def _has_whole(found: Found, before: int, n_named: int) -> bool:
    """Whether a set of all named items was found that leaves nothing open."""
    whole = False
    for row in range(before, min(found.n[0], len(found.heads))):
        kind = found.heads[row, 2]
        whole |= (
            n_named > 0 and found.heads[row, 3] == n_named and kind not in (SHORT, PART, OVERPAYMENT, DISCOUNT_LATE)
        )
    return whole


@kernel
def _search_named(items: Items, payment: Payment, asked: tuple[Integers, int], habits: Habits, found: Found) -> None:
    """Sets of named items: all, each alone, all but one, all and a few more, those that add up."""
    named, line = asked
    n = len(named)
    if n == 0:
        return
    n_pool = payment[4] - payment[3]
    family, n_sets = _free(n), _n_sets(n_pool, n)
    if n > 1 and items.order[named[0]] >= 0 and np.all(items.order[named] == items.order[named[0]]):
        family, n_sets = ORDER, float(n_pool)
    total = items.open[named].sum()
    is_all = n == 1 or not _may_pay_others(items, payment, named, payment[0] - total)
    try_set(items, payment, named, (line, family, n_sets), (habits, is_all), found)
    for place in range(n):
        if n > 1:
            one = named[place : place + 1]
            is_part = payment[0] < items.open[one[0]]
            try_set(items, payment, one, (line, SINGLE, float(n_pool)), (habits, is_part), found)
    if total == payment[0]:
        return
    for place in range(n):
        if n > 2 and total - items.open[named[place]] == payment[0]:
            rest = np.concatenate((named[:place], named[place + 1 :]))
            try_set(items, payment, rest, (line, _free(n - 1), _n_sets(n_pool, n - 1)), (habits, False), found)
    search_more(items, payment, (named, line, total), habits, found)
    if 3 < n <= 24:
        _search_parts(items, payment, asked, habits, found)


@kernel
def _may_pay_others(items: Items, payment: Payment, named: Integers, rest: int) -> bool:
    """Whether an item that is not named is no more than what is paid above the named: banks cut lists off."""
    found = False
    for item in range(payment[3], payment[4]):
        found |= 0 < items.open[item] <= rest and not _is_in(named, item)
    return found


@kernel
def search_more(items: Items, payment: Payment, asked: tuple[Integers, int, int], habits: Habits, found: Found) -> None:
    """All named items and a few that are not: credit notes, or items whose numbers a bank cut off.

    Above one, only as many as chance would hardly make come to the rest.
    """
    named, line, total = asked
    rest, lo, hi = payment[0] - total, payment[3], payment[4]
    others, amounts = np.empty(hi - lo, dtype=np.int64), np.empty(hi - lo, dtype=np.int64)
    n = 0
    for at in range(lo, hi):
        item = items.by_amount[at]
        # What lacks is credit notes alone: with others beside them too many sets would fit.
        if (rest > 0 or items.open[item] < 0) and not _is_in(named, item):
            others[n], amounts[n] = item, items.open[item]
            n += 1
    most = 1
    while most < min(4, n) and chance_of(amounts[:n], most + 1, CHANCE_MOST) < CHANCE_MOST:
        most += 1
    places, sizes = np.zeros((SETS_MOST, 4), np.int64), np.zeros(SETS_MOST, np.int64)
    for row in range(find_few(amounts[:n], (rest, rest), min(most, n), places, sizes)):
        more = np.sort(np.concatenate((named, others[places[row, : sizes[row]]])))
        n_sets = _n_sets(hi - lo, len(more))
        try_set(items, payment, more, (line, _free(len(more)), n_sets), (habits, False), found)
    if most == 4 and 4 < n <= MANY_OTHERS_MOST and any_chance_of(amounts[:n]) < CHANCE_MOST:
        masks = np.zeros(SETS_MOST, dtype=np.uint64)
        for row in range(find_any(amounts[:n], (rest, rest), n, masks)):
            chosen = _chosen(masks[row], others)
            if len(chosen) > 4:
                more = np.sort(np.concatenate((named, chosen)))
                n_sets = _n_sets(hi - lo, len(more))
                try_set(items, payment, more, (line, _free(len(more)), n_sets), (habits, False), found)


@kernel
def _search_parts(items: Items, payment: Payment, asked: tuple[Integers, int], habits: Habits, found: Found) -> None:
    """Those of the named items that add up: some were paid before."""
    named, line = asked
    masks = np.zeros(SETS_MOST, dtype=np.uint64)
    count = find_any(items.open[named], (payment[0], payment[0]), len(named) - 2, masks)
    for row in range(count):
        chosen = _chosen(masks[row], named)
        n_sets = _n_sets(payment[4] - payment[3], len(chosen))
        try_set(items, payment, chosen, (line, _free(len(chosen)), n_sets), (habits, False), found)


@kernel
def _chosen(mask: np.uint64, places: Integers) -> Integers:
    members = np.empty(len(places), dtype=np.int64)
    n = 0
    for bit in range(min(len(places), 64)):
        if mask >> np.uint64(bit) & np.uint64(1):
            members[n] = places[bit]
            n += 1
    return members[:n]


@kernel
def _is_in(members: Integers, item: int) -> bool:
    inside = False
    for member in members:
        inside |= member == item
    return inside


@kernel
def _search_singles(items: Items, payment: Payment, line: int, habits: Habits, found: Found) -> None:
    """Each item of the pool by itself; equal ones beyond the first dozen are counted only."""
    amount, tolerance, _, lo, hi, _, _ = payment
    n_exact = left_out = 0
    one = np.empty(1, dtype=np.int64)
    reach = max(abs(amount) // 2, tolerance)
    for item in range(lo, hi):
        if abs(items.open[item] - amount) > reach or (items.open[item] > 0) != (amount > 0):
            continue
        if items.open[item] == amount:
            n_exact += 1
            if n_exact > SINGLES_MOST:
                left_out += 1
                continue
        one[0] = item
        try_set(items, payment, one, (line, SINGLE, float(hi - lo)), (habits, False), found)
    if left_out:
        add_explanation(found, (line, SINGLE, float(hi - lo)), one[:0], (EXACT, 0, left_out))
    if hi - lo == 1:
        one[0] = lo
        try_set(items, payment, one, (line, SINGLE, 1.0), (habits, True), found)


@kernel
def _search_runs(items: Items, payment: Payment, line: int, habits: Habits, found: Found) -> None:
    """Neighbours in due order; all that are due, and all there are, are families of their own."""
    amount, _, day, lo, hi, _, _ = payment
    n_due = lo
    while n_due < hi and items.due[n_due] <= day:
        n_due += 1
    n_sets = float((hi - lo) * min(hi - lo, RUN_ITEMS_MOST))
    n_found = 0
    for first in range(lo, hi - 1):
        total, net = items.open[first], items.open[first] - discount_of(items, first, day)
        for end in range(first + 2, min(first + RUN_ITEMS_MOST, hi) + 1):
            total += items.open[end - 1]
            net += items.open[end - 1] - discount_of(items, end - 1, day)
            if amount not in (total, net) or n_found == RUNS_MOST:
                continue
            family, count = RUN, n_sets
            if first == lo and end == hi:
                family, count = ALL_OPEN, 1.0
            elif first == lo and end == n_due:
                family, count = ALL_DUE, 1.0
            n_found += 1
            try_set(items, payment, np.arange(first, end), (line, family, count), (habits, False), found)


@kernel
def _search_alike(
    values: Integers, asked: tuple[int, int], sides: tuple[Items, Payment], habits: Habits, found: Found
) -> None:
    """All items of one month, of one order."""
    items, payment = sides
    lo, hi = payment[3], payment[4]
    n_values = 0
    for item in range(lo, hi):
        n_values += values[item] >= 0 and not _is_in(values[lo:item], values[item])
    for item in range(lo, hi):
        if values[item] < 0 or _is_in(values[lo:item], values[item]):
            continue
        alike = lo + np.nonzero(values[lo:hi] == values[item])[0]
        if len(alike) > 1 and len(alike) < hi - lo:
            try_set(items, payment, alike, (asked[0], asked[1], float(n_values)), (habits, False), found)


@kernel
def _search_free(items: Items, payment: Payment, asked: tuple[int, int], pools: Pools, found: Found) -> None:
    """Sets of up to four, or any of few items, where chance would hardly make one; else how many there may be."""
    line, pool = asked
    amount, _, _, lo, hi, _, _ = payment
    most = 1
    while most < 4 and pools.chance[pool, most + 1] < CHANCE_MOST:
        most += 1
    ascending, by_amount = items.ascending[lo:hi], items.by_amount[lo:hi]
    if most > 1:
        places, sizes = np.zeros((SINGLES_MOST + SETS_MOST, 4), np.int64), np.zeros(SINGLES_MOST + SETS_MOST, np.int64)
        count = find_few(ascending, (amount, amount), most, places, sizes)
        for row in range(count):
            n = sizes[row]
            if n > 1:
                chosen = np.sort(by_amount[places[row, :n]])
                add_explanation(found, (line, _free(n), _n_sets(hi - lo, n)), chosen, (EXACT, 0, 1))
    for n in range(most + 1, min(5, hi - lo + 1)):
        add_explanation(found, (line, _free(n), 1.0), by_amount[:0], (EXACT, 0, 0))
    if 4 < hi - lo <= ANY_ITEMS_MOST and pools.chance[pool, 5] < CHANCE_MOST:
        masks = np.zeros(SETS_MOST, dtype=np.uint64)
        for row in range(find_any(ascending, (amount, amount), hi - lo, masks)):
            chosen = np.sort(_chosen(masks[row], by_amount))
            if len(chosen) > 4:
                add_explanation(found, (line, FREE_MORE, _n_sets(hi - lo, len(chosen))), chosen, (EXACT, 0, 1))
    elif hi - lo > 4:
        add_explanation(found, (line, FREE_MORE, 1.0), by_amount[:0], (EXACT, 0, 0))


@kernel
def _free(n: int) -> int:
    return SINGLE if n == 1 else min(FREE_2 + n - 2, FREE_MORE)


@kernel
def _n_sets(n: int, k: int) -> float:
    """Binomial coefficient."""
    count = 1.0
    for taken in range(min(k, n - k)):
        count = count * (n - taken) / (taken + 1)
    return max(count, 1.0)


@kernel
def fill_chances(items: Items, pools: Pools) -> None:
    """Fill the expected number of sets that have one given sum: sets of a size, over the sums that they spread over."""
    for pool in range(len(pools.starts) - 1):
        amounts = items.ascending[pools.starts[pool] : pools.starts[pool + 1]]
        for n in range(2, 5):
            pools.chance[pool, n] = chance_of(amounts, n, np.inf)
        pools.chance[pool, 5] = any_chance_of(amounts)


@kernel
def any_chance_of(amounts: Integers) -> float:
    """Expected sets of any number of these amounts that have one given sum, as `chance_of`."""
    most = 0.0
    for grid in GRIDS:
        on_grid = amounts[amounts % grid == 0]
        if len(on_grid) > 0:
            spread = np.abs(on_grid).sum() // _grid_of(on_grid, grid) + 1
            most = max(most, 2.0 ** min(len(on_grid), 60) / spread)
    return most


@kernel
def chance_of(amounts: Integers, n: int, enough: float) -> float:
    """Expected sets of n of these amounts, ascending, that have one given sum: the most over those on a grid.

    A few round amounts among others make the same sums in many ways, whatever the others are. What is `enough` is not
    looked at further.
    """
    most = 0.0
    for grid in GRIDS:
        if most >= enough:
            break
        on_grid = amounts if grid == 1 else amounts[amounts % grid == 0]
        size = len(on_grid)
        if size >= n:
            # All of few are one set, whose sum might be any of the size of an amount.
            wide = max(on_grid[size - n :].sum() - on_grid[:n].sum(), on_grid[-1], -on_grid[0])
            most = max(most, _n_sets(size, n) / (wide // _grid_of(on_grid, grid) + 1))
    return most


@kernel
def _grid_of(amounts: Integers, least: int) -> int:
    """What all amounts, multiples of `least`, are multiples of."""
    grid = 0
    for amount in amounts:
        grid = _gcd(grid, abs(amount))
        if grid == least:
            break
    return max(grid, 1)


@kernel
def _gcd(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a
