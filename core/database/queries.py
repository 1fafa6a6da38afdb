"""Named SQL: `sql/<owner>.sql` holds statements, each below `-- name: batch_claim :many` and a comment with the why."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast

import psycopg

from core.database.errors import wrapped
from core.errors import ConfigError

SQL_DIR = Path(__file__).resolve().parents[2] / "sql"

# `upkeep` takes as long as what it tends is large: minutes of it are no news.
Kind = Literal["many", "one", "exec", "upkeep"]
Row = tuple[Any, ...]

slow_log = logging.getLogger("headrace.slow")
_HEAD = re.compile(r"^-- name: (?P<name>[a-z][a-z0-9_]*) :(?P<kind>many|one|exec|upkeep)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Query:
    """One statement. `name` is also the method's name, the metric's label and what the slow log prints."""

    name: str
    kind: Kind
    comment: str
    sql: str


class Connection(psycopg.Connection[Row]):
    """A psycopg connection that knows from which duration on a query is slow."""

    slow_query_ms: float = 1000.0
    # Behind some poolers: each transaction must set the forms of dates and numbers for itself.
    forms_differ: bool = False


@cache
def load(owner: str, folder: Path = SQL_DIR) -> Mapping[str, Query]:
    """All statements of `<owner>.sql` in a folder, by name.

    Raises ConfigError: no such file, text before the first name, a name twice, an empty statement or one without a
    comment.
    """
    path = folder / f"{owner}.sql"
    if not path.is_file():
        raise ConfigError(f"no such query file: sql/{owner}.sql")
    return MappingProxyType(parse(path.read_text(encoding="utf-8"), f"sql/{owner}.sql"))


def parse(text: str, origin: str) -> dict[str, Query]:
    """Cut a query file into statements; `origin` is named in errors."""
    heads = list(_HEAD.finditer(text))
    preface = text[: heads[0].start()] if heads else text
    if any(line and not line.startswith("--") for line in map(str.strip, preface.splitlines())):
        raise ConfigError(f"{origin}: text before the first `-- name: x :kind` line")
    found: dict[str, Query] = {}
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        name = head["name"]
        lines = text[head.end() : following.start() if following else len(text)].strip().splitlines()
        n_comment = next((i for i, line in enumerate(lines) if not line.startswith("--")), len(lines))
        comment = " ".join(line.lstrip("- ").strip() for line in lines[:n_comment])
        sql = "\n".join(lines[n_comment:]).strip().removesuffix(";").strip()
        if name in found:
            raise ConfigError(f"{origin}: query {name} is defined twice")
        if not sql or not comment:
            raise ConfigError(f"{origin}: query {name} needs a comment that says why, and one statement")
        found[name] = Query(name, cast(Kind, head["kind"]), comment, sql)
    return found


def run(conn: psycopg.Connection[Any], query: Query, params: Mapping[str, Any] | None = None) -> list[Row]:
    """Execute and fetch everything; statements without rows give []. Slow ones are logged by name, upkeep never."""
    started = time.perf_counter()
    with wrapped(query.name), conn.cursor() as cursor:
        cursor.execute(cast(Any, query.sql), params)
        rows = cursor.fetchall() if cursor.description else []
    _note(conn, query, started)
    return rows


def stream(conn: psycopg.Connection[Any], query: Query, params: Mapping[str, Any] | None = None) -> Iterator[Row]:
    """Execute and give one row after the other, in binary form; only one of them need be in memory.

    The connection takes no other statement before the last row is given.
    """
    started = time.perf_counter()
    with wrapped(query.name), conn.cursor(binary=True) as cursor:
        yield from cursor.stream(cast(Any, query.sql), params)
    _note(conn, query, started)


def affected(conn: psycopg.Connection[Any], query: Query, params: Mapping[str, Any] | None = None) -> int:
    """Execute and return the number of rows touched."""
    started = time.perf_counter()
    with wrapped(query.name), conn.cursor() as cursor:
        cursor.execute(cast(Any, query.sql), params)
        n_rows = cursor.rowcount
    _note(conn, query, started)
    return n_rows


def _note(conn: psycopg.Connection[Any], query: Query, started: float) -> None:
    if query.kind != "upkeep":
        note_duration(query.name, started, getattr(conn, "slow_query_ms", Connection.slow_query_ms))


def note_duration(name: str, started: float, slow_query_ms: float) -> None:
    """Write a slow-query line if `started` (perf_counter) is long enough ago. Never parameters."""
    took_ms = (time.perf_counter() - started) * 1e3
    if took_ms >= slow_query_ms:
        slow_log.warning("slow query %s took %.0f ms (limit %.0f ms)", name, took_ms, slow_query_ms)
