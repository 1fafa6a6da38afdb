"""Spans of time in words, each held together by no-break spaces, which `core.terminal.tables` prints as blanks."""

from __future__ import annotations

from core.terminal.tables import JOINED


def span_words(seconds: float) -> str:
    """As people say it, in at most ten characters: 0.8 s, 47 s, 3 min 20 s, 2 h 5 min, 3 d 4 h."""
    if seconds < 10:
        return f"{max(seconds, 0.0):.1f}{JOINED}s"
    whole = round(seconds)
    for size_s, unit, smaller_s, smaller in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size_s:
            rest = whole % size_s // smaller_s
            return f"{whole // size_s}{JOINED}{unit}" + (f"{JOINED}{rest}{JOINED}{smaller}" if rest else "")
    return f"{whole}{JOINED}s"
