"""Rows of integers and one string in COPY's binary format; no Python object per row.

Only for frames whose last column is a string and whose others are integers, none of them null: the queue's items and
results. Everything else goes as text.

Layout of a row: number of fields (2 bytes), then per field its length (4 bytes) and its bytes, all big-endian. All but
the string's bytes has a fixed width, so polars joins the strings with gaps of that width (one pass over the text, the
bulk of the work), and numpy fills in those bytes of the gaps that are not zero.
Source: PostgreSQL documentation, COPY, "Binary Format".
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

# Signature, flags, length of the extension.
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

_WIDTH: Mapping[pl.DataType, int] = {pl.Int16(): 2, pl.Int32(): 4, pl.Int64(): 8}


def fits(frame: pl.DataFrame) -> bool:
    """True if the frame, which has columns, can go this way. Cost: null counts, which polars keeps."""
    if any(column.null_count() for column in frame):
        return False
    *integers, text = frame.dtypes
    return text == pl.String and all(dtype in _WIDTH for dtype in integers)


def render(part: pl.DataFrame) -> bytearray:
    """The rows without HEADER and TRAILER. About 0.2 microseconds a row of 200 bytes."""
    *integers, text = part.get_columns()
    gap = _gap([_WIDTH[column.dtype] for column in integers])
    rows = bytearray(gap + text.str.join(gap).item(), "utf-8")
    seen = np.frombuffer(rows, dtype=np.uint8)
    lengths = text.str.len_bytes().to_numpy().astype(np.int64)
    starts = np.cumsum(lengths + len(gap)) - lengths - len(gap)
    # Where each value ends within the gap: behind the field count, and behind its own length.
    end = 2
    for column in integers:
        end += 4 + _WIDTH[column.dtype]
        _fill(seen, starts + end, column.to_numpy(), _WIDTH[column.dtype])
    _fill(seen, starts + len(gap), lengths, 4)
    return rows


def _gap(widths: list[int]) -> str:
    """What stands before each string, with zeros for the values: every byte is below 128, hence text to polars."""
    fields = [width.to_bytes(4, "big") + bytes(width) for width in widths]
    return ((len(widths) + 1).to_bytes(2, "big") + b"".join(fields) + bytes(4)).decode("ascii")


def _fill(rows: NDArray[np.uint8], ends: NDArray[np.int64], values: NDArray[np.integer], width: int) -> None:
    """Write big-endian integers that end before `ends`; leading bytes that are zero everywhere are there already."""
    largest = width if values.min() < 0 else (int(values.max()).bit_length() + 7) // 8
    for back in range(largest):
        rows[ends - back - 1] = (values >> (8 * back)).astype(np.uint8)
