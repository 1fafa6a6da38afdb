"""What pages and API of the ledger read; both call these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson

from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import InputError
from core.pages.problems import NotFound
from core.pages.tables import Slice, filter_digest, keys_of, slice_of
from core.review.audit.events import OWN_LEAVES
from core.review.audit.faults import Report
from core.review.audit.leaves import LeafSource
from core.review.audit.sealer import every_head
from core.review.audit.verify import verify
from core.review.items import TENANT

Q = load("audit")
NEWEST = 2**63 - 1
LEAVES_SHOWN = 100
CHECKED_AT_ONCE = 20_000
"""A longer chain takes longer than a page may: `headrace audit verify` has the time."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event of the ledger. `seq`: its place in the chain; None: no seal protects it yet."""

    event_id: int
    recorded_at: datetime
    kind: str
    actor: str
    effective_on: date | None
    n_leaves: int
    leaves_in: str
    seq: int | None


@dataclass(frozen=True, slots=True)
class Told:
    """An event with its digest, its link in the chain, and its decisions, LEAVES_SHOWN at most."""

    event: Recorded
    digest: str
    link: str | None
    leaves: list[dict[str, Any]]


def events(db: DatabaseManager, cursor: str | None, limit: int) -> Slice:
    """Events, newest first. Raises InputError (the cursor), StoreError."""
    digest = filter_digest(list="audit")
    (before,) = keys_of(cursor, digest, [int]) or [NEWEST]
    with db.transaction() as conn:
        rows = run(conn, Q["audit_listed"], {"tenant_id": TENANT, "before": before, "limit": limit + 1})
    return slice_of([Recorded(*row) for row in rows], limit, lambda one: [one.event_id], digest)


def event(db: DatabaseManager, event_id: int, sources: Mapping[str, LeafSource]) -> Told:
    """One event. Raises NotFound, StoreError."""
    where = {"tenant_id": TENANT, "event_id": event_id}
    with db.transaction() as conn:
        rows = run(conn, Q["audit_event"], where)
        if not rows:
            raise NotFound(f"the ledger has no event {event_id}", event_id=event_id)
        *facts, digest, link = rows[0]
        found = Recorded(*facts)
        span = (TENANT, event_id - 1, event_id)
        if found.leaves_in == OWN_LEAVES:
            kept = run(conn, Q["audit_leaves_between"], {"tenant_id": TENANT, "after": event_id - 1, "upto": event_id})
            bodies = [bytes(body) for _, _, body in kept[:LEAVES_SHOWN]]
        else:
            source = sources.get(found.leaves_in)
            leaves = source(conn, *span) if source is not None else iter(())
            bodies = [body for (_, _, body), _ in zip(leaves, range(LEAVES_SHOWN), strict=False)]
    return Told(
        found, bytes(digest).hex(), None if link is None else bytes(link).hex(), list(map(orjson.loads, bodies))
    )


def head(db: DatabaseManager) -> str | None:
    """The newest link, to be kept elsewhere; None: nothing is sealed."""
    found = every_head(db, TENANT)
    return str(found[0]) if found and found[0].seq else None


def check(db: DatabaseManager, sources: Mapping[str, LeafSource]) -> Report:
    """Recompute all of the chain. Raises InputError: it is too long for a page. Cost: about 50 ms a thousand events."""
    found = every_head(db, TENANT)
    if found and found[0].seq > CHECKED_AT_ONCE:
        raise InputError(
            f"the chain has {found[0].seq:,} links, and a page checks {CHECKED_AT_ONCE:,} at most; "
            "`headrace audit verify` checks all of it",
            limit=CHECKED_AT_ONCE,
        )
    (report,) = verify(db, sources, TENANT)
    return report
