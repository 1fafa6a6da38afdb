"""How good an assignment of records to entities is, against labels that are known to be true.

Two views, because they disagree where it matters: pairs weigh a large cluster by the square of its size, B-cubed weighs
every record alike. Both are computed from the contingency table of (found, true), never by listing pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from core.errors import SchemaError

# Labels are told apart by hash: among a hundred million, two that are taken for one occur once in 4,000 evaluations.
_LABEL_SEED, _OWN_SEED = 17, 29


@dataclass(frozen=True, slots=True)
class Score:
    """Precision, recall and their harmonic mean, each in [0, 1]."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Both scores and the counts behind them."""

    n_rows: int
    n_entities_found: int
    n_entities_true: int
    n_pairs_found: int
    n_pairs_true: int
    n_pairs_shared: int
    pairwise: Score
    b_cubed: Score


def evaluate_labels(found: pl.Series, true: pl.Series) -> Evaluation:
    """Compare two labellings of the same records.

    Args:
        found: (n,) label given to each record; any hashable dtype. Null: the record is an entity of its own.
        true: (n,) true label of each record, in the same order. Null: the record is an entity of its own.
    Returns:
        Scores and counts. With no pair found (or none true) there is nothing wrong (or nothing missed) and pairwise
        precision (or recall) is 1.0; with no record at all B-cubed is 1.0 too.
    Raises:
        SchemaError: the lengths differ.
    Cost: O(n) time, one hash aggregation.
    Source: B-cubed after Bagga & Baldwin (1998), LREC workshop on linguistic coreference.
    """
    if len(found) != len(true):
        raise SchemaError(
            f"found labels have {len(found)} rows, true labels {len(true)}; they must describe the same records",
            column="found",
            expected=len(true),
            got=len(found),
        )
    frame = pl.DataFrame({"found": _own_label(found), "true": _own_label(true)})
    cells = frame.group_by("found", "true").agg(pl.len().cast(pl.Int64).alias("cell"))
    cells = cells.with_columns(
        pl.col("cell").sum().over("found").alias("n_found"),
        pl.col("cell").sum().over("true").alias("n_true"),
    )
    found_sizes = cells.group_by("found").agg(pl.col("cell").sum())["cell"]
    true_sizes = cells.group_by("true").agg(pl.col("cell").sum())["cell"]
    shared, n_found, n_true = _pairs(cells["cell"]), _pairs(found_sizes), _pairs(true_sizes)
    return Evaluation(
        n_rows=len(frame),
        n_entities_found=len(found_sizes),
        n_entities_true=len(true_sizes),
        n_pairs_found=n_found,
        n_pairs_true=n_true,
        n_pairs_shared=shared,
        pairwise=_score(_ratio(shared, n_found), _ratio(shared, n_true)),
        b_cubed=_b_cubed(cells, len(frame)),
    )


def _own_label(labels: pl.Series) -> pl.Series:
    """64-bit hashes of the labels; of a null's row, so that no other record has it."""
    own = pl.int_range(len(labels), dtype=pl.Int64, eager=True).hash(seed=_OWN_SEED)
    return labels.hash(seed=_LABEL_SEED).zip_with(labels.is_not_null(), own)


def _pairs(sizes: pl.Series) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _score(precision: float, recall: float) -> Score:
    total = precision + recall
    return Score(precision, recall, 2 * precision * recall / total if total else 0.0)


def _b_cubed(cells: pl.DataFrame, n_rows: int) -> Score:
    if n_rows == 0:
        return Score(1.0, 1.0, 1.0)
    # Each of a cell's records shares cell/n_found of its cluster and cell/n_true of its entity. Sorted before summing:
    # group_by returns groups in any order, and a float sum depends on it in the last bit.
    squares = cells["cell"].cast(pl.Float64) ** 2
    precision = float((squares / cells["n_found"]).sort().sum()) / n_rows
    recall = float((squares / cells["n_true"]).sort().sum()) / n_rows
    return _score(precision, recall)
