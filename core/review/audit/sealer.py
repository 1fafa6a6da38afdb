"""The sealer: puts what was appended into the chain of its tenant, in the order in which it finds it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import psycopg

from core.database import DatabaseManager
from core.database.queries import load, run
from core.queue.store.singleton import drop_lease, take_lease
from core.review.audit.chain import GENESIS, Head, Seal

Q = load("audit")
LEASE = "audit-sealer"
LEASE_S = 30.0
ROUND_EVENTS = 10_000


def seal_all(db: DatabaseManager, holder: str, tenant_id: str | None = None) -> int:
    """Seal whatever is committed by now; returns how many events. 0 at once while another process is at it.

    Args:
        holder: who asks, for people who look at the leases.
        tenant_id: whose events; all, if None.
    """
    token, n_all = uuid4(), 0
    try:
        while take_lease(db, LEASE, holder, token, LEASE_S):
            with db.transaction() as conn:
                n_sealed = seal(conn, tenant_id, ROUND_EVENTS)
            n_all += n_sealed
            if n_sealed < ROUND_EVENTS:
                break
    finally:
        drop_lease(db, LEASE, token)
    return n_all


def seal_waiting(db: DatabaseManager, holder: str) -> int:
    """As `seal_all`, for whoever asks each second: one read, and no lease, where nothing waits."""
    with db.transaction() as conn:
        ((waits,),) = run(conn, Q["audit_waits"])
    return seal_all(db, holder) if waits else 0


def seal(conn: psycopg.Connection[Any], tenant_id: str | None, limit: int) -> int:
    """Seal at most `limit` events in the caller's transaction; returns how many. Two at once wait for each other."""
    ((_, sealed_at),) = run(conn, Q["audit_seal_turn"])
    found = run(conn, Q["audit_unsealed_take"], {"tenant_id": tenant_id, "limit": limit})
    if not found:
        return 0
    tenant_ids = sorted({row[0] for row in found})
    heads = {head.tenant_id: head for head in heads_of(conn, tenant_ids)}
    seals = _linked(found, heads, sealed_at)
    made = {
        "tenant_ids": [one.tenant_id for one, _ in seals],
        "seqs": [one.seq for one, _ in seals],
        "event_ids": [one.event_id for one, _ in seals],
        "digests": [one.digest for one, _ in seals],
        "previous": [one.previous for one, _ in seals],
        "links": [link for _, link in seals],
        "sealed_at": sealed_at,
    }
    run(conn, Q["audit_seals_add"], made)
    run(conn, Q["audit_unsealed_drop"], {key: made[key] for key in ("tenant_ids", "event_ids")})
    return len(seals)


def heads_of(conn: psycopg.Connection[Any], tenant_ids: Sequence[str]) -> list[Head]:
    """The newest link of each tenant that has one."""
    rows = run(conn, Q["audit_heads"], {"tenant_ids": list(tenant_ids)})
    return [Head(tenant_id, seq, bytes(link)) for tenant_id, seq, link, _ in rows]


def every_head(db: DatabaseManager, tenant_id: str | None = None) -> list[Head]:
    """The heads of all tenants, by name, or of one."""
    with db.transaction() as conn:
        names = [name for (name,) in run(conn, Q["audit_tenants"])] if tenant_id is None else [tenant_id]
        return heads_of(conn, names)


def _linked(found: Sequence[tuple[Any, ...]], heads: dict[str, Head], sealed_at: datetime) -> list[tuple[Seal, bytes]]:
    seals = []
    for tenant_id, event_id, digest in found:
        head = heads.get(tenant_id, Head(tenant_id, 0, GENESIS))
        made = Seal(tenant_id, head.seq + 1, event_id, bytes(digest), head.link, sealed_at)
        link = made.link()
        seals.append((made, link))
        heads[tenant_id] = Head(tenant_id, made.seq, link)
    return seals
