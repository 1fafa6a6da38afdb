"""Which rows a table can hold: the others are dead, so that one of them does not end the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import polars as pl
import psycopg

from core.database.queries import load, run
from core.errors import InputError
from core.pipelines.compiling.held import DeadRows, Log, StoppedRun

Q = load("pipelines_sinks")
_INTEGERS: Final = {"int2": 2**15, "int4": 2**31}
_HEADER: Final = 4
"""What PostgreSQL adds to the length or precision in a type's modifier."""


@dataclass(frozen=True, slots=True)
class SinkColumn:
    """A column of a table: PostgreSQL's type, its modifier (-1: none), and whether it must have a value."""

    kind: str
    modifier: int
    required: bool


def columns_of(conn: psycopg.Connection[Any], table: str) -> dict[str, SinkColumn]:
    """The columns of a table. Raises InputError: there is no such table."""
    found = run(conn, Q["sink_columns"], {"table": table})
    if not found:
        raise InputError(f"there is no table {table}; was it dropped since the pipeline was approved?", table=table)
    return {name: SinkColumn(kind, modifier, required) for name, kind, modifier, required in found}


def fitting(rows: pl.DataFrame, columns: Mapping[str, SinkColumn], keys: Sequence[str], log: Log) -> pl.DataFrame:
    """The rows that fit; the others are written down: too large (overflow), or without a needed value (rule)."""
    faults: list[tuple[str, str, pl.Expr]] = []
    for name in rows.columns:
        if (too_large := _too_large(name, columns[name])) is not None:
            faults.append((name, "overflow", too_large))
        if columns[name].required or name in keys:
            faults.append((name, "rule", pl.col(name).is_null()))
    dead = pl.lit(value=False)
    for name, fault, where in faults:
        is_so = where.fill_null(value=False)
        if n_rows := rows.select((is_so & ~dead).sum()).item():
            log.dead.append(DeadRows("sink", name, fault, n_rows))
        dead = dead | is_so
    return rows.filter(~dead)


def newest(rows: pl.DataFrame, keys: Sequence[str], newer_by: str | None) -> pl.DataFrame:
    """One row a key: the newest. Raises StoppedRun: nothing says which of two is."""
    doubled = rows.height - rows.select(pl.struct(keys).n_unique()).item() if rows.height else 0
    if not doubled:
        return rows
    if newer_by is None:
        raise StoppedRun(
            f"sink: {doubled:,} rows repeat a key of [{', '.join(keys)}] in one run; nothing was written. "
            "Say newer_by, or dedupe before"
        )
    kept = rows.sort(newer_by, descending=True, nulls_last=True, maintain_order=True).unique(keys, keep="first")
    latest = rows.filter(pl.col(newer_by).eq_missing(pl.col(newer_by).max().over(keys))).unique(maintain_order=True)
    tied = latest.height - latest.select(pl.struct(keys).n_unique()).item() if latest.height else 0
    if tied:
        raise StoppedRun(
            f"sink: {tied:,} rows have the key and the {newer_by} of another and differ from it; nothing was written. "
            "Dedupe before by what tells them apart"
        )
    return kept


def _too_large(name: str, column: SinkColumn) -> pl.Expr | None:
    value = pl.col(name)
    if (bound := _INTEGERS.get(column.kind)) is not None:
        return (value >= bound) | (value < -bound)
    if column.modifier < _HEADER:
        return None
    if column.kind in {"varchar", "bpchar"}:
        return value.cast(pl.String).str.len_chars() > column.modifier - _HEADER
    if column.kind == "numeric":
        precision, scale = (column.modifier - _HEADER) >> 16, (column.modifier - _HEADER) & 0x7FF
        # Whole digits alone: scales were compared before anything ran.
        return value.abs() >= pl.lit(Decimal(10) ** (precision - scale)) if precision - scale < 38 else None
    return None
