"""Five fields of cron, checked: Prefect takes a bad one and fails when it schedules."""

from __future__ import annotations

import re

FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 7))
_PART = re.compile(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?")


def problem(expression: str) -> str | None:
    """What is wrong with a cron expression, in words; None if it can be used. Numbers only, no names of days."""
    parts = expression.split()
    if len(parts) != len(FIELDS):
        return f"it has {len(parts)} fields, needed are 5: minute, hour, day of month, month, day of week"
    for text, (name, least, most) in zip(parts, FIELDS, strict=True):
        for part in text.split(","):
            match = _PART.fullmatch(part)
            numbers = [int(number) for number in match.groups()[:2] if number is not None] if match else []
            if match is None or match[3] == "0" or numbers != sorted(numbers):
                return f"{part!r} is no {name}"
            if any(not least <= number <= most for number in numbers):
                return f"{part!r} is no {name}: it goes from {least} to {most}"
    return None
