"""Entity ids over a rerun: who keeps which, and what the log says of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.matching import reference
from core.matching.clustering.continuity import UNPUBLISHED, carry, fresh_keys
from core.matching.clustering.entity_ids import entity_keys
from core.matching.text.hashing import flat_bytes

RECORDS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=40)


def carried(clusters: list[int], published: list[int], ages: list[int], ranks: list[int]) -> tuple[list[int], set[Any]]:
    found = carry(
        np.array(clusters, dtype=np.uint32),
        np.array(published, dtype=np.uint32),
        ages,
        # Ranks as the second number: the first is alike, as it is not once in a lifetime.
        np.array([[7, rank] for rank in ranks], dtype=np.uint64).reshape(-1, 2),
    )
    return found.kept.tolist(), set(found.changes.rows())


@given(RECORDS, st.lists(st.integers(0, 2), min_size=6, max_size=6), st.permutations(range(6)))
def test_carry_agrees_with_twin(records: list[tuple[int, int]], ages: list[int], ranks: list[int]) -> None:
    clusters, published = [c for c, _ in records], [p for _, p in records]
    assert carried(clusters, published, ages, ranks) == reference.carry(clusters, published, ages, ranks)


@given(RECORDS, st.lists(st.integers(0, 2), min_size=6, max_size=6))
def test_every_id_is_kept_once_or_its_end_is_logged(records: list[tuple[int, int]], ages: list[int]) -> None:
    clusters, published = [c for c, _ in records], [p for _, p in records]
    kept, changes = carried(clusters, published, ages, list(range(6)))
    held = [number for number in kept if number != UNPUBLISHED]
    assert len(held) == len(set(held))
    ended = {number for kind, _, number, _ in changes if kind in {"merge", "gone"}}
    assert ended | set(held) == set(range(1, 6))
    assert not ended & set(held)
    # A cluster without a kept id is new, or was split off.
    begun = {cluster for kind, cluster, _, _ in changes if kind in {"new", "split"}}
    assert {cluster for cluster, number in enumerate(kept) if number == UNPUBLISHED} <= begun


@given(RECORDS)
def test_same_partition_changes_nothing(records: list[tuple[int, int]]) -> None:
    clusters = [c for c, _ in records]
    present = sorted(set(clusters))
    dense = [present.index(c) for c in clusters]
    kept, changes = carried(dense, [c + 1 for c in dense], [0] * (len(present) + 1), list(range(len(present))))
    assert (kept, changes) == (list(range(1, len(present) + 1)), set())


@pytest.mark.parametrize(
    ("clusters", "published", "ages", "kept", "changes"),
    [
        pytest.param([0, 0, 0], [1, 2, 2], [0, 0, 0], [2], {("merge", 0, 1, 1)}, id="merge-keeps-the-larger"),
        pytest.param([0, 0], [1, 2], [0, 1, 0], [2], {("merge", 0, 1, 1)}, id="tie-goes-to-the-oldest"),
        pytest.param([0, 0], [1, 2], [0, 0, 0], [1], {("merge", 0, 2, 1)}, id="then-to-the-smallest"),
        pytest.param([0, 1, 1], [1, 1, 1], [0, 0], [0, 1], {("split", 0, 1, 1)}, id="largest-part-keeps-it"),
        pytest.param([0, 1], [1, 1], [0, 0], [1, 0], {("split", 1, 1, 1)}, id="equal-parts-first-named-keeps-it"),
        pytest.param(
            [0, 0, 0, 1, 1, 1], [1, 1, 1, 1, 1, 2], [0, 0, 0], [1, 2], {("split", 1, 1, 2)}, id="second-choice"
        ),
        pytest.param([0, 0], [0, 1], [0, 0], [1], set(), id="joined-by-a-new-record"),
        pytest.param([0], [0], [0, 0], [0], {("new", 0, None, None), ("gone", None, 1, None)}, id="new-and-gone"),
    ],
)
def test_carry_by_rule(
    clusters: list[int], published: list[int], ages: list[int], kept: list[int], changes: set[Any]
) -> None:
    assert carried(clusters, published, ages, list(range(max(clusters) + 1))) == (kept, changes)


def test_fresh_keys_are_never_taken_ones() -> None:
    texts = flat_bytes(pl.Series(["a", "b", "c"]))
    rows = np.arange(3, dtype=np.uint32)
    plain = entity_keys(rows, texts, "persons")
    assert np.array_equal(fresh_keys(rows, texts, "persons", plain[:0]), plain)
    once = fresh_keys(rows, texts, "persons", plain[[1]])
    assert (once == plain).all(axis=1).tolist() == [True, False, True]
    twice = fresh_keys(rows, texts, "persons", np.concatenate([plain[[1]], once[[1]]]))
    assert len({*map(tuple, [*plain.tolist(), once[1].tolist(), twice[1].tolist()])}) == 5
