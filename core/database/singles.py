"""Statements that commit themselves, at the cost of one round trip and little else.

Borrowing from the pool, a fresh cursor and two changes of autocommit cost as much as the statement itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

import psycopg
from psycopg.pq import TransactionStatus

from core.database import liveness
from core.database.errors import wrapped
from core.database.queries import Connection, Query, Row, note_duration
from core.errors import StoreReadOnly

Cursor = psycopg.Cursor[Row]


class Singles:
    """Connections in autocommit beside the pool, each with a cursor of its own; as many as threads use them at once.

    Args:
        opened: makes a connection.
        slow_query_ms: statements at least this slow are logged by name.
        recycle_s: age at which a connection is replaced; -1: never.
        vintage: which connections were given up on; shared with the pool.
    """

    def __init__(
        self,
        opened: Callable[[], Connection],
        slow_query_ms: float,
        recycle_s: float,
        vintage: liveness.Vintage | None = None,
    ) -> None:
        self._open = opened
        self._vintage = vintage or liveness.Vintage()
        self._slow_query_ms = slow_query_ms
        self._recycle_s = recycle_s
        self._lock = threading.Lock()
        self._free: list[tuple[Cursor, float, float]] = []
        self._closed = False

    def execute(self, query: Query, params: Mapping[str, Any]) -> list[Row]:
        """Run a statement that returns rows; durable when it returns. Raises StoreUnavailable, StoreError."""
        cursor, born = self._take()
        try:
            started = time.perf_counter()
            with wrapped(query.name):
                cursor.execute(cast(Any, query.sql), params)
                rows = cursor.fetchall()
        except StoreReadOnly:
            self._vintage.give_up()
            raise
        finally:
            self._give_back(cursor, born)
        note_duration(query.name, started, self._slow_query_ms)
        return rows

    def close(self) -> None:
        """Close what is free now, and what comes back later."""
        with self._lock:
            self._closed = True
            free, self._free = self._free, []
        for cursor, _, _ in free:
            cursor.connection.close()

    def _take(self) -> tuple[Cursor, float]:
        while True:
            with self._lock:
                if not self._free:
                    break
                cursor, born, since = self._free.pop()
            now = time.monotonic()
            too_old = 0 <= self._recycle_s < now - born or self._vintage.is_too_old(born)
            if not too_old and liveness.is_alive(cursor.connection, now - since):
                return cursor, born
            cursor.connection.close()
        with wrapped():
            conn = self._open()
            conn.autocommit = True
            return conn.cursor(), time.monotonic()

    def _give_back(self, cursor: Cursor, born: float) -> None:
        conn = cursor.connection
        if not conn.closed and conn.pgconn.transaction_status == TransactionStatus.IDLE:
            with self._lock:
                if not self._closed and not self._vintage.is_too_old(born):
                    self._free.append((cursor, born, time.monotonic()))
                    return
        conn.close()
