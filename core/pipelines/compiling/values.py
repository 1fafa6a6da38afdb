"""What an expression of polars stands for: a value of a type, and the rows for which there is none.

While it is computed, a decimal is a whole number of 128 bits in units of its last place, and a timestamp has no zone
and means UTC. No fault is null: it is true for the rows that cannot be computed, and the value is null there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, Literal

import polars as pl

from core.pipelines.types import MAX_PRECISION, ColumnType

FaultClass = Literal["cast", "overflow", "zero_division", "argument", "rule", "cursor", "type"]
"""Why a row is dead; `argument` is a value that a function has no result for, as the square root of -1."""

LIMIT: Final = 10**MAX_PRECISION
"""Every decimal lies between -LIMIT and LIMIT in units of its last place."""

_SURE: Final = 1.5e38
"""Beyond it an approximate result is above LIMIT for sure, below it whole numbers of 128 bits did not wrap (1.7e38)."""

_PHYSICAL: Final[Mapping[str, pl.DataType]] = {
    "text": pl.String(),
    "int": pl.Int64(),
    "decimal": pl.Int128(),
    "float": pl.Float64(),
    "bool": pl.Boolean(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us"),
    "json": pl.String(),
    "null": pl.Null(),
}


PREFIX: Final = "\0"
"""Of columns that stand for what is under way: no name of a user begins with it."""

_once: ContextVar[list[tuple[str, pl.Expr]] | None] = ContextVar("once", default=None)


@contextmanager
def gathered() -> Iterator[list[tuple[str, pl.Expr]]]:
    """What `once` is given within, by name and in order: columns to put before the value is computed."""
    steps: list[tuple[str, pl.Expr]] = []
    token = _once.set(steps)
    try:
        yield steps
    finally:
        _once.reset(token)


def once(expr: pl.Expr) -> pl.Expr:
    """An expression that is used more than once, computed once: in `gathered` a column stands for it.

    Without it an expression doubles with each operation, since polars computes again what stands in two branches.
    """
    steps = _once.get()
    if steps is None:
        return expr
    steps.append((f"{PREFIX}once{len(steps)}", expr))
    return pl.col(steps[-1][0])


@dataclass(frozen=True, slots=True)
class Fault:
    """Rows for which there is no value: of which class, and where that is true."""

    kind: FaultClass
    where: pl.Expr


@dataclass(frozen=True, slots=True)
class Value:
    """An expression, its type and its faults.

    span: of an interval its months, days and microseconds, whose `expr` says nothing.
    """

    expr: pl.Expr
    type: ColumnType
    faults: tuple[Fault, ...] = ()
    span: tuple[pl.Expr, pl.Expr, pl.Expr] | None = None

    def failing(self, kind: FaultClass, where: pl.Expr) -> Value:
        """The same, without a value where it fails."""
        is_so = once(where.fill_null(value=False))
        return replace(self, expr=once(pl.when(~is_so).then(self.expr)), faults=(*self.faults, Fault(kind, is_so)))

    def only_where(self, needed: pl.Expr) -> tuple[Fault, ...]:
        """Its faults as far as the value is asked for."""
        return tuple(Fault(one.kind, one.where & needed) for one in self.faults)


def physical(one: ColumnType) -> pl.DataType:
    """How values of a type are held while they are computed."""
    return _PHYSICAL[one.kind]


def storage_type(one: ColumnType) -> pl.DataType:
    """How a column of a type is held between steps."""
    return pl.Decimal(one.precision, one.scale) if one.kind == "decimal" else _PHYSICAL[one.kind]


def loaded(name: str, one: ColumnType) -> Value:
    """The values of a column."""
    column = pl.col(name)
    return Value(column.to_physical() if one.kind == "decimal" else column, one)


def stored(value: Value) -> pl.Expr:
    """A value as a column holds it."""
    if value.type.kind != "decimal":
        return value.expr.cast(storage_type(value.type))
    unit = pl.lit(Decimal(1).scaleb(-value.type.scale), dtype=pl.Decimal(MAX_PRECISION, value.type.scale))
    exact = value.expr.cast(pl.Decimal(MAX_PRECISION, 0)) * unit
    return exact.cast(storage_type(value.type))


def faults_of(values: Iterable[Value]) -> tuple[Fault, ...]:
    """All faults of several values."""
    return tuple(fault for value in values for fault in value.faults)


def whole(number: int) -> pl.Expr:
    """A constant of 128 bits."""
    return pl.lit(number, dtype=pl.Int128)


def approximate(one: pl.Expr) -> pl.Expr:
    """A whole number of 128 bits to 15 digits, without a wrap."""
    return one.cast(pl.Float64)


def within(exact: pl.Expr, about: pl.Expr, one: ColumnType, faults: tuple[Fault, ...]) -> Value:
    """A number computed in 128 bits, at fault where it has more digits than its type.

    about: the same in floating point, which tells where 128 bits did not suffice.
    """
    exact, about = once(exact), once(about)
    bound = 10**one.precision if one.kind == "decimal" else 2**63
    too_large = (
        (about.abs() > _SURE) | (exact >= whole(bound)) | (exact < whole(1 - bound if bound != 2**63 else -bound))
    )
    checked = Value(exact, one, faults).failing("overflow", too_large)
    return replace(checked, expr=checked.expr.cast(physical(one)))
