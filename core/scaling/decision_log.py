"""The log of decisions: all they saw, what they wanted and why, what was done; for people and for the next decision."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core.database import DatabaseManager
from core.database.queries import affected, load, run
from core.scaling.policy import Decision, Fleet, Memory, Policy, Signals
from core.scaling.ports import Effect

Q = load("scaling")

FORGET_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Logged:
    """One decision as it stands in the log; `started` and `stopped` None: not carried out, `error` says why."""

    decision_id: int
    flow_name: str
    pool: str
    holder: str
    decided_at: datetime
    ready_batches: int
    leased_batches: int
    ready_items: int
    leased_items: int
    oldest_age_s: float | None
    batch_s: float | None
    items_per_s: float | None
    working: int
    starting: int
    ended_well: int
    ended_badly: int
    policy: Mapping[str, Any]
    need: int
    desired: int
    reason: str
    started: int | None
    stopped: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a decision was made from."""

    signals: Signals
    fleet: Fleet
    policy: Policy


@dataclass(frozen=True, slots=True)
class Author:
    """Who decides, and by which right: the token of the lease `lease`, which a decision extends by `lease_s`."""

    pool: str
    holder: str
    lease: str
    token: UUID
    lease_s: float


def before(db: DatabaseManager, flow_name: str) -> tuple[Memory, bool]:
    """What the last decision over the flow left to be remembered, and whether the oldest waited too long then."""
    with db.transaction() as conn:
        rows = run(conn, Q["decision_last"], {"flow_name": flow_name})
    return (Memory(*rows[0][:2]), rows[0][2]) if rows else (Memory(), False)


def write(db: DatabaseManager, flow_name: str, by: Author, inputs: Inputs, decision: Decision) -> int | None:
    """Log a decision before it is carried out, and extend the author's lease, in one transaction.

    Returns its id. None: the lease has run out or is another's; nothing was written, and nothing may be done.
    """
    seen = asdict(inputs.signals)
    del seen["at_s"]
    params = {
        "flow_name": flow_name,
        **asdict(by),
        **seen,
        **asdict(inputs.fleet),
        "policy": json.dumps(asdict(inputs.policy)),
        "need": decision.need,
        "desired": decision.desired,
        "reason": decision.reason,
        **asdict(decision.memory),
    }
    with db.transaction() as conn:
        written = run(conn, Q["decision_add"], params)
    return int(written[0][0]) if written else None


def done(db: DatabaseManager, decision_id: int, effect: Effect | None, error: str | None = None) -> None:
    """Log what became of a decision."""
    params = {
        "decision_id": decision_id,
        "started": effect and effect.started,
        "stopped": effect and effect.stopped,
        "error": error,
    }
    with db.transaction() as conn:
        run(conn, Q["decision_done"], params)


def last(db: DatabaseManager, flow_name: str | None, limit: int) -> list[Logged]:
    """Decisions, newest first; of one flow, or of all."""
    with db.transaction() as conn:
        return [Logged(*row) for row in run(conn, Q["decisions_list"], {"flow_name": flow_name, "limit": limit})]


def forget(db: DatabaseManager, retain_days: float) -> int:
    """Delete decisions older than that, at most 10,000 a call; returns how many."""
    with db.transaction() as conn:
        return affected(conn, Q["decisions_forget"], {"retain_s": retain_days * 86_400, "limit": FORGET_LIMIT})
