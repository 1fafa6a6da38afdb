"""Allocations as leaves of the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl
import psycopg

from core.database.copy import copy_in
from core.database.queries import load, stream
from core.review.audit.canonical import canonical
from core.review.audit.chain import Event
from core.review.audit.events import append

Q = load("invoices")
TABLE = "allocations"
FACTS = (
    "payment_id",
    "item_id",
    "amount_minor",
    "currency",
    "applied_minor",
    "residual_kind",
    "residual_minor",
    "effective_on",
    "recorded_at",
    "reverses_event",
    "reverses_leaf",
)
"""All that a row holds beside its place."""
SCHEMA: dict[str, Any] = {
    "payment_id": pl.String,
    "item_id": pl.String,
    "amount_minor": pl.Int64,
    "currency": pl.String,
    "applied_minor": pl.Int64,
    "residual_kind": pl.String,
    "residual_minor": pl.Int64,
    "effective_on": pl.Date,
    "recorded_at": pl.Datetime("us", "UTC"),
    "reverses_event": pl.Int64,
    "reverses_leaf": pl.Int32,
}


def leaf_of(row: Mapping[str, Any]) -> bytes:
    """The bytes of an allocation, by the names of FACTS."""
    return canonical({name: row[name] for name in FACTS})


def append_allocations(conn: psycopg.Connection[Any], event: Event, rows: pl.DataFrame) -> int:
    """Append an event whose leaves are these allocations, and keep them; returns its id.

    Args:
        rows: the columns of FACTS.
    Cost: some 20 us a row, most of it the leaf's bytes.
    """
    event_id = append(conn, event, [leaf_of(row) for row in rows.iter_rows(named=True)], TABLE)
    placed = rows.select(FACTS).with_columns(
        tenant_id=pl.lit(event.tenant_id),
        event_id=pl.lit(event_id, pl.Int64),
        leaf_no=pl.int_range(pl.len(), dtype=pl.Int32),
    )
    copy_in(conn, TABLE, placed)
    return event_id


def leaves(conn: psycopg.Connection[Any], tenant_id: str, after: int, upto: int) -> Iterator[tuple[int, int, bytes]]:
    """Those of the events `after < event_id <= upto`, as the ledger asks for them."""
    params = {"tenant_id": tenant_id, "after": after, "upto": upto}
    for event_id, leaf_no, *facts in stream(conn, Q["allocations_between"], params):
        yield event_id, leaf_no, leaf_of(dict(zip(FACTS, facts, strict=True)))
