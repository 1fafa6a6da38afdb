"""A suggestion that somebody accepts: applied by an event of its own, as a run would have."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
import psycopg

from core.database.queries import affected, load, run
from core.errors import Conflict, InputError
from core.review.audit.chain import Event
from core.workloads.invoices.publishing.leaves import SCHEMA, append_allocations

Q = load("invoices")
OPEN_STATES = ("suggested", "exception", "unmatched")
"""States of payments that a suggestion may be accepted for."""


@dataclass(frozen=True, slots=True)
class SuggestedLine:
    """What a suggestion applies of an item, or leaves over (no item). Amounts are in smallest units of their currency.

    amount_minor: of the item, in its currency; applied_minor, residual_minor: of the payment. open_minor: of the item
    now, None without one. posterior, reason: of the whole suggestion.
    """

    rank: int
    item_id: str | None
    number: str | None
    customer_id: str | None
    amount_minor: int
    currency: str
    applied_minor: int
    residual_kind: str
    residual_minor: int
    posterior: float
    reason: str
    open_minor: int | None
    version: int | None

    @property
    def fits(self) -> bool:
        """Whether so much is still open of the item; what gives back fits where a run said so."""
        if self.open_minor is None:
            return self.item_id is None
        return self.amount_minor * self.open_minor < 0 or abs(self.amount_minor) <= abs(self.open_minor)


def suggestions_of(conn: psycopg.Connection[Any], tenant_id: str, payment: str) -> list[SuggestedLine]:
    """All lines of what is suggested for a payment, by rank."""
    rows = run(conn, Q["suggestions_of"], {"tenant_id": tenant_id, "payment_id": payment})
    return [SuggestedLine(*row) for row in rows]


def accept(conn: psycopg.Connection[Any], event: Event, payment: str, rank: int) -> int:
    """Apply a suggestion as it stands; returns the event's id.

    It counts from the day the payment was booked, or from the day on which it was taken back before.

    Args:
        event: who and when; its details gain payment and rank.
    Raises InputError: no such payment or suggestion, or it stands in none of OPEN_STATES; Conflict: an item of it
    was paid or changed meanwhile, and the caller's transaction is to be rolled back.
    """
    where = {"tenant_id": event.tenant_id, "payment_id": payment}
    found = run(conn, Q["receipt_take"], where)
    if not found or found[0][0] not in OPEN_STATES:
        stands = f"is {found[0][0]}, and takes no suggestion" if found else "is not there"
        raise InputError(f"payment {payment!r} {stands}", id=payment)
    lines = [line for line in suggestions_of(conn, event.tenant_id, payment) if line.rank == rank]
    if not lines:
        raise InputError(f"there is no suggestion {rank} for this payment", field="rank")
    ((day,),) = run(conn, Q["receipt_counts_from"], where)
    details = {**event.details, "payment": payment, "rank": rank}
    rows = [
        {name: getattr(line, name, None) for name in SCHEMA}
        | {"payment_id": payment, "effective_on": day, "recorded_at": event.recorded_at}
        for line in lines
    ]
    accepted = replace(event, effective_on=day, details=details)
    event_id = append_allocations(conn, accepted, pl.DataFrame(rows, schema=SCHEMA))
    amounts: Counter[str] = Counter()
    versions = {line.item_id: line.version for line in lines if line.item_id is not None}
    for line in lines:
        if line.item_id is not None:
            amounts[line.item_id] += line.amount_minor
    items = sorted(amounts)
    said = {
        "item_ids": items,
        "amounts": [amounts[item_id] for item_id in items],
        "versions": [versions[item_id] for item_id in items],
    }
    if items and affected(conn, Q["items_settle"], {"tenant_id": event.tenant_id, **said}) != len(items):
        raise Conflict("an invoice of this suggestion was paid or changed meanwhile; look at the line again")
    run(conn, Q["receipt_apply"], where | {"event_id": event_id})
    return event_id
