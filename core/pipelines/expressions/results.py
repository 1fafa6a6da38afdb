"""What constants, casts and operators give, by the types of what they are given."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from core.pipelines.types import (
    BOOL,
    DATE,
    FLOAT,
    INT,
    INTERVAL,
    NULL,
    QUOTIENT,
    TEXT,
    TIMESTAMP,
    ColumnType,
    decimal,
    digits_of,
)


def literal_type(value: object) -> ColumnType:
    """The type of a constant: a decimal has the digits that are written."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return BOOL
    if isinstance(value, int):
        return INT
    if isinstance(value, Decimal):
        _, digits, exponent = value.as_tuple()
        scale = max(0, -int(exponent))
        return decimal(max(len(digits) + max(0, int(exponent)), scale), scale)
    return TEXT


def can_cast(one: ColumnType, to: ColumnType) -> bool:
    """Whether values of one type can become another, some of them at least."""
    if one.is_open or "text" in {one.kind, to.kind} or one.kind == to.kind:
        return one.kind != "interval"
    return (one.is_number and to.is_number) or (one.is_time and to.is_time) or {one.kind, to.kind} == {"bool", "int"}


def reads_as(text: str, to: ColumnType) -> bool:
    """Whether a constant text is a value of a type as PostgreSQL reads it; of times the ISO form alone."""
    stripped = text.strip()
    try:
        match to.kind:
            case "int":
                return (
                    re.fullmatch(r"[+-]?\d{1,19}", stripped, re.ASCII) is not None and -(2**63) <= int(stripped) < 2**63
                )
            case "decimal" | "float":
                return Decimal(stripped).is_finite() or to.kind == "float"
            case "date":
                return date.fromisoformat(stripped) is not None and len(stripped) == 10
            case "timestamp":
                return datetime.fromisoformat(stripped) is not None and len(stripped) >= 10
            case "bool":
                return stripped.lower() in {"true", "false", "t", "f", "yes", "no", "on", "off", "1", "0"}
            case _:
                return to.kind in {"text", "json"}
    except (ValueError, InvalidOperation):
        return False


def operator_type(operator: str, left: ColumnType, right: ColumnType) -> ColumnType | None:
    """The type of `left operator right`, as PostgreSQL has it but for quotients; None: there is no such operator."""
    if left.kind == "null" or right.kind == "null":
        return right if left.kind == "null" else left
    if left.is_number and right.is_number:
        return _number_result(operator, left, right)
    if operator == "-" and left.is_time and right.is_time:
        return INT if left == right == DATE else INTERVAL
    sides = (left, right) if operator == "-" else tuple(sorted((left, right), key=lambda one: not one.is_time))
    if operator in {"+", "-"} and sides[0].is_time:
        if sides[1] == INTERVAL:
            return TIMESTAMP
        return DATE if sides[0] == DATE and sides[1] == INT else None
    if operator in {"+", "-"} and left == right == INTERVAL:
        return INTERVAL
    return None


def _number_result(operator: str, left: ColumnType, right: ColumnType) -> ColumnType | None:
    if "float" in {left.kind, right.kind}:
        return FLOAT if operator != "%" else None
    if operator == "/":
        return QUOTIENT
    if left.kind == right.kind == "int":
        return INT
    (whole, places), (other_whole, other_places) = digits_of(left), digits_of(right)
    if operator == "*":
        return decimal(whole + other_whole + places + other_places, places + other_places)
    scale = max(places, other_places)
    return decimal(max(whole, other_whole) + 1 + scale, scale)
