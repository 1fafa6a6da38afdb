"""A database of its own for each system, on the server the benchmark was pointed at."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import SecretStr

from core.database import connect, migrations
from core.database.queries import Connection, load
from core.settings import DatabaseSettings

Q = load("bench")


@contextmanager
def own_database(url: str, *, migrated: bool) -> Iterator[str]:
    """Conninfo of a new database beside the given one, dropped afterwards; `migrated`: with our tables."""
    name = f"headrace_bench_{secrets.token_hex(4)}"
    fields = {key: value for key, value in conninfo_to_dict(url).items() if value is not None}
    own = make_conninfo("", **{**fields, "dbname": name})
    _admin(url, "bench_create", name)
    try:
        if migrated:
            migrations.migrate(connect.Source(own), DatabaseSettings(url=SecretStr(own)))
        yield own
    finally:
        _admin(url, "bench_drop", name)


def _admin(url: str, query: str, name: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(sql.SQL(Q[query].sql).format(name=sql.Identifier(name)))


@contextmanager
def session(url: str) -> Iterator[Connection]:
    """A connection of the harness itself, in autocommit; its statements read everything and are never called slow."""
    with Connection.connect(url, autocommit=True) as conn:
        conn.slow_query_ms = float("inf")
        yield conn
