"""What a caller hands in beside payloads: names, priorities, sizes, times; checked before anything is stored."""

from __future__ import annotations

import math
import operator
import re
from datetime import datetime
from typing import SupportsIndex

from core.errors import QueueError

PRIORITY_MAX = 1000


NAME_CHARS_MAX = 100


# Half a surrogate pair has no UTF-8.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def check_batch_rows(batch_rows: object, rows_max: int) -> None:
    """QueueError unless it is an integer, 1 <= batch_rows <= rows_max."""
    if not is_whole(batch_rows, 1, rows_max):
        raise QueueError(
            f"batch_rows {batch_rows!r} is outside 1..{rows_max} (HEADRACE_QUEUE__BATCH_ROWS_MAX)",
            batch_rows=batch_rows,
            limit=rows_max,
        )


def check_priority(priority: object) -> None:
    """QueueError unless it is an integer, 0 (first) to 1000 (last)."""
    if not is_whole(priority, 0, PRIORITY_MAX):
        raise QueueError(f"priority {priority!r} is outside 0..{PRIORITY_MAX}", priority=priority, limit=PRIORITY_MAX)


def check_not_before(not_before: object) -> None:
    """QueueError for a moment without a time zone: nobody can say when it is."""
    if not_before is None or (isinstance(not_before, datetime) and not_before.utcoffset() is not None):
        return
    raise QueueError(
        f"not_before {not_before} has no time zone; give an aware datetime, as datetime.now(UTC) or any zone's",
        not_before=str(not_before),
    )


def check_stage(stage: object) -> None:
    """QueueError unless the name has 1 to 100 characters, none of them NUL."""
    check_name("a stage name", stage, NAME_CHARS_MAX)


def check_name(what: str, name: object, most: int) -> None:
    """QueueError unless it has 1 to `most` characters that PostgreSQL can store: no NUL, no half of a pair."""
    if not is_name(name, most):
        raise QueueError(f"{what} has 1 to {most} characters and no NUL", limit=most)


def is_name(name: object, most: int) -> bool:
    """Whether it is such a text."""
    return isinstance(name, str) and 1 <= len(name) <= most and not _UNSTORABLE.search(name)


def is_whole(value: object, least: int, most: float = math.inf) -> bool:
    """Whether it is an integer within the bounds, numpy's too; True and False are none."""
    return isinstance(value, SupportsIndex) and not isinstance(value, bool) and least <= operator.index(value) <= most
