"""Whether two values of a setting are the same, in whatever unit each is written; pure."""

from __future__ import annotations

import re

_UNITS = {"B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
_UNITS |= {"us": 1, "ms": 1_000, "s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}


def same_value(wanted: str, seen: str) -> bool:
    """16GB is 16384MB, 1.10 is 1.1; of libraries the one wanted must be among those seen."""
    return _plain(wanted) == _plain(seen) or wanted in [part.strip() for part in seen.split(",")]


def _plain(text: str) -> float | str:
    found = re.fullmatch(r"(-?[0-9.]+) ?([A-Za-z]*)", text.strip())
    if found is None or found[2] not in {"", *_UNITS}:
        return text.strip().lower()
    return float(found[1]) * _UNITS.get(found[2], 1)
