"""Flows and their policy: registered once, read in the transaction that needs it."""

from __future__ import annotations

import difflib
import math
from dataclasses import asdict, replace
from typing import Any

import psycopg

from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import ConfigError, UnknownFlow
from core.queue.batches import FlowPolicy

Q = load("queue")
DEFAULT_TENANT = "default"

# The same bounds stand as CHECK constraints in sql/migrations/0002_queue.sql.
_INT_MAX, _BIGINT_MAX = 2**31 - 1, 2**63 - 1
_BOUNDS: dict[str, tuple[float, float]] = {
    "max_attempts": (1, 100),
    "max_runtime_s": (1, _INT_MAX),
    "backoff_s": (0, math.inf),
    "max_running": (1, _INT_MAX),
    "rows_per_s": (0, math.inf),
    "burst_rows": (1, _BIGINT_MAX),
    "weight": (0, math.inf),
    "depth_limit_rows": (1, _BIGINT_MAX),
}
_POSITIVE = frozenset({"rows_per_s", "weight"})
_NAME_CHARS = {"flow_name": 200, "tenant_id": 100}


def register(db: DatabaseManager, policy: FlowPolicy) -> None:
    """Store the policy; an older one is replaced, pause and counters stay. ConfigError names every bad field."""
    check(policy)
    with db.transaction() as conn:
        run(conn, Q["flow_register"], asdict(policy) | {"needs": list(policy.needs)})


def check(policy: FlowPolicy) -> None:
    """ConfigError unless every field is within the bounds of the table; one error for all of them."""
    fields = asdict(policy)
    wrong = [
        f"{name} {fields[name]!r} must have 1 to {most} characters and no NUL"
        for name, most in _NAME_CHARS.items()
        if not 1 <= len(fields[name]) <= most or "\0" in fields[name]
    ]
    for name, (least, most) in _BOUNDS.items():
        value = fields[name]
        if value is not None and not _within(name, value, least, most):
            above = f"more than {least:g}" if name in _POSITIVE else f"at least {least:g}"
            upto = "finite" if most == math.inf else f"at most {most:d}"
            wrong.append(f"{name} {value!r} must be {above} and {upto}")
    if wrong:
        raise ConfigError(
            f"the policy of flow {policy.flow_name!r} is refused: {'; '.join(wrong)}", flow_name=policy.flow_name
        )


def _within(name: str, value: float, least: float, most: float) -> bool:
    # A NaN is nowhere: it fails every comparison.
    low = value > least if name in _POSITIVE else value >= least
    return low and value <= most and value < math.inf


def register_default(db: DatabaseManager, flow_name: str, max_attempts: int) -> None:
    """Register the flow with defaults unless it exists."""
    params = {"flow_name": flow_name, "tenant_id": DEFAULT_TENANT, "max_attempts": max_attempts}
    with db.transaction() as conn:
        run(conn, Q["flow_register_default"], params)


def policy_of(conn: psycopg.Connection[Any], flow_name: str, tenant_id: str = DEFAULT_TENANT) -> FlowPolicy:
    """The flow's policy; UnknownFlow names the nearest registered one."""
    rows = run(conn, Q["flow_policy"], {"flow_name": flow_name, "tenant_id": tenant_id})
    if not rows:
        raise unknown(conn, flow_name)
    *plain, needs = rows[0]
    return replace(FlowPolicy(*plain), needs=tuple(needs))


def unknown(conn: psycopg.Connection[Any], flow_name: str) -> UnknownFlow:
    """The error for a flow that nobody registered."""
    known = [name for (name,) in run(conn, Q["flow_known"])]
    near = difflib.get_close_matches(flow_name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else "register it with BatchQueue.register_flow"
    return UnknownFlow(f"the flow {flow_name!r} is not registered; {hint}", flow_name=flow_name)


def require_known(db: DatabaseManager, flow_name: str) -> None:
    """UnknownFlow unless some tenant registered the flow."""
    with db.transaction() as conn:
        if (flow_name,) not in run(conn, Q["flow_known"]):
            raise unknown(conn, flow_name)


def pause(db: DatabaseManager, flow_name: str, reason: str) -> None:
    """Hand out no more batches of the flow; those that run may finish."""
    with db.transaction() as conn:
        if not run(conn, Q["flow_pause"], {"flow_name": flow_name, "reason": reason}):
            raise unknown(conn, flow_name)


def resume(db: DatabaseManager, flow_name: str) -> None:
    """Hand out batches again and forget the bad ones counted so far."""
    with db.transaction() as conn:
        if not run(conn, Q["flow_resume"], {"flow_name": flow_name}):
            raise unknown(conn, flow_name)
