"""Conditions on dates: fixed ones, and relative ones that the run's day decides."""

from __future__ import annotations

import re
from calendar import month_name
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Final

from core.pipelines.expressions.printing import show_name
from core.workloads.assistant.planning.answers import ask
from core.workloads.assistant.planning.scene import Scene

_DAY: Final = r"(\d{4}-\d\d-\d\d)"
_MONTHS: Final = [name.lower() for name in month_name]
_UNIT: Final = "day|week|month|quarter|year"
_LENGTHS: Final = {"day": "1 day", "week": "7 days", "month": "1 month", "quarter": "3 months", "year": "1 year"}
_COLUMN: Final = r"(?:(?:\b(?:with|whose|where|which|that|were|was|are|is|have|has) )*{c} (?:(?:is|was|were|are) )?)?"

Bounds = tuple[str, str]
"""From, to: expressions, the second exclusive; "" for none."""


def dated(scene: Scene) -> Iterator[tuple[str, str, str]]:
    """Take out conditions on dates: a column, an expression, its contrary."""
    for pattern, made in _PATTERNS:
        while found := _next(scene, rf"{_COLUMN}(?:{pattern})"):
            name = scene.column(found[1]) if found[1] else scene.moment()
            bounds = made(found, scene.type_of(name).kind)
            if bounds is None:
                raise ask("value", f"{found[0].strip()[:60]} is no date; write it as 2026-03-31")
            yield name, *_within(show_name(name), bounds)


def _next(scene: Scene, pattern: str) -> re.Match[str] | None:
    """The next that is of a date, or names no column, taken out."""
    for found in re.finditer(scene.pattern(pattern), scene.request.text):
        if found[1] and scene.type_of(scene.column(found[1])).kind not in {"date", "timestamp"}:
            continue
        text = scene.request.text
        scene.request.text = f"{text[: found.start()]} | {text[found.end() :]}"
        return found
    return None


def _within(name: str, bounds: Bounds) -> tuple[str, str]:
    low, high = bounds
    inside = [f"{name} >= {low}"] * bool(low) + [f"{name} < {high}"] * bool(high)
    outside = [f"{name} < {low}"] * bool(low) + [f"{name} >= {high}"] * bool(high)
    return " and ".join(inside), " or ".join(outside)


def _fixed(day: date) -> str:
    return f"date '{day.isoformat()}'"


def _on(written: str, days: int = 0) -> str | None:
    try:
        return _fixed(date.fromisoformat(written) + timedelta(days=days))
    except ValueError:
        return None


def _since(found: re.Match[str], _: str) -> Bounds | None:
    low = _on(found[3], days=found[2] == "after")
    return (low, "") if low else None


def _before(found: re.Match[str], _: str) -> Bounds | None:
    high = _on(found[3], days=found[2] in {"until", "up to", "through"})
    return ("", high) if high else None


def _between(found: re.Match[str], _: str) -> Bounds | None:
    low, high = _on(found[2]), _on(found[3], days=1)
    return (low, high) if low and high else None


def _year(found: re.Match[str], _: str) -> Bounds | None:
    return _fixed(date(int(found[2]), 1, 1)), _fixed(date(int(found[2]) + 1, 1, 1))


def _month(found: re.Match[str], _: str) -> Bounds | None:
    first = date(int(found[3]), _MONTHS.index(found[2]), 1)
    return _fixed(first), _fixed((first + timedelta(days=32)).replace(day=1))


def _last(found: re.Match[str], kind: str) -> Bounds | None:
    return _ago(found[2], found[3], kind), ""


def _older(found: re.Match[str], kind: str) -> Bounds | None:
    return "", _ago(found[2], found[3], kind)


def _ago(number: str, unit: str, kind: str) -> str:
    if kind == "date" and unit in {"day", "week"}:
        return f"run_date() - {int(number) * (7 if unit == 'week' else 1)}"
    times, one = (int(number) * 3, "month") if unit == "quarter" else (int(number), unit)
    return f"run_{'time' if unit == 'hour' else 'date'}() - interval '{times} {one}{'s' * (times > 1)}'"


def _whole(found: re.Match[str], _: str) -> Bounds | None:
    start = f"date_trunc('{found[3]}', run_date())"
    span = f"interval '{_LENGTHS[found[3]]}'"
    return (f"{start} - {span}", start) if found[2] != "this" else (start, "")


def _near(found: re.Match[str], _: str) -> Bounds | None:
    return ("run_date()", "") if found[2] == "today" else ("run_date() - 1", "run_date()")


_PATTERNS: Final[tuple[tuple[str, Callable[[re.Match[str], str], Bounds | None]], ...]] = (
    (rf"\b(?:between|from) {_DAY} (?:and|to|until) {_DAY}", _between),
    (rf"\b(since|from|after) {_DAY}", _since),
    (rf"\b(before|until|up to|through|earlier than) {_DAY}", _before),
    (rf"\b(?:in|of|from|during|for) ({'|'.join(_MONTHS[1:])}) (\d{{4}})\b", _month),
    (r"\b(?:in|of|from|during|for) (?:the year )?(\d{4})(?![\w.:-])", _year),
    (rf"\b(?:in|of|from|within|during|over|for) the (?:last|past|previous) (\d+) (hour|{_UNIT})s?\b", _last),
    (rf"\b(?:more than|older than) (\d+) (hour|{_UNIT})s?(?: (?:ago|old))?\b", _older),
    (rf"(?:\b(?:in|of|from|during|for) )?(?:the )?\b(last|previous|this) ({_UNIT})\b", _whole),
    (r"(?:\b(?:of|from) )?\b(today|yesterday)\b", _near),
)  # fmt: skip
