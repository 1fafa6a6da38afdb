"""Subset sums against all combinations, tried one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.workloads.invoices.rules.reference import subsets_of
from core.workloads.invoices.rules.subset_sums import subset_sums

# Few values, so that many sets fit; credit notes among them.
AMOUNTS = st.lists(st.one_of(st.integers(-60, 60), st.sampled_from([10, 20, 30, -10])), max_size=9)


@given(AMOUNTS, st.integers(-80, 150), st.sampled_from([0, 0, 3, 25]), st.integers(1, 9))
def test_subset_sums_finds_what_its_twin_finds(amounts: list[int], lo: int, width: int, most_items: int) -> None:
    true = subsets_of(amounts, lo, lo + width, most_items)
    given_amounts = np.array(amounts, dtype=np.int64)
    every = subset_sums(given_amounts, lo, lo + width, most_items, most=600)
    assert (set(every.masks), every.count, every.exact) == (true, len(true), True)
    two = subset_sums(given_amounts, lo, lo + width, most_items)
    assert two.count == min(2, len(true))
    assert len(set(two.masks)) == two.count
    assert set(two.masks) <= true


def test_subset_sums_says_when_larger_sets_were_not_looked_at() -> None:
    amounts = np.full(41, 2, dtype=np.int64)
    assert subset_sums(amounts, 10, 10, 41) == subset_sums(amounts, 10, 10, 5)
    assert subset_sums(amounts, 10, 10, 5).exact is False
    assert subset_sums(amounts, 10, 10, 4).exact is True
