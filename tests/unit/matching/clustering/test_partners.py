"""Of linked sources: which accepted pairs are taken, what stood in the way of the others, and what a reference says."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from core.matching.clustering.contested import BY
from core.matching.clustering.partners import Answers, Choice, choose_partners, find_answers, lost_answers
from core.matching.edges import Edges
from core.matching.records.sources import boundaries_of
from core.matching.text.hashing import flat_bytes

Pair = tuple[int, int, float]


def edges_of(pairs: list[Pair]) -> Edges:
    left, right, bits = (list(each) for each in zip(*pairs, strict=True)) if pairs else ([], [], [])
    n = len(left)
    return Edges(
        np.array(left, dtype=np.uint32), np.array(right, dtype=np.uint32), np.array(bits, dtype=np.float32),
        np.zeros(n, dtype=np.float32), np.zeros(n, dtype=np.uint64), np.ones(n, dtype=np.uint32),
    )  # fmt: skip


def chosen(pairs: list[Pair], sizes: list[int], shared: tuple[int, ...] = (), told: tuple[int, ...] = ()) -> Choice:
    names = flat_bytes(pl.Series([f"{row:03d}" for row in range(sum(sizes))]))
    apart = np.isin(np.arange(len(pairs)), told)
    return choose_partners(edges_of(pairs), apart, boundaries_of(sizes), shared, 3.0, names)


def in_the_way(choice: Choice) -> list[tuple[int, int, int, int]]:
    lost = choice.lost
    return list(zip(*(each.tolist() for each in (lost.left, lost.right, lost.one, lost.other)), strict=True))


def test_a_lost_pair_names_the_better_partner_and_counts_it_in_its_alternatives() -> None:
    found = chosen([(0, 2, 9.0), (0, 3, 8.0), (1, 3, 2.0)], [2, 2])
    assert found.taken.tolist() == [True, False, True]
    assert in_the_way(found) == [(0, 3, 2, 3)]
    assert [BY[by] for by in found.lost.by] == ["partner"]
    assert found.lost.bits[0] == pytest.approx(8.0 - np.log2(1.0 + 2.0**9), abs=1e-5)
    assert found.better.tolist() == [1, 0]


def test_of_two_sources_the_sum_of_all_pairs_is_the_greatest_and_shared_ones_take_the_rest() -> None:
    pairs = [(0, 2, 9.0), (0, 3, 8.0), (1, 2, 7.0)]
    assert chosen(pairs, [2, 2]).taken.tolist() == [False, True, True]
    assert chosen(pairs, [2, 2], shared=(0,)).taken.tolist() == [True, True, False]
    assert chosen(pairs, [2, 2], shared=(1,)).taken.tolist() == [True, False, True]
    assert chosen(pairs, [2, 2], shared=(0, 1)).taken.tolist() == [True, True, True]
    assert chosen(pairs, [2, 2], shared=(0,)).better.tolist() == [0, 1]


def test_a_pair_is_lost_to_a_third_source_too() -> None:
    # 0-2 and 1-3 are taken, and 2 and 3 are of one source.
    found = chosen([(0, 1, 5.0), (0, 2, 9.0), (1, 3, 8.0)], [1, 1, 2])
    assert found.taken.tolist() == [False, True, True]
    assert in_the_way(found) == [(0, 1, 2, 3)]
    assert found.better.tolist() == [0, 0, 0]


def test_a_pair_that_a_field_tells_apart_takes_no_partner_away() -> None:
    found = chosen([(0, 2, 9.0), (0, 3, 5.0)], [2, 2], told=(0,))
    assert found.taken.tolist() == [True, True]
    assert len(found.lost.left) == 0


def test_nothing_to_choose_from_is_no_trouble() -> None:
    assert chosen([], [2, 2]).taken.tolist() == []
    assert chosen([], [2, 2, 1]).better.tolist() == [0, 0, 0]


@pytest.mark.parametrize("sizes", [[4, 4], [3, 3, 2]])
def test_of_equal_pairs_the_ids_decide_whatever_the_order_of_the_rows(sizes: list[int]) -> None:
    n = sum(sizes)
    firsts = [0, *boundaries_of(sizes).tolist(), n]
    source = np.repeat(np.arange(len(sizes)), sizes)
    pairs = [(a, b, 9.0) for a in range(n) for b in range(a + 1, n) if source[a] != source[b]]
    answers = set()
    for seed in range(4):
        rng = np.random.default_rng(seed)
        names = np.concatenate([lo + rng.permutation(hi - lo) for lo, hi in pairwise(firsts)])
        ids = flat_bytes(pl.Series([f"{name:03d}" for name in names]))
        none = np.zeros(len(pairs), dtype=np.bool_)
        taken = choose_partners(edges_of(pairs), none, boundaries_of(sizes), (), 3.0, ids).taken
        answers.add(
            frozenset((int(names[a]), int(names[b])) for (a, b, _), yes in zip(pairs, taken, strict=True) if yes)
        )
    assert len(answers) == 1


def answered(pairs: list[Pair], sizes: list[int], reference: int, told: tuple[int, ...] = ()) -> Answers:
    names = flat_bytes(pl.Series([f"{row:03d}" for row in range(sum(sizes))]))
    apart = np.isin(np.arange(len(pairs)), told)
    return find_answers(edges_of(pairs), apart, boundaries_of(sizes), reference, 3.0, names)


def test_the_answers_of_a_record_and_none_are_one_together() -> None:
    # Records 2, 3 and 4 are asked; 0 and 1 answer.
    found = answered([(0, 2, 9.0), (0, 3, 8.0), (1, 2, 2.0), (1, 3, 8.0), (1, 4, 300.0)], [2, 3], 0)
    assert (found.record.tolist(), found.answer.tolist()) == ([2, 2, 3, 3, 4], [0, 1, 0, 1, 1])
    assert found.given.tolist() == [True, False, False, False, True]
    odds = np.array([2.0**9, 2.0**2])
    shares = 1.0 / (1.0 + np.exp2(-found.bits.astype(np.float64)))
    assert shares[:2] == pytest.approx(odds / (1.0 + odds.sum()), abs=1e-6)
    assert shares[2:4] == pytest.approx(2.0**8 / (1.0 + 2.0**9), abs=1e-6)
    assert found.bits[4] == pytest.approx(300.0, abs=1e-3)


def test_two_answers_that_are_as_good_are_none_and_the_other_is_in_the_way() -> None:
    pairs = [(0, 2, 9.0), (0, 3, 9.0), (1, 2, 9.0), (1, 3, 5.0)]
    found = answered(pairs, [2, 2], 0)
    assert dict(zip(found.record[found.given].tolist(), found.answer[found.given].tolist(), strict=True)) == {3: 0}
    lost = lost_answers(edges_of(pairs), found, 3.0)
    said = [(BY[by], *map(int, rest)) for by, *rest in zip(lost.by, lost.left, lost.right, lost.one, strict=True)]
    assert sorted(said) == [("partner", 1, 3, 0), ("rival", 0, 2, 1), ("rival", 1, 2, 0)]


def test_the_reference_may_be_any_source_and_told_pairs_are_no_answer() -> None:
    found = answered([(0, 1, 9.0), (0, 2, 8.0), (1, 2, 7.0)], [1, 1, 1], 1, told=(0,))
    assert (found.edge.tolist(), found.record.tolist(), found.answer.tolist()) == ([2], [2], [1])
    assert len(answered([], [1, 1], 0).record) == 0
