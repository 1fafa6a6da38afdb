"""Takes Parquet, read where it lies, or copied without its bad rows; and Arrow, copied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.errors import SchemaError
from core.intake.bad_rows import Quarantine
from core.intake.checks.row_checks import ORIGIN, Batch, Intake, Taken, stage
from core.intake.checks.set_aside import too_many
from core.intake.columnar.parquet_columns import as_text, collect, frame_as_text, read_raw, read_text, scan_trimmed
from core.intake.columnar.rows_again import RowsAgain
from core.intake.columns import ColumnPlan
from core.intake.file_kind import kind_of
from core.intake.opening import Opening
from core.intake.tables.lists import refuse_lists
from core.intake.tables.part_files import PartFile, input_digest, refuse_others

_SLICE_ROWS = 1 << 18
_INTEGERS = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)


@dataclass(frozen=True, slots=True)
class _Part:
    """One file of the input: its columns under trimmed names, with what its folders say."""

    path: Path
    scan: pl.LazyFrame
    types: dict[str, pl.DataType]
    rows: int


def take_parquet(opening: Opening, quarantine: Quarantine) -> Taken:
    """Check every row, and stage the good ones if there are too many bad ones to set aside. Raises as `open_source`.

    Arrow is staged in any case, and so is what folders say: what is read where it lies is read by its columns alone.
    """
    parts = [_open(part) for part in opening.parts]
    for part in parts[1:]:
        refuse_others(part.path, set(part.types), parts[0].path, set(parts[0].types))
    plan = opening.plan(list(parts[0].types))
    for part in parts:
        _refuse_types(part, plan, opening)
    digest = opening.digest or input_digest(opening.parts)
    id_dtype = _id_dtype(parts, plan)
    kind = kind_of(parts[0].path)
    detected = {"format": "Parquet" if kind == "parquet" else "Arrow"}
    said = {column for part in opening.parts for column in part.values}
    if kind == "parquet" and said.isdisjoint(plan.needed):
        again = _rows_again(parts)
        intake = Intake(opening, plan, quarantine, unit="row", raws=again)
        if _check_in_place(intake, parts, again):
            left_out = intake.aside.left_out()
            intake.aside.write()
            places = tuple(
                (str(part.path.absolute()), part.rows - len(left), tuple(left.tolist()))
                for part, left in zip(parts, left_out, strict=True)
                if part.rows > len(left)
            )
            return Taken(
                intake,
                digest,
                id_dtype,
                None,
                detected,
                places=tuple((path, rows) for path, rows, _ in places),
                left_out=tuple(left for _, _, left in places) if intake.aside.count else (),
            )

    def fill(folder: Path) -> Intake:
        return _stage(Intake(opening, plan, quarantine, unit="row", raws=_rows_again(parts), folder=folder), parts)

    intake, folder = stage(opening.staging_dir, fill)
    return Taken(intake, digest, id_dtype, folder, detected)


def _open(part: PartFile) -> _Part:
    scan, types = scan_trimmed(part.path)
    rows = int(collect(scan.select(pl.len()), part.path).item())
    values = {name: value for name, value in part.values.items() if name not in types}
    scan = scan.with_columns(**{name: pl.lit(value, dtype=pl.String) for name, value in values.items()})
    return _Part(part.path, scan, types | dict.fromkeys(values, pl.String()), rows)


def _refuse_types(part: _Part, plan: ColumnPlan, opening: Opening) -> None:
    """Refuse needed columns that are neither texts, numbers, dates nor lists of them, or lists where one value is."""
    lists = set()
    for column in sorted(plan.needed):
        dtype = part.types[column]
        if isinstance(dtype, pl.List) and not (dtype.inner.is_nested() or dtype.inner == pl.Binary):
            lists.add(column)
        elif dtype.is_nested() or dtype == pl.Binary:
            raise SchemaError(
                f"{part.path}: column {column!r} is {dtype}; text, numbers and dates can be read",
                path=str(part.path),
                column=column,
                expected="String",
                got=str(dtype),
            )
    refuse_lists(part.path, lists, plan, opening.fields)


def _id_dtype(parts: Sequence[_Part], plan: ColumnPlan) -> pl.DataType:
    """Whole numbers stay numbers in the answer, where all parts have them in one type."""
    types = [part.types[plan.id_column] for part in parts]
    return types[0] if types[0] in _INTEGERS and all(dtype == types[0] for dtype in types) else pl.String()


def _check_in_place(intake: Intake, parts: Sequence[_Part], again: RowsAgain) -> bool:
    """Check ids and dates of all rows, count the values in cells, and look in the other fields for any value.

    Returns:
        whether all is known; otherwise there are too many bad rows to read the files without them.
    """
    plan, n_rows = intake.plan, sum(part.rows for part in parts)
    for number, part in enumerate(parts):
        for lo in range(0, part.rows, _SLICE_ROWS):
            looked_at = {*intake.dates, *intake.values, *intake.numbers, *intake.counts.several, *intake.whole}
            names = [name for name in plan.mapping if name in looked_at or name not in intake.filled]
            narrow = replace(plan, mapping={name: plan.mapping[name] for name in names}, kept=())
            raw = read_raw(part.scan.slice(lo, _SLICE_ROWS), narrow, part.path)
            absent = [pl.lit(None, dtype=pl.String).alias(name) for name in plan.mapping if name not in names]
            frame, n_before = frame_as_text(raw, narrow).with_columns(absent), intake.aside.count
            intake.add(Batch(frame, _row_numbers(number, lo, len(frame)), part=number))
            if too_many(intake.aside.count, n_rows):
                return False
            if intake.aside.count > n_before:
                again.keep(number, raw, lo, intake.aside.last(intake.aside.count - n_before))

    def rows_of() -> pl.LazyFrame:
        left_out = intake.aside.left_out()
        return pl.concat([_numbered(part, plan, number, left_out[number]) for number, part in enumerate(parts)])

    intake.finish(rows_of)
    return not too_many(intake.aside.count, n_rows)


def _numbered(part: _Part, plan: ColumnPlan, number: int, left_out: NDArray[np.int64]) -> pl.LazyFrame:
    numbered = part.scan.pipe(as_text, plan).select("id").with_row_index("line", offset=1)
    if len(left_out):
        numbered = numbered.filter(~pl.col("line").is_in(pl.Series(left_out + 1).implode()))
    place = {"part": pl.lit(number), "line": pl.col("line"), "offset": pl.col("line") - 1, "bytes": pl.lit(0)}
    return numbered.select("id", **{name: expr.cast(ORIGIN[name]) for name, expr in place.items()})


def _stage(intake: Intake, parts: Sequence[_Part]) -> Intake:
    """Copy the good rows."""
    for number, part in enumerate(parts):
        for lo in range(0, part.rows, _SLICE_ROWS):
            frame = read_text(part.scan.slice(lo, _SLICE_ROWS), intake.plan, part.path)
            intake.add(Batch(frame, _row_numbers(number, lo, len(frame)), part=number))
    intake.finish(intake.staged)
    return intake


def _rows_again(parts: Sequence[_Part]) -> RowsAgain:
    return RowsAgain([(part.path, part.scan, list(part.types)) for part in parts])


def _row_numbers(part: int, lo: int, count: int) -> pl.DataFrame:
    rows = np.arange(lo, lo + count)
    places = {"part": np.full(count, part), "line": rows + 1, "offset": rows, "bytes": np.zeros(count, dtype=np.int64)}
    return pl.DataFrame(places, schema_overrides=ORIGIN)
