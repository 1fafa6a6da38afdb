"""A table as a workbook (.xlsx) with one sheet: written row by row, so that memory does not grow with it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from core.errors import InputError

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

SUFFIX = ".xlsx"
ROWS_MAX = 1_048_575
"""Rows that a sheet holds below its header."""
COLUMNS_MAX, CHARACTERS_MAX = 16_384, 32_767
_COMPUTED = ("=", "+", "-", "@", "\t", "\r")
_BATCH_ROWS = 10_000
_WIDTH_MIN, _WIDTH_MAX = 8, 40
# The same table gives the same bytes.
_CREATED = datetime.fromisoformat("2000-01-01")
_INTEGERS_EXACT = 2**53


def check_rows(n_rows: int, path: Path) -> None:
    """Refuse more rows than a sheet holds. Raises InputError: says how many, and what holds them."""
    if n_rows > ROWS_MAX:
        raise InputError(
            f"{path}: a sheet holds {ROWS_MAX:,} rows below its header, and these are {n_rows:,}; "
            "name a file that ends in .csv or .parquet",
            path=str(path),
            rows=n_rows,
            limit=ROWS_MAX,
        )


def write_workbook(
    frame: pl.LazyFrame, part: Path, path: Path, choices: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Write a frame; text stays text, whatever it looks like, and numbers and truth values are numbers and words.

    A cell that Excel would compute if somebody edited it is marked as text, as an apostrophe typed before it does.

    Args:
        part: the file written, beside `path`, its name in the end, which errors say.
        choices: what may be chosen from a list in the cells of some columns.
    Raises:
        InputError: more rows, columns or characters in a cell than a sheet holds.
    Cost: about 13 us a cell; the rows go through a private file beside it.
    """
    from xlsxwriter import Workbook

    names = frame.collect_schema().names()
    if len(names) > COLUMNS_MAX:
        raise InputError(f"{path}: a sheet holds {COLUMNS_MAX:,} columns, and these are {len(names):,}", path=str(path))
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as scratch:
        book = Workbook(part, {"constant_memory": True, "tmpdir": scratch})
        book.set_properties({"created": _CREATED})
        sheet = book.add_worksheet()
        computed = book.add_format({"num_format": "@", "quote_prefix": True})
        # What a refusal leaves open, a closed book has closed.
        with closing(sheet.row_data_fh):
            n_rows = _write_batches(sheet, frame, computed, path)
            _offer(sheet, {names.index(name): words for name, words in (choices or {}).items()}, n_rows)
            sheet.autofilter(0, 0, n_rows, len(names) - 1)
            book.close()


def _write_batches(sheet: Worksheet, frame: pl.LazyFrame, computed: Any, path: Path) -> int:
    """Write header and rows; returns how many rows."""
    n_rows = 0
    for batch in frame.collect_batches(chunk_size=_BATCH_ROWS, maintain_order=True):
        if n_rows == 0:
            _begin(sheet, batch)
        check_rows(n_rows + batch.height, path)
        _write_rows(sheet, batch, n_rows + 1, computed, path)
        n_rows += batch.height
    if n_rows == 0:
        _begin(sheet, pl.DataFrame(schema=dict.fromkeys(frame.collect_schema(), pl.String)))
    return n_rows


def _offer(sheet: Worksheet, choices: Mapping[int, Sequence[str]], n_rows: int) -> None:
    """A list to choose from in the cells of some columns."""
    for column, words in choices.items():
        sheet.data_validation(1, column, max(n_rows, 1), column, {"validate": "list", "source": list(words)})


def _begin(sheet: Worksheet, batch: pl.DataFrame) -> None:
    """The header, which stays in sight, and columns as wide as the first rows need."""
    sheet.freeze_panes(1, 0)
    for at, name in enumerate(batch.columns):
        longest = batch[name].head(100).cast(pl.String, strict=False).str.len_chars().max()
        width = max(len(name), longest if isinstance(longest, int) else 0) + 2
        sheet.set_column(at, at, min(max(width, _WIDTH_MIN), _WIDTH_MAX))
    for at, name in enumerate(batch.columns):
        sheet.write_string(0, at, name)


def _write_rows(sheet: Worksheet, batch: pl.DataFrame, first: int, computed: Any, path: Path) -> None:
    """Write cells in the order of the rows: earlier ones are on the disk already."""
    for at, row in enumerate(_plain(batch).iter_rows(), first):
        for column, value in enumerate(row):
            if isinstance(value, int | float):
                sheet.write_number(at, column, value)
            elif value and sheet.write_string(at, column, value, computed if value.startswith(_COMPUTED) else None):
                raise InputError(
                    f"{path}, row {at}, column {batch.columns[column]!r}: a cell of a sheet holds {CHARACTERS_MAX:,} "
                    f"characters, and this has {len(value):,}; name a file that ends in .csv or .parquet",
                    path=str(path),
                    row=at,
                    column=batch.columns[column],
                )


def _plain(batch: pl.DataFrame) -> pl.DataFrame:
    """Numbers as such where a sheet holds them exactly, everything else as text."""
    columns = []
    for name, dtype in batch.schema.items():
        column = pl.col(name)
        if dtype == pl.Float32:
            # By its digits: 1.1 is 1.1 in a sheet too.
            column = column.cast(pl.String).cast(pl.Float64)
        elif not dtype.is_float() and not (dtype.is_integer() and _exact(batch[name])):
            column = column.cast(pl.String)
        columns.append(column)
    return batch.select(columns)


def _exact(column: pl.Series) -> bool:
    values = [value for value in (column.min(), column.max()) if isinstance(value, int)]
    return all(-_INTEGERS_EXACT <= value <= _INTEGERS_EXACT for value in values)


def read_workbook(path: Path) -> pl.DataFrame:
    """The first sheet of a workbook that we wrote: all columns as text, an empty cell as null.

    Raises:
        InputError: it is no workbook, or damaged.
    Cost: the sheet in memory.
    """
    import fastexcel

    try:
        sheet = fastexcel.read_excel(path).load_sheet(0, dtypes="string").to_polars()
    except fastexcel.FastExcelError as error:
        # The cause may quote a cell, so only its kind is told.
        kind = type(error).__name__
        raise InputError(f"{path}: cannot be read as a workbook ({kind})", path=str(path), reason=kind) from None
    return sheet.select(pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in sheet.columns)


def is_workbook(path: Path) -> bool:
    """Whether it is called so."""
    return path.suffix.lower() == SUFFIX
