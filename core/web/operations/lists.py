"""What pages and API of operations list, a page at a time; both call these."""

from __future__ import annotations

from core.database import DatabaseManager
from core.database.queries import load, run
from core.pages.tables import Slice, filter_digest, keys_of, slice_of
from core.queue.leases.dead_letters import DeadLetter
from core.scaling.decision_log import Logged

Q = load("operations")

NEWEST = 2**63 - 1


def dead_letters(
    db: DatabaseManager, flow: str | None, error_class: str | None, cursor: str | None, limit: int
) -> Slice:
    """Dead letters, newest first, without payloads. Raises InputError (the cursor), StoreError."""
    digest = filter_digest(list="dead", flow=flow, error_class=error_class)
    (before,) = keys_of(cursor, digest, [int]) or [NEWEST]
    wanted = {"before": before, "flow_name": flow, "error_class": error_class, "limit": limit + 1}
    with db.transaction() as conn:
        found = [DeadLetter(*row) for row in run(conn, Q["dead_page"], wanted)]
    return slice_of(found, limit, lambda letter: [letter.dead_letter_id], digest)


def decisions(db: DatabaseManager, flow: str | None, cursor: str | None, limit: int) -> Slice:
    """Decisions of autoscalers, newest first. Raises InputError (the cursor), StoreError."""
    digest = filter_digest(list="decisions", flow=flow)
    (before,) = keys_of(cursor, digest, [int]) or [NEWEST]
    with db.transaction() as conn:
        rows = run(conn, Q["decision_page"], {"before": before, "flow_name": flow, "limit": limit + 1})
    return slice_of([Logged(*row) for row in rows], limit, lambda one: [one.decision_id], digest)
