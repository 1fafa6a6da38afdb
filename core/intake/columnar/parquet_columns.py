"""Columns of a Parquet or Arrow file as text, under trimmed names."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import polars as pl

from core.errors import InputError
from core.intake.columns import ColumnPlan, check_header, joined, known
from core.intake.tables.lists import BETWEEN
from core.matching.text.string_views import is_tidy


def scan_trimmed(path: Path) -> tuple[pl.LazyFrame, dict[str, pl.DataType]]:
    """A Parquet or Arrow file under trimmed column names, and their types.

    Raises:
        InputError: it is damaged. SchemaError: two columns have one name.
    """
    try:
        scan = _scan(path)
        schema = scan.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _damaged(path, error) from None
    names = check_header(schema.names(), path)
    renamed = scan.rename(dict(zip(schema.names(), names, strict=True)))
    return renamed, dict(zip(names, schema.dtypes(), strict=True))


def _scan(path: Path) -> pl.LazyFrame:
    with path.open("rb") as file:
        head = file.read(6)
    if head.startswith(b"PAR1"):
        return pl.scan_parquet(path)
    # A stream has no table of contents, so it is read whole.
    return pl.scan_ipc(path) if head == b"ARROW1" else pl.read_ipc_stream(path).lazy()


def read_text(scan: pl.LazyFrame, plan: ColumnPlan, path: Path) -> pl.DataFrame:
    """`as_text` of all rows of a scan; columns that have nothing to trim are taken as they are."""
    return frame_as_text(read_raw(scan, plan, path), plan)


def read_raw(scan: pl.LazyFrame, plan: ColumnPlan, path: Path) -> pl.DataFrame:
    """The needed columns of all rows of a scan, as they are stored."""
    stored = _stored_names(scan)
    return collect(scan.select(stored[column] for column in plan.needed), path)


def frame_as_text(raw: pl.DataFrame, plan: ColumnPlan) -> pl.DataFrame:
    """`as_text` of what `read_raw` gives."""
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
    """One column as text: trimmed, empty as null; a list as its values with `; ` between."""
    if isinstance(dtype, pl.List):
        values = pl.col(name).list.eval(_text(pl.element(), pl.Series(dtype=dtype.inner).dtype))
        return known(values.list.drop_nulls().list.join(BETWEEN))
    return _text(pl.col(name), dtype)


def _text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype in (pl.Float32, pl.Float64):
        # Whole numbers that were stored as floats because some are missing: 2119.0 is the code 2119.
        whole = pl.when(column == column.round(0)).then(column).cast(pl.Int64, strict=False).cast(pl.String)
        return pl.coalesce(whole, column.cast(pl.String))
    if isinstance(dtype, pl.Decimal):
        # 62704.00 is the code 62704.
        text = column.cast(pl.String)
        return pl.when(text.str.contains(".", literal=True)).then(text.str.replace(r"\.?0+$", "")).otherwise(text)
    if isinstance(dtype, pl.Datetime):
        # A day as tools store it that have no type for days.
        text = column.cast(pl.String)
        return text.str.replace(r"\.0+(\D|$)", "${1}").str.replace(r" 00:00:00(\+00:00|Z| ?UTC)?$", "")
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
    return InputError(f"{path}: the file is cut short or damaged ({kind})", path=str(path), reason=kind)
