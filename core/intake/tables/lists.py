"""Lists in a cell: their values behind each other, as people write several telephone numbers into one cell."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import polars as pl

from core.errors import SchemaError
from core.intake.columns import ColumnPlan, FieldHint

BETWEEN = "; "
# Kinds of fields of which a record may have several values.
SEVERAL = frozenset({"digits", "email"})


def joined_list(text: pl.Expr) -> pl.Expr:
    """Cells that hold a JSON list of texts and numbers as their values with `; ` between; other cells as they are."""
    is_list = text.str.starts_with("[") & text.str.ends_with("]")
    values = pl.when(is_list).then(text).str.json_decode(pl.List(pl.String))
    joined = values.list.drop_nulls().list.join(BETWEEN)
    return pl.when(is_list).then(pl.when(joined != "").then(joined)).otherwise(text)


def refuse_lists(path: Path, lists: Collection[str], plan: ColumnPlan, fields: Sequence[FieldHint]) -> None:
    """Refuse lists in the id and in fields of which a record has one value.

    Args:
        lists: columns that hold lists somewhere.
    Raises:
        SchemaError: names the column.
    """
    several = {field.name for field in fields if field.kind in SEVERAL}
    single = {plan.id_column} | {
        column for name, columns in plan.mapping.items() if name not in several for column in columns
    }
    for column in sorted(single.intersection(lists)):
        raise SchemaError(
            f"{path}: column {column!r} holds lists, but a record has one value there; "
            "write the value that counts as a text, or each value into a column of its own",
            path=str(path),
            column=column,
            expected="String",
            got="List",
        )
