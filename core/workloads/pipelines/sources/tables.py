"""Rows of a table: all, or what is new by a column that grows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, cast

import polars as pl
import psycopg
from psycopg import sql

from core.database.copy import copy_out
from core.database.queries import Query, load, run
from core.errors import InputError
from core.pipelines.compiling.held import DeadRows, Held, Log
from core.pipelines.compiling.rows import row_step
from core.pipelines.compiling.values import storage_type
from core.pipelines.expressions.parsing import parse
from core.pipelines.language.spec import Filter, Incremental, TableSource, seconds_of
from core.pipelines.types import ColumnType
from core.workloads.pipelines.sources.pushed import EVERYTHING, pushed

Q = load("pipelines_sources")
_TYPES: Final[Mapping[str, str]] = {
    "text": "text", "int": "bigint", "float": "double precision", "bool": "boolean", "date": "date",
    "timestamp": "timestamp", "json": "text",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Window:
    """What is read by a cursor: above low, up to high. Both as PostgreSQL writes them; None: there is nothing."""

    low: str | None
    high: str | None


def postgres_type(one: ColumnType) -> sql.SQL:
    """The type of PostgreSQL's that holds a type of ours."""
    return sql.SQL(cast(Any, f"numeric({one.precision},{one.scale})" if one.kind == "decimal" else _TYPES[one.kind]))


@dataclass(frozen=True, slots=True)
class TableRead:
    """A table to be read. types: the declared columns. path: of the source in the spec."""

    conn: psycopg.Connection[Any]
    source: TableSource
    types: Mapping[str, ColumnType]
    path: str

    def rows(self, window: Window | None, log: Log) -> pl.DataFrame:
        """The rows of a window, or all; those that a filter keeps. Raises StoreError."""
        where, values = self._where()
        named = {"columns": self._columns(), "where": where, "table": self._table()}
        name = "source_table"
        if window is not None and self.source.incremental is not None:
            given = self.source.incremental
            named |= self._cursor(given) | {"whole": _listed(given.whole)}
            values |= {"low": window.low, "high": window.high}
            above = "source_table_between" if window.low is not None else "source_table_until"
            name = "source_table_groups" if given.whole else above
        schema = {column: storage_type(one) for column, one in self.types.items()}
        frame = copy_out(self.conn, _composed(self.conn, Q[name], **named), values, schema)
        frame = frame.with_columns(pl.col(pl.Float64).fill_nan(None))
        return self._filtered(frame, log)

    def without_cursor(self, log: Log) -> int:
        """How many rows no window ever holds, which are dead."""
        given = self.source.incremental
        assert given is not None
        where, values = self._where()
        named = {"where": where, "table": self._table(), **self._cursor(given)}
        nulls: int = run(self.conn, _composed(self.conn, Q["source_without_cursor"], **named), values)[0][0]
        if nulls:
            log.dead.append(DeadRows(self.path, given.column or "", "cursor", nulls))
        return nulls

    def window(self, low: str | None, now: datetime) -> Window | None:
        """What is new above a watermark; None: nothing is."""
        given = self.source.incremental
        assert given is not None
        where, values = self._where()
        named = {"where": where, "table": self._table(), **self._cursor(given)}
        lagging = self._lagging(low if low is not None else given.start, given)
        is_time = self.types[given.column or ""].is_time
        limit = now - timedelta(seconds=seconds_of(given.settle)) if is_time else None
        high, is_more = run(
            self.conn,
            _composed(self.conn, Q["source_high"], **named),
            {**values, "low": lagging, "limit": limit},
        )[0]
        return Window(lagging, high) if high is not None and is_more else None

    def _lagging(self, low: str | None, given: Incremental) -> str | None:
        """A watermark moved back by the lag, in which rows may still have come."""
        if low is None or given.lag is None:
            return low
        one = self.types[given.column or ""]
        if not one.is_time:
            raise InputError(f"{self.path}.incremental.lag: {given.column} is {one}; a lag is of dates and timestamps")
        return str(datetime.fromisoformat(low) - timedelta(seconds=seconds_of(given.lag)))

    def _cursor(self, given: Incremental) -> dict[str, sql.Composable]:
        column = given.column or ""
        return {"cursor": sql.Identifier(column), "type": postgres_type(self.types[column])}

    def _table(self) -> sql.Identifier:
        return sql.Identifier(*self.source.table.split("."))

    def _columns(self) -> sql.Composable:
        forms = {"decimal": "CAST(nullif({}, 'NaN'::numeric) AS {}) AS {}"}
        return sql.SQL(", ").join(
            sql.SQL(cast(Any, forms.get(one.kind, "CAST({} AS {}) AS {}"))).format(
                sql.Identifier(name), postgres_type(one), sql.Identifier(name)
            )
            for name, one in self.types.items()
        )

    def _where(self) -> tuple[sql.Composable, dict[str, Any]]:
        found = pushed(parse(self.source.where), self.types) if self.source.where is not None else None
        return found if found is not None else (EVERYTHING, {})

    def _filtered(self, frame: pl.DataFrame, log: Log) -> pl.DataFrame:
        if self.source.where is None:
            return frame
        step = Filter(do="filter", where=self.source.where)
        after = row_step(step, Held(frame, self.types), self.types, self.path, log)
        assert after is not None
        return after.frame


def _listed(names: list[str]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _composed(conn: psycopg.Connection[Any], query: Query, **named: sql.Composable) -> Query:
    """A named query with its names filled in."""
    return replace(query, sql=sql.SQL(cast(Any, query.sql)).format(**named).as_string(conn))
