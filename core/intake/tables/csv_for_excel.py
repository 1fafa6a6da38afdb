"""CSV as Excel opens it by a double click: UTF-8 with a mark, semicolons, and cells that it would compute escaped.

A cell that begins with = + - @, a tab or a carriage return gets an apostrophe before it; so does one that begins with
apostrophes and then such a sign, so that taking one away gives every cell back. Numbers have a decimal comma, as they
have where semicolons part the cells.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import polars as pl

DELIMITER = ";"
_MARK = b"\xef\xbb\xbf"
_COMPUTED, _ESCAPED = r"^'*[=+\-@\t\r]", r"^'+[=+\-@\t\r]"


def sink_csv_for_excel(frame: pl.LazyFrame, path: Path) -> None:
    """Write a frame, streamed."""
    text = [name for name, dtype in frame.collect_schema().items() if dtype == pl.String]
    escaped = frame.with_columns(
        pl.when(pl.col(name).str.contains(_COMPUTED)).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name)
        for name in text
    )
    escaped.sink_csv(path, separator=DELIMITER, include_bom=True, decimal_comma=True)


def unescaped(name: str) -> pl.Expr:
    """A column of text as it was before it was escaped."""
    column = pl.col(name)
    return pl.when(column.str.contains(_ESCAPED)).then(column.str.slice(1)).otherwise(column).alias(name)


def is_csv_for_excel(path: Path) -> bool:
    """Whether a CSV begins as ours for Excel do: with a mark, and a header in which semicolons part the names."""
    with path.open("rb") as file:
        head = file.readline(1 << 20)
    return head.startswith(_MARK) and head.count(DELIMITER.encode()) > head.count(b",")


def scan_csv_for_excel(path: Path, numbers: Collection[str] = ()) -> pl.LazyFrame:
    """All columns as text, unescaped; an empty cell is null. Columns of `numbers` get their decimal point back."""
    frame = pl.scan_csv(path, separator=DELIMITER, infer_schema=False)
    columns = []
    for name in frame.collect_schema().names():
        text = pl.col(name).str.replace(",", ".", literal=True).alias(name) if name in numbers else unescaped(name)
        columns.append(pl.when(pl.col(name) != "").then(text))
    return frame.with_columns(columns)
