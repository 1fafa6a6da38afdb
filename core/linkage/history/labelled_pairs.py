"""Pairs of records that people gave a word each: a file with id_a, id_b and a column that says match or differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from core.errors import InputError, SchemaError
from core.intake.whole_columns import read_table

IDS = ("id_a", "id_b")
DECIDED: Mapping[str, str] = {"match": "match", "differ": "differ"}
OPEN = "review"
"""What stands in the column `decision` of OUT.pairs where nobody has decided; an empty cell says the same."""


@dataclass(frozen=True, slots=True)
class LabelledPairs:
    """Rows of the file in its order: `row` (1-based, without the header), id_a, id_b, decision, what else was asked.

    n_open: rows that name two records and no decision; they are left out.
    """

    pairs: pl.DataFrame
    n_open: int


def read_pairs(
    path: Path,
    column: str = "decision",
    words: Mapping[str, str] = DECIDED,
    others: Sequence[str] = (),
    *,
    equal_ids: bool = False,
) -> LabelledPairs:
    """Read and check pairs with a decision each.

    Args:
        column: the one that holds the word. words: what may stand there, in small letters, and what it means.
        others: further columns, null throughout where the file lacks them.
        equal_ids: both records may have one id, for they are of two sources.
    Raises:
        SchemaError: a column is missing. InputError: a row cannot be meant; says which.
    """
    frame = read_table(path)
    require_columns(frame, path, (*IDS, column))
    said = pl.col(column).str.to_lowercase()
    frame = frame.with_row_index("row", offset=1).select(
        "row",
        *IDS,
        said.alias("decision"),
        *(pl.col(name) if name in frame.columns else pl.lit(None, pl.String).alias(name) for name in others),
    )
    undecided = pl.col("decision").is_null() | (pl.col("decision") == OPEN)
    bad = frame.filter(
        pl.any_horizontal(pl.col(IDS).is_null())
        | (pl.lit(not equal_ids) & (pl.col("id_a") == pl.col("id_b")))
        | ~(undecided | pl.col("decision").is_in(list(words)))
    )
    if bad.height:
        # Where words stand for one another, people are told all of them.
        is_plain = all(word == meaning for word, meaning in words.items())
        meant = "match or differ" if is_plain else f"one of {', '.join(words)}"
        raise InputError(
            f"{path}, row {bad['row'][0]}: a decision names two different records, and its column {column!r} holds "
            f"{meant}, or nothing while it is open ({bad.height:,} rows do not)",
            path=str(path),
            row=bad["row"][0],
        )
    decided = frame.filter(~undecided).with_columns(pl.col("decision").replace_strict(words, return_dtype=pl.String))
    return LabelledPairs(decided, frame.height - decided.height)


def require_columns(frame: pl.DataFrame, path: Path, needed: Sequence[str]) -> None:
    """Raises SchemaError: one is missing; says which there are."""
    missing = [name for name in needed if name not in frame.columns]
    if missing:
        raise SchemaError(
            f"{path}: no column {', '.join(missing)}; there are: {', '.join(frame.columns)}",
            path=str(path),
            column=missing[0],
            expected=", ".join(needed),
            got=", ".join(frame.columns),
        )
