"""Rows between two steps, and what is written down of them on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from core.errors import HeadraceError
from core.pipelines.compiling.expression import Surroundings, compiled
from core.pipelines.compiling.values import PREFIX, FaultClass, Value, gathered, storage_type, stored
from core.pipelines.expressions.syntax import Expression
from core.pipelines.types import ColumnType

_VALUE, _FAULT = f"{PREFIX}value", f"{PREFIX}fault"


class StoppedRun(HeadraceError):
    """A run that a step ends: `on_error: stop`, `on_fail: stop`, or rows that would multiply. Nothing is written."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class DeadRows:
    """Rows that left for one reason: at which step and column (or rule), of which class, how many."""

    step: str
    column: str
    fault: str
    rows: int


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A rule of a validate or check step: whether it held, and of row rules how many rows failed it."""

    step: str
    rule: str
    passed: bool
    on_fail: str
    rows: int = 0


@dataclass(slots=True)
class Log:
    """What is written down while a run goes on."""

    run_time: datetime
    dead: list[DeadRows] = field(default_factory=list)
    checks: list[CheckResult] = field(default_factory=list)

    def left(self, step: str, reasons: Counter[tuple[str, str]]) -> None:
        """Rows that left at a step, by (column, class)."""
        self.dead += [DeadRows(step, column, fault, rows) for (column, fault), rows in sorted(reasons.items())]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A value of each row as a column holds it; fault: the first of `kinds` that is true of it, null where none is."""

    value: pl.Series
    type: ColumnType
    fault: pl.Series
    kinds: tuple[FaultClass, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """Rows and the types of their columns; the frame has their storage types, in the same order."""

    frame: pl.DataFrame
    types: Mapping[str, ColumnType]

    def evaluated(self, make: Callable[[], Value]) -> Evaluated:
        """What an expression over these rows gives."""
        with gathered() as before:
            value = make()
        lazy = self.frame.lazy()
        for name, expr in before:
            lazy = lazy.with_columns(expr.alias(name))
        codes = [pl.when(one.where).then(pl.lit(code, dtype=pl.Int16)) for code, one in enumerate(value.faults)]
        first = pl.coalesce(codes) if codes else pl.lit(None, dtype=pl.Int16)
        found = lazy.with_columns(stored(value).alias(_VALUE), first.alias(_FAULT)).select(_VALUE, _FAULT).collect()
        return Evaluated(found[_VALUE], value.type, found[_FAULT], tuple(one.kind for one in value.faults))

    def expression(self, node: Expression, log: Log) -> Evaluated:
        """The same of a node."""
        return self.evaluated(lambda: compiled(node, Surroundings(self.types, log.run_time)))

    def picked(self, names: Sequence[str]) -> Held:
        """These columns, in this order."""
        return Held(self.frame.select(names), {name: self.types[name] for name in names})

    def put(self, columns: Mapping[str, pl.Series | pl.Expr], types: Mapping[str, ColumnType]) -> Held:
        """Columns put behind, or in the place of those of the same name."""
        all_types = {**self.types, **types}
        cast = [column.cast(storage_type(types[name])).alias(name) for name, column in columns.items()]
        return Held(self.frame.with_columns(cast).select(list(all_types)), all_types)


def alive(
    held: Held, evaluated: Mapping[str, Evaluated], step: str, on_error: str, log: Log
) -> tuple[Held, dict[str, pl.Series]]:
    """The rows that no fault is true of, and the values of those. evaluated: by the name that is told.

    Raises StoppedRun: there is a fault, and `on_error` is stop.
    """
    values = {name: one.value for name, one in evaluated.items()}
    if on_error == "empty" or not any(len(one.kinds) and one.fault.count() for one in evaluated.values()):
        return held, values
    # The first reason counts; one code a row.
    reasons = [(name, kind) for name, one in evaluated.items() for kind in one.kinds]
    codes: list[pl.Series] = []
    begin = 0
    for one in evaluated.values():
        codes.append((one.fault + begin).alias(f"{_FAULT}{len(codes)}"))
        begin += len(one.kinds)
    fault = pl.DataFrame(codes).select(pl.coalesce(pl.all())).to_series() if len(codes) > 1 else codes[0]
    counted: Counter[tuple[str, str]] = Counter()
    for code, rows in fault.drop_nulls().value_counts().iter_rows():
        counted[reasons[code]] += rows
    if on_error == "stop":
        (name, kind), rows = counted.most_common(1)[0]
        raise StoppedRun(
            f"{step}.{name}: {rows:,} row{'s' if rows > 1 else ''} cannot be computed ({kind}); nothing was written. "
            "Mend the rows or the step, or say on_error: dead"
        )
    log.left(step, counted)
    kept = fault.is_null()
    return Held(held.frame.filter(kept), held.types), {name: value.filter(kept) for name, value in values.items()}


def computed_columns(
    held: Held, evaluated: Mapping[str, Evaluated], types: Mapping[str, ColumnType], step: str, on_error: str, log: Log
) -> Held:
    """Columns put from values; rows at fault leave, stop the run, or keep an empty value."""
    rows, values = alive(held, evaluated, step, on_error, log)
    return rows.put(values, {name: types[name] for name in values})
