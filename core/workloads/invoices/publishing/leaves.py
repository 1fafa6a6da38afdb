"""Allocations as leaves of the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg

from core.database.queries import load, stream
from core.review.audit.canonical import canonical

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


def leaf_of(row: Mapping[str, Any]) -> bytes:
    """The bytes of an allocation, by the names of FACTS."""
    return canonical({name: row[name] for name in FACTS})


def leaves(conn: psycopg.Connection[Any], tenant_id: str, after: int, upto: int) -> Iterator[tuple[int, int, bytes]]:
    """Those of the events `after < event_id <= upto`, as the ledger asks for them."""
    params = {"tenant_id": tenant_id, "after": after, "upto": upto}
    for event_id, leaf_no, *facts in stream(conn, Q["allocations_between"], params):
        yield event_id, leaf_no, leaf_of(dict(zip(FACTS, facts, strict=True)))
