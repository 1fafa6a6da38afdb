"""The contingency counts agree with counting every pair."""

from __future__ import annotations

from itertools import combinations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.matching.quality.evaluation import evaluate_labels

Label = int | None
LABELLED = st.lists(st.tuples(st.none() | st.integers(0, 5), st.none() | st.integers(0, 5)), max_size=40)


def _same(left: Label, right: Label) -> bool:
    return left is not None and left == right


def _pairs_slowly(labels: list[Label]) -> set[tuple[int, int]]:
    return {(i, j) for i, j in combinations(range(len(labels)), 2) if _same(labels[i], labels[j])}


def _cluster_slowly(labels: list[Label], row: int) -> set[int]:
    return {other for other in range(len(labels)) if other == row or _same(labels[other], labels[row])}


def _b_cubed_slowly(of: list[Label], against: list[Label]) -> float:
    shares = []
    for row in range(len(of)):
        own, other = _cluster_slowly(of, row), _cluster_slowly(against, row)
        shares.append(len(own & other) / len(own))
    return sum(shares) / len(shares) if shares else 1.0


@given(LABELLED)
def test_evaluate_labels_agrees_with_enumeration(rows: list[tuple[Label, Label]]) -> None:
    found, true = [row[0] for row in rows], [row[1] for row in rows]
    result = evaluate_labels(pl.Series(found, dtype=pl.Int64), pl.Series(true, dtype=pl.Int64))
    pairs_found, pairs_true = _pairs_slowly(found), _pairs_slowly(true)
    shared = len(pairs_found & pairs_true)
    assert (result.n_pairs_found, result.n_pairs_true) == (len(pairs_found), len(pairs_true))
    assert result.n_pairs_shared == shared
    assert result.pairwise.precision == (shared / len(pairs_found) if pairs_found else 1.0)
    assert result.pairwise.recall == (shared / len(pairs_true) if pairs_true else 1.0)
    assert result.b_cubed.precision == pytest.approx(_b_cubed_slowly(found, true))
    assert result.b_cubed.recall == pytest.approx(_b_cubed_slowly(true, found))


@given(LABELLED)
def test_evaluate_labels_swapping_sides_swaps_precision_and_recall(rows: list[tuple[Label, Label]]) -> None:
    found, true = pl.Series([r[0] for r in rows], dtype=pl.Int64), pl.Series([r[1] for r in rows], dtype=pl.Int64)
    one, other = evaluate_labels(found, true), evaluate_labels(true, found)
    assert one.pairwise.precision == other.pairwise.recall
    assert one.b_cubed.recall == other.b_cubed.precision
    assert one.pairwise.f1 == pytest.approx(other.pairwise.f1)
