"""Taking back what was applied of a payment: an event of its own, with its two dates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import psycopg

from core.database.queries import affected, load, run
from core.errors import InputError
from core.review.audit.chain import Event
from core.workloads.invoices.publishing.leaves import SCHEMA, append_allocations

Q = load("invoices")


def unmatch(conn: psycopg.Connection[Any], event: Event, payment: str) -> int:
    """Add rows with the other sign and open the items again; no run applies the payment anew. Returns the event's id.

    Args:
        event: its `effective_on` is the day from which it counts: what was open on earlier days stays as it was told.
    Raises InputError: no such payment; nothing is applied of it; an item was opened again by a reversal; or the day
        lies before the one from which the payment counts.
    """
    said = {"tenant_id": event.tenant_id, "payment_id": payment}
    found = run(conn, Q["receipt_take"], said)
    if not found:
        raise InputError(f"there is no payment {payment!r} in the receivables of {event.tenant_id}", id=payment)
    ((state, applied_by, _),) = found
    if state != "applied":
        raise InputError(f"payment {payment!r} is {state}: nothing is applied that could be taken back", id=payment)
    applied = run(conn, Q["allocations_of_receipt"], said | {"event_id": applied_by})
    counts_from = max(row[7] for row in applied)
    if event.effective_on is None or event.effective_on < counts_from:
        raise InputError(f"payment {payment!r} counts from {counts_from} on; take it back as of that day or later")
    rows = [_taken_back(row, event, payment, applied_by) for row in applied]
    event = replace(event, details={**event.details, "payment": payment, "takes_back": applied_by})
    event_id = append_allocations(conn, event, pl.DataFrame(rows, schema=SCHEMA))
    items = sorted((row[1], -row[2], row[8]) for row in applied if row[1] is not None)
    columns = dict(zip(("item_ids", "amounts", "versions"), map(list, zip(*items, strict=True)), strict=False))
    if items and affected(conn, Q["items_settle"], {"tenant_id": event.tenant_id, **columns}) != len(items):
        raise InputError(
            f"an item of payment {payment!r} is open again already, by a reversal; take that back first", id=payment
        )
    run(conn, Q["receipt_unmatch"], said | {"event_id": event_id})
    return event_id


def _taken_back(row: tuple[Any, ...], event: Event, payment: str, applied_by: int) -> dict[str, Any]:
    leaf_no, item_id, amount, currency, applied, kind, residual, _, _ = row
    return {
        "payment_id": payment,
        "item_id": item_id,
        "amount_minor": -amount,
        "currency": currency,
        "applied_minor": -applied,
        "residual_kind": kind,
        "residual_minor": -residual,
        "effective_on": event.effective_on,
        "recorded_at": event.recorded_at,
        "reverses_event": applied_by,
        "reverses_leaf": leaf_no,
    }
