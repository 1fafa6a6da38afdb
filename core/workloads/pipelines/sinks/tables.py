"""Rows into a table of the warehouse: every mode is a statement or few, in the transaction of the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, cast

import polars as pl
import psycopg
from psycopg import sql

from core.database.copy import copy_in
from core.database.queries import affected, load, run
from core.pipelines.compiling.held import Log
from core.pipelines.flow.checking import Checked
from core.pipelines.language.spec import TableSink
from core.pipelines.types import ColumnType
from core.workloads.pipelines.sinks.fitting import columns_of, fitting, newest

Q = load("pipelines_sinks")
STAGE: Final = "headrace_stage"
GROUPS: Final = "headrace_groups"
_TYPES: Final = {
    "text": "text", "int": "bigint", "float": "double precision", "bool": "boolean", "date": "date",
    "timestamp": "timestamptz", "json": "jsonb",
}  # fmt: skip
_VALIDITY: Final = (
    "valid_from timestamptz NOT NULL",
    "valid_to timestamptz",
    "is_current boolean NOT NULL",
)


@dataclass(frozen=True, slots=True)
class TableWriter:
    """A sink under way. now: of the run, without a zone, in UTC. log: takes rows that the table cannot hold."""

    conn: psycopg.Connection[Any]
    sink: TableSink
    now: datetime
    log: Log

    def write(self, checked: Checked, rows: pl.DataFrame, groups: pl.DataFrame | None) -> dict[str, int]:
        """Write; returns rows by fate: inserted, updated, unchanged, deleted, as far as the mode has them.

        Args:
            groups: of `replace` within columns, the groups that were read; those of the rows are among them.
        Raises StoppedRun: rows repeat a key. StoreError.
        Cost: COPY, and one statement over the rows; an upsert in the order of the keys.
        """
        if self.sink.create:
            self._create(checked)
        columns = columns_of(self.conn, self.sink.table)
        rows = fitting(rows, columns, self.sink.keys, self.log)
        match self.sink.mode:
            case "append":
                return self._append(rows)
            case "upsert":
                return self._upsert(newest(rows, self.sink.keys, self.sink.newer_by), columns)
            case "replace":
                return self._replace(rows, groups)
            case "scd2":
                return self._scd2(newest(rows, self.sink.keys, None), columns)

    def _append(self, rows: pl.DataFrame) -> dict[str, int]:
        if not self.sink.keys:
            return {"inserted": copy_in(self.conn, self.sink.table, rows)}
        rows = newest(rows, self.sink.keys, None)
        self._stage(rows)
        inserted = self._do("sink_append", rows.columns)
        return {"inserted": inserted, "unchanged": rows.height - inserted}

    def _upsert(self, rows: pl.DataFrame, columns: Any) -> dict[str, int]:
        self._stage(rows)
        others = [name for name in rows.columns if name not in self.sink.keys]
        query = self._composed(
            "sink_upsert",
            rows.columns,
            newer=self._newer("s"),
            newer_than_there=self._newer("excluded"),
            is_new=sql.SQL("{} IS NULL").format(sql.Identifier("t", self.sink.keys[0])),
            excluded=_names(rows.columns, "excluded"),
            **_compared(others or self.sink.keys, columns),
        )
        inserted, updated = run(self.conn, query)[0]
        return {"inserted": inserted, "updated": updated, "unchanged": rows.height - inserted - updated}

    def _newer(self, side: str) -> sql.Composable:
        """An older row never overwrites a newer one."""
        if self.sink.newer_by is None:
            return sql.SQL("true")
        there, given = sql.Identifier("t", self.sink.newer_by), sql.Identifier(side, self.sink.newer_by)
        return sql.SQL("({t} IS NULL OR {s} >= {t})").format(t=there, s=given)

    def _replace(self, rows: pl.DataFrame, groups: pl.DataFrame | None) -> dict[str, int]:
        if not self.sink.within:
            deleted = self._do("sink_delete_all", rows.columns)
            return {"deleted": deleted, "inserted": copy_in(self.conn, self.sink.table, rows)}
        touched = rows.select(self.sink.within)
        touched = (pl.concat([touched, groups]) if groups is not None else touched).unique()
        named = {"stage": sql.Identifier(GROUPS), "table": self._table(), "columns": _names(self.sink.within)}
        run(self.conn, self._filled("sink_stage", **named))
        copy_in(self.conn, GROUPS, touched)
        within = {"t_within": _names(self.sink.within, "t"), "g_within": _names(self.sink.within, "g")}
        deleting = self._filled("sink_delete_within", table=self._table(), groups=sql.Identifier(GROUPS), **within)
        deleted = affected(self.conn, deleting)
        return {"deleted": deleted, "inserted": copy_in(self.conn, self.sink.table, rows)}

    def _scd2(self, rows: pl.DataFrame, columns: Any) -> dict[str, int]:
        self._stage(rows)
        others = [name for name in rows.columns if name not in self.sink.keys]
        closed = self._do("sink_scd2_close", rows.columns, **_compared(others or self.sink.keys, columns))
        absent = self._do("sink_scd2_absent", rows.columns) if self.sink.absent == "close" else 0
        opened = self._do("sink_scd2_open", rows.columns)
        return {"inserted": opened, "closed": closed + absent, "unchanged": rows.height - opened}

    def _create(self, checked: Checked) -> None:
        if run(self.conn, Q["sink_columns"], {"table": self.sink.table}):
            return
        schema = self.sink.table.partition(".")[0]
        if not run(self.conn, Q["sink_schema_known"], {"schema": schema}):
            run(self.conn, self._filled("sink_schema", schema=sql.Identifier(schema)))
        run(self.conn, self._filled("sink_create", table=self._table(), columns=_definitions(self.sink, checked)))
        if self.sink.mode == "scd2":
            run(self.conn, self._filled("sink_scd2_current", table=self._table(), keys=_names(self.sink.keys)))

    def _stage(self, rows: pl.DataFrame) -> None:
        named = {"stage": sql.Identifier(STAGE), "table": self._table(), "columns": _names(rows.columns)}
        run(self.conn, self._filled("sink_stage", **named))
        copy_in(self.conn, STAGE, rows)
        run(self.conn, self._filled("sink_stage_seen", stage=sql.Identifier(STAGE)))

    def _do(self, name: str, columns: Sequence[str], **named: sql.Composable) -> int:
        return affected(self.conn, self._composed(name, columns, **named), {"now": f"{self.now}+00"})

    def _composed(self, name: str, columns: Sequence[str], **named: sql.Composable) -> Any:
        keys = self.sink.keys
        known = {
            "stage": sql.Identifier(STAGE),
            "table": self._table(),
            "columns": _names(columns),
            "s_columns": _names(columns, "s"),
            "keys": _names(keys),
            "t_keys": _names(keys, "t"),
            "s_keys": _names(keys, "s"),
        }
        return self._filled(name, **known, **named)

    def _filled(self, name: str, **named: sql.Composable) -> Any:
        query = Q[name]
        return replace(query, sql=sql.SQL(cast(Any, query.sql)).format(**named).as_string(self.conn))

    def _table(self) -> sql.Identifier:
        return sql.Identifier(*self.sink.table.split("."))


def _names(names: Sequence[str], side: str | None = None) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(*([side] if side else []), name) for name in names)


def _compared(names: Sequence[str], columns: Any) -> dict[str, sql.Composable]:
    """Columns of both sides; json, which knows no equality, by its text."""
    forms = {name: sql.SQL("{}::text" if columns[name].kind == "json" else "{}") for name in names}
    return {
        f"{side}_compared": sql.SQL(", ").join(form.format(sql.Identifier(side, name)) for name, form in forms.items())
        for side in ("t", "s")
    }


def _definitions(sink: TableSink, checked: Checked) -> sql.Composable:
    """Columns of a table that is made, and its key."""
    parts: list[sql.Composable] = [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(cast(Any, _type(one))))
        for name, one in checked.rows.items()
    ]
    if sink.mode == "scd2":
        parts += [sql.SQL(cast(Any, line)) for line in _VALIDITY]
    elif sink.keys:
        parts.append(sql.SQL("PRIMARY KEY ({})").format(_names(sink.keys)))
    return sql.SQL(", ").join(parts)


def _type(one: ColumnType) -> str:
    return f"numeric({one.precision},{one.scale})" if one.kind == "decimal" else _TYPES[one.kind]
