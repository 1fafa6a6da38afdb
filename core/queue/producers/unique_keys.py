"""Unique keys of rows: whoever commits a key first enqueues the row, until the key expires."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import psycopg

from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import QueueError, RowError

Q = load("queue")

KEY_BYTES_MAX = 1_000
PURGE_LIMIT = 10_000
PURGE_ROUNDS = 10


def checked(keys: Sequence[str], n_rows: int) -> pl.Series:
    """One key per payload. QueueError: another number of them; RowError: a key is empty, too long, or no text."""
    if isinstance(keys, str):
        raise QueueError("unique_keys is one string; give a list with one key per payload")
    if len(keys) != n_rows:
        raise QueueError(f"there are {len(keys)} unique keys for {n_rows} payloads", keys=len(keys), rows=n_rows)
    for line, key in enumerate(keys):
        if reason := _unfit(key):
            raise RowError(f"unique key {line}: {reason}", line=line, column="unique_keys", reason=reason)
    return pl.Series("key", keys, dtype=pl.String)


def _unfit(key: object) -> str | None:
    if not isinstance(key, str):
        return f"it is {type(key).__name__}, not text"
    if not key:
        return "it is empty"
    if "\0" in key:
        return "it holds the character NUL"
    try:
        n_bytes = len(key.encode())
    except UnicodeEncodeError:
        return "text that is not valid Unicode"
    return f"{n_bytes} bytes, the limit is {KEY_BYTES_MAX}" if n_bytes > KEY_BYTES_MAX else None


def take(conn: psycopg.Connection[Any], flow_name: str, tenant_id: str, keys: pl.Series, ttl_s: float) -> pl.Series:
    """Which rows are new, as booleans; of equal keys in one call the first row is. Their keys are taken for `ttl_s`.

    A key that another transaction is taking right now is waited for: it is ours if that one rolls back. Keys are locked
    in order, so two producers with the same keys never block each other for good.
    Cost: one statement; about 10 microseconds a key.
    """
    first = keys.is_first_distinct()
    params = {
        "flow_name": flow_name,
        "tenant_id": tenant_id,
        "keys": keys.filter(first).to_list(),
        "ttl_s": ttl_s,
    }
    taken = [key for (key,) in run(conn, Q["dedupe_take"], params)]
    return first & keys.is_in(pl.Series(taken, dtype=pl.String).implode())


def purge(db: DatabaseManager) -> int:
    """Delete expired keys, at most PURGE_LIMIT a transaction and PURGE_ROUNDS of these; returns how many went."""
    n_all = 0
    for _ in range(PURGE_ROUNDS):
        with db.transaction() as conn:
            n_gone = int(run(conn, Q["dedupe_purge"], {"limit": PURGE_LIMIT})[0][0])
        n_all += n_gone
        if n_gone < PURGE_LIMIT:
            break
    return n_all
