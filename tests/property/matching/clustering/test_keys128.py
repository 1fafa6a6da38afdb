"""Keys of 128 bits: numbered and found as plain Python does it, shared first numbers included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.matching.clustering import keys128
from core.matching.clustering.keys128 import ABSENT, find_keys, number_keys

# Few numbers, so that keys share one or both; the largest, so that a search runs over the end of the table.
NUMBER = st.sampled_from([0, 1, 2**63, 2**64 - 2, 2**64 - 1])
KEYS = st.lists(st.tuples(NUMBER, NUMBER), max_size=60)


def keys_of(pairs: list[tuple[int, int]]) -> NDArray[np.uint64]:
    return np.array(pairs, dtype=np.uint64).reshape(-1, 2)


@given(KEYS)
def test_equal_keys_get_one_number_in_ascending_order(pairs: list[tuple[int, int]]) -> None:
    distinct, numbers = number_keys(keys_of(pairs))
    expected = sorted(set(pairs))
    assert [tuple(pair) for pair in distinct.tolist()] == expected
    assert numbers.tolist() == [expected.index(pair) + 1 for pair in pairs]


@given(KEYS, KEYS, st.integers(1, 3))
def test_keys_are_found_where_they_first_stand(
    wanted: list[tuple[int, int]], known: list[tuple[int, int]], threads: int
) -> None:
    found = find_keys(keys_of(wanted), keys_of(known), threads)
    assert found.tolist() == [known.index(pair) + 1 if pair in known else ABSENT for pair in wanted]


@pytest.mark.parametrize("n", [10, 11, 1000])
def test_the_table_has_room_whatever_the_number_of_keys(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys128, "SLOTS_MIN", 1)
    keys = np.random.default_rng(n).integers(0, 2**64, (n, 2), dtype=np.uint64)
    assert find_keys(keys[::-1].copy(), keys).tolist() == list(range(n, 0, -1))
    assert find_keys(keys ^ np.uint64(1), keys).tolist() == [ABSENT] * n
