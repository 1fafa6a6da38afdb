"""Flows and their policy: registered once, read in the transaction that needs it."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import psycopg

from core.database import DatabaseManager
from core.database.queries import Row, load, run
from core.errors import ConfigError, UnknownFlow
from core.queue import checks
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
_NAME_CHARS = {"flow_name": 200, "tenant_id": 100, "work_queue": 100}


def register(db: DatabaseManager, policy: FlowPolicy) -> None:
    """Store the policy; an older one is replaced, pause and counters stay. ConfigError names every bad field."""
    check(policy)
    with db.transaction() as conn:
        run(conn, Q["flow_register"], _fields(policy))


def check(policy: FlowPolicy) -> None:
    """ConfigError unless every field is within the bounds of the table; one error for all of them."""
    fields = asdict(policy)
    names = [(name, fields[name], most) for name, most in _NAME_CHARS.items()]
    names += [("needs", need, _NAME_CHARS["work_queue"]) for need in policy.needs]
    wrong = [
        f"{name} {value!r} must have 1 to {most} characters and no NUL"
        for name, value, most in names
        if not checks.is_name(value, most)
    ]
    for name, (least, most) in _BOUNDS.items():
        value = fields[name]
        if value is not None and not _within(name, value, least, most):
            above = f"more than {least:g}" if name in _POSITIVE else f"at least {least:g}"
            upto = "finite" if most == math.inf else f"at most {most:d}, a whole number"
            wrong.append(f"{name} {value!r} must be {above} and {upto}")
    if wrong:
        raise ConfigError(
            f"the policy of flow {policy.flow_name!r} is refused: {'; '.join(wrong)}", flow_name=policy.flow_name
        )


def _within(name: str, value: Any, least: float, most: float) -> bool:
    if not isinstance(value, int if most < math.inf else int | float):
        return False
    # A NaN is nowhere: it fails every comparison.
    low = value > least if name in _POSITIVE else value >= least
    return low and value <= most and value < math.inf


def ensure(db: DatabaseManager, policy: FlowPolicy) -> None:
    """Register the flow unless it is there; a policy that somebody changed stays as it is."""
    check(policy)
    with db.transaction() as conn:
        run(conn, Q["flow_ensure"], _fields(policy))


def change(
    db: DatabaseManager, flow_name: str, tenant_id: str, fields: Mapping[str, Any], *, new: bool = False
) -> FlowPolicy:
    """Replace some fields of a policy, keeping the others; `new` registers a flow or tenant that is not there.

    Raises UnknownFlow (another tenant's policy is named), ConfigError.
    """
    with db.transaction() as conn:
        if new:
            check(FlowPolicy(flow_name, tenant_id))
            run(conn, Q["flow_ensure"], _fields(FlowPolicy(flow_name, tenant_id)))
        rows = run(conn, Q["flow_policy_lock"], {"flow_name": flow_name, "tenant_id": tenant_id})
        if not rows:
            raise unknown(conn, flow_name, tenant_id)
        policy = replace(_policy(rows[0]), **fields)
        check(policy)
        run(conn, Q["flow_register"], _fields(policy))
    return policy


@dataclass(frozen=True, slots=True)
class Registered:
    """A policy, and whether its flow is paused and why; `bad_batches` in a row, of which five pause it."""

    policy: FlowPolicy
    paused: bool
    paused_reason: str | None
    bad_batches: int


def registered(db: DatabaseManager, flow_name: str | None = None) -> list[Registered]:
    """All policies, or those of one flow, one a tenant."""
    with db.transaction() as conn:
        rows = run(conn, Q["flow_list"], {"flow_name": flow_name})
    return [Registered(_policy(row[:-3]), *row[-3:]) for row in rows]


def policy_of(conn: psycopg.Connection[Any], flow_name: str, tenant_id: str = DEFAULT_TENANT) -> FlowPolicy:
    """The flow's policy; UnknownFlow names the nearest registered one, or the tenants it has."""
    rows = run(conn, Q["flow_policy"], {"flow_name": flow_name, "tenant_id": tenant_id})
    if not rows:
        raise unknown(conn, flow_name, tenant_id)
    return _policy(rows[0])


def _policy(row: Row) -> FlowPolicy:
    *plain, needs = row
    return replace(FlowPolicy(*plain), needs=tuple(needs))


def _fields(policy: FlowPolicy) -> dict[str, Any]:
    return asdict(policy) | {"needs": list(policy.needs)}


def unknown(conn: psycopg.Connection[Any], flow_name: str, tenant_id: str | None = None) -> UnknownFlow:
    """The error for a flow that nobody registered, or not for this tenant."""
    tenants = [tenant for _, tenant, *_ in run(conn, Q["flow_list"], {"flow_name": flow_name})]
    if tenants and tenant_id is not None:
        return UnknownFlow(
            f"the flow {flow_name!r} is not registered for tenant {tenant_id!r}, only for {', '.join(tenants)}; "
            f"`headrace queue set {flow_name} --tenant {tenant_id} --new` registers it",
            flow_name=flow_name,
            tenant_id=tenant_id,
        )
    known = [name for (name,) in run(conn, Q["flow_known"])]
    near = difflib.get_close_matches(str(flow_name), known, n=1)
    hint = (
        f"did you mean {near[0]}?"
        if near
        else "register it with BatchQueue.register_flow, or `headrace queue set --new`"
    )
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
