"""Who is woken, by what, and who pays for it."""

from __future__ import annotations

import psycopg

from core.database import DatabaseManager
from core.queue import wake


def heard(conn: psycopg.Connection) -> list[str]:
    """Payloads that came in so far."""
    return [note.payload for note in conn.notifies(timeout=0.2)]


def test_notify_is_sent_once_and_only_where_somebody_waits(db: DatabaseManager, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as listener:
        listener.execute("LISTEN headrace")
        with db.transaction() as conn:
            wake.notify(conn, "mill")
        assert heard(listener) == []
        listener.execute("SELECT queue_wake_mark('mill', 60000)")
        for _ in range(3):
            with db.transaction() as conn:
                wake.notify(conn, "mill")
        assert heard(listener) == ["mill"]
