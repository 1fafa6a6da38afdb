"""Rows of several sources, numbered one behind the other."""

from __future__ import annotations

import numpy as np
import pytest

from core.matching.records.sources import (
    WITHIN_ONE,
    across,
    boundaries_of,
    pairs_across,
    source_numbers,
)

ROWS = np.arange(6, dtype=np.uint32)


@pytest.mark.parametrize(
    ("sizes", "boundaries", "sources", "n_pairs"),
    [
        ([6], [], [0, 0, 0, 0, 0, 0], 0),
        ([2, 4], [2], [0, 0, 1, 1, 1, 1], 8),
        ([1, 2, 3], [1, 3], [0, 1, 1, 2, 2, 2], 11),
    ],
)
def test_boundaries_say_of_every_row_its_source(
    sizes: list[int], boundaries: list[int], sources: list[int], n_pairs: int
) -> None:
    found = boundaries_of(sizes)
    assert (found.tolist(), found.dtype) == (boundaries, np.int64)
    numbers = source_numbers(ROWS, found)
    assert (numbers.tolist(), numbers.dtype) == (sources, np.uint8)
    assert pairs_across(sizes) == n_pairs
    left, right = np.triu_indices(6, 1)
    apart = across(left.astype(np.uint32), right.astype(np.uint32), found)
    assert apart.tolist() == [sources[a] != sources[b] for a, b in zip(left, right, strict=True)]
    assert apart.sum() == n_pairs


def test_within_one_source_no_pair_is_of_two() -> None:
    assert not across(ROWS, ROWS[::-1], WITHIN_ONE).any()
    assert not source_numbers(ROWS, WITHIN_ONE).any()
