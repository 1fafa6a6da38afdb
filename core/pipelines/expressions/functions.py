"""The functions of expressions: what they take, what they give, where they may stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from core.pipelines.types import (
    BOOL,
    DATE,
    FLOAT,
    INT,
    MAX_PRECISION,
    QUOTIENT,
    TEXT,
    TIMESTAMP,
    UNKNOWN,
    ColumnType,
    common_type,
    decimal,
    digits_of,
)

Place = Literal["row", "aggregate", "window"]
Wanted = Literal["text", "int", "number", "exact", "bool", "time", "date", "timestamp", "json", "any", "constant"]

UNITS: Final = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")
"""What date_trunc cuts to."""

FIELDS: Final = (*UNITS, "dow", "doy", "isodow", "isoyear", "epoch")
"""What date_part takes out; `extract(field from x)` says the same."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language.

    takes: what each argument is; those beyond `least` may be left out, and the last repeats where `many`.
    gives: the type of the result by the types of the arguments.
    place: `aggregate` in aggregate, window and check steps; `window` in window steps alone.
    choices: the words that the constant argument may be, where it is one of a few.
    can_fail: there are values for which the row is at fault.
    """

    takes: tuple[Wanted, ...]
    gives: Callable[[Sequence[ColumnType]], ColumnType]
    least: int
    many: bool = False
    place: Place = "row"
    choices: tuple[str, ...] = ()
    can_fail: bool = False


def _always(one: ColumnType) -> Callable[[Sequence[ColumnType]], ColumnType]:
    return lambda _: one


def _first(types: Sequence[ColumnType]) -> ColumnType:
    return types[0]


def _common(types: Sequence[ColumnType]) -> ColumnType:
    found = types[0]
    for one in types[1:]:
        found = common_type(found, one) or UNKNOWN
    return found


def _summed(types: Sequence[ColumnType]) -> ColumnType:
    one = types[0]
    return one if one.kind in {"float", "unknown"} else decimal(MAX_PRECISION, digits_of(one)[1])


def _averaged(types: Sequence[ColumnType]) -> ColumnType:
    return types[0] if types[0].kind in {"float", "unknown"} else QUOTIENT


def _whole(types: Sequence[ColumnType]) -> ColumnType:
    """Of ceil, floor and of round and trunc without places: no places are left."""
    one = types[0]
    return decimal(min(MAX_PRECISION, digits_of(one)[0] + 1), 0) if one.kind == "decimal" else one


def _remainder(types: Sequence[ColumnType]) -> ColumnType:
    return common_type(types[0], types[1]) or UNKNOWN


def _f(
    takes: str, gives: ColumnType | Callable[[Sequence[ColumnType]], ColumnType], *, place: Place = "row",
    choices: tuple[str, ...] = (), can_fail: bool = False,
) -> Function:  # fmt: skip
    """A function by its arguments in words: `text int?` = the second may be left out, `any*` = one or more of it."""
    words = takes.split()
    wanted: tuple[Wanted, ...] = tuple(word.rstrip("?*") for word in words)  # type: ignore[misc]
    least = sum(not word.endswith("?") for word in words)
    many = bool(words) and words[-1].endswith("*")
    return Function(wanted, gives if callable(gives) else _always(gives), least, many, place, choices, can_fail)


_TEXTS: Final = {
    **dict.fromkeys(("lower", "upper", "initcap", "reverse"), _f("text", TEXT)),
    **dict.fromkeys(("btrim", "ltrim", "rtrim"), _f("text constant?", TEXT)),
    **dict.fromkeys(("length", "char_length"), _f("text", INT)),
    **dict.fromkeys(("left", "right"), _f("text int", TEXT)),
    **dict.fromkeys(("substring", "substr"), _f("text int int?", TEXT, can_fail=True)),
    **dict.fromkeys(("replace", "translate"), _f("text constant constant", TEXT)),
    **dict.fromkeys(("lpad", "rpad"), _f("text int constant?", TEXT, can_fail=True)),
    "strpos": _f("text constant", INT),
    "split_part": _f("text constant int", TEXT, can_fail=True),
    "starts_with": _f("text text", BOOL),
    "concat": _f("any*", TEXT),
    "concat_ws": _f("constant any*", TEXT),
    "regexp_like": _f("text constant", BOOL),
    "regexp_replace": _f("text constant constant", TEXT),
    "regexp_substr": _f("text constant", TEXT),
    "regexp_count": _f("text constant", INT),
}
_NUMBERS: Final = {
    "abs": _f("number", _first, can_fail=True),
    "sign": _f("number", _whole),
    **dict.fromkeys(("ceil", "ceiling", "floor"), _f("number", _whole)),
    **dict.fromkeys(("round", "trunc"), _f("number constant?", _first)),
    "mod": _f("exact exact", _remainder, can_fail=True),
    **dict.fromkeys(("sqrt", "ln", "log", "exp"), _f("number", FLOAT, can_fail=True)),
    "power": _f("number number", FLOAT, can_fail=True),
    **dict.fromkeys(("greatest", "least"), _f("any any*", _common)),
}
_TIMES: Final = {
    "date_trunc": _f("constant time", TIMESTAMP, choices=UNITS),
    "date_part": _f("constant time", decimal(MAX_PRECISION, 6), choices=FIELDS),
    **dict.fromkeys(("year", "quarter", "month", "week", "day", "day_of_week"), _f("time", INT)),
    **dict.fromkeys(("hour", "minute"), _f("timestamp", INT)),
    **dict.fromkeys(("hours_between", "minutes_between"), _f("time time", QUOTIENT)),
    "days_between": _f("date date", INT),
    "make_date": _f("int int int", DATE, can_fail=True),
    "to_date": _f("text constant", DATE, can_fail=True),
    "run_date": _f("", DATE),
    "run_time": _f("", TIMESTAMP),
    "json_text": _f("json constant", TEXT),
}
_AGGREGATES: Final = {
    "count": _f("any", INT, place="aggregate"),
    "sum": _f("number", _summed, place="aggregate", can_fail=True),
    **dict.fromkeys(("avg", "median"), _f("number", _averaged, place="aggregate", can_fail=True)),
    **dict.fromkeys(("min", "max", "any_value"), _f("any", _first, place="aggregate")),
    **dict.fromkeys(("stddev", "variance"), _f("number", FLOAT, place="aggregate")),
    **dict.fromkeys(("bool_and", "bool_or", "every"), _f("bool", BOOL, place="aggregate")),
    "string_agg": _f("text constant", TEXT, place="aggregate"),
}
_WINDOWS: Final = {
    **dict.fromkeys(("row_number", "rank", "dense_rank"), _f("", INT, place="window")),
    **dict.fromkeys(("lag", "lead"), _f("any constant?", _first, place="window")),
    **dict.fromkeys(("first_value", "last_value"), _f("any", _first, place="window")),
}

RUNNING: Final = frozenset({"count", "sum", "avg", "min", "max", "bool_and", "bool_or", "every", "any_value"})
"""Aggregates that a window with an order knows: from the first row of the group to the last of the same place."""

FUNCTIONS: Final[Mapping[str, Function]] = {**_TEXTS, **_NUMBERS, **_TIMES, **_AGGREGATES, **_WINDOWS}

KNOWN_ELSEWHERE: Final[Mapping[str, str]] = {
    "nvl": "coalesce", "ifnull": "coalesce", "isnull": "coalesce", "zeroifnull": "coalesce", "len": "length",
    "iif": "case", "if": "case", "decode": "case", "ucase": "upper", "lcase": "lower", "instr": "strpos",
    "charindex": "strpos", "locate": "strpos", "mid": "substring", "pow": "power", "datediff": "days_between",
    "date_diff": "days_between", "timestampdiff": "hours_between", "to_number": "cast(x as decimal(p,s))",
    "to_timestamp": "cast(x as timestamp)", "to_char": "cast(x as text)", "getdate": "run_time",
    "sysdate": "run_time", "today": "run_date", "datetrunc": "date_trunc", "datepart": "date_part", "mean": "avg",
    "average": "avg", "group_concat": "string_agg", "listagg": "string_agg", "regexp_matches": "regexp_like",
    "regexp_extract": "regexp_substr", "rlike": "regexp_like", "first": "first_value", "last": "last_value",
    "std": "stddev", "var": "variance", "json_value": "json_text", "json_extract": "json_text",
    "weekday": "day_of_week", "dayofweek": "day_of_week",
}  # fmt: skip
"""What other languages call it -> what is said here."""
