"""Tables of a page and lists of the API: one page by key, never by count, with a cursor that fits one filter only."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar
from urllib.parse import urlencode

from core.errors import InputError

LIMIT_DEFAULT, LIMIT_MAX = 100, 1_000
CURSOR_MAX = 2_000

T = TypeVar("T")
Kind = Literal["text", "count", "number", "amount", "age", "time", "state", "link"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the name of its values, what stands above, and how they are shown.

    Ages are seconds; amounts are texts already, and stand on the right as numbers do.
    """

    name: str
    head: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """What the macro `table` of table.html.j2 shows. `caption`: read out, not seen; `next_href`: None at the end."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]]
    next_href: str | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """One page of a list: its rows, and where the next begins (None: there is none)."""

    rows: Sequence[Any]
    end_cursor: str | None

    def answer(self, shown: Callable[[Any], Any] = lambda row: row) -> dict[str, Any]:
        """For the API: `data`, and `page_info` with names that a user's client reads."""
        info = {"has_next_page": self.end_cursor is not None, "end_cursor": self.end_cursor}
        return {"data": [shown(row) for row in self.rows], "page_info": info}

    def next_href(self, path: str, given: Mapping[str, str]) -> str | None:
        """Where the next page of a page is, with its filters."""
        if self.end_cursor is None:
            return None
        kept = {name: value for name, value in given.items() if value and name not in {"cursor", "part"}}
        return f"{path}?{urlencode({**kept, 'cursor': self.end_cursor})}"


def slice_of(rows: Sequence[T], limit: int, key: Callable[[T], Sequence[Any]], digest: str) -> Slice:
    """A page from rows of which one more than `limit` was asked for.

    Args:
        key: the values of a row that the rows are ordered by, unique together; text and whole numbers.
        digest: of the filter, by `filter_digest`.
    """
    shown = rows[:limit]
    return Slice(shown, cursor(key(shown[-1]), digest) if len(rows) > limit else None)


def filter_digest(**given: Any) -> str:
    """What a cursor says about its list: its list and filter, in eight signs that no value can be read from."""
    said = json.dumps({name: value for name, value in sorted(given.items()) if value is not None}, default=str)
    return hashlib.sha256(said.encode()).hexdigest()[:8]


def cursor(keys: Sequence[Any], digest: str) -> str:
    """Where a page ends, as text for an address."""
    return base64.urlsafe_b64encode(json.dumps([digest, *keys]).encode()).decode().rstrip("=")


def keys_of(text: str | None, digest: str, kinds: Sequence[type]) -> list[Any] | None:
    """The keys that a cursor holds; None: from the beginning. Raises InputError: cut, foreign, or of another filter."""
    if not text:
        return None
    try:
        found: list[Any] = json.loads(base64.urlsafe_b64decode(text[:CURSOR_MAX] + "=" * (-len(text) % 4)))
        said, keys = found[0], found[1:]
    except (ValueError, TypeError, KeyError, IndexError):
        raise InputError("the cursor cannot be read; begin again without it") from None
    if said != digest:
        raise InputError("the cursor belongs to another list or filter; begin again without it")
    fits = len(keys) == len(kinds) and all(type(key) is kind for key, kind in zip(keys, kinds, strict=True))
    if not fits or any("\0" in key for key in keys if isinstance(key, str)):
        raise InputError("the cursor is none of this list; begin again without it")
    if any(abs(key) >= 1 << 63 for key in keys if isinstance(key, int)):
        raise InputError("the cursor is none of this list; begin again without it")
    return keys
