"""How good an assignment of records to entities is, against labels that are known to be true.

Two views, because they disagree where it matters: pairs weigh a large cluster by the square of its size, B-cubed weighs
every record alike. Both are computed from the contingency table of (found, true), never by listing pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from core.errors import SchemaError

Counts = npt.NDArray[np.int64]

# Labels are told apart by hash: among a hundred million, two that are taken for one occur once in 4,000 evaluations.
_LABEL_SEED, _OWN_SEED = 17, 29
# Odd factors that make one label of two; those are hashes already.
_FOUND_FACTOR, _TRUE_FACTOR = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)


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
    Cost: three sorts of n labels; about 40 bytes a record beside the labels.
    Source: B-cubed after Bagga & Baldwin (1998), LREC workshop on linguistic coreference.
    """
    if len(found) != len(true):
        raise SchemaError(
            f"found labels have {len(found)} rows, true labels {len(true)}; they must describe the same records",
            column="found",
            expected=len(true),
            got=len(found),
        )
    found_labels, true_labels = (_own_label(labels).to_numpy() for labels in (found, true))
    # A cell of the contingency table is a label too: of the records that share the found one and the true one.
    cells = found_labels * _FOUND_FACTOR + true_labels * _TRUE_FACTOR
    (found_sizes, of_found), (true_sizes, of_true), (cell_sizes, of_cell) = map(
        _sizes, (found_labels, true_labels, cells)
    )
    shared, n_found, n_true = map(_pairs, (cell_sizes, found_sizes, true_sizes))
    return Evaluation(
        n_rows=len(found),
        n_entities_found=len(found_sizes),
        n_entities_true=len(true_sizes),
        n_pairs_found=n_found,
        n_pairs_true=n_true,
        n_pairs_shared=shared,
        pairwise=_score(_ratio(shared, n_found), _ratio(shared, n_true)),
        b_cubed=_score(_mean_share(of_cell, of_found), _mean_share(of_cell, of_true)),
    )


def _own_label(labels: pl.Series) -> pl.Series:
    """64-bit hashes of the labels; of a null's row, so that no other record has it."""
    own = pl.int_range(len(labels), dtype=pl.Int64, eager=True).hash(seed=_OWN_SEED)
    return labels.hash(seed=_LABEL_SEED).zip_with(labels.is_not_null(), own)


def _sizes(labels: npt.NDArray[np.uint64]) -> tuple[Counts, npt.NDArray[np.uint32]]:
    """Records of each label, in the labels' order; and for each record, how many have its label."""
    n = len(labels)
    order = pl.Series(labels).arg_sort().to_numpy()
    ordered = labels[order]
    starts = np.flatnonzero(np.concatenate(([n > 0], ordered[1:] != ordered[:-1])))
    sizes = np.diff(starts, append=n)
    each = np.empty(n, dtype=np.uint32)
    each[order] = np.repeat(sizes.astype(np.uint32), sizes)
    return sizes, each


def _pairs(sizes: Counts) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _score(precision: float, recall: float) -> Score:
    total = precision + recall
    return Score(precision, recall, 2 * precision * recall / total if total else 0.0)


def _mean_share(cell: npt.NDArray[np.uint32], whole: npt.NDArray[np.uint32]) -> float:
    """Mean over the records of the share that their cell is of their cluster (or entity); 1.0 without records."""
    if not len(cell):
        return 1.0
    # There are few different shares; in their order the sum is the same to the last bit, whatever that of the records.
    shares = pl.DataFrame({"cell": cell, "whole": whole}).group_by("cell", "whole").len().sort("cell", "whole")
    return float((shares["cell"].cast(pl.Float64) * shares["len"] / shares["whole"]).sum()) / len(cell)
