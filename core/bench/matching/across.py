"""How good a linking is: only pairs of records from different files count, or all pairs where there is one file."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from core.matching.quality.evaluation import Evaluation, Score, evaluate_labels


def evaluate_across(entities: pl.DataFrame, truth: pl.DataFrame) -> Evaluation:
    """Entities as found against the truth.

    Args:
        entities: id and entity_id; a record that was left out is an entity of its own.
        truth: id, true and source, the number of the file; ids differ across files.
    Returns:
        As `evaluate_labels`, with the pairs across files alone where there are several; B-cubed is of all records.
    """
    joined = truth.join(entities.select("id", pl.col("entity_id").cast(pl.String)), on="id", how="left")
    whole = evaluate_labels(joined["entity_id"], joined["true"])
    if joined["source"].n_unique() < 2:
        return whole
    within = [evaluate_labels(one["entity_id"], one["true"]) for one in joined.partition_by("source")]
    shared, found, true = (
        getattr(whole, name) - sum(getattr(one, name) for one in within)
        for name in ("n_pairs_shared", "n_pairs_found", "n_pairs_true")
    )
    return _with_counts(whole, shared, found, true)


def evaluate_pairs(pairs: pl.DataFrame, entities: pl.DataFrame, truth: pl.DataFrame) -> Evaluation:
    """As `evaluate_across`, with the pairs that a system names instead of those that its entities imply.

    pairs: id_a and id_b, each pair once.
    """
    implied = evaluate_across(entities, truth)
    labels = truth.select("id", "true")
    joined = pairs.join(labels, left_on="id_a", right_on="id").join(labels, left_on="id_b", right_on="id", suffix="_b")
    shared = int((joined["true"] == joined["true_b"]).sum())
    return _with_counts(implied, shared, len(pairs), implied.n_pairs_true)


def _with_counts(evaluation: Evaluation, shared: int, found: int, true: int) -> Evaluation:
    precision, recall = (shared / found if found else 1.0), (shared / true if true else 1.0)
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    score = Score(precision, recall, f1)
    return replace(evaluation, n_pairs_shared=shared, n_pairs_found=found, n_pairs_true=true, pairwise=score)
