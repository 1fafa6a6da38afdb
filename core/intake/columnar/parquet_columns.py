"""Columns of a Parquet file as text, under trimmed names."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import polars as pl

from core.errors import InputError
from core.intake.columns import ColumnPlan, check_header, joined, known
from core.matching.text.string_views import is_tidy


def scan_trimmed(path: Path) -> tuple[pl.LazyFrame, dict[str, pl.DataType]]:
    """A Parquet file under trimmed column names, and their types.

    Raises:
        InputError: it is damaged. SchemaError: two columns have one name.
    """
    scan = pl.scan_parquet(path)
    try:
        schema = scan.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _damaged(path, error) from None
    names = check_header(schema.names(), path)
    renamed = scan.rename(dict(zip(schema.names(), names, strict=True)))
    return renamed, dict(zip(names, schema.dtypes(), strict=True))


def read_text(scan: pl.LazyFrame, plan: ColumnPlan, path: Path) -> pl.DataFrame:
    """`as_text` of all rows of a scan; columns that have nothing to trim are taken as they are."""
    stored = _stored_names(scan)
    raw = collect(scan.select(stored[column] for column in plan.needed), path)
    tidy = {name for name in raw.columns if raw[name].dtype == pl.String and is_tidy(raw[name])}
    return raw.lazy().pipe(as_text, plan, tidy).collect()


def as_text(scan: pl.LazyFrame, plan: ColumnPlan, tidy: Collection[str] = ()) -> pl.LazyFrame:
    """`id` and the mapped fields as text: trimmed, empty as null, several columns joined with a space."""
    schema, stored = scan.collect_schema(), _stored_names(scan)
    texts = {
        column: pl.col(stored[column]) if stored[column] in tidy else text_of(stored[column], schema[stored[column]])
        for column in plan.needed
    }
    return scan.select(**joined(texts, plan))


def _stored_names(scan: pl.LazyFrame) -> dict[str, str]:
    """Names in the file by trimmed name: headers may carry blanks, but the plan knows trimmed names only."""
    return {name.strip(): name for name in scan.collect_schema().names()}


def text_of(name: str, dtype: pl.DataType) -> pl.Expr:
    """One column as text: trimmed, empty as null."""
    column = pl.col(name)
    if dtype.is_float():
        # Whole numbers that were stored as floats because some are missing: 2119.0 is the code 2119.
        whole = pl.when(column == column.round(0)).then(column).cast(pl.Int64, strict=False).cast(pl.String)
        return pl.coalesce(whole, column.cast(pl.String))
    return known(column.cast(pl.String).str.strip_chars())


def collect(frame: pl.LazyFrame, path: Path, *, streaming: bool = False) -> pl.DataFrame:
    """What a scan gives. Raises InputError: the file was cut or damaged."""
    try:
        return frame.collect(engine="streaming" if streaming else "auto")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> InputError:
    # The cause may quote a cell, so only its kind is told.
    kind = type(error).__name__
    return InputError(f"{path}: the Parquet file is cut short or damaged ({kind})", path=str(path), reason=kind)
