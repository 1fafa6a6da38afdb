"""Unique keys of rows: whoever commits a key first enqueues the row, until the key expires."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one call; `flow_name` and `tenant_id` own them, `ttl_s` is their life."""

    flow_name: str
    tenant_id: str
    keys: pl.Series
    ttl_s: float

    def named(self, lines: pl.Series) -> dict[str, Any]:
        """Parameters: the keys at these places."""
        owner = {"flow_name": self.flow_name, "tenant_id": self.tenant_id}
        return {**owner, "keys": self.keys.gather(lines).to_list()}


def candidates(keys: pl.Series, bad: Sequence[int]) -> pl.Series:
    """Which row of each key stands for it, as booleans: as if the rows came one after another, the first good one; of a
    key with bad ones only (`bad`: their places) the last, for each takes the place of the dead letter before it."""
    if not bad:
        return keys.is_first_distinct()
    rows = pl.DataFrame({"key": keys}).with_row_index("line")
    is_bad = pl.col("line").is_in(list(bad))
    first_good = pl.col("line").filter(~is_bad).min().over("key")
    return rows.select(pl.col("line") == pl.coalesce(first_good, pl.col("line").max().over("key"))).to_series()


def take(conn: psycopg.Connection[Any], keys: Keys, lines: pl.Series, places: Places) -> pl.Series:
    """Which of these rows (by their places in the call, one a key) are new: their keys are now taken for `ttl_s`.

    A key that another transaction is taking right now is waited for: it is ours if that one rolls back. Keys are locked
    in order, so two producers with the same keys never block each other for good. A key whose row is dead, discarded or
    cancelled is free again; its dead letter is discarded.

    Args:
        places: where each of the rows will stand.
    Returns: the lines that are new.
    Cost: one statement, about 10 microseconds a key; two more where keys were taken.
    """
    new = _take(conn, keys, lines, places)
    rest = lines.filter(~lines.is_in(new.implode()))
    if rest.is_empty():
        return new
    free = {key for (key,) in run(conn, Q["dedupe_free"], keys.named(rest))}
    if not free:
        return new
    again = keys.keys.gather(rest).is_in(list(free))
    return pl.concat([new, _take(conn, keys, rest.filter(again), places)]).sort()


def _take(conn: psycopg.Connection[Any], keys: Keys, lines: pl.Series, places: Places) -> pl.Series:
    asked = keys.named(lines)
    taken = {key for (key,) in run(conn, Q["dedupe_take"], {**asked, **places.named(lines), "ttl_s": keys.ttl_s})}
    if len(taken) == lines.len():
        return lines
    return lines.filter(pl.Series([key in taken for key in asked["keys"]], dtype=pl.Boolean))


def move(conn: psycopg.Connection[Any], keys: Keys, lines: pl.Series, places: Places) -> None:
    """Say where the rows of keys that were just taken stand after all."""
    run(conn, Q["dedupe_move"], {**keys.named(lines), **places.named(lines)})


@dataclass(frozen=True, slots=True)
class Places:
    """Identities of rows: those at `lines` (ascending) fill the batches `ids` in turn, `batch_rows` each."""

    lines: pl.Series
    ids: Sequence[int]
    batch_rows: int

    def named(self, lines: pl.Series) -> dict[str, Any]:
        """Parameters: origin and seq of these of the rows."""
        at = self.lines.search_sorted(lines)
        ids = pl.Series(self.ids, dtype=pl.Int64)
        return {"origins": ids.gather(at // self.batch_rows).to_list(), "seqs": (at % self.batch_rows).to_list()}


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
