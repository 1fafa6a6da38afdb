"""Flows and their policy: registered once, read in the transaction that needs it."""

from __future__ import annotations

import difflib
from dataclasses import asdict
from typing import Any

import psycopg

from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import UnknownFlow
from core.queue.batches import FlowPolicy

Q = load("queue")
DEFAULT_TENANT = "default"


def register(db: DatabaseManager, policy: FlowPolicy) -> None:
    """Store the policy; an older one is replaced, pause and counters stay."""
    with db.transaction() as conn:
        run(conn, Q["flow_register"], asdict(policy))


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
    return FlowPolicy(*rows[0])


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
