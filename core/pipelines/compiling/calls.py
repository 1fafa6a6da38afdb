"""What each function of rows computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

import polars as pl

from core.pipelines.compiling import numbers, texts, times
from core.pipelines.compiling.casts import cast
from core.pipelines.compiling.values import Value, faults_of, within
from core.pipelines.types import DATE, FLOAT, INT, TEXT

Constants: TypeAlias = Sequence[str | int]
"""The constant arguments of a call, in order."""

Maker: TypeAlias = Callable[[Sequence[Value], Constants], Value]

_HOUR, _MINUTE = 3_600_000_000, 60_000_000


def _trimmed(how: str) -> Maker:
    def make(values: Sequence[Value], constants: Constants) -> Value:
        characters = str(constants[0]) if constants else " "
        return texts.text_of(getattr(values[0].expr.str, how)(characters) if characters else values[0].expr, values[0])

    return make


def _of_text(change: Callable[[pl.Expr], pl.Expr]) -> Maker:
    return lambda values, _: texts.text_of(change(values[0].expr), values[0])


def _title(one: pl.Expr) -> pl.Expr:
    return one.str.to_titlecase()


def _strict(values: Sequence[Value], found: pl.Expr) -> pl.Expr:
    """Null where any value is."""
    return pl.when(pl.all_horizontal([value.expr.is_not_null() for value in values])).then(found)


def _concat(values: Sequence[Value], _: Constants) -> Value:
    written = [cast(value, TEXT).expr for value in values]
    return texts.text_of(pl.concat_str(written, ignore_nulls=True).fill_null(""), *values)


def _concat_with(values: Sequence[Value], constants: Constants) -> Value:
    written = [cast(value, TEXT).expr for value in values]
    return texts.text_of(pl.concat_list(written).list.drop_nulls().list.join(str(constants[0])), *values)


def _first_match(values: Sequence[Value], constants: Constants) -> Value:
    return texts.text_of(values[0].expr.str.extract(f"({texts.regex(str(constants[0]))})", 1), values[0])


def _replaced_match(values: Sequence[Value], constants: Constants) -> Value:
    pattern, instead = texts.regex(str(constants[0])), texts.replacement(str(constants[1]))
    return texts.text_of(values[0].expr.str.replace(pattern, instead), values[0])


def _absolute(values: Sequence[Value], _: Constants) -> Value:
    value = values[0]
    if value.type.kind == "float":
        return Value(value.expr.abs(), FLOAT, value.faults)
    exact = value.expr.cast(pl.Int128).abs()
    return within(exact, exact.cast(pl.Float64), value.type, value.faults)


def _sign(values: Sequence[Value], _: Constants) -> Value:
    value = values[0]
    if value.type.kind == "float":
        return Value(value.expr.sign(), FLOAT, value.faults)
    is_up, is_down = value.expr > 0, value.expr < 0
    size = pl.when(is_up).then(1).when(is_down).then(-1).when(value.expr.is_not_null()).then(0)
    return (
        numbers.stepped(Value(size.cast(pl.Int64), INT, value.faults), up=True)
        if value.type == INT
        else Value(size.cast(pl.Int128), numbers.stepped(value, up=True).type, value.faults)
    )


def _rounded(*, away: bool) -> Maker:
    return lambda values, constants: numbers.rounded(values[0], int(constants[0]) if constants else 0, away=away)


def _floating(change: Callable[[pl.Expr], pl.Expr], fails: Callable[[pl.Expr], pl.Expr] | None = None) -> Maker:
    def make(values: Sequence[Value], _: Constants) -> Value:
        value = numbers.as_float(values[0])
        is_out = fails(value.expr) if fails is not None else pl.lit(value=False)
        found = Value(pl.when(~is_out).then(value.expr), FLOAT, value.faults).failing("argument", is_out)
        return numbers.finite(change(found.expr), found.faults)

    return make


def _power(values: Sequence[Value], _: Constants) -> Value:
    base, exponent = (numbers.as_float(value) for value in values)
    is_out = ((base.expr == 0) & (exponent.expr < 0)) | ((base.expr < 0) & (exponent.expr != exponent.expr.floor()))
    found = pl.when(~is_out).then(base.expr.pow(exponent.expr))
    result = numbers.finite(found, faults_of((base, exponent)), vanishes=(found == 0) & (base.expr != 0))
    return result.failing("argument", is_out)


def _exponential(values: Sequence[Value], _: Constants) -> Value:
    value = numbers.as_float(values[0])
    found = value.expr.exp()
    return numbers.finite(found, value.faults, vanishes=found == 0)


def _number(field: str) -> Maker:
    return lambda values, _: times.number(values[0], field)


def _units(microseconds: int) -> Maker:
    return lambda values, _: times.units_between(values[0], values[1], microseconds)


def _read_day(values: Sequence[Value], constants: Constants) -> Value:
    value = values[0]
    read = value.expr.str.strip_chars().str.to_date(str(constants[0]), strict=False)
    return Value(read, DATE, value.faults).failing("cast", read.is_null() & value.expr.is_not_null())


def _substring(values: Sequence[Value], _: Constants) -> Value:
    return texts.middle(values[0], values[1], values[2] if len(values) > 2 else None)


def _padded(*, left: bool) -> Maker:
    return lambda values, constants: texts.padded(
        values[0], values[1], str(constants[0]) if constants else " ", left=left
    )


_TEXTS: Final[Mapping[str, Maker]] = {
    "lower": _of_text(lambda one: one.str.to_lowercase()),
    "upper": _of_text(lambda one: one.str.to_uppercase()),
    "initcap": _of_text(_title),
    "reverse": _of_text(lambda one: one.str.reverse()),
    "btrim": _trimmed("strip_chars"),
    "ltrim": _trimmed("strip_chars_start"),
    "rtrim": _trimmed("strip_chars_end"),
    **dict.fromkeys(
        ("length", "char_length"), lambda values, _: texts.count_of(values[0].expr.str.len_chars(), values[0])
    ),
    "left": lambda values, _: texts.ends(values[0], values[1], left=True),
    "right": lambda values, _: texts.ends(values[0], values[1], left=False),
    **dict.fromkeys(("substring", "substr"), _substring),
    "replace": lambda values, constants: texts.replaced(values[0], str(constants[0]), str(constants[1])),
    "translate": lambda values, constants: texts.translated(values[0], str(constants[0]), str(constants[1])),
    "lpad": _padded(left=True),
    "rpad": _padded(left=False),
    "strpos": lambda values, constants: texts.place_of(values[0], str(constants[0])),
    "split_part": lambda values, constants: texts.field(values[0], str(constants[0]), values[1]),
    "starts_with": lambda values, _: texts.truth_of(
        _strict(values, values[0].expr.str.starts_with(values[1].expr)), *values
    ),
    "concat": _concat,
    "concat_ws": _concat_with,
    "regexp_like": lambda values, constants: texts.truth_of(
        values[0].expr.str.contains(texts.regex(str(constants[0]))), values[0]
    ),
    "regexp_replace": _replaced_match,
    "regexp_substr": _first_match,
    "regexp_count": lambda values, constants: texts.count_of(
        values[0].expr.str.count_matches(texts.regex(str(constants[0]))), values[0]
    ),
    "json_text": lambda values, constants: texts.text_of(
        values[0].expr.str.json_path_match(texts.json_path(str(constants[0]))), values[0]
    ),
}
_NUMBERS: Final[Mapping[str, Maker]] = {
    "abs": _absolute,
    "sign": _sign,
    **dict.fromkeys(("ceil", "ceiling"), lambda values, _: numbers.stepped(values[0], up=True)),
    "floor": lambda values, _: numbers.stepped(values[0], up=False),
    "round": _rounded(away=True),
    "trunc": _rounded(away=False),
    "mod": lambda values, _: numbers.computed("%", values[0], values[1]),
    "sqrt": _floating(lambda one: one.sqrt(), lambda one: one < 0),
    "ln": _floating(lambda one: one.log(), lambda one: one <= 0),
    "log": _floating(lambda one: one.log10(), lambda one: one <= 0),
    "exp": _exponential,
    "power": _power,
}
_TIMES: Final[Mapping[str, Maker]] = {
    "date_trunc": lambda values, constants: times.cut(values[0], str(constants[0])),
    "date_part": lambda values, constants: times.part(values[0], str(constants[0])),
    **{field: _number(field) for field in ("year", "quarter", "month", "week", "day", "hour", "minute")},
    "day_of_week": _number("dow"),
    "hours_between": _units(_HOUR),
    "minutes_between": _units(_MINUTE),
    "days_between": lambda values, _: times.between(values[1], values[0]),
    "make_date": lambda values, _: times.made(values[0], values[1], values[2]),
    "to_date": _read_day,
}

MAKERS: Final[Mapping[str, Maker]] = {**_TEXTS, **_NUMBERS, **_TIMES}
"""Every function of rows but greatest, least, run_date and run_time, which the expression itself knows."""
