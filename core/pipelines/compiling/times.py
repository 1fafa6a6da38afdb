"""Dates, times and spans of time. A moment outside of the years 1 to 9999 is a fault of its row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

from core.pipelines.compiling.numbers import computed
from core.pipelines.compiling.values import Value, faults_of, once
from core.pipelines.types import DATE, INT, INTERVAL, TIMESTAMP, decimal

_DAY: Final = 86_400_000_000
_FIRST, _LAST = -719_162, 2_932_896
"""0001-01-01 and 9999-12-31 in days from 1970."""

_CUTS: Final[Mapping[str, str]] = {
    "year": "1y", "quarter": "1q", "month": "1mo", "week": "1w", "day": "1d",
    "hour": "1h", "minute": "1m", "second": "1s",
}  # fmt: skip
_FIELDS: Final[Mapping[str, Callable[[pl.Expr], pl.Expr]]] = {
    "year": lambda one: one.dt.year(),
    "quarter": lambda one: one.dt.quarter(),
    "month": lambda one: one.dt.month(),
    "week": lambda one: one.dt.week(),
    "day": lambda one: one.dt.day(),
    "hour": lambda one: one.dt.hour(),
    "minute": lambda one: one.dt.minute(),
    "dow": lambda one: one.dt.weekday() % 7,
    "isodow": lambda one: one.dt.weekday(),
    "doy": lambda one: one.dt.ordinal_day(),
    "isoyear": lambda one: one.dt.iso_year(),
}


def span_of(months: int, days: int, microseconds: int) -> Value:
    """A constant interval."""
    parts = (pl.lit(part, dtype=pl.Int64) for part in (months, days, microseconds))
    return Value(pl.lit(None), INTERVAL, span=tuple(parts))  # type: ignore[arg-type]


def moment(value: Value) -> pl.Expr:
    """A date or timestamp as a timestamp."""
    return value.expr.cast(pl.Datetime("us"))


def moved(left: Value, right: Value, *, back: bool) -> Value:
    """A time and a span: months first, the day cut to the end of the month, then days, then the rest."""
    sign, faults = -1 if back else 1, faults_of((left, right))
    if right.span is None:
        days = left.expr.cast(pl.Int32).cast(pl.Int64) + sign * right.expr
        is_out = (days < _FIRST) | (days > _LAST)
        day = pl.when(~is_out).then(days).cast(pl.Int32).cast(pl.Date)
        return Value(day, DATE, faults).failing("overflow", is_out)
    months, days, micros = (part * sign for part in right.span)
    start = once(moment(left))
    month = start.dt.year().cast(pl.Int64) * 12 + start.dt.month() - 1 + months
    year, first = once(month // 12), month % 12 + 1
    is_year = (year >= 1) & (year <= 9999)
    first_day = once(pl.date(pl.when(is_year).then(year), first, 1))
    day = pl.min_horizontal(start.dt.day().cast(pl.Int64), first_day.dt.days_in_month().cast(pl.Int64))
    in_day = start.dt.timestamp("us") % _DAY
    at = once((first_day.cast(pl.Int32).cast(pl.Int64) + day - 1 + days) * _DAY + in_day + micros)
    is_out = (~is_year & start.is_not_null()) | (at < _FIRST * _DAY) | (at >= (_LAST + 1) * _DAY)
    return Value(pl.when(~is_out.fill_null(value=False)).then(at).cast(pl.Datetime("us")), TIMESTAMP, faults).failing(
        "overflow", is_out
    )


def between(left: Value, right: Value) -> Value:
    """left - right: whole days of two dates, else a span of microseconds."""
    faults = faults_of((left, right))
    if left.type == right.type == DATE:
        return Value(left.expr.cast(pl.Int32).cast(pl.Int64) - right.expr.cast(pl.Int32).cast(pl.Int64), INT, faults)
    micros = moment(left).dt.timestamp("us") - moment(right).dt.timestamp("us")
    nought = pl.lit(0, dtype=pl.Int64)
    # PostgreSQL puts whole days aside; they are of 24 hours in UTC, so nothing depends on it.
    return Value(pl.lit(None), INTERVAL, faults, span=(nought, nought, micros))


def spans_together(left: Value, right: Value, *, back: bool) -> Value:
    """The sum or difference of two spans."""
    assert left.span is not None and right.span is not None  # noqa: PT018 - the check of types has seen it
    parts = tuple(one - other if back else one + other for one, other in zip(left.span, right.span, strict=True))
    return Value(pl.lit(None), INTERVAL, faults_of((left, right)), span=parts)  # type: ignore[arg-type]


def length(value: Value) -> Value:
    """A span in microseconds, a month of 30 days, as PostgreSQL compares spans."""
    if value.span is None:
        return value
    months, days, micros = (part.cast(pl.Int128) for part in value.span)
    return Value((months * 30 + days) * _DAY + micros, INT, value.faults)


def cut(value: Value, to: str) -> Value:
    """The beginning of the year, month, ... that a moment is in."""
    return Value(moment(value).dt.truncate(_CUTS[to]), TIMESTAMP, value.faults)


def part(value: Value, field: str) -> Value:
    """A field of a moment, with six places."""
    at = moment(value)
    if field == "epoch":
        exact = at.dt.timestamp("us")
    elif field == "second":
        exact = at.dt.timestamp("us") % 60_000_000
    else:
        exact = _FIELDS[field](at).cast(pl.Int64) * 1_000_000
    return Value(exact.cast(pl.Int128), decimal(38, 6), value.faults)


def number(value: Value, field: str) -> Value:
    """A field of a moment as a whole number; Sunday is day 0 of the week."""
    return Value(_FIELDS[field](moment(value)).cast(pl.Int64), INT, value.faults)


def units_between(left: Value, right: Value, microseconds: int) -> Value:
    """Hours or minutes from one moment to another, to nine places."""
    span = between(Value(moment(left), TIMESTAMP), Value(moment(right), TIMESTAMP)).span
    assert span is not None
    unit = pl.lit(microseconds, dtype=pl.Int64)
    passed = Value(-span[2], INT, faults_of((left, right)))
    return computed("/", passed, Value(unit, INT))


def made(year: Value, month: Value, day: Value) -> Value:
    """A date from its parts, at fault where there is no such day."""
    fits = year.expr.is_between(1, 9999) & month.expr.is_between(1, 12) & day.expr.is_between(1, 31)
    first = pl.date(pl.when(fits).then(year.expr), pl.when(fits).then(month.expr), 1)
    is_day = fits & (day.expr <= first.dt.days_in_month())
    made_of = first.cast(pl.Int32).cast(pl.Int64) + day.expr - 1
    found = Value(pl.when(is_day).then(made_of).cast(pl.Int32).cast(pl.Date), DATE, faults_of((year, month, day)))
    return found.failing("argument", ~is_day)
