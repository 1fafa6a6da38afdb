"""Keys that stand twice in one object of a payload: its readers would not agree on which value counts.

PostgreSQL and Python take the last, a declared schema the first, so such a payload is refused at the door.
"""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from core.queue.payloads import Refused

_KEY = r'"(?:[^"\\]|\\.)*"\s*:'
# What that pattern may misread: a string that begins with a colon, a key with an escape, a blank before the colon.
_UNCLEAR = r'[,\[{:]\s*":|\\[^"]*"\s*:|"\s+:'


class _Doubled(ValueError):
    """Found one."""


def doubled(texts: pl.Series) -> list[Refused]:
    """The payloads with such a key.

    Cost: about half a microsecond for 200 bytes; one that names a key in several objects is parsed, some microseconds.
    """
    keys = texts.str.extract_all(_KEY)
    suspect = (keys.list.n_unique() < keys.list.len()) | texts.str.contains(_UNCLEAR)
    return [
        Refused(line, "a key stands twice in one object, and which value counts is open")
        for line in suspect.arg_true().to_list()
        if _is_doubled(texts[line])
    ]


def _is_doubled(text: str) -> bool:
    try:
        json.loads(text, object_pairs_hook=_object)
    except _Doubled:
        return True
    except (ValueError, RecursionError):
        # Refused for that by others.
        return False
    return False


def _object(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) < len(pairs):
        raise _Doubled
