"""A user's file of records, checked from end to end before any work, then read by ranges.

CSV is staged once as Parquet, only the columns that are used; Parquet is read where it lies. Nothing that is half done
stays behind: staged rows and the side file of bad rows appear under their names when every check has passed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.errors import InputError
from core.intake.bad_rows import Quarantine
from core.intake.checks.row_checks import Taken
from core.intake.columnar.left_out import scan_span, scan_without, span_of, without
from core.intake.columnar.parquet_columns import as_text, collect, read_text
from core.intake.columnar.parquet_source import take_parquet
from core.intake.columns import KEPT, ColumnPlan
from core.intake.delimited.csv_source import take_rows
from core.intake.file_digest import FileState
from core.intake.file_kind import is_columnar, one_kind
from core.intake.opening import Opening
from core.intake.reading import NOTHING_SAID, Reading
from core.matching.standardise.readings import ColumnReading, read_as


@dataclass(frozen=True, slots=True)
class Source:
    """An opened file. Frozen and made of plain values, so any process can have it (`to_dict`, `from_dict`).

    rows: good rows. digest: SHA-256 of the file's bytes. mapping: field -> columns used. unmapped: fields without one.
    more: what was given behind `path` as one table with it.
    reading: what was said about how to read it; detected: what was found (format, encoding, delimiter, compression).
    quarantined: rows set aside. date_order: field -> day first. readings: how columns are read that are not read
    as they are written; None: by a version that knew none. lettered: values of a field that mix letters
    with digits, and all its values. parts: (file, rows) in order; staged: those are ours.
    left_over: a copy of what is left of the file since records were taken out of it, which is all that is read of it.
    kept: columns of the file that are given back. left_out: of each part the numbers of bad rows in it, ascending;
    empty where there are none.
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
    kept: tuple[str, ...] = ()
    # Fields whose several columns hold values of their own, and by field how many cells hold so many values.
    apart: tuple[str, ...] = ()
    values: dict[str, tuple[int, ...]] = field(default_factory=dict)
    more: tuple[Path, ...] = ()
    reading: Reading = NOTHING_SAID
    detected: dict[str, str] = field(default_factory=dict)
    readings: dict[str, ColumnReading] | None = None
    lettered: dict[str, tuple[int, int]] = field(default_factory=dict)
    left_out: tuple[tuple[int, ...], ...] = ()
    left_over: bool = False
    # Where a part is now: names of parts may be those of a workspace.
    place: Callable[[str], Path] = field(default=Path, compare=False, repr=False)

    def read(self, lo: int, hi: int) -> pl.DataFrame:
        """Rows [lo, hi): `id` and one column per mapped field; String, trimmed, empty as null, as its column is read.

        Raises:
            InputError: the file is gone or was cut since it was opened.
        Cost: only the row groups of the range are read.
        """
        plan = ColumnPlan(self.id_column, self.mapping, self.unmapped, apart=frozenset(self.apart))
        frames = []
        ends = list(accumulate(rows for _, rows in self.parts))
        for number, ((name, rows), end) in enumerate(zip(self.parts, ends, strict=True)):
            start = end - rows
            if rows and start < hi and lo < end:
                left_out = self._left_out(number)
                first, stop = span_of(max(lo - start, 0), min(hi, end) - start, left_out)
                scan = scan_span(pl.scan_parquet(self.place(name)), first, stop, left_out)
                if self.staged:
                    frames.append(collect(scan.select("id", *self.mapping), self.path))
                else:
                    frames.append(read_text(scan, plan, self.path))
        if not frames:
            return pl.DataFrame(schema=dict.fromkeys(("id", *self.mapping), pl.String))
        return self._as_read(pl.concat(frames))

    def _as_read(self, texts: pl.DataFrame) -> pl.DataFrame:
        return texts.with_columns(
            read_as(texts[name], reading, self.date_order.get(name, False)).alias(name)
            for name, reading in (self.readings or {}).items()
        )

    def ids(self) -> pl.Series:
        """The ids of all rows, as `read` gives them. Raises as `read`."""
        plan = ColumnPlan(self.id_column, {}, ())
        frames = []
        for number, (name, _) in enumerate(self.parts):
            scan = pl.scan_parquet(self.place(name))
            texts = collect(scan.select("id"), self.path) if self.staged else read_text(scan, plan, self.path)
            frames.append(without(texts, 0, self._left_out(number)))
        return pl.concat(frames)["id"]

    def _left_out(self, number: int) -> NDArray[np.int64]:
        return np.array(self.left_out[number] if self.left_out else (), dtype=np.int64)

    def scan_kept(self) -> pl.LazyFrame:
        """All rows of the columns that are given back, under their names, as text: trimmed, empty as null."""
        plan = ColumnPlan(self.id_column, {}, (), kept=self.kept)
        scans = []
        for number, (name, _) in enumerate(self.parts):
            scan = pl.scan_parquet(self.place(name))
            texts = (scan if self.staged else as_text(scan, plan)).select(KEPT + column for column in self.kept)
            scans.append(scan_without(texts, self._left_out(number)))
        return pl.concat(scans).rename({KEPT + column: column for column in self.kept})

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
            "kept": list(self.kept),
            "apart": list(self.apart),
            "values": {name: list(counts) for name, counts in self.values.items()},
            "more": [str(path) for path in self.more],
            "reading": self.reading.to_dict(),
            "detected": dict(self.detected),
            "readings": None if self.readings is None else {k: each.to_dict() for k, each in self.readings.items()},
            "lettered": {name: list(counts) for name, counts in self.lettered.items()},
            "left_out": [list(rows) for rows in self.left_out],
            "left_over": self.left_over,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], place: Callable[[str], Path] = Path) -> Source:
        """The inverse of `to_dict`; `place` finds a part by its name."""
        readings = values.get("readings")
        return cls(
            rows=values["rows"],
            digest=values["digest"],
            id_column=values["id_column"],
            quarantined=values["quarantined"],
            staged=values["staged"],
            kept=tuple(values.get("kept", ())),
            unmapped=tuple(values["unmapped"]),
            notices=tuple(values["notices"]),
            path=Path(values["path"]),
            id_dtype=getattr(pl, values["id_dtype"])(),
            mapping={name: tuple(columns) for name, columns in values["mapping"].items()},
            date_order=dict(values["date_order"]),
            more=tuple(map(Path, values.get("more", ()))),
            reading=Reading.from_dict(values.get("reading", {})),
            detected=dict(values.get("detected", {})),
            parts=tuple((name, rows) for name, rows in values["parts"]),
            apart=tuple(values.get("apart", ())),
            values={name: tuple(counts) for name, counts in values.get("values", {}).items()},
            readings=None if readings is None else {k: ColumnReading.from_dict(each) for k, each in readings.items()},
            lettered={name: (counts[0], counts[1]) for name, counts in values.get("lettered", {}).items()},
            left_out=tuple(map(tuple, values.get("left_out", ()))),
            left_over=values.get("left_over", False),
            place=place,
        )


def open_source(opening: Opening) -> Source:
    """Check a table, in one file or in parts, and make its rows readable by range.

    Raises:
        InputError: the file cannot be read at all, or a column is empty and may not be. SchemaError: columns differ.
        RowError: one row does not. Each names file, line and column.
    Cost: CSV about 3 us a row of ten columns, Parquet 1 us; some 300 MB plus 8 bytes a row.
    """
    take = take_parquet if is_columnar(one_kind(opening.parts)) else take_rows
    states = opening.seen or tuple(FileState.of(part.path) for part in opening.parts)
    with Quarantine(opening.side_file) as quarantine:
        taken = take(opening, quarantine)
        _refuse_changed(opening, states, taken)
        return _source_of(opening, taken)


def _refuse_changed(opening: Opening, states: Sequence[FileState], taken: Taken) -> None:
    try:
        for part, state in zip(opening.parts, states, strict=True):
            state.check(part.path)
    except InputError:
        if taken.folder is not None:
            shutil.rmtree(taken.folder, ignore_errors=True)
        raise


def _source_of(opening: Opening, taken: Taken) -> Source:
    intake, folder = taken.intake, taken.folder
    parts = [(str((folder / name).absolute()), rows) for name, rows in intake.parts] if folder else None
    return Source(
        path=opening.path,
        rows=intake.n_rows,
        digest=taken.digest,
        id_column=intake.plan.id_column,
        id_dtype=taken.id_dtype,
        mapping=intake.plan.mapping,
        unmapped=intake.plan.unmapped,
        quarantined=intake.quarantine.count,
        date_order={name: column.day_first for name, column in intake.dates.items()},
        readings=intake.readings,
        lettered={name: (each.n_lettered, each.n_filled) for name, each in intake.numbers.items() if each.n_filled},
        notices=(*intake.plan.notices, *taken.notices, *intake.notices()),
        parts=tuple(parts or taken.places),
        more=opening.more,
        staged=folder is not None,
        kept=intake.plan.kept,
        apart=tuple(sorted(intake.plan.apart)),
        values={name: tuple(counts.tolist()) for name, counts in intake.counts.several.items() if counts.any()},
        reading=opening.reading,
        detected=dict(taken.detected),
        left_out=tuple(intake.left_out) if folder else taken.left_out,
    )
