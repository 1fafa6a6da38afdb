# budget: open_source takes the eight facts of a request by keyword; an object for them would repeat the caller's
"""A user's file of records, checked from end to end before any work, then read by ranges.

CSV is staged once as Parquet, only the columns that are used; Parquet is read where it lies. Nothing that is half done
stays behind: staged rows and the side file of bad rows appear under their names when every check has passed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from core.errors import InputError, RowError, SchemaError
from core.intake.bad_rows import CORRECT, Quarantine
from core.intake.columns import ColumnPlan, FieldHint, check_header, plan_columns
from core.intake.csv_file import CsvFile
from core.intake.row_checks import ORIGIN, BadRows, Batch, Intake
from core.matching.text.string_views import is_tidy

__all__ = ["FieldHint", "Source", "open_source", "read_labels", "read_table"]

_SLICE_ROWS = 1 << 18
_LABEL_SEED = 43
_PARQUET_MARK = b"PAR1"
_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
    b"\xfd7zX": "xz",
    b"BZh": "bzip2",
}
_INTEGERS = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)


@dataclass(frozen=True, slots=True)
class Source:
    """An opened file. Frozen and made of plain values, so any process can have it (`to_dict`, `from_dict`).

    rows: good rows. digest: SHA-256 of the file's bytes. mapping: field -> columns used. unmapped: fields without one.
    quarantined: rows set aside. date_order: field -> day first. parts: (file, rows) in order; staged: those are ours.
    """

    path: Path
    rows: int
    digest: str
    id_column: str
    id_dtype: pl.DataType
    mapping: dict[str, tuple[str, ...]]
    unmapped: tuple[str, ...]
    quarantined: int
    date_order: dict[str, bool]
    notices: tuple[str, ...]
    parts: tuple[tuple[str, int], ...]
    staged: bool
    # Where a part is now: names of parts may be those of a workspace.
    place: Callable[[str], Path] = field(default=Path, compare=False, repr=False)

    def read(self, lo: int, hi: int) -> pl.DataFrame:
        """Rows [lo, hi): `id` and one column per mapped field; String, trimmed, empty as null.

        Raises:
            InputError: the file is gone or was cut since it was opened.
        Cost: only the row groups of the range are read.
        """
        plan = ColumnPlan(self.id_column, self.mapping, self.unmapped)
        frames = []
        ends = list(accumulate(rows for _, rows in self.parts))
        for (name, rows), end in zip(self.parts, ends, strict=True):
            start = end - rows
            if start < hi and lo < end:
                scan = pl.scan_parquet(self.place(name)).slice(max(lo - start, 0), min(hi, end) - max(lo, start))
                if self.staged:
                    frames.append(_collect(scan.select("id", *self.mapping), self.path))
                else:
                    frames.append(_read_text(scan, plan, self.path))
        return pl.concat(frames) if frames else pl.DataFrame(schema=dict.fromkeys(("id", *self.mapping), pl.String))

    def ids(self) -> pl.Series:
        """The ids of all rows, as `read` gives them. Raises as `read`."""
        scans = [pl.scan_parquet(self.place(name)) for name, _ in self.parts]
        plan = ColumnPlan(self.id_column, {}, ())
        frames = [
            _collect(scan.select("id"), self.path) if self.staged else _read_text(scan, plan, self.path)
            for scan in scans
        ]
        return pl.concat(frames)["id"]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "path": str(self.path),
            "rows": self.rows,
            "digest": self.digest,
            "id_column": self.id_column,
            "id_dtype": str(self.id_dtype),
            "mapping": {name: list(columns) for name, columns in self.mapping.items()},
            "unmapped": list(self.unmapped),
            "quarantined": self.quarantined,
            "date_order": dict(self.date_order),
            "notices": list(self.notices),
            "parts": [list(part) for part in self.parts],
            "staged": self.staged,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], place: Callable[[str], Path] = Path) -> Source:
        """The inverse of `to_dict`; `place` finds a part by its name."""
        return cls(
            rows=values["rows"],
            digest=values["digest"],
            id_column=values["id_column"],
            quarantined=values["quarantined"],
            staged=values["staged"],
            unmapped=tuple(values["unmapped"]),
            notices=tuple(values["notices"]),
            path=Path(values["path"]),
            id_dtype=getattr(pl, values["id_dtype"])(),
            mapping={name: tuple(columns) for name, columns in values["mapping"].items()},
            date_order=dict(values["date_order"]),
            parts=tuple((name, rows) for name, rows in values["parts"]),
            place=place,
        )


def open_source(
    path: Path,
    *,
    id_column: str,
    mapping: Mapping[str, str] | None,
    fields: Sequence[FieldHint],
    staging_dir: Path,
    bad_rows: BadRows = "raise",
    quarantine_path: Path | None = None,
    day_first: Mapping[str, bool] | None = None,
    may_be_empty: bool = False,
) -> Source:
    """Check a CSV or Parquet file and make its rows readable by range.

    Args:
        mapping: field (or alias) -> column; "" leaves the field out, "a+b" joins columns with a space. Fields that
            are not named are served by a column of their name or an alias, if there is one.
        staging_dir: made if need be; what is staged goes below it.
        bad_rows: "raise" ends at the first bad row; "quarantine" sets them aside in `quarantine_path` (or staging_dir).
        day_first: per date field, for files whose own dates do not tell.
        may_be_empty: take a mapped column without any value, as a file of few records may well have.
    Raises:
        InputError: the file cannot be read at all, or a column is empty and may not be. SchemaError: columns differ.
        RowError: one row does not. Each names file, line and column.
    Cost: CSV about 3 us a row of ten columns, Parquet 1 us; some 300 MB plus 8 bytes a row.
    """
    with Quarantine(quarantine_path or staging_dir / "bad_rows.csv") as quarantine:
        job = _Opening(
            path, id_column, mapping, tuple(fields), staging_dir, bad_rows, quarantine, day_first or {}, may_be_empty
        )
        return _open_parquet(job) if _is_parquet(path) else _open_csv(job)


def read_table(path: Path, wanted: Collection[str] | None = None) -> pl.DataFrame:
    """Columns of a CSV or Parquet file that fit in memory: String, names and values trimmed, empty as null.

    Args:
        wanted: columns to read, as far as the file has them; None: all.
    Raises:
        InputError, SchemaError, RowError: as `open_source`, but ids and dates are not looked at.
    """
    if _is_parquet(path):
        scan, types = _scan(path)
        texts = {name: _text(name, dtype) for name, dtype in types.items() if wanted is None or name in wanted}
        return _collect(scan.select(**texts), path)
    return _read_csv(path, wanted, lambda texts: texts)


def _read_csv(
    path: Path, wanted: Collection[str] | None, change: Callable[[pl.DataFrame], pl.DataFrame]
) -> pl.DataFrame:
    """All blocks of the wanted columns, each changed as soon as it is read."""
    with path.open("rb") as file:
        csv = CsvFile(path, file)
        names = [name for name in csv.columns if wanted is None or name in wanted]
        frames = [change(pl.DataFrame(schema=dict.fromkeys(names, pl.String)))]
        for block in csv.blocks(set(names)):
            if block.faults:
                raise block.faults[0][0].error(path, advice=CORRECT)
            frames.append(change(block.frame))
    return pl.concat(frames)


def _hashed(texts: pl.DataFrame) -> pl.DataFrame:
    return texts.select(**{name: _hash(pl.col(name)) for name in texts.columns})


def _hash(text: pl.Expr) -> pl.Expr:
    return pl.when(text.is_not_null()).then(text.hash(_LABEL_SEED))


def read_labels(path: Path, wanted: Collection[str]) -> pl.DataFrame:
    """Columns of a CSV or Parquet file as 64-bit hashes of what `read_table` gives: UInt64, null where that is null.

    Equal texts have equal hashes in every file; among a hundred million different ones, two that have the same occur
    once in 4,000 files. Cost: 8 bytes a cell. Raises as `read_table`.
    """
    if not _is_parquet(path):
        return _read_csv(path, wanted, _hashed)
    scan, types = _scan(path)
    texts = {name: _text(name, dtype) for name, dtype in types.items() if name in wanted}
    return _collect(scan.select(**{name: _hash(text) for name, text in texts.items()}), path, streaming=True)


def columns_of(path: Path) -> list[str]:
    """Names of the columns of a CSV or Parquet file, trimmed. Raises as `read_table`."""
    if _is_parquet(path):
        return list(_scan(path)[1])
    with path.open("rb") as file:
        return list(CsvFile(path, file).columns)


@dataclass(frozen=True, slots=True)
class _Opening:
    path: Path
    id_column: str
    mapping: Mapping[str, str] | None
    fields: tuple[FieldHint, ...]
    staging_dir: Path
    bad_rows: BadRows
    quarantine: Quarantine
    day_first: Mapping[str, bool]
    may_be_empty: bool

    def plan(self, columns: Sequence[str]) -> ColumnPlan:
        return plan_columns(columns, self.path, self.id_column, self.mapping, self.fields)

    def intake(self, plan: ColumnPlan, raw: Callable[[int, int], bytes], folder: Path | None, unit: str) -> Intake:
        dates = tuple(field.name for field in self.fields if field.kind == "date" and field.name in plan.mapping)
        bad_rows: BadRows = "raise" if folder is None else self.bad_rows
        kept = frozenset(field.name for field in self.fields if field.slips_kept)
        # What counts as filled from the start is not missed at the end.
        filled = set(plan.mapping) if self.may_be_empty else set()
        return Intake(
            self.path, plan, dates, bad_rows, self.quarantine, raw, folder, unit, kept, self.day_first, filled=filled
        )

    def source(self, intake: Intake, digest: str, id_dtype: pl.DataType, folder: Path | None) -> Source:
        parts = [(str((folder / name).absolute()), rows) for name, rows in intake.parts] if folder else None
        return Source(
            path=self.path,
            rows=intake.n_rows,
            digest=digest,
            id_column=intake.plan.id_column,
            id_dtype=id_dtype,
            mapping=intake.plan.mapping,
            unmapped=intake.plan.unmapped,
            quarantined=self.quarantine.count,
            date_order={name: intake.order_of(name) for name in intake.evidence},
            notices=tuple(intake.notices()),
            parts=tuple(parts or [(str(self.path.absolute()), intake.n_rows)]),
            staged=folder is not None,
        )

    def stage(self, fill: Callable[[Path], Intake]) -> tuple[Intake, Path]:
        """Let `fill` write parts into a folder that takes its name when all is well and vanishes when not."""
        partial, final = self.staging_dir / ".rows.partial", self.staging_dir / "rows"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            intake = fill(partial)
            shutil.rmtree(final, ignore_errors=True)
            partial.rename(final)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        return intake, final


def _is_parquet(path: Path) -> bool:
    """Look at the first bytes; the name decides only whether something else may be a CSV.

    Raises:
        InputError: there is no such file, or it cannot be read, or it is named .parquet and is none.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file", path=str(path)) from None
    except IsADirectoryError:
        raise InputError(f"{path} is a directory; a CSV or Parquet file is needed", path=str(path)) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})", path=str(path)) from None
    if not head:
        raise InputError(f"{path} is empty", path=str(path), line=1)
    packed = next((name for mark, name in _COMPRESSED.items() if head.startswith(mark)), None)
    if packed is not None:
        raise InputError(f"{path} is compressed ({packed}); unpack it first", path=str(path))
    if path.suffix.lower() in {".parquet", ".pq"} and head != _PARQUET_MARK:
        raise InputError(f"{path}: named Parquet, but it is no Parquet file", path=str(path))
    return head == _PARQUET_MARK


def _open_csv(job: _Opening) -> Source:
    with job.path.open("rb") as file:
        csv = CsvFile(job.path, file)
        plan = job.plan(csv.columns)

        def fill(folder: Path) -> Intake:
            intake = job.intake(plan, csv.raw, folder, "line")
            for block in csv.blocks(plan.needed):
                places = {"line": block.lines, "offset": block.offsets, "bytes": block.sizes}
                text = block.frame.select(**_joined({column: pl.col(column) for column in plan.needed}, plan))
                intake.add(Batch(text, pl.DataFrame(places, schema=ORIGIN), block.faults))
            intake.finish(lambda: pl.scan_parquet([folder / name for name, _ in intake.parts]).select("id", *ORIGIN))
            return intake

        intake, folder = job.stage(fill)
        return job.source(intake, csv.digest, pl.String(), folder)


def _open_parquet(job: _Opening) -> Source:
    scan, types = _scan(job.path)
    rows = int(_collect(scan.select(pl.len()), job.path).item())
    plan = job.plan(list(types))
    for column in plan.needed:
        if types[column].is_nested() or types[column] == pl.Binary:
            raise SchemaError(
                f"{job.path}: column {column!r} is {types[column]}; text, numbers and dates can be read",
                path=str(job.path),
                column=column,
                expected="String",
                got=str(types[column]),
            )
    digest = file_digest(job.path)
    id_dtype = types[plan.id_column] if types[plan.id_column] in _INTEGERS else pl.String()
    try:
        return job.source(_check_in_place(job, plan, scan, rows), digest, id_dtype, None)
    except RowError:
        if job.bad_rows == "raise":
            raise
    intake, folder = job.stage(lambda folder: _stage_parquet(job, plan, scan, rows, folder))
    return job.source(intake, digest, id_dtype, folder)


def _scan(path: Path) -> tuple[pl.LazyFrame, dict[str, pl.DataType]]:
    """A Parquet file under trimmed column names, and their types."""
    scan = pl.scan_parquet(path)
    try:
        schema = scan.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _damaged(path, error) from None
    names = check_header(schema.names(), path)
    renamed = scan.rename(dict(zip(schema.names(), names, strict=True)))
    return renamed, dict(zip(names, schema.dtypes(), strict=True))


def _check_in_place(job: _Opening, plan: ColumnPlan, scan: pl.LazyFrame, rows: int) -> Intake:
    """Check ids and dates of all rows, and of the other fields whether there is any value."""
    intake = job.intake(plan, lambda _offset, _size: b"", None, "row")
    for lo in range(0, rows, _SLICE_ROWS):
        names = [name for name in plan.mapping if name in intake.dates or name not in intake.filled]
        part = ColumnPlan(plan.id_column, {name: plan.mapping[name] for name in names}, ())
        frame = _read_text(scan.slice(lo, _SLICE_ROWS), part, job.path)
        absent = [pl.lit(None, dtype=pl.String).alias(name) for name in plan.mapping if name not in names]
        intake.add(Batch(frame.with_columns(absent), _row_numbers(lo, len(frame))))

    def rows_of() -> pl.LazyFrame:
        numbered = scan.pipe(_as_text, plan).select("id").with_row_index("line", offset=1)
        return numbered.select("id", pl.col("line").cast(pl.Int64), offset=pl.lit(0), bytes=pl.lit(0))

    intake.finish(rows_of)
    return intake


def _stage_parquet(job: _Opening, plan: ColumnPlan, scan: pl.LazyFrame, rows: int, folder: Path) -> Intake:
    """Copy the good rows: a file with bad ones cannot be used in place."""

    def raw(offset: int, _size: int) -> bytes:
        row = _collect(scan.slice(offset, 1), job.path).row(0, named=True)
        return json.dumps(row, default=str, ensure_ascii=False).encode()

    intake = job.intake(plan, raw, folder, "row")
    for lo in range(0, rows, _SLICE_ROWS):
        frame = _read_text(scan.slice(lo, _SLICE_ROWS), plan, job.path)
        intake.add(Batch(frame, _row_numbers(lo, len(frame))))
    intake.finish(lambda: pl.scan_parquet([folder / name for name, _ in intake.parts]).select("id", *ORIGIN))
    return intake


def _row_numbers(lo: int, count: int) -> pl.DataFrame:
    rows = np.arange(lo, lo + count)
    return pl.DataFrame({"line": rows + 1, "offset": rows, "bytes": np.zeros(count, dtype=np.int64)}, schema=ORIGIN)


def _read_text(scan: pl.LazyFrame, plan: ColumnPlan, path: Path) -> pl.DataFrame:
    """`_as_text` of all rows of a scan; columns that have nothing to trim are taken as they are."""
    stored = _stored(scan)
    raw = _collect(scan.select(stored[column] for column in plan.needed), path)
    tidy = {name for name in raw.columns if raw[name].dtype == pl.String and is_tidy(raw[name])}
    return raw.lazy().pipe(_as_text, plan, tidy).collect()


def _as_text(scan: pl.LazyFrame, plan: ColumnPlan, tidy: Collection[str] = ()) -> pl.LazyFrame:
    """`id` and the mapped fields as text: trimmed, empty as null, several columns joined with a space."""
    schema, stored = scan.collect_schema(), _stored(scan)
    texts = {
        column: pl.col(stored[column]) if stored[column] in tidy else _text(stored[column], schema[stored[column]])
        for column in plan.needed
    }
    return scan.select(**_joined(texts, plan))


def _stored(scan: pl.LazyFrame) -> dict[str, str]:
    """Names in the file by trimmed name: headers may carry blanks, but the plan knows trimmed names only."""
    return {name.strip(): name for name in scan.collect_schema().names()}


def _joined(texts: dict[str, pl.Expr], plan: ColumnPlan) -> dict[str, pl.Expr]:
    """`id` and each mapped field from the texts of the columns; these are trimmed, and null when empty."""
    fields = {
        name: texts[columns[0]]
        if len(columns) == 1
        else _known(pl.concat_str([texts[column] for column in columns], separator=" ", ignore_nulls=True))
        for name, columns in plan.mapping.items()
    }
    return {"id": texts[plan.id_column], **fields}


def _text(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if dtype.is_float():
        # Whole numbers that were stored as floats because some are missing: 2119.0 is the code 2119.
        whole = pl.when(column == column.round(0)).then(column).cast(pl.Int64, strict=False).cast(pl.String)
        return pl.coalesce(whole, column.cast(pl.String))
    return _known(column.cast(pl.String).str.strip_chars())


def _known(text: pl.Expr) -> pl.Expr:
    return pl.when(text != "").then(text)


def _collect(frame: pl.LazyFrame, path: Path, *, streaming: bool = False) -> pl.DataFrame:
    try:
        return frame.collect(engine="streaming" if streaming else "auto")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> InputError:
    # The cause may quote a cell, so only its kind is told.
    kind = type(error).__name__
    return InputError(f"{path}: the Parquet file is cut short or damaged ({kind})", path=str(path), reason=kind)


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex. Cost: about a second a gigabyte."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
