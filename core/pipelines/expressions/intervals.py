"""Spans of time as they are written: `1 day`, `2 hours 30 minutes`, `1 year -3 months`, `01:30:00`."""

from __future__ import annotations

import re
from decimal import Decimal

_UNITS = {
    "year": (12, 0, 0), "month": (1, 0, 0), "mon": (1, 0, 0), "week": (0, 7, 0), "day": (0, 1, 0),
    "hour": (0, 0, 3_600_000_000), "minute": (0, 0, 60_000_000), "min": (0, 0, 60_000_000), "second": (0, 0, 1_000_000),
    "sec": (0, 0, 1_000_000),
}  # fmt: skip
_PART = re.compile(r"\s*([+-]?\d{1,9}(?:\.\d{1,6})?)\s*([a-z]+)\s*", re.ASCII)
_CLOCK = re.compile(r"\s*(-?)(\d{1,5}):(\d{2})(?::(\d{2}(?:\.\d{1,6})?))?\s*", re.ASCII)


def read_interval(written: str) -> tuple[int, int, int] | None:
    """(months, days, microseconds) of an interval; None: it is none.

    A fraction is taken of weeks, days and shorter units only where it comes out whole in microseconds.
    """
    rest, months, days, micros = written.lower(), 0, 0, 0
    if not rest.strip():
        return None
    while rest:
        if clock := _CLOCK.fullmatch(rest):
            span = (int(clock[2]) * 60 + int(clock[3])) * 60_000_000 + int(Decimal(clock[4] or "0") * 1_000_000)
            return months, days, micros - span if clock[1] else micros + span
        part = _PART.match(rest)
        unit = _UNITS.get(part[2]) or _UNITS.get(part[2].removesuffix("s")) if part else None
        if part is None or unit is None:
            return None
        amount = Decimal(part[1])
        if amount != int(amount) and not unit[2]:
            return None
        months, days, micros = (
            months + int(amount) * unit[0],
            days + int(amount) * unit[1],
            micros + int(amount * unit[2]),
        )
        rest = rest[part.end() :]
    return months, days, micros
