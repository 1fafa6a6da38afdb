"""Appending to the ledger, in the transaction of what it tells of: both become true, or neither."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from core.database.queries import load, run
from core.review.audit.canonical import canonical
from core.review.audit.chain import Event, event_digest
from core.review.audit.merkle import merkle_root

Q = load("audit")
OWN_LEAVES = "audit_leaves"
"""Name of the ledger's own table of leaves."""


def append(
    conn: psycopg.Connection[Any],
    event: Event,
    leaves: Sequence[Mapping[str, Any] | bytes],
    leaves_in: str = OWN_LEAVES,
) -> int:
    """Record an event; returns its id. It is sealed after the caller's commit, and gone after a rollback.

    Args:
        leaves: the decisions in their order: records, or canonical bytes where the caller keeps them himself.
        leaves_in: who keeps them. Unless it is the ledger itself, the caller writes them in this transaction, with the
            id returned and their place from 0 on.
    Raises InputError: something that has no canonical bytes; nothing was written. StoreError.
    Cost: one round trip, two with leaves that the ledger keeps.
    """
    details = canonical(event.details)
    bodies = [leaf if isinstance(leaf, bytes) else canonical(leaf) for leaf in leaves]
    root = merkle_root(bodies)
    facts = {
        "tenant_id": event.tenant_id,
        "kind": event.kind,
        "actor": event.actor,
        "recorded_at": event.recorded_at,
        "effective_on": event.effective_on,
        "details": details,
        "leaves_in": leaves_in,
        "n_leaves": len(bodies),
        "root": root,
        "digest": event_digest(event, details, leaves_in, len(bodies), root),
    }
    ((event_id,),) = run(conn, Q["audit_append"], facts)
    if bodies and leaves_in == OWN_LEAVES:
        run(conn, Q["audit_leaves_add"], {"tenant_id": event.tenant_id, "event_id": event_id, "bodies": bodies})
    return int(event_id)
