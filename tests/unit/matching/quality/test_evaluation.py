"""Scores of an assignment: hand-computed cases."""

from __future__ import annotations

import polars as pl
import pytest

from core.errors import SchemaError
from core.matching.quality.evaluation import Evaluation, evaluate_labels


def _evaluate(found: list[str | None], true: list[str | None]) -> Evaluation:
    return evaluate_labels(pl.Series(found, dtype=pl.String), pl.Series(true, dtype=pl.String))


def test_evaluate_labels_counts_a_hand_worked_case() -> None:
    # found {1,2,3} {4,5}; true {1,2} {3,4,5}
    result = _evaluate(["a", "a", "a", "b", "b"], ["x", "x", "y", "y", "y"])
    assert (result.n_pairs_found, result.n_pairs_true, result.n_pairs_shared) == (4, 4, 2)
    assert (result.pairwise.precision, result.pairwise.recall, result.pairwise.f1) == (0.5, 0.5, 0.5)
    assert result.b_cubed.precision == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1) / 5)
    assert result.b_cubed.recall == pytest.approx((1 + 1 + 1 / 3 + 2 / 3 + 2 / 3) / 5)


def test_evaluate_labels_null_is_an_entity_of_its_own() -> None:
    result = _evaluate([None, None, "a"], ["x", "x", None])
    assert (result.n_entities_found, result.n_entities_true) == (3, 2)
    assert (result.pairwise.precision, result.pairwise.recall, result.pairwise.f1) == (1.0, 0.0, 0.0)


def test_evaluate_labels_without_rows_has_nothing_wrong() -> None:
    result = _evaluate([], [])
    assert result.pairwise.f1 == result.b_cubed.f1 == 1.0


def test_evaluate_labels_refuses_different_lengths() -> None:
    with pytest.raises(SchemaError, match="2 rows, true labels 1"):
        _evaluate(["a", "b"], ["x"])


def test_evaluate_labels_large_cluster_does_not_overflow() -> None:
    n = 200_000
    result = evaluate_labels(pl.Series([1] * n), pl.Series([1] * n))
    assert result.n_pairs_found == n * (n - 1) // 2
    assert result.b_cubed.f1 == 1.0
