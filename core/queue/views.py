"""Live batches as people look at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import ConfigError
from core.queue.batches import Depth
from core.queue.states import BatchState

Q = load("queue")

COLUMNS = (
    "batch_id", "origin_batch_id", "flow_name", "job_id", "stage", "kind", "state", "priority", "attempt", "n_items",
    "item_lo", "item_hi", "has_source", "worker_id", "not_before", "lease_until", "created_at",
)  # fmt: skip


def headers(db: DatabaseManager, flow_name: str | None, state: str | None, limit: int) -> list[dict[str, Any]]:
    """Ids and states, by flow, priority and age. ConfigError for a state that does not exist."""
    if state is not None and state not in get_args(BatchState):
        raise ConfigError(f"there is no state {state!r}; states are {', '.join(get_args(BatchState))}")
    params = {"flow_name": flow_name, "state": state, "limit": limit}
    with db.transaction() as conn:
        return [dict(zip(COLUMNS, row, strict=True)) for row in run(conn, Q["peek"], params)]


def payloads(db: DatabaseManager, heads: Sequence[Mapping[str, Any]], limit: int) -> list[dict[str, Any]]:
    """The first `limit` items of these batches, with their record ids. This is row data."""
    found: list[dict[str, Any]] = []
    with db.transaction() as conn:
        for head in heads:
            params = {
                "origin": head["origin_batch_id"],
                "kind": head["kind"],
                "lo": head["item_lo"],
                "hi": head["item_hi"],
                "limit": limit - len(found),
            }
            found += [{"record_id": one, "payload": text} for one, text in run(conn, Q["peek_payloads"], params)]
    return found


def of_job(db: DatabaseManager, job_id: int, limit: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(ended attempts per stage and outcome, live batches) of a job."""
    ended = ("stage", "outcome", "attempts", "ok", "failed", "wall_ms", "cpu_ms", "longest_ms")
    live = ("batch_id", "origin_batch_id", "stage", "partition_no", "kind", "state", "attempt", "n_items", "worker_id",
            "lease_s")  # fmt: skip
    with db.transaction() as conn:
        attempts = run(conn, Q["stage_batches"], {"job_id": job_id})
        batches = run(conn, Q["job_batches"], {"job_id": job_id, "limit": limit})
    return (
        [dict(zip(ended, row, strict=True)) for row in attempts],
        [dict(zip(live, row, strict=True)) for row in batches],
    )


def now(db: DatabaseManager, flow_name: str | None = None) -> Depth:
    """Computed from the headers; of one flow, or of all. Cost: about 50 ms at 100,000 live batches."""
    with db.transaction() as conn:
        return Depth(*run(conn, Q["depth_now"], {"flow_name": flow_name})[0])
