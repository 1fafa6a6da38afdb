"""Keys that stand twice in one object of a payload: its readers would not agree on which value counts.

PostgreSQL and Python take the last, a declared schema the first, so such a payload is refused at the door.
"""

from __future__ import annotations

import json
import re
from typing import Any

import polars as pl

from core.queue.payloads import Refused

_KEY = r'"(?:[^"\\]|\\.)*"\s*:'
# What that pattern may misread: a string that begins with a colon, a key with an escape, a blank before the colon.
_UNCLEAR = r'[,\[{:]\s*":|\\[^"]*"\s*:|"\s+:'


# A longer pattern would cost more to build than it saves.
FORM_CHARS_MAX, FORM_KEYS_MAX = 4_000, 50
_PLAIN_VALUE = r'(?:"[^"\\]*"|[-+.0-9Ee]+|true|false|null)'


class _Doubled(ValueError):
    """Found one."""


def doubled(texts: pl.Series) -> list[Refused]:
    """The payloads with such a key.

    Cost: some tenths of a microsecond for 200 bytes in the form of the first payload, about one in other forms; one
    that names a key in several objects is parsed, some microseconds.
    """
    left = texts.is_not_null()
    if (form := _form(texts)) is not None:
        left &= ~texts.str.contains(form).fill_null(False)
    lines, others = left.arg_true(), texts.filter(left)
    keys = others.str.extract_all(_KEY)
    suspect = (keys.list.n_unique() < keys.list.len()) | others.str.contains(_UNCLEAR)
    return [
        Refused(line, "a key stands twice in one object, and which value counts is open")
        for line in lines.filter(suspect).to_list()
        if _is_doubled(texts[line])
    ]


def _form(texts: pl.Series) -> str | None:
    """A pattern of all flat payloads with the keys of the first one, in its order; None where that is not flat.

    Producers write one form mostly, and to match it is several times cheaper than to compare the keys of each.
    """
    first = texts.drop_nulls().head(1).to_list()
    keys = [key[:-1].rstrip() for key in re.findall(_KEY, first[0][:FORM_CHARS_MAX])] if first else []
    if not 0 < len(keys) <= FORM_KEYS_MAX or len(set(keys)) < len(keys) or any("\\" in key for key in keys):
        return None
    pairs = r"\s*,\s*".join(rf"{re.escape(key)}\s*:\s*{_PLAIN_VALUE}" for key in keys)
    return rf"^\s*\{{\s*{pairs}\s*\}}\s*$"


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
