"""DatabaseManager: one SQLAlchemy pool of psycopg connections, transactions, and the record-level `execute_query`."""

from __future__ import annotations

import math
import os
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self, cast

import psycopg
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Engine
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from core.database import connect, liveness
from core.database.errors import hinted, wrapped
from core.database.queries import Connection, Query, Row, load, note_duration, run
from core.database.singles import Singles
from core.errors import StoreError, StoreReadOnly
from core.processes import leave_to_parent, on_fork
from core.settings import DatabaseSettings, Settings, named_database, read_settings


class DatabaseManager:
    """A pool on one database. Thread-safe; building it opens no connection and starts nothing.

    A child made by fork begins with a pool of its own; a transaction that was open at the fork is its parent's.

    Args:
        name: `default` (settings group `database`) or any name configured by `<ENVIRONMENT>_GLOBAL_<NAME>_*`; used
            only when `settings` is None.
        settings: connection and pool; None: read the environment. Without a URL the embedded server is joined,
            started and migrated on first use, and left at the end of the process.
    Raises (on use): StoreUnavailable, PoolTimeout, ConfigError (refused for good), StoreError.
    """

    def __init__(self, name: str = "default", settings: DatabaseSettings | None = None) -> None:
        self.name = name
        self._embedded_for: Settings | None = None
        if settings is None:
            everything = read_settings()
            settings = named_database(name, everything, os.environ)
            self._embedded_for = None if settings.url else everything
        self.settings = settings
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._singles: Singles | None = None
        self._closer: weakref.finalize[Any, Any] | None = None
        self._n_requests = 0
        self._requests_wait_ms = 0.0
        self._vintage = liveness.Vintage()
        on_fork(self, DatabaseManager._leave_pool)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The default database of settings already read: its URL, else the embedded server."""
        manager = cls("default", settings.database)
        manager._embedded_for = None if settings.database.url else settings
        return manager

    def execute_query(self, name: str, sql: str, params: Mapping[str, Any] | None = None) -> list[Row]:
        """Run one statement with `:named` parameters in a transaction of its own; rows as tuples, [] if it has none.

        `name` labels it in the slow-query log and in errors; neither ever shows SQL or parameters.
        """
        engine = self._opened()
        started = time.perf_counter()
        with self._minding_read_only(), hinted(sql), wrapped(name), engine.begin() as conn:
            driver = cast(Connection, conn.connection.driver_connection)
            connect.set_forms(driver)
            if self.settings.query_timeout_s is not None:
                run(
                    driver,
                    load("database")["query_bound"],
                    {"timeout_ms": math.ceil(self.settings.query_timeout_s * 1000)},
                )
            result = conn.execute(text(sql), dict(params or {}))
            rows = [tuple(row) for row in result.fetchall()] if result.returns_rows else []
        note_duration(name, started, self.settings.slow_query_ms)
        return rows

    @contextmanager
    def transaction(self, application_name: str | None = None) -> Iterator[Connection]:
        """Lend a psycopg connection in READ COMMITTED; commit at the end of the block, roll back on any error.

        `application_name` is seen in pg_stat_activity for this transaction only. Driver errors leave wrapped, without
        row data. After a lost connection StoreUnavailable is raised; whether a COMMIT in flight took place is then
        unknown, and the caller must look.
        """
        proxied, pid = self._lend(), os.getpid()
        conn = cast(Connection, proxied.driver_connection)
        try:
            with self._minding_read_only(), wrapped():
                connect.set_forms(conn)
                if application_name is not None:
                    run(conn, load("database")["label_transaction"], {"application_name": application_name})
                yield conn
                _require_parent(pid)
                conn.commit()
        except BaseException:
            if os.getpid() == pid and not conn.closed and not conn.broken:
                with _quiet():
                    conn.rollback()
            raise
        finally:
            if os.getpid() != pid:
                leave_to_parent(proxied)
            else:
                if conn.closed or conn.broken:
                    proxied.invalidate()
                proxied.close()

    def execute_once(self, query: Query, params: Mapping[str, Any]) -> list[Row]:
        """Run one statement that returns rows and commits itself: one round trip, durable when it returns.

        Its connections are not of the pool: one for each thread that is in here at the same time. After a lost
        connection StoreUnavailable is raised, and the caller must look whether the statement took place.
        """
        self._opened()
        assert self._singles is not None
        return self._singles.execute(query, params)

    @contextmanager
    def _minding_read_only(self) -> Iterator[None]:
        """A server that takes no writes is the wrong one now: connections to it leave the pool."""
        try:
            yield
        except StoreReadOnly:
            self._vintage.give_up()
            raise

    def pool_figures(self) -> dict[str, float]:
        """Connections now, and requests since the start: `size`, `checked_in`, `checked_out`, `overflow`, `max_total`,
        `utilization_percent` (checked out of `max_total`), `requests`, `requests_wait_ms` (sum)."""
        most = self.settings.pool_size + self.settings.max_overflow
        figures = {"size": self.settings.pool_size, "checked_in": 0, "checked_out": 0, "overflow": 0, "max_total": most}
        if self._engine is not None:
            pool = cast(QueuePool, self._engine.pool)
            n_out = pool.checkedout()
            figures |= {"checked_in": pool.checkedin(), "checked_out": n_out, "overflow": max(0, pool.overflow())}
        return {
            **figures,
            "utilization_percent": round(100.0 * figures["checked_out"] / most, 2),
            "requests": self._n_requests,
            "requests_wait_ms": round(self._requests_wait_ms, 3),
        }

    @property
    def url(self) -> str:
        """The connection URL with its password: for child processes, never for printing. May start the server."""
        return self._source().url

    @property
    def url_masked(self) -> str:
        """The URL for people: the password is ***."""
        if self.settings.url is None and self._embedded_for is None:
            return "(none)"
        if self._embedded_for is not None:
            from core.database.embedded import server_at

            return server_at(self._embedded_for.state_dir, self._embedded_for.embedded).url()
        return connect.mask(self._source().url)

    def dispose(self) -> None:
        """Close the pool's idle connections. The manager can be used again."""
        with self._lock:
            if self._engine is not None:
                if self._closer is not None:
                    self._closer()
                self._engine = self._singles = None

    def _leave_pool(self) -> None:
        """In a child."""
        if self._closer is not None:
            self._closer.detach()
        leave_to_parent((self._engine, self._singles))
        self._lock = threading.Lock()
        self._engine = self._singles = self._closer = None

    def _source(self) -> connect.Source:
        if self._embedded_for is None:
            return connect.Source(connect.require_url(self.settings))
        from core.database.local import join_for_life

        return join_for_life(self._embedded_for)

    def _opened(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._engine, self._singles = self._build(self._source())
                # Scripts need not call dispose(): idle connections are closed with the manager or the process.
                self._closer = weakref.finalize(self, _close, self._engine, self._singles)
            return self._engine

    def _build(self, source: connect.Source) -> tuple[Engine, Singles]:
        settings = self.settings
        engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: connect.connect(source, settings),
            poolclass=QueuePool,
            pool_size=settings.pool_size,
            max_overflow=settings.max_overflow,
            pool_timeout=settings.pool_timeout_s,
            pool_recycle=settings.pool_recycle_s,
            hide_parameters=True,
        )
        liveness.replace_given_up(engine.pool, self._vintage)
        if settings.pool_pre_ping:
            liveness.ping_if_doubtful(engine.pool)
        opened, slow_ms = lambda: connect.connect(source, settings), settings.slow_query_ms
        return engine, Singles(opened, slow_ms, settings.pool_recycle_s, self._vintage)

    def _lend(self) -> PoolProxiedConnection:
        engine = self._opened()
        started = time.perf_counter()
        with wrapped():
            proxied = engine.raw_connection()
        waited_ms = (time.perf_counter() - started) * 1e3
        with self._lock:
            self._n_requests += 1
            self._requests_wait_ms += waited_ms
        return proxied


def _close(engine: Engine, singles: Singles) -> None:
    singles.close()
    engine.dispose()


def _require_parent(pid: int) -> None:
    if os.getpid() != pid:
        raise StoreError(
            "this transaction was begun before a fork and belongs to the parent process; begin one in each process"
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """A rollback that fails because the connection just died must not hide the first error."""
    try:
        yield
    except psycopg.Error:
        return
