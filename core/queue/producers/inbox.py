"""The inbox: single payloads, gathered into batches."""

from __future__ import annotations

import logging
from typing import Any

from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import UnknownFlow
from core.queue import payloads
from core.queue.producers import backpressure, screening
from core.queue.producers.backpressure import Patience, patiently
from core.queue.producers.enqueue import Place, headers_of
from core.queue.store import flows, partitions
from core.queue.store.headers import Begin, Spot, new_headers

Q = load("queue")
log = logging.getLogger(__name__)


def put(db: DatabaseManager, flow_name: str, payload: Any, patience: Patience) -> None:
    """Put one payload into the inbox; the leader seals it into a batch. Raises RowError, UnknownFlow, QueueFull."""
    text = payload if isinstance(payload, str) else payloads.encode(payload)
    texts = screening.read([text], "raise").texts
    if refused := payloads.not_json(texts):
        raise payloads.row_error(refused)

    def attempt() -> None:
        with db.transaction() as conn:
            policy = flows.policy_of(conn, flow_name)
            backpressure.check_room(conn, policy, 1)
            run(conn, Q["inbox_put"], {"flow_name": flow_name, "tenant_id": policy.tenant_id, "payload": text})

    patiently(patience, attempt)


def seal_inbox(db: DatabaseManager, rows: int, linger_s: float) -> int:
    """Turn full or old inboxes into batches; returns how many batches."""
    with db.transaction() as conn:
        ripe = run(conn, Q["inbox_ripe"], {"rows": rows, "linger_s": linger_s})
    return sum(_sealed(db, Place(flow_name, tenant_id=tenant_id), rows) for flow_name, tenant_id in ripe)


def _sealed(db: DatabaseManager, place: Place, rows: int) -> bool:
    try:
        return _seal(db, place, rows)
    except UnknownFlow as error:
        # Somebody deleted the flow; the inboxes of others must not wait for it.
        log.warning("the inbox of flow %s waits: %s", place.flow_name, error.message)
        return False


def _seal(db: DatabaseManager, place: Place, rows: int) -> bool:
    with db.transaction() as conn:
        run(conn, Q["duty_bounds"])
        policy = flows.policy_of(conn, place.flow_name, place.tenant_id)
        ids = partitions.take_ids(conn, 1)
        params = {
            "flow_name": place.flow_name,
            "tenant_id": place.tenant_id,
            "rows": rows,
            "batch_id": ids[0],
        }
        n_items = int(run(conn, Q["inbox_seal"], params)[0][0])
        if n_items == 0:
            return False
        spot = Spot(place.tenant_id, place.flow_name, None, place.stage)
        new_headers(conn, headers_of(n_items, ids, rows, place, policy), spot, Begin())
        return True
