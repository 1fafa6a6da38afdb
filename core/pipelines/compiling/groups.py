"""Aggregates and window functions: arguments by row, one value a group or row, then what is computed of those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Final

import polars as pl

from core.pipelines.compiling import numbers
from core.pipelines.compiling.values import PREFIX, Value, approximate, physical, within
from core.pipelines.expressions import syntax
from core.pipelines.expressions.functions import FUNCTIONS
from core.pipelines.expressions.syntax import Expression
from core.pipelines.types import BOOL, FLOAT, INT, QUOTIENT, TEXT, ColumnType, decimal, digits_of


@dataclass(frozen=True, slots=True)
class Slot:
    """An aggregate or window function within an expression, computed apart under a name."""

    name: str
    call: syntax.Call


def taken_apart(node: Expression, known: list[Slot]) -> Expression:
    """The expression with a column in the place of each aggregate or window function; `known` grows by those found."""
    if isinstance(node, syntax.Call) and FUNCTIONS[node.name].place != "row":
        slot = next((one for one in known if one.call == node), None)
        if slot is None:
            slot = Slot(f"{PREFIX}slot{len(known)}", node)
            known.append(slot)
        return syntax.Column(slot.name, quoted=True, at=node.at)
    changed = {field.name: _below(getattr(node, field.name), known) for field in fields(node) if field.name != "at"}
    return replace(node, **changed)


def _below(value: Any, known: list[Slot]) -> Any:
    if isinstance(value, tuple):
        return tuple(_below(one, known) for one in value)
    is_node = is_dataclass(value) and not isinstance(value, ColumnType)
    return taken_apart(value, known) if is_node else value


def aggregated(call: syntax.Call, argument: Value | None, kept: pl.Expr | None) -> Value:
    """One value for all rows of a group.

    argument: what is aggregated, None of count(*). kept: the rows that `filter` keeps, None: all.
    """
    if argument is None:
        return Value(pl.len() if kept is None else kept.sum(), INT)
    value = argument.expr if kept is None else pl.when(kept).then(argument.expr)
    if call.distinct:
        value = value.unique()
    value = value.drop_nulls()
    made: Value = _AGGREGATES[call.name](replace(argument, expr=value, faults=()), call)
    return made


def _sum(value: Value, _: syntax.Call) -> Value:
    some = value.expr.len() > 0
    if value.type.kind == "float":
        return numbers.finite(pl.when(some).then(value.expr.sum()), ())
    wide = value.expr.cast(pl.Int128)
    exact, about = pl.when(some).then(wide.sum()), pl.when(some).then(approximate(wide).abs().sum())
    return within(exact, about, decimal(38, digits_of(value.type)[1]), ())


def _average(value: Value, call: syntax.Call) -> Value:
    total, count = _sum(value, call), Value(value.expr.len().cast(pl.Int64), INT)
    some = pl.when(value.expr.len() > 0)
    if value.type.kind == "float":
        return Value(some.then(value.expr.mean()), FLOAT, total.faults)
    return numbers.computed("/", total, replace(count, expr=some.then(count.expr)))


def _median(value: Value, _: syntax.Call) -> Value:
    if value.type.kind == "float":
        return Value(value.expr.median(), FLOAT)
    ordered, count = value.expr.cast(pl.Int128).sort(), value.expr.len().cast(pl.Int64)
    low, high = ordered.get((count - 1) // 2, null_on_oob=True), ordered.get(count // 2, null_on_oob=True)
    both = Value(low + high, decimal(38, digits_of(value.type)[1]))
    return replace(numbers.computed("/", both, Value(pl.lit(2, dtype=pl.Int64), INT)), type=QUOTIENT)


def _spread(value: Value, call: syntax.Call) -> Value:
    flat = numbers.as_float(value).expr
    return Value(flat.std() if call.name == "stddev" else flat.var(), FLOAT)


def _joined(value: Value, call: syntax.Call) -> Value:
    separator = call.arguments[1]
    assert isinstance(separator, syntax.Constant)
    # Sorted, so that the text is the same whatever order the rows came in.
    return Value(pl.when(value.expr.len() > 0).then(value.expr.sort().str.join(str(separator.value))), TEXT)


def _whether_all(value: Value, _: syntax.Call) -> Value:
    return Value(pl.when(value.expr.len() > 0).then(value.expr.all()), BOOL)


def _whether_any(value: Value, _: syntax.Call) -> Value:
    return Value(pl.when(value.expr.len() > 0).then(value.expr.any()), BOOL)


def _least(value: Value, _: syntax.Call) -> Value:
    return replace(value, expr=value.expr.min())


def _greatest(value: Value, _: syntax.Call) -> Value:
    return replace(value, expr=value.expr.max())


_AGGREGATES: Final[Mapping[str, Any]] = {
    "count": lambda value, _: Value(value.expr.len().cast(pl.Int64), INT),
    "sum": _sum,
    "avg": _average,
    "median": _median,
    "min": _least,
    "max": _greatest,
    # The least: any would do, and this one is the same in every order of rows.
    "any_value": _least,
    **dict.fromkeys(("stddev", "variance"), _spread),
    "string_agg": _joined,
    **dict.fromkeys(("bool_and", "every"), _whether_all),
    "bool_or": _whether_any,
}


PLACE, FIRST, LAST = f"{PREFIX}place", f"{PREFIX}first", f"{PREFIX}last"
"""Of each row of a frame in order: its place, equal for rows that the order does not part, and the first and the last
row of that place, counted over the whole frame."""


def windowed(
    call: syntax.Call, argument: Value | None, kept: pl.Expr | None, by: Sequence[str], *, is_ordered: bool
) -> Value:
    """One value for each row, over frames as PostgreSQL has them by default: up to the last row of the same place.

    by: names of the columns that a group shares, one at least. The frame of polars is in order, with PLACE, FIRST and
    LAST where there is one.
    """
    if FUNCTIONS[call.name].place == "window":
        return _of_window(call, argument, by, is_ordered=is_ordered)
    if is_ordered:
        return _running(call, argument, kept, by)
    one = aggregated(call, argument, kept)
    return replace(one, expr=one.expr.over(by), faults=tuple(replace(f, where=f.where.over(by)) for f in one.faults))


def _of_window(call: syntax.Call, argument: Value | None, by: Sequence[str], *, is_ordered: bool) -> Value:
    number = (pl.int_range(pl.len(), dtype=pl.Int64) + 1).over(by)
    match call.name:
        case "row_number":
            return Value(number, INT)
        case "rank" | "dense_rank" if not is_ordered:
            return Value(pl.lit(1, dtype=pl.Int64), INT)
        case "rank":
            return Value(number.gather(pl.col(FIRST)), INT)
        case "dense_rank":
            return Value(pl.col(PLACE).rank("dense").over(by).cast(pl.Int64), INT)
    assert argument is not None  # of the check of types
    value = replace(argument, faults=())
    match call.name:
        case "lag" | "lead":
            steps = _steps(call) * (1 if call.name == "lag" else -1)
            return replace(value, expr=value.expr.shift(steps).over(by))
        case "first_value":
            return replace(value, expr=value.expr.first().over(by))
        case _:
            return replace(value, expr=value.expr.gather(pl.col(LAST)) if is_ordered else value.expr.last().over(by))


def _steps(call: syntax.Call) -> int:
    if len(call.arguments) < 2:
        return 1
    steps = call.arguments[1]
    assert isinstance(steps, syntax.Constant) and isinstance(steps.value, int)  # noqa: PT018 - as above
    return steps.value


def _running(call: syntax.Call, argument: Value | None, kept: pl.Expr | None, by: Sequence[str]) -> Value:
    """From the first row of the group to the last of the same place."""

    def upto(expr: pl.Expr) -> pl.Expr:
        # Taken from the last row of the place: a window within a window would begin anew there.
        return expr.over(by).gather(pl.col(LAST))

    if argument is None:
        rows = pl.int_range(pl.len(), dtype=pl.Int64) + 1 if kept is None else kept.cast(pl.Int64).cum_sum()
        return Value(upto(rows), INT)
    value = argument.expr if kept is None else pl.when(kept).then(argument.expr)
    count = upto(value.is_not_null().cast(pl.Int64).cum_sum())
    some = pl.when(count > 0)
    match call.name:
        case "count":
            return Value(count, INT)
        case "sum" | "avg":
            return _running_total(call, replace(argument, expr=value), count, upto)
        case "max" | "bool_or":
            highest = upto(_ranked(value, argument.type).cum_max().forward_fill())
            return replace(argument, expr=some.then(highest).cast(physical(argument.type)), faults=())
        case _:
            lowest = upto(_ranked(value, argument.type).cum_min().forward_fill())
            return replace(argument, expr=some.then(lowest).cast(physical(argument.type)), faults=())


def _running_total(call: syntax.Call, value: Value, count: pl.Expr, upto: Any) -> Value:
    some = pl.when(count > 0)
    if value.type.kind == "float":
        total = upto(value.expr.fill_null(0.0).cum_sum())
        return numbers.finite(some.then(total / count if call.name == "avg" else total), ())
    wide = value.expr.cast(pl.Int128).fill_null(0)
    exact, about = some.then(upto(wide.cum_sum())), some.then(upto(approximate(wide).abs().cum_sum()))
    total = within(exact, about, decimal(38, digits_of(value.type)[1]), ())
    return total if call.name == "sum" else numbers.computed("/", total, Value(some.then(count), INT))


def _ranked(value: pl.Expr, one: ColumnType) -> pl.Expr:
    return value.cast(pl.Int8) if one == BOOL else value
