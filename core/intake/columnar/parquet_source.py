"""Takes a Parquet file: read where it lies, or copied without its bad rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from core.errors import RowError, SchemaError
from core.intake.bad_rows import Quarantine
from core.intake.columnar.parquet_columns import as_text, collect, read_text, scan_trimmed
from core.intake.file_digest import file_digest
from core.intake.opening import Opening
from core.intake.row_checks import ORIGIN, Batch, Intake, Taken, stage

_SLICE_ROWS = 1 << 18
_INTEGERS = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)


def take_parquet(opening: Opening, quarantine: Quarantine) -> Taken:
    """Check every row, and stage the good ones if there are bad ones to set aside. Raises as `open_source`."""
    scan, types = scan_trimmed(opening.path)
    rows = int(collect(scan.select(pl.len()), opening.path).item())
    plan = opening.plan(list(types))
    for column in plan.needed:
        if types[column].is_nested() or types[column] == pl.Binary:
            raise SchemaError(
                f"{opening.path}: column {column!r} is {types[column]}; text, numbers and dates can be read",
                path=str(opening.path),
                column=column,
                expected="String",
                got=str(types[column]),
            )
    digest = opening.digest or file_digest(opening.path)
    id_dtype = types[plan.id_column] if types[plan.id_column] in _INTEGERS else pl.String()
    try:
        return Taken(_check_in_place(Intake(opening, plan, quarantine, unit="row"), scan, rows), digest, id_dtype, None)
    except RowError:
        if opening.bad_rows == "raise":
            raise

    def fill(folder: Path) -> Intake:
        again = _row_of(scan, opening.path)
        return _stage(Intake(opening, plan, quarantine, unit="row", raw=again, folder=folder), scan, rows)

    intake, folder = stage(opening.staging_dir, fill)
    return Taken(intake, digest, id_dtype, folder)


def _check_in_place(intake: Intake, scan: pl.LazyFrame, rows: int) -> Intake:
    """Check ids and dates of all rows, count the values in cells, and look in the other fields for any value."""
    plan = intake.plan
    for lo in range(0, rows, _SLICE_ROWS):
        looked_at = intake.dates.keys() | intake.counts.several.keys()
        names = [name for name in plan.mapping if name in looked_at or name not in intake.filled]
        part = replace(plan, mapping={name: plan.mapping[name] for name in names}, kept=())
        frame = read_text(scan.slice(lo, _SLICE_ROWS), part, intake.path)
        absent = [pl.lit(None, dtype=pl.String).alias(name) for name in plan.mapping if name not in names]
        intake.add(Batch(frame.with_columns(absent), _row_numbers(lo, len(frame))))

    def rows_of() -> pl.LazyFrame:
        numbered = scan.pipe(as_text, plan).select("id").with_row_index("line", offset=1)
        return numbered.select("id", pl.col("line").cast(pl.Int64), offset=pl.lit(0), bytes=pl.lit(0))

    intake.finish(rows_of)
    return intake


def _stage(intake: Intake, scan: pl.LazyFrame, rows: int) -> Intake:
    """Copy the good rows: a file with bad ones cannot be used in place."""
    for lo in range(0, rows, _SLICE_ROWS):
        frame = read_text(scan.slice(lo, _SLICE_ROWS), intake.plan, intake.path)
        intake.add(Batch(frame, _row_numbers(lo, len(frame))))
    intake.finish(intake.staged)
    return intake


def _row_of(scan: pl.LazyFrame, path: Path) -> Callable[[int, int], bytes]:
    """Reads one row again, as JSON."""

    def raw(offset: int, _size: int) -> bytes:
        row = collect(scan.slice(offset, 1), path).row(0, named=True)
        return json.dumps(row, default=str, ensure_ascii=False).encode()

    return raw


def _row_numbers(lo: int, count: int) -> pl.DataFrame:
    rows = np.arange(lo, lo + count)
    return pl.DataFrame({"line": rows + 1, "offset": rows, "bytes": np.zeros(count, dtype=np.int64)}, schema=ORIGIN)
