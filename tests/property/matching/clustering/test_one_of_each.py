"""Entities of several sources hold one record of each, whatever the order of the rows."""

from __future__ import annotations

from collections.abc import Collection
from itertools import combinations, pairwise

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from core.matching import reference
from core.matching.clustering.one_of_each import one_of_each
from core.matching.edges import Edges
from core.matching.records.sources import boundaries_of, source_numbers
from core.matching.text.hashing import flat_bytes

SIZES = st.lists(st.integers(1, 4), min_size=2, max_size=4)
MATCH_BITS = 3.0


def edges_of(pairs: list[tuple[int, int, float]]) -> Edges:
    left, right, bits = (list(each) for each in zip(*pairs, strict=True)) if pairs else ([], [], [])
    n = len(left)
    return Edges(
        np.array(left, dtype=np.uint32), np.array(right, dtype=np.uint32), np.array(bits, dtype=np.float32),
        np.zeros(n, dtype=np.float32), np.zeros(n, dtype=np.uint64), np.ones(n, dtype=np.uint32),
    )  # fmt: skip


def chosen_of(
    pairs: list[tuple[int, int, float]], sizes: list[int], ids: list[str], shared: Collection[int] = ()
) -> list[bool]:
    flat = flat_bytes(pl.Series(ids, dtype=pl.String))
    return one_of_each(edges_of(pairs), boundaries_of(sizes), MATCH_BITS, flat, shared).tolist()


@st.composite
def linked(draw: st.DrawFn) -> tuple[list[int], list[tuple[int, int, float]]]:
    sizes = draw(SIZES)
    sources = source_numbers(np.arange(sum(sizes), dtype=np.uint32), boundaries_of(sizes)).tolist()
    possible = [(a, b) for a, b in combinations(range(len(sources)), 2) if sources[a] != sources[b]]
    pairs = draw(st.lists(st.sampled_from(possible), unique=True, max_size=16))
    return sizes, [(a, b, draw(st.integers(1, 6)) * 1.0) for a, b in sorted(pairs)]


@given(linked(), st.sets(st.integers(0, 3)), st.randoms(use_true_random=False))
def test_one_of_each_agrees_with_its_twin_and_knows_no_order_of_rows(
    case: tuple[list[int], list[tuple[int, int, float]]], shared: set[int], draw: object
) -> None:
    sizes, pairs = case
    boundaries = boundaries_of(sizes)
    sources = source_numbers(np.arange(sum(sizes), dtype=np.uint32), boundaries).tolist()
    ids = [f"{row:02d}" for row in range(len(sources))]
    chosen = chosen_of(pairs, sizes, ids, shared)
    accepted = sorted((pair for pair in pairs if pair[2] >= MATCH_BITS), key=lambda pair: (-pair[2], pair[0], pair[1]))
    twin = reference.one_of_each([pair[:2] for pair in accepted], sources, shared)
    expected = dict(zip(accepted, twin, strict=True))
    assert chosen == [expected.get(pair, True) for pair in pairs]

    # The rows of each source in another order: the same pairs of ids stay.
    rng = np.random.default_rng(draw.randrange(2**32))  # type: ignore[attr-defined]
    starts = [0, *boundaries.tolist(), len(sources)]
    moved = np.concatenate([first + rng.permutation(last - first) for first, last in pairwise(starts)])
    again = sorted((int(moved[a]), int(moved[b]), bits) for a, b, bits in pairs)
    names = [ids[int(np.flatnonzero(moved == row)[0])] for row in range(len(sources))]
    kept = {
        (names[a], names[b])
        for (a, b, _), yes in zip(again, chosen_of(again, sizes, names, shared), strict=True)
        if yes
    }
    assert kept == {(ids[a], ids[b]) for (a, b, _), yes in zip(pairs, chosen, strict=True) if yes}


def test_a_record_goes_to_the_entity_that_it_resembles_most() -> None:
    # a0-b1 and b1-c3 are one; a0 would bring c2 along, of whose source c3 is there already.
    pairs = [(0, 1, 9.0), (0, 2, 5.0), (1, 3, 8.0)]
    assert chosen_of(pairs, [1, 1, 2], ["a", "b", "c", "d"]) == [True, False, True]


def test_records_of_a_shared_source_have_several_partners_and_others_one() -> None:
    # Sources {0}, {1, 2}, {3, 4}; record 0 is like all, and 1-3 and 2-4 are like each other.
    pairs = [(0, 1, 9.0), (0, 2, 8.0), (0, 3, 7.0), (0, 4, 6.0), (1, 3, 5.0), (2, 4, 4.0)]
    ids, sizes = list("abcde"), [1, 2, 2]
    assert chosen_of(pairs, sizes, ids) == [True, False, True, False, True, True]
    assert chosen_of(pairs, sizes, ids, {0}) == [True] * 6
    # A partner of a record of the second source that is shared: one of each other source is there already.
    assert chosen_of(pairs, sizes, ids, {1}) == [True, False, True, True, True, False]
    assert chosen_of([(0, 2, 9.0), (1, 2, 8.0)], [2, 1], ids[:3], {0}) == [True, False]
    assert chosen_of([(0, 2, 9.0), (1, 2, 8.0)], [2, 1], ids[:3], {1}) == [True, True]


def test_edges_below_the_threshold_stay_and_join_nothing() -> None:
    pairs = [(0, 1, 2.0), (0, 2, 5.0), (1, 2, 4.0), (1, 3, 4.0)]
    assert chosen_of(pairs, [1, 1, 2], ["a", "b", "c", "d"]) == [True, True, True, False]
    assert chosen_of([], [1, 1, 2], ["a", "b", "c", "d"]) == []
