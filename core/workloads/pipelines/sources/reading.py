"""All sources of a run as frames of their declared types, and how far they were read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl
import psycopg

from core.connections.blocks import Connections
from core.database.queries import load, run
from core.errors import ConfigError, InputError
from core.pipelines.catalog import WAREHOUSE
from core.pipelines.compiling.held import DeadRows, Log, StoppedRun
from core.pipelines.compiling.values import storage_type
from core.pipelines.flow.checking import Checked
from core.pipelines.language.spec import CsvSource, HttpSource, Incremental, Source, TableSource
from core.pipelines.types import ColumnType
from core.workloads.pipelines.sources.cells import Cells, FileSource, read_cells
from core.workloads.pipelines.sources.folders import FoundFile, files_of, new_files
from core.workloads.pipelines.sources.tables import TableRead
from core.workloads.pipelines.sources.typed import Written, converted, typed
from core.workloads.pipelines.state.marks import Marks

Q = load("pipelines_sources")
Columns = Mapping[str, ColumnType]


@dataclass(slots=True)
class Reading:
    """What a run reads, and what it leaves behind once it is published.

    rows: of each source before a cell was read. watermarks, files: what is new of `Marks`.
    """

    connections: Connections
    conn: psycopg.Connection[Any]
    marks: Marks
    now: datetime
    log: Log
    rows: dict[str, int] = field(default_factory=dict)
    watermarks: dict[str, str] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def left(self) -> Marks:
        """What the next run begins with, as far as it is new."""
        return Marks(self.watermarks, self.files)

    def frames(self, checked: Checked) -> dict[str, pl.DataFrame]:
        """The rows of every source.

        Raises InputError, ConfigError: a source cannot be read. StoppedRun: it has drifted. StoreError.
        Cost: all rows in memory.
        """
        return {name: self._frame(name, source, checked.sources[name]) for name, source in checked.spec.sources.items()}

    def _frame(self, name: str, source: Source, types: Columns) -> pl.DataFrame:
        if isinstance(source, HttpSource):
            raise ConfigError(f"sources.{name}: http is not read yet; load its answers as JSON files")
        if isinstance(source, TableSource):
            return self._table(name, source, types)
        return self._files(name, source, types)

    def _table(self, name: str, source: TableSource, types: Columns) -> pl.DataFrame:
        if source.at == WAREHOUSE:
            return self._read_table(self.conn, name, source, types)
        with self.connections.database(source.at) as db, db.transaction() as conn:
            return self._read_table(conn, name, source, types)

    def _read_table(
        self, conn: psycopg.Connection[Any], name: str, source: TableSource, types: Columns
    ) -> pl.DataFrame:
        path = f"sources.{name}"
        there = {column for column, _ in run(conn, Q["source_columns"], {"table": source.table})}
        present = _present(path, types, there, source)
        table = TableRead(conn, source, present, path)
        window, self.rows[name] = None, 0
        if source.incremental is not None:
            known = self.marks.watermarks.get(name)
            self.rows[name] = table.without_cursor(self.log)
            window = table.window(known, self.now)
            if window is None or window.high is None:
                return _empty(types)
            later = known is None or _later(window.high, known, types[source.incremental.column or ""])
            self.watermarks[name] = window.high if later else known or ""
        frame = table.rows(window, self.log)
        self.rows[name] += frame.height
        return _complete(frame, types)

    def _files(self, name: str, source: FileSource, types: Columns) -> pl.DataFrame:
        root = self.connections.folder(source.at)
        known, given = self.marks.files.get(name, {}), source.incremental
        found = files_of(root, source.path, source.at)
        if not found and given is None:
            raise InputError(f"sources.{name}: no file in {source.at} is called {source.path}", path=source.path)
        read = new_files(found, known, given.files if given is not None else None)
        self.rows[name] = 0
        frames = [_empty(types), *(self._file(name, source, types, one) for one in read)]
        if given is not None and given.files is not None:
            self.files[name] = {one.seen.path: one.seen for one in read}
        frame = pl.concat(frames)
        return frame if given is None or given.column is None else self._above(name, given, frame, types)

    def _file(self, name: str, source: FileSource, types: Columns, one: FoundFile) -> pl.DataFrame:
        path = f"sources.{name}"
        cells = read_cells(one.path, source, types)
        one.state.check(one.path)
        self.rows[name] += cells.frame.height + cells.ragged
        if cells.ragged:
            self.log.dead.append(DeadRows(path, one.seen.path, "cast", cells.ragged))
        present = _present(path, types, cells.frame.columns, source)
        return _complete(_typed(cells, source, present, path, self.log), types)

    def _above(self, name: str, given: Incremental, frame: pl.DataFrame, types: Columns) -> pl.DataFrame:
        """Rows of files above the watermark of a column; without a value they are dead."""
        column, one = pl.col(given.column or ""), types[given.column or ""]
        low = self.marks.watermarks.get(name, given.start)
        if nulls := frame.select(column.is_null().sum()).item():
            self.log.dead.append(DeadRows(f"sources.{name}", given.column or "", "cursor", nulls))
        if low is not None:
            bound = pl.Series([low]).to_frame("low").select(_read_back(pl.col("low"), one)).item()
            frame = frame.filter(column > bound)
        frame = frame.filter(column.is_not_null())
        if frame.height:
            self.watermarks[name] = str(frame.select(column.max()).item())
        return frame


def _typed(cells: Cells, source: FileSource, present: Columns, path: str, log: Log) -> pl.DataFrame:
    if source.kind == "parquet":
        return converted(cells.frame.select(list(present)), present, path, log)
    return typed(cells.frame, present, written_by(source), path, log, stop=source.drift.type == "stop")


def written_by(source: FileSource) -> Written:
    """How a source writes its values."""
    if not isinstance(source, CsvSource):
        return Written()
    nulls = tuple(source.null_values)
    return Written(source.decimal, source.thousands, nulls, source.date_format, source.timezone)


def _present(path: str, types: Columns, there: Iterable[str], source: Source) -> dict[str, ColumnType]:
    """The declared columns that a source has now. Raises StoppedRun: as `drift` wants it."""
    found = set(there)
    lacking, new = [name for name in types if name not in found], sorted(found - types.keys())
    if lacking and source.drift.missing == "stop":
        raise StoppedRun(
            f"{path}: there is no column {lacking[0]} any more; nothing was written. Mend the source, approve a spec "
            "without it, or say drift: {missing: empty}"
        )
    if new and source.drift.new == "stop":
        raise StoppedRun(
            f"{path}: there is a new column {new[0]}; nothing was written. Approve a spec that declares it, or say "
            "drift: {new: ignore}"
        )
    return {name: one for name, one in types.items() if name in found}


def _complete(frame: pl.DataFrame, types: Columns) -> pl.DataFrame:
    """With the declared columns that a source has not, empty; in the declared order."""
    empty = {name: pl.lit(None, storage_type(one)) for name, one in types.items() if name not in frame.columns}
    return frame.with_columns(**empty).select(list(types))


def _empty(types: Columns) -> pl.DataFrame:
    return pl.DataFrame(schema={name: storage_type(one) for name, one in types.items()})


def _read_back(text: pl.Expr, one: ColumnType) -> pl.Expr:
    if one.kind in {"date", "timestamp"}:
        return text.str.to_datetime(time_unit="us").cast(storage_type(one))
    return text.cast(storage_type(one))


def _later(high: str, known: str, one: ColumnType) -> bool:
    """Whether a watermark would move on: it never moves back."""
    if one.is_time:
        moved, before = datetime.fromisoformat(high), datetime.fromisoformat(known)
        return moved.replace(tzinfo=None) > before.replace(tzinfo=None)
    return Decimal(high) > Decimal(known) if one.is_number else high > known
