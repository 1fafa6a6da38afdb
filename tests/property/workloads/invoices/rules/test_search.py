"""Sets beside named items, against all combinations tried one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.workloads.invoices.rules.explanations import (
    EXACT,
    KIND,
    N_COLUMNS,
    N_ITEMS,
    START,
    Found,
    Habits,
    Integers,
    Items,
)
from core.workloads.invoices.rules.reference import sets_beside
from core.workloads.invoices.rules.search import SETS_MOST, search_more

# Wide enough that chance makes few sets, and with twins, so that it makes some; credit notes among them.
AMOUNTS = st.lists(st.integers(-9_000, 90_000).map(lambda amount: amount * 7 or 7), min_size=3, max_size=8)


def _whole(*values: int) -> Integers:
    return np.array(values, dtype=np.int64)


def _sets(amounts: list[int], named: set[int], total: int) -> set[frozenset[int]]:
    """What is found beside the named of items that are due long after the payment."""
    n = len(amounts)
    given_amounts, none = _whole(*amounts), np.zeros(n, dtype=np.int64)
    order = np.lexsort((np.arange(n), given_amounts))
    items = Items(given_amounts, none, none, none + 99, none, none - 1, none - 1, order, given_amounts[order])
    pairs, seen = np.zeros((0, 2), dtype=np.int64), np.zeros((0, 3), dtype=np.int64)
    places = _whole(*sorted(named))
    habits = Habits(pairs, _whole(0), pairs, places, seen, seen)
    found = Found(np.zeros((2 * SETS_MOST, N_COLUMNS), np.int64), np.zeros(99, np.int64), np.zeros(2, np.int64))
    search_more(items, (total, 0, 0, 0, n, 0, 0), (places, 0, int(given_amounts[places].sum())), habits, found)
    heads = found.heads[: found.n[0]]
    assert (heads[:, KIND] == EXACT).all()
    return {frozenset(found.members[head[START] : head[START] + head[N_ITEMS]].tolist()) for head in heads}


@given(AMOUNTS, st.data())
def test_search_more_finds_what_its_twin_finds(amounts: list[int], data: st.DataObject) -> None:
    named = data.draw(st.sets(st.integers(0, len(amounts) - 1), min_size=1, max_size=3))
    more = data.draw(st.sets(st.integers(0, len(amounts) - 1), max_size=4)) - named
    total = sum(amounts[place] for place in named | more)
    if more and total != sum(amounts[place] for place in named):
        found, true = _sets(amounts, named, total), sets_beside(amounts, named, total)
        assert found == true if len(true) <= SETS_MOST else found < true


def test_search_more_finds_credit_notes_and_cut_off_numbers() -> None:
    amounts = [81_255, 120_010, 43_377, -10_019, -7_703, 95_112]
    assert _sets(amounts, {0}, 81_255 - 10_019 - 7_703) == {frozenset({0, 3, 4})}
    assert _sets(amounts, {0}, 81_255 + 120_010 + 43_377 + 95_112) == {frozenset({0, 1, 2, 5})}
    odd = [*amounts, 33_331, 101_299, 28_507]
    assert _sets(odd, {0}, sum(odd) - odd[2]) == {frozenset(range(9)) - {2}}


def test_search_more_finds_nothing_where_round_amounts_fit_in_many_ways() -> None:
    amounts = [81_255, 99_913, *range(5_000, 45_000, 5_000)]
    assert _sets(amounts, {0}, 81_255 + 20_000 + 25_001) == set()
    assert _sets(amounts, {0}, 81_255 + 60_000) == set(), "in seven ways, by two and more"
