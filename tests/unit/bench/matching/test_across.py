"""Only pairs across files count, unless there is one file."""

from __future__ import annotations

import polars as pl
import pytest

from core.bench.matching.across import evaluate_across, evaluate_pairs

TRUTH = pl.DataFrame(
    {"id": ["a1", "a2", "b1", "b2", "b3"], "true": ["x", "y", "x", "x", "z"], "source": [0, 0, 1, 1, 1]}
)


def test_pairs_within_a_file_do_not_count() -> None:
    entities = pl.DataFrame({"id": ["a1", "b1", "b2", "b3", "a2"], "entity_id": [1, 1, 1, 2, 2]})
    found = evaluate_across(entities, TRUTH)
    assert (found.n_pairs_shared, found.n_pairs_found, found.n_pairs_true) == (2, 3, 2)
    assert found.pairwise.precision == pytest.approx(2 / 3)
    assert found.pairwise.recall == 1.0


def test_pairs_of_one_file_all_count() -> None:
    truth = TRUTH.with_columns(source=pl.lit(0))
    found = evaluate_across(pl.DataFrame({"id": ["a1", "b1"], "entity_id": [1, 1]}), truth)
    assert (found.n_pairs_shared, found.n_pairs_found, found.n_pairs_true) == (1, 1, 3)


def test_named_pairs_count_instead_of_those_that_entities_imply() -> None:
    entities = pl.DataFrame({"id": TRUTH["id"], "entity_id": [1, 1, 1, 1, 1]})
    pairs = pl.DataFrame({"id_a": ["a1", "a2"], "id_b": ["b1", "b3"]})
    found = evaluate_pairs(pairs, entities, TRUTH)
    assert (found.n_pairs_shared, found.n_pairs_found, found.n_pairs_true) == (1, 2, 2)
    nothing = evaluate_pairs(pairs.clear(), entities, TRUTH)
    assert (nothing.pairwise.precision, nothing.pairwise.recall, nothing.pairwise.f1) == (1.0, 0.0, 0.0)
