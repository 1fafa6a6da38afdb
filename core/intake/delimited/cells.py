"""Fields of records as text, by a reader that cannot mistake them: quotes and delimiters are gone before it looks."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.errors import InputError
from core.intake.delimited.csv_records import Bytes, Longs, bytes_present, rewrite_records


def cells(array: Bytes, table: Longs, wanted: NDArray[np.bool_], signs: tuple[int, int]) -> pl.DataFrame:
    """The wanted fields of sound records: String, trimmed, empty as null, under names of no meaning.

    Args:
        array: the bytes that `table` (k, 6) of `scan_records` describes. wanted: one for each field a record has.
        signs: the bytes for delimiter and quote.
    """
    names = [f"column_{number}" for number in range(int(wanted.sum()))]
    schema = dict.fromkeys(names, pl.String)
    if not len(table):
        return pl.DataFrame(schema=schema)
    marks = _marks(array)
    if marks is None:
        halves = np.array_split(table, 2)
        if len(table) == 1:
            raise InputError("a record has every control character there is; this is no text")
        return pl.concat(
            cells(array[half[0, 0] : half[-1, 1]], _shifted(half), wanted, signs) for half in halves if len(half)
        )
    room = int((table[:, 1] - table[:, 0]).sum()) + len(table) * (len(names) + 1)
    out = np.empty(room, dtype=np.uint8)
    size = rewrite_records(array, table, wanted, (*signs, *marks), out)
    # Each field is followed by a mark, so there is an empty last column: it keeps a record of one empty field visible.
    frame = pl.read_csv(
        out[:size].tobytes(),
        has_header=False,
        separator=chr(marks[0]),
        eol_char=chr(marks[1]),
        quote_char=None,
        schema={**schema, "end": pl.String},
    )
    frame = frame.drop("end")
    # ASCII blanks are gone already; other alphabets have blanks of their own.
    return frame if array.max() < 128 else frame.select(_trimmed(name) for name in names)


def texts_of(array: Bytes, record: Longs, signs: tuple[int, int]) -> list[str]:
    """The fields of one record (1, 6), empty ones as such."""
    frame = cells(array, record, np.ones(int(record[0, 3]), dtype=bool), signs)
    return [value or "" for value in frame.row(0)]


def _marks(array: Bytes) -> tuple[int, int] | None:
    """Two control characters that do not occur, or None."""
    present = bytes_present(array)
    free = [code for code in (31, 30, 29, 28, *range(1, 9), *range(14, 28)) if not present[code]]
    return (free[0], free[1]) if len(free) > 1 else None


def _trimmed(name: str) -> pl.Expr:
    text = pl.col(name).str.strip_chars()
    return pl.when(text != "").then(text).alias(name)


def _shifted(table: Longs) -> Longs:
    moved = table.copy()
    moved[:, :2] -= table[0, 0]
    return moved
