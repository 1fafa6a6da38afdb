"""Casts, as PostgreSQL has them: texts are read in its forms, dates and times in the ISO form alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import polars as pl

from core.pipelines.compiling.numbers import as_exact, as_float, finite, rescaled, rounded_quotient, whole_number
from core.pipelines.compiling.values import Fault, Value, approximate, once, physical, stored, whole, within
from core.pipelines.types import (
    BOOL,
    DATE,
    FLOAT,
    INT,
    JSON,
    MAX_PRECISION,
    TEXT,
    TIMESTAMP,
    ColumnType,
    decimal,
)

_BLANKS: Final = " \t\n\r\v\f"
_NUMBER: Final = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
_DATE: Final = r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
_TIME: Final = (
    r"(?:[T ][ ]*([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?[ ]*(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?$"
)
_TRUE: Final = ("t", "tr", "tru", "true", "y", "ye", "yes", "on", "1")
_FALSE: Final = ("f", "fa", "fal", "fals", "false", "n", "no", "of", "off", "0")
_POWERS: Final = pl.Series([10**power for power in range(MAX_PRECISION + 1)], dtype=pl.Int128)
_MICROSECONDS: Final = 1_000_000


def cast(value: Value, to: ColumnType) -> Value:
    """The value as one of another type; rows where it is none are at fault."""
    one = value.type
    if one == to or one.is_open:
        return replace(value, expr=value.expr.cast(physical(to)) if one.is_open else value.expr, type=to)
    if to.kind == "text":
        return Value(_text(value), TEXT, value.faults)
    if one.kind == "text":
        return from_text(value, to)
    if to.is_number and one.is_number:
        return _number(value, to)
    if to.is_time:
        return Value(value.expr.cast(physical(to)), to, value.faults)
    if to.kind == "bool":
        return Value(value.expr != 0, BOOL, value.faults)
    return Value(value.expr.cast(pl.Int64), to, value.faults)


def convert(value: Value, to: ColumnType) -> Value:
    """The same for types that go together without a word: whole numbers to decimals, dates to timestamps."""
    if value.type == to:
        return value
    if value.type.is_exact and to.kind == "decimal":
        return as_exact(value, to)
    return cast(value, to)


def _number(value: Value, to: ColumnType) -> Value:
    if to.kind == "float":
        return as_float(value)
    if to.kind == "int":
        return whole_number(value)
    if value.type.kind == "float":
        # PostgreSQL takes the 15 digits that a floating number is sure of.
        near = value.expr.round_sig_figs(15).cast(pl.String)
        return replace(_decimal(near, to, value.faults), type=to)
    return rescaled(value, to)


def _text(value: Value) -> pl.Expr:
    match value.type.kind:
        case "decimal":
            return stored(value).cast(pl.String)
        case "float":
            return value.expr.cast(pl.String).str.strip_suffix(".0")
        case "timestamp":
            return value.expr.dt.strftime("%Y-%m-%d %H:%M:%S%.6f").str.replace(r"\.?0+$", "").pipe(_seconds_back)
        case _:
            return value.expr.cast(pl.String)


def _seconds_back(written: pl.Expr) -> pl.Expr:
    """Noughts of whole seconds that were taken off with those of the fraction: 12:00: is 12:00:00 again."""
    lacking = 19 - written.str.len_chars().cast(pl.Int64)
    return pl.when(lacking > 0).then(written + pl.lit("00:00:00").str.tail(lacking.clip(0, 8))).otherwise(written)


def from_text(value: Value, to: ColumnType) -> Value:
    """A text read as a value of a type."""
    text = value.expr.str.strip_chars(_BLANKS)
    match to.kind:
        case "int":
            read = pl.when(text.str.contains(r"^[+-]?[0-9]+$")).then(text).str.strip_prefix("+")
            return _read(value, read.cast(pl.Int64, strict=False), INT)
        case "decimal":
            return replace(_decimal(text, to, value.faults), type=to)
        case "float":
            read = pl.when(text.str.contains(_NUMBER)).then(text.str.strip_prefix("+")).cast(pl.Float64, strict=False)
            return finite(_read(value, read, FLOAT).expr, _read(value, read, FLOAT).faults)
        case "bool":
            low = text.str.to_lowercase()
            known = pl.when(low.is_in(_TRUE)).then(pl.lit(value=True)).when(low.is_in(_FALSE)).then(pl.lit(value=False))
            return _read(value, known, BOOL)
        case "json":
            is_json = value.expr.str.json_path_match("$").is_not_null() | (text == "null")
            return _read(value, pl.when(is_json).then(value.expr), JSON)
        case _:
            return _time(value, text, to)


def _read(value: Value, read: pl.Expr, to: ColumnType) -> Value:
    """What was read, at fault where there was something to read."""
    read = once(read)
    return Value(read, to, value.faults).failing("cast", read.is_null() & value.expr.is_not_null())


def _decimal(text: pl.Expr, to: ColumnType, faults: tuple[Fault, ...]) -> Value:
    """Digits before and after the point as one whole number, then moved by powers of ten, half away from zero."""
    text = once(text)
    written = pl.when(text.str.contains(_NUMBER)).then(text.str.strip_prefix("+"))
    mantissa = once(written.str.extract(r"^([^eE]*)", 1))
    exponent = once(written.str.extract(r"[eE]([+-]?[0-9]{1,4})$", 1))
    places = mantissa.str.extract(r"\.([0-9]*)$", 1).str.len_chars().cast(pl.Int64).fill_null(0)
    number = once(mantissa.str.replace(".", "", literal=True).cast(pl.Int128, strict=False))
    is_read = number.is_not_null() & (~text.str.contains("[eE]") | exponent.is_not_null())
    moved = once(exponent.str.strip_prefix("+").cast(pl.Int64).fill_null(0) - places + to.scale)
    up, down = (pl.lit(_POWERS).gather(way.clip(0, MAX_PRECISION)) for way in (moved, -moved))
    # What is moved down by more digits than there are leaves nothing; up, the size tells that it is too large.
    fine = pl.when(moved >= -MAX_PRECISION).then(rounded_quotient(number, down)).otherwise(number * whole(0))
    exact = once(pl.when(moved >= 0).then(number * up).otherwise(fine))
    about = approximate(number) * pl.lit(10.0).pow(moved.clip(-400, 300))
    about = pl.when(number == whole(0)).then(pl.lit(0.0)).otherwise(about)
    about = pl.when(moved > 0).then(about).otherwise(approximate(exact))
    read = within(exact, about, decimal(to.precision, to.scale), faults)
    return read.failing("cast", ~is_read & text.is_not_null())


def _time(value: Value, text: pl.Expr, to: ColumnType) -> Value:
    """A date and perhaps a time, with a zone or in UTC; a fraction is rounded to microseconds."""
    whole_text = text.str.contains(f"{_DATE}{_TIME}")
    day = pl.when(whole_text).then(text.str.extract(f"({_DATE})", 1)).str.to_date("%Y-%m-%d", strict=False)
    if to == DATE:
        return _read(value, day, DATE)
    parts = once(text.str.extract_groups(f"{_DATE}{_TIME}"))
    hour, minute, second = (parts.struct.field(str(place)).cast(pl.Int64).fill_null(0) for place in (1, 2, 3))
    fraction = pl.concat_str(pl.lit("0."), parts.struct.field("4").fill_null("0").str.head(15)).cast(pl.Float64)
    zone = parts.struct.field("5").fill_null("Z")
    ahead = (zone.str.slice(1, 2).cast(pl.Int64, strict=False) * 60).fill_null(0) + zone.str.extract(
        r"^.[0-9]{2}:?([0-9]{2})$", 1
    ).cast(pl.Int64).fill_null(0)
    ahead = pl.when(zone.str.starts_with("-")).then(-ahead).otherwise(ahead)
    is_time = (hour <= 24) & (minute < 60) & (second <= 60) & ((hour < 24) | ((minute == 0) & (second == 0)))
    seconds = (hour * 60 + minute - ahead) * 60 + second
    micros = seconds * _MICROSECONDS + (fraction * _MICROSECONDS).round(0).cast(pl.Int64)
    moment = day.cast(pl.Datetime("us")) + pl.duration(microseconds=micros)
    return _read(value, pl.when(is_time).then(moment), TIMESTAMP)
