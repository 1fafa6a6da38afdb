"""One byte string for a value, the same on every machine and in every version: what digests are made of.

JSON without blanks, keys in the order of their code points, text as UTF-8 without any normalisation. There is no float:
money is integer minor units, and a float prints otherwise elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from core.errors import InputError

DEPTH_MAX = 32


def canonical(value: Mapping[str, Any]) -> bytes:
    """The bytes of a record.

    Args:
        value: texts, integers, booleans, None, lists and mappings with text keys; a `date` becomes YYYY-MM-DD,
            a `datetime` with a zone its instant in UTC to the microsecond, bytes become lower-case hexadecimal.
    Raises:
        InputError: any other type, a float among them; a datetime without a zone; text that is no Unicode (lone
            surrogates); more than DEPTH_MAX levels. The message names the place, never the value.
    """
    plain = _plain(value, "", 0)
    try:
        return json.dumps(plain, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise InputError("a record of the ledger holds text that is no Unicode: half of a surrogate pair") from None


def utc_text(at: datetime) -> str:
    """An instant as 2026-01-31T23:59:59.000001Z. Raises InputError without a zone."""
    if at.utcoffset() is None:
        raise InputError("a time of the ledger has no zone; hand in an aware datetime")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _plain(value: Any, place: str, depth: int) -> Any:
    if depth > DEPTH_MAX:
        raise InputError(f"a record of the ledger is nested deeper than {DEPTH_MAX} levels", limit=DEPTH_MAX)
    match value:
        case None | bool() | int() | str():
            return value
        case datetime():
            return utc_text(value)
        case date():
            return value.isoformat()
        case bytes():
            return value.hex()
        case list() | tuple():
            return [_plain(item, f"{place}[{at}]", depth + 1) for at, item in enumerate(value)]
        case Mapping():
            return {_key(key, place): _plain(item, f"{place}.{key}", depth + 1) for key, item in value.items()}
    kind, where = type(value).__name__, place.lstrip(".") or "the record"
    advice = "; amounts are integers of the smallest unit" if isinstance(value, float) else ""
    raise InputError(f"{where} is a {kind}, which the ledger does not take{advice}", place=where, kind=kind)


def _key(key: Any, place: str) -> str:
    if not isinstance(key, str):
        where = place.lstrip(".") or "the record"
        raise InputError(f"{where} has a key that is a {type(key).__name__}; keys are texts", place=where)
    return key
