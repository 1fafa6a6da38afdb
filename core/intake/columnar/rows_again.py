"""Bad rows of files that are read by columns, as JSON for the side file."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.intake.columnar.parquet_columns import collect
from core.intake.tables.block import objects_as_json

Longs = NDArray[np.int64]


class RowsAgain:
    """Rows of parts by their numbers. What was read of a bad row while it was checked is kept, so that only its other
    columns are read again: a column is packed in pages, and a few rows of it cost as much as all that lie between.

    parts: path, scan and names of the columns of each.
    """

    def __init__(self, parts: Sequence[tuple[Path, pl.LazyFrame, Sequence[str]]]) -> None:
        self._parts = parts
        self._kept: dict[int, dict[int, dict[str, Any]]] = {number: {} for number in range(len(parts))}

    def keep(self, number: int, read: pl.DataFrame, first: int, rows: Longs) -> None:
        """Keep some rows of what was read of a part. first: number of the first row of `read`. Cost: 5 us a row."""
        # As plain values: a frame of a few rows would hold the memory of all.
        self._kept[number] |= zip(rows.tolist(), read[rows - first].iter_rows(named=True), strict=True)

    def __call__(self, number: int, offsets: Sequence[int], _sizes: Sequence[int]) -> list[bytes]:
        """Rows of a part, each as a JSON object. Cost: one reading of the columns not kept, from the first row on."""
        _, _, names = self._parts[number]
        kept = self._kept[number]
        known = [kept.get(row, {}) for row in offsets]
        lacking = [name for name in names if any(name not in row for row in known)]
        if lacking:
            read = self._read(number, lacking, offsets).iter_rows(named=True)
            known = [row | more for row, more in zip(known, read, strict=True)]
        return objects_as_json({name: row[name] for name in names} for row in known)

    def _read(self, number: int, columns: Collection[str], offsets: Sequence[int]) -> pl.DataFrame:
        """Some columns of rows, in the order given: in one pass over what lies between them, a row group at a time."""
        path, scan, names = self._parts[number]
        rows = np.unique(np.asarray(offsets, dtype=np.int64))
        at = "#" * (1 + max(map(len, names)))
        span = scan.select(columns).slice(int(rows[0]), int(rows[-1] - rows[0]) + 1)
        numbered = span.with_row_index(at, offset=int(rows[0]))
        wanted = numbered.filter(pl.col(at).is_in(pl.Series(rows, dtype=pl.UInt32).implode()))
        frame = collect(wanted, path, streaming=True).sort(at).drop(at)
        return frame[np.searchsorted(rows, offsets)]
