"""Counts of ranges under one vocabulary, against numpy's weighted histogram."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.matching.records.vocabulary import add_counts

PAIRS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1000)), max_size=40)


@given(st.lists(PAIRS, max_size=4))
def test_add_counts_equals_the_histogram_of_all_ranges(ranges: list[list[tuple[int, int]]]) -> None:
    totals = np.zeros(10, dtype=np.uint32)
    for pairs in ranges:
        places, counts = np.array(pairs, dtype=np.uint32).reshape(-1, 2).T.copy()
        add_counts(places, counts, totals)
    every = np.array([pair for pairs in ranges for pair in pairs], dtype=np.int64).reshape(-1, 2)
    assert totals.tolist() == np.bincount(every[:, 0], weights=every[:, 1], minlength=10).astype(int).tolist()
