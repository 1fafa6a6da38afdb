"""Waking idle consumers: NOTIFY where somebody waits, LISTEN on a connection of its own, polling as the safety net."""

from __future__ import annotations

from typing import Any

import psycopg

from core.database.queries import load, run

Q = load("queue")


def notify(conn: psycopg.Connection[Any], flow_name: str) -> None:
    """Wake the flow's idle consumers when the caller's transaction commits; say it last, once per transaction.

    Where nobody waits nothing is sent. Whoever begins to wait between this statement and the commit polls.
    """
    run(conn, Q["wake_up"], {"flow_name": flow_name})
