"""The types of columns and of what expressions give."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from core.errors import InputError

Kind = Literal["text", "int", "decimal", "float", "bool", "date", "timestamp", "json", "interval", "null", "unknown"]

MAX_PRECISION = 38
"""Digits of a decimal, as of a column in memory."""

QUOTIENT_SCALE = 9
"""Places after the point that a division, a mean or a median of whole numbers and decimals is given."""

INT_DIGITS = 19
"""Digits of the greatest whole number of 64 bits."""

_WRITTEN = re.compile(r"(text|int|float|bool|date|timestamp|json)|decimal\((\d{1,2}),\s?(\d{1,2})\)")


@dataclass(frozen=True, slots=True)
class ColumnType:
    """What a column holds.

    precision, scale: of a decimal alone, 1 <= precision <= 38 digits of which 0 <= scale <= precision after the point.
    `interval` and `null` are types of expressions only; `unknown` follows a refusal and goes with every type.
    """

    kind: Kind
    precision: int = 0
    scale: int = 0

    def __str__(self) -> str:
        return f"decimal({self.precision},{self.scale})" if self.kind == "decimal" else self.kind

    @property
    def is_number(self) -> bool:
        """An int, a decimal or a float."""
        return self.kind in {"int", "decimal", "float"}

    @property
    def is_exact(self) -> bool:
        """A number that is kept to the last digit."""
        return self.kind in {"int", "decimal"}

    @property
    def is_time(self) -> bool:
        """A date or a timestamp."""
        return self.kind in {"date", "timestamp"}

    @property
    def is_open(self) -> bool:
        """It goes with every type: a null, or what follows a refusal."""
        return self.kind in {"null", "unknown"}

    @property
    def can_be_stored(self) -> bool:
        """Whether a column may be of it."""
        return self.kind not in {"interval", "null"}


TEXT = ColumnType("text")
INT = ColumnType("int")
FLOAT = ColumnType("float")
BOOL = ColumnType("bool")
DATE = ColumnType("date")
TIMESTAMP = ColumnType("timestamp")
JSON = ColumnType("json")
INTERVAL = ColumnType("interval")
NULL = ColumnType("null")
UNKNOWN = ColumnType("unknown")
QUOTIENT = ColumnType("decimal", MAX_PRECISION, QUOTIENT_SCALE)

WRITTEN_TYPES = "text, int, decimal(p,s), float, bool, date, timestamp or json"


def decimal(precision: int, scale: int) -> ColumnType:
    """A decimal, its precision cut to 38 digits: what does not fit is a fault of the row."""
    return ColumnType("decimal", max(1, min(MAX_PRECISION, max(precision, scale))), scale)


def parse_type(written: str) -> ColumnType:
    """The type that a spec names.

    Raises InputError: there is no such type, or a decimal of too many digits.
    """
    if not (found := _WRITTEN.fullmatch(written)):
        raise InputError(f"there is no type {written}; say {WRITTEN_TYPES}")
    if found[1]:
        return ColumnType(found[1])  # type: ignore[arg-type]
    precision, scale = int(found[2]), int(found[3])
    if not 1 <= precision <= MAX_PRECISION or scale > precision:
        raise InputError(
            f"{written} is no type: a decimal has 1 to {MAX_PRECISION} digits, of which none to all after the point"
        )
    return decimal(precision, scale)


def digits_of(one: ColumnType) -> tuple[int, int]:
    """(digits before the point, digits after it) of a whole number or a decimal."""
    return (INT_DIGITS, 0) if one.kind == "int" else (one.precision - one.scale, one.scale)


def common_type(left: ColumnType, right: ColumnType) -> ColumnType | None:
    """The type that values of both fit into, as PostgreSQL finds it for CASE and UNION; None: there is none."""
    if left == right or right.is_open:
        return left if left.kind != "null" or right.kind != "unknown" else right
    if left.is_open:
        return right
    if left.is_number and right.is_number:
        if "float" in {left.kind, right.kind}:
            return FLOAT
        (whole, places), (other_whole, other_places) = digits_of(left), digits_of(right)
        scale = max(places, other_places)
        return decimal(max(whole, other_whole) + scale, scale)
    if left.is_time and right.is_time:
        return TIMESTAMP
    return None
