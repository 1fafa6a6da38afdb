"""Declared fields: which polars types a payload may be read as, and how each comes out of JSON.

The reader of JSON knows some types and panics at others, and of dates it guesses which number is the day. So a field is
read as the nearest type that it knows, and turned into its own strictly: what does not fit makes a row a misfit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from core.errors import ConfigError

# Read as they are.
_NATIVE = (pl.Int32, pl.Int64, pl.Int128, pl.UInt32, pl.UInt64, pl.Float32, pl.Float64, pl.Boolean, pl.String, pl.Null)
_NATIVE_TOO = (pl.Categorical, pl.Enum)
# Read as the wider one.
_WIDER: tuple[tuple[type[pl.DataType], pl.DataType], ...] = (
    (pl.Int8, pl.Int64()),
    (pl.Int16, pl.Int64()),
    (pl.UInt8, pl.Int64()),
    (pl.UInt16, pl.Int64()),
    (pl.UInt128, pl.Int128()),
    (pl.Float16, pl.Float64()),
)
_FROM_TEXT = (pl.Date, pl.Datetime, pl.Time, pl.Duration, pl.Decimal)
_BY_CLASS: dict[Any, Callable[[], pl.DataType]] = {
    pl.Datetime: lambda: pl.Datetime("us"),
    pl.Duration: lambda: pl.Duration("us"),
    pl.Categorical: pl.Categorical,
}
WORKING = (
    "integers, floats, Boolean, String, Categorical, Enum, Date, Datetime, Time, Duration, Decimal with a scale, and "
    "List, Array and Struct of these; int, float, str and bool"
)
# No date in any calendar, no time, no number: strict parsing refuses it.
_NONSENSE = "?"
_MOMENT = r"^(\d{4}-\d{1,2}-\d{1,2})(?:[Tt ](\d{2}:\d{2})(:\d{2}(?:\.\d{1,9})?)?)?(?:[Zz]|([+-])(\d{2}):?(\d{2}))?$"
_CLOCK = r"^(\d{1,2}:\d{2})(:\d{2}(?:\.\d{1,9})?)?$"
_LAPSE = r"^([+-])?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,9}))?S)?)?$"
_LAPSE_S = (604_800, 86_400, 3_600, 60, 1)
_PER_SECOND = {"ms": 10**3, "us": 10**6, "ns": 10**9}


@dataclass(frozen=True, slots=True)
class Fields:
    """`schema`: field -> dtype as rows have it; `wire`: as JSON is read; `turned`: from the one to the other."""

    schema: dict[str, pl.DataType]
    wire: dict[str, pl.DataType]
    turned: list[pl.Expr]


def declared(schema: Mapping[Any, Any]) -> dict[str, pl.DataType]:
    """Field -> dtype; ConfigError names the field that cannot be read, its type, and the types that work."""
    found: dict[str, pl.DataType] = {}
    for name, given in schema.items():
        if not isinstance(name, str) or name == "seq":
            why = "seq is the number of the row" if name == "seq" else "it is no text"
            raise ConfigError(f"the handler declares a field {name!r}: {why}; name it otherwise", field=name)
        dtype = _dtype(given)
        if dtype is None or not _readable(dtype):
            raise ConfigError(
                f"the handler declares the field {name} as {given}, which cannot be read from JSON; "
                f"what works: {WORKING}",
                field=name,
            )
        found[name] = dtype
    return found


def fields(schema: Mapping[str, Any]) -> Fields:
    """How to read a declared payload. Raises ConfigError, as `declared` does."""
    own = declared(schema)
    wire = {name: _wire(dtype) for name, dtype in own.items()}
    return Fields(own, wire, [_turned(dtype, pl.col(n)).alias(n) for n, dtype in own.items() if wire[n] != dtype])


def _dtype(given: Any) -> pl.DataType | None:
    if given in _BY_CLASS:
        return _BY_CLASS[given]()
    try:
        return pl.Schema({"field": given})["field"]
    except (TypeError, ValueError):
        return None


def _readable(dtype: pl.DataType) -> bool:
    if isinstance(dtype, pl.List | pl.Array):
        return _readable(_inner(dtype))
    if isinstance(dtype, pl.Struct):
        return all(_readable(kind) for kind in _parts(dtype).values())
    return isinstance(dtype, (*_NATIVE, *_NATIVE_TOO, *_FROM_TEXT, *(small for small, _ in _WIDER)))


def _wire(dtype: pl.DataType) -> pl.DataType:
    if isinstance(dtype, pl.List | pl.Array):
        inner = _inner(dtype)
        return dtype if _wire(inner) == inner else pl.List(_wire(inner))
    if isinstance(dtype, pl.Struct):
        return pl.Struct({name: _wire(kind) for name, kind in _parts(dtype).items()})
    if isinstance(dtype, _FROM_TEXT):
        return pl.String()
    return next((wide for small, wide in _WIDER if isinstance(dtype, small)), dtype)


def _turned(dtype: pl.DataType, read: pl.Expr) -> pl.Expr:
    """The field of its own type; evaluating it raises where a value does not fit."""
    if _wire(dtype) == dtype:
        return read
    match dtype:
        case pl.List() | pl.Array():
            return read.list.eval(_turned(_inner(dtype), pl.element())).cast(dtype)
        case pl.Struct():
            parts = [_turned(kind, read.struct.field(name)).alias(name) for name, kind in _parts(dtype).items()]
            return pl.when(read.is_null()).then(None).otherwise(pl.struct(parts))
        case pl.Date():
            return read.str.to_date("%Y-%m-%d", strict=True)
        case pl.Datetime():
            return _moment(dtype, read)
        case pl.Time():
            whole = read.str.extract(_CLOCK, 1) + read.str.extract(_CLOCK, 2).fill_null(":00")
            return _checked(read, _CLOCK, whole).str.to_time("%H:%M:%S%.f", strict=True)
        case pl.Duration():
            return _lapse(dtype, read)
        case pl.Decimal():
            finer = read.str.contains(rf"\.\d{{{dtype.scale}}}0*[1-9]|[eE]-")
            return pl.when(finer).then(pl.lit(_NONSENSE)).otherwise(read).cast(dtype, strict=True)
        case _:
            return read.cast(dtype, strict=True)


def _moment(dtype: pl.Datetime, read: pl.Expr) -> pl.Expr:
    """ISO 8601, year first; an offset is taken off, so that what comes out is UTC, and a moment without one is UTC."""
    clock = read.str.extract(_MOMENT, 2).fill_null("00:00") + read.str.extract(_MOMENT, 3).fill_null(":00")
    text = _checked(read, _MOMENT, read.str.extract(_MOMENT, 1) + "T" + clock)
    local = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit=dtype.time_unit, strict=True)
    hours, minutes = (read.str.extract(_MOMENT, group).cast(pl.Int64).fill_null(0) for group in (5, 6))
    ahead = pl.duration(minutes=hours * 60 + minutes, time_unit=dtype.time_unit)
    utc = pl.when(read.str.extract(_MOMENT, 4) == "-").then(local + ahead).otherwise(local - ahead)
    if dtype.time_zone is None:
        return utc
    return utc.dt.replace_time_zone("UTC").dt.convert_time_zone(dtype.time_zone)


def _lapse(dtype: pl.Duration, read: pl.Expr) -> pl.Expr:
    """ISO 8601 without years and months, which have no length."""
    per_s = _PER_SECOND[dtype.time_unit]
    total = _checked(read, _LAPSE, pl.lit("0"), r"\d").cast(pl.Int64, strict=True)
    for group, seconds in enumerate(_LAPSE_S, start=2):
        total = total + read.str.extract(_LAPSE, group).cast(pl.Int64).fill_null(0) * (seconds * per_s)
    fraction = read.str.extract(_LAPSE, 7).str.pad_end(9, "0").cast(pl.Int64).fill_null(0)
    total = total + fraction // (10**9 // per_s)
    return pl.when(read.str.starts_with("-")).then(-total).otherwise(total).cast(dtype)


def _checked(read: pl.Expr, pattern: str, meant: pl.Expr, also: str = "") -> pl.Expr:
    """What is meant where the text has the form, null where there is none, and nonsense otherwise."""
    fits = read.str.contains(pattern) & read.str.contains(also)
    return pl.when(read.is_null()).then(None).when(fits).then(meant).otherwise(pl.lit(_NONSENSE))


def _inner(dtype: pl.List | pl.Array) -> pl.DataType:
    return pl.Schema({"field": dtype.inner})["field"]


def _parts(dtype: pl.Struct) -> dict[str, pl.DataType]:
    return dict(pl.Schema({one.name: one.dtype for one in dtype.fields}))
