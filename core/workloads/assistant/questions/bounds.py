"""Bounds that hold before a question runs: rows of a series, patterns, lengths of texts."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from core.pipelines.expressions.intervals import read_interval
from core.pipelines.grammar import Node
from core.workloads.assistant.questions.refused import QuestionRefused

MAX_SERIES_ROWS: Final = 1_000_000
"""Rows of all series of a question, multiplied."""

MAX_PADDED: Final = 200
"""Characters that a text may be filled up to."""

_MAX_PATTERN = 200
_DAY_S = 86_400.0
_TODAY_S = date(2026, 1, 1).toordinal() * _DAY_S
"""Stands for the day of the question: a bound may be some years off, and a time-out stands behind it."""
_PLAIN_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)")


def series_rows(call: Node, at: int) -> float:
    """How many rows a call of generate_series gives at most.

    Raises QuestionRefused: its ends are no constants, or it gives more than MAX_SERIES_ROWS.
    """
    ends = [_value(one) for one in call.get("args", ())]
    if len(ends) not in {2, 3} or any(one is None for one in ends):
        raise QuestionRefused(
            "limits", "the ends and the step of generate_series are numbers, dates or current_date", at
        )
    start, stop, step = (float(one or 0.0) for one in [*ends, 1.0][:3])
    if step == 0:
        raise QuestionRefused("limits", "the step of generate_series is not 0", at)
    rows = max(0.0, (stop - start) / step) + 1
    if rows > MAX_SERIES_ROWS:
        raise QuestionRefused("limits", f"generate_series gives more than {MAX_SERIES_ROWS:,} rows", at)
    return rows


def require_pattern(given: Node, at: int) -> None:
    """Raise QuestionRefused for a regular expression that is no literal, or one that may take for ever."""
    text = literal(given)
    if text is None:
        raise QuestionRefused("limits", "a pattern is a text in quotes", at)
    if len(text) > _MAX_PATTERN or text.count("{") > 4 or re.search(r"\\[1-9]|[+*}]\)?[+*{]", text):
        raise QuestionRefused(
            "limits",
            f"a pattern has at most {_MAX_PATTERN} characters, no back references and no repeats of repeats",
            at,
        )


def require_like(given: Node, at: int) -> None:
    """Raise QuestionRefused for a pattern of LIKE with so many wildcards that it may take for ever."""
    text = literal(given)
    if text is not None and (len(text) > _MAX_PATTERN or text.count("%") > 8):
        raise QuestionRefused("limits", f"a pattern has at most {_MAX_PATTERN} characters and 8 of %", at)


def literal(given: Node) -> str | None:
    """The text of a literal, also with a cast to text around it; None: it is none."""
    if "TypeCast" in given:
        return literal(given["TypeCast"]["arg"])
    found = given.get("A_Const", {}).get("sval")
    return None if found is None else str(found.get("sval", ""))


def whole_number(given: Node) -> int | None:
    """The value of a literal int; None: it is none."""
    found = given.get("A_Const", {}).get("ival")
    return None if found is None else int(found.get("ival", 0))


def text_length(given: Node) -> int:
    """Characters of a literal; 0 of all else."""
    return len(literal(given) or "")


def _value(given: Node) -> float | None:
    """A constant as a number: of moments and intervals in seconds, an interval's month 28 days. None: unknown."""
    kind, inner = next(iter(given.items()))
    match kind:
        case "A_Const":
            return _constant(inner)
        case "TypeCast":
            return _cast(inner)
        case "SQLValueFunction":
            return _TODAY_S
        case "FuncCall":
            return _call(inner)
        case "A_Expr":
            return _sum(inner)
    return None


def _constant(inner: Node) -> float | None:
    if "ival" in inner:
        return float(inner["ival"].get("ival", 0))
    if "fval" in inner:
        return float(inner["fval"]["fval"])
    if "sval" in inner:
        return _written(str(inner["sval"].get("sval", "")))
    return None


def _written(text: str) -> float | None:
    if _PLAIN_NUMBER.fullmatch(text):
        return float(text)
    if found := _DATE.match(text):
        try:
            return date(int(found[1]), int(found[2]), int(found[3])).toordinal() * _DAY_S
        except ValueError:
            return None
    return _span(text)


def _span(text: str) -> float | None:
    spans = read_interval(text)
    if spans is None:
        return None
    months, days, microseconds = spans
    return months * 28 * _DAY_S + days * _DAY_S + microseconds / 1e6


def _cast(inner: Node) -> float | None:
    """Of `interval '3' hour` the unit stands apart, so it is not known here."""
    return None if "typmods" in inner["typeName"] else _value(inner["arg"])


def _call(inner: Node) -> float | None:
    name = inner["funcname"][-1]["String"]["sval"]
    if name == "now":
        return _TODAY_S
    if name == "date_trunc" and len(inner.get("args", ())) >= 2:
        return _value(inner["args"][1])
    return None


def _sum(inner: Node) -> float | None:
    operator = inner["name"][-1]["String"]["sval"]
    right = _value(inner["rexpr"])
    if "lexpr" not in inner:
        return None if right is None else -right if operator == "-" else right
    left = _value(inner["lexpr"])
    if left is None or right is None or operator not in {"+", "-"}:
        return None
    # A number beside a moment is one of days.
    if abs(left) > 1e8 and abs(right) < 1e6 and "A_Const" in inner["rexpr"]:
        right *= _DAY_S
    return left + right if operator == "+" else left - right
