"""Shares of alternatives in all compatible choices, against all choices tried one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.workloads.invoices.rules.packing import Choices, Totals, add_up
from core.workloads.invoices.rules.reference import shares_together

N_ITEMS = 3
TAKEN = st.dictionaries(st.integers(0, N_ITEMS - 1), st.integers(1, 3), min_size=1, max_size=2)
ALTERNATIVES = st.lists(st.tuples(st.sampled_from([0.5, 0.3, 0.25, 0.125, 0.01]), TAKEN), max_size=3)
RECEIPTS = st.lists(ALTERNATIVES, min_size=1, max_size=4)


@given(RECEIPTS, st.lists(st.integers(0, 4), min_size=N_ITEMS, max_size=N_ITEMS))
def test_add_up_gives_the_shares_of_its_twin(
    receipts: list[list[tuple[float, dict[int, int]]]], room: list[int]
) -> None:
    # Something else is always possible.
    whole = [sorted([*found, (0.2, {})], key=lambda pair: -pair[0]) for found in receipts]
    choices = _choices(whole, room)
    totals = Totals(np.zeros(len(choices.weight)), np.zeros(1, dtype=np.bool_))
    add_up(choices, totals)
    true = shares_together(whole, dict(enumerate(room)))
    assert totals.exact.all()
    assert totals.share.tolist() == pytest.approx([share for shares in true for share in shares], abs=1e-6)
    assert choices.room.tolist() == room


def test_add_up_says_when_there_are_too_many_choices() -> None:
    # Thirty payments of one amount for forty items of it.
    receipts = [[(1 / 40, {item: 1}) for item in range(40)] + [(1e-9, {})] for _ in range(30)]
    choices = _choices(receipts, [1] * 40)
    totals = Totals(np.zeros(len(choices.weight)), np.zeros(1, dtype=np.bool_))
    add_up(choices, totals)
    assert not totals.exact.any()
    assert choices.room.tolist() == [1] * 40


def _choices(receipts: list[list[tuple[float, dict[int, int]]]], room: list[int]) -> Choices:
    alternatives = [alternative for found in receipts for alternative in found]
    sizes = [len(taken) for _, taken in alternatives]
    flat = [pair for _, taken in alternatives for pair in taken.items()]
    return Choices(
        components=np.array([0, len(receipts)], dtype=np.int64),
        receipts=np.cumsum([0, *(len(found) for found in receipts)]).astype(np.int64),
        weight=np.array([weight for weight, _ in alternatives]),
        starts=np.cumsum([0, *sizes]).astype(np.int64),
        item=np.array([item for item, _ in flat], dtype=np.int64),
        taken=np.array([amount for _, amount in flat], dtype=np.int64),
        room=np.array(room, dtype=np.int64),
    )
