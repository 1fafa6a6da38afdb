"""Texts as a source writes them, read as columns of declared types; a cell that cannot be read is a dead row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import polars as pl

from core.pipelines.compiling.casts import cast, from_text
from core.pipelines.compiling.held import Evaluated, Held, Log, StoppedRun, computed_columns
from core.pipelines.compiling.values import Value, loaded
from core.pipelines.types import BOOL, DATE, FLOAT, JSON, TEXT, TIMESTAMP, ColumnType, parse_type

_TYPES: Final[Mapping[Any, ColumnType]] = {
    pl.Boolean: BOOL, pl.Date: DATE, pl.Datetime: TIMESTAMP, pl.Struct: JSON,
}  # fmt: skip
_ZONE = r"(?:[zZ]|[+-][0-9]{2}(?::?[0-9]{2})?)$"


@dataclass(frozen=True, slots=True)
class Written:
    """How a source writes its values. date_format: of dates and timestamps. timezone: of timestamps without a zone."""

    decimal: str = "."
    thousands: str | None = None
    null_values: tuple[str, ...] = ()
    date_format: str | None = None
    timezone: str | None = None


def typed(
    texts: pl.DataFrame, types: Mapping[str, ColumnType], written: Written, path: str, log: Log, *, stop: bool = False
) -> pl.DataFrame:
    """Rows of declared types, those with a cell that cannot be read left out and written down.

    Args:
        texts: a String column for each of `types`, empty as null.
        stop: end the run where a column has values and none of them is of its type.
    Raises StoppedRun: a column has changed its type.
    """
    found = texts.select(_without_nulls(name, written) for name in types)
    held = Held(found, dict.fromkeys(types, TEXT))
    values = {name: held.evaluated(partial(_value, pl.col(name), one, written)) for name, one in types.items()}
    if stop:
        _refuse_other_types(found, values, types, path)
    return computed_columns(held, values, types, path, "dead", log).frame


def converted(frame: pl.DataFrame, types: Mapping[str, ColumnType], path: str, log: Log) -> pl.DataFrame:
    """Columns that have types already, as the types that were declared; what does not fit is a dead row."""
    given = {name: type_held(dtype) for name, dtype in frame.schema.items()}
    held = Held(frame.select(_plain(name, frame.schema[name]) for name in types), {name: given[name] for name in types})
    values = {name: held.evaluated(partial(_cast, name, given[name], one)) for name, one in types.items()}
    return computed_columns(held, values, types, path, "dead", log).frame


def type_held(dtype: pl.DataType) -> ColumnType:
    """The type of ours that a column of polars is read as."""
    if isinstance(dtype, pl.Decimal):
        return ColumnType("decimal", dtype.precision or 38, dtype.scale)
    if dtype.is_integer():
        return ColumnType("int")
    if dtype.is_float():
        return FLOAT
    return _TYPES.get(dtype.base_type(), TEXT)


def _plain(name: str, dtype: pl.DataType) -> pl.Expr:
    """A column in the storage type of its type."""
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        utc = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if dtype.time_zone else column
        return utc.cast(pl.Datetime("us"))
    if isinstance(dtype, pl.Struct):
        return column.struct.json_encode()
    if dtype.is_integer():
        return column.cast(pl.Int64)
    if dtype.is_float():
        return column.cast(pl.Float64).fill_nan(None)
    if isinstance(dtype, pl.Decimal):
        return column
    return column if dtype in (pl.Boolean, pl.Date) else column.cast(pl.String)


def _without_nulls(name: str, written: Written) -> pl.Expr:
    column = pl.col(name)
    return pl.when(~column.is_in(written.null_values)).then(column).alias(name) if written.null_values else column


def _value(text: pl.Expr, one: ColumnType, written: Written) -> Value:
    if one == TEXT:
        return Value(text, TEXT)
    if one.is_number and (written.decimal, written.thousands) != (".", None):
        return from_text(Value(_plain_number(text, written), TEXT), one)
    if not one.is_time:
        return from_text(Value(text, TEXT), one)
    if written.date_format is not None:
        read = text.str.strip_chars().str.to_datetime(written.date_format, time_unit="us", strict=False)
        read = read.dt.date() if one == DATE else _in_utc(read, written)
        return Value(read, one).failing("cast", read.is_null() & text.is_not_null())
    value = from_text(Value(text, TEXT), one)
    if one == DATE or written.timezone is None:
        return value
    zoned = pl.when(text.str.contains(_ZONE)).then(value.expr).otherwise(_in_utc(value.expr, written))
    return Value(zoned, one, value.faults).failing("cast", zoned.is_null() & text.is_not_null())


def _in_utc(naive: pl.Expr, written: Written) -> pl.Expr:
    """An hour that there is twice or never, where clocks change, is none."""
    if written.timezone is None:
        return naive
    there = naive.dt.replace_time_zone(written.timezone, ambiguous="null", non_existent="null")
    return there.dt.convert_time_zone("UTC").dt.replace_time_zone(None)


def _plain_number(text: pl.Expr, written: Written) -> pl.Expr:
    """A number with the marks of the source as one with a point; what has other marks stays no number."""
    point = re.escape(written.decimal)
    whole = "[0-9]+"
    if written.thousands is not None:
        whole = f"(?:[0-9]+|[0-9]{{1,3}}(?:{re.escape(written.thousands)}[0-9]{{3}})+)"
    fits = text.str.contains(rf"^\s*[+-]?(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?\s*$")
    plain = text.str.replace_all(written.thousands, "", literal=True) if written.thousands is not None else text
    plain = plain.str.replace(written.decimal, ".", literal=True)
    return pl.when(text.is_null() | fits).then(plain).otherwise(pl.lit("?"))


def _cast(name: str, given: ColumnType, one: ColumnType) -> Value:
    return cast(loaded(name, given), one)


def _refuse_other_types(
    texts: pl.DataFrame, values: Mapping[str, Evaluated], types: Mapping[str, ColumnType], path: str
) -> None:
    for name, read in values.items():
        if texts[name].count() and not read.value.count():
            raise StoppedRun(
                f"{path}: no value of {name} is {types[name]} any more; nothing was written. Mend the source, approve "
                "a spec that declares the new type, or say drift: {type: dead}"
            )


def readable_as(texts: pl.Series, tried: Sequence[str], written: Written) -> ColumnType:
    """The first of the types that every value can be read as; text where none fits, or there is no value.

    Numbers that begin with a nought are names: 007 is no 7.
    """
    found = texts.to_frame().select(_without_nulls(texts.name, written)).to_series().drop_nulls()
    leads = found.str.contains(r"^\s*[+-]?0[0-9]").any()
    for name in tried if len(found) else ():
        one = parse_type(name)
        read = Held(found.to_frame(), {texts.name: TEXT}).evaluated(partial(_value, pl.col(texts.name), one, written))
        is_name = leads and one.is_number
        is_bool_of_digits = one == BOOL and found.str.contains(r"^\s*[0-9]").any()
        if not is_name and not is_bool_of_digits and not read.fault.count():
            return one
    return TEXT
