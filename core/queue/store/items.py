"""Items of a claimed batch: as JSON text, or decoded straight into a typed frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl
import psycopg

from core.database import DatabaseManager
from core.database.queries import Query, Row, load, run
from core.errors import QueueError
from core.queue.batches import ClaimedBatch, RowFailure
from core.queue.store.fields import Fields, fields

Q = load("queue")

SEPARATOR = "\x1e"
SCHEMA: dict[str, type[pl.DataType]] = {"seq": pl.Int64, "payload": pl.String}


@dataclass(frozen=True, slots=True)
class Decoded:
    """`frame`: seq and one column per field; `misfits`: rows that do not fit the schema, ready for `complete`."""

    frame: pl.DataFrame
    misfits: list[RowFailure]


@dataclass(frozen=True, slots=True)
class Texts:
    """Payloads in the order of their seqs, joined by U+001E, which JSON text cannot hold unescaped."""

    seqs: pl.Series
    joined: str

    def frame(self) -> pl.DataFrame:
        """Columns seq and payload."""
        if not self.seqs.len():
            return pl.DataFrame(schema=SCHEMA)
        payload = pl.Series("payload", [self.joined]).str.split(SEPARATOR).explode()
        return pl.DataFrame([self.seqs, payload])


def items(db: DatabaseManager, batch: ClaimedBatch) -> Texts:
    """What a batch holds. QueueError for a batch whose source is a file or table."""
    if batch.source is not None:
        raise QueueError(f"batch {batch.batch_id} has a source, not items: read {sorted(batch.source)} from it")
    return _fetch(db.execute_once, batch)


def items_together(db: DatabaseManager, batches: Sequence[ClaimedBatch]) -> dict[int, Texts]:
    """Batch id -> what it holds, of first runs that have all their items. Cost: one statement."""
    params = {
        "batch_ids": [batch.batch_id for batch in batches],
        "origins": [batch.origin_batch_id for batch in batches],
        "los": [batch.item_lo for batch in batches],
        "his": [batch.item_hi for batch in batches],
    }
    return {row[0]: _texts(row[1:]) for row in db.execute_once(Q["items_new_together"], params)}


def fetch(conn: psycopg.Connection[Any], batch: ClaimedBatch) -> Texts:
    """The same within a transaction. Cost: the text of the batch, twice."""
    return _fetch(partial(run, conn), batch)


def _fetch(ask: Callable[[Query, dict[str, int]], list[Row]], batch: ClaimedBatch) -> Texts:
    first_run = "items_new_left" if batch.partial else "items_new"
    query = Q["items_retry" if batch.kind == "retry" else first_run]
    return _texts(ask(query, span(batch))[0])


def _texts(row: Sequence[Any]) -> Texts:
    n_items, first, joined, gaps = row
    if gaps is not None:
        seqs = pl.Series("seq", gaps, dtype=pl.Int64)
    else:
        seqs = pl.int_range(first or 0, (first or 0) + n_items, dtype=pl.Int64, eager=True).alias("seq")
    return Texts(seqs, joined or "")


def span(batch: ClaimedBatch) -> dict[str, int]:
    """Parameters that name a batch's items."""
    return {"origin": batch.origin_batch_id, "lo": batch.item_lo, "hi": batch.item_hi}


def decode(texts: Texts, schema: Mapping[str, Any]) -> Decoded:
    """JSON text -> typed columns, without a Python object per row.

    Args:
        schema: field -> dtype; a missing key is null, keys not named are left out, numbers and objects become text
            where String is asked for; any other value of another type, also a fraction for an integer, is a misfit.
            Dates, moments, times and durations are ISO 8601 text, decimals text or numbers.
    Raises ConfigError: a type that cannot be read from JSON.
    Cost: about 700,000 rows a second for 200-byte payloads; when that pass fails, the rows are halved to find the
        misfits.
    """
    # A line break in JSON text can only be whitespace between its tokens.
    text = texts.joined.replace("\n", " ").replace("\r", " ")
    known = fields(schema)
    typed = _parse(text.replace(SEPARATOR, "\n"), known)
    if typed is not None and typed.height == texts.seqs.len():
        return Decoded(typed.select(texts.seqs, pl.all()), [])
    good, bad = _halve(texts.seqs, text.split(SEPARATOR), known)
    misfits = [RowFailure(seq, "SchemaError", "the payload does not fit the schema of the flow") for seq in bad]
    return Decoded(good, misfits)


def _parse(lines: str, known: Fields) -> pl.DataFrame | None:
    """None if some line does not fit."""
    if not lines:
        return pl.DataFrame(schema=known.schema)
    try:
        read = pl.read_ndjson(lines.encode(), schema=known.wire)
        return read.with_columns(known.turned) if known.turned else read
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None


def _halve(seqs: pl.Series, lines: list[str], known: Fields) -> tuple[pl.DataFrame, list[int]]:
    typed = _parse("\n".join(lines), known)
    if typed is not None:
        return typed.select(seqs, pl.all()), []
    if len(lines) == 1:
        return pl.DataFrame(schema={"seq": pl.Int64(), **known.schema}), seqs.to_list()
    half = len(lines) // 2
    first, bad_first = _halve(seqs[:half], lines[:half], known)
    second, bad_second = _halve(seqs[half:], lines[half:], known)
    return pl.concat([first, second]), bad_first + bad_second
