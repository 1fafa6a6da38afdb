"""A server that refuses, stops, or comes back while it is in use."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from core.database import DatabaseManager
from core.database.embedded import EmbeddedServer
from core.database.queries import Query, run
from core.errors import ConfigError, StoreReadOnly, StoreUnavailable
from core.settings import DatabaseSettings, EmbeddedSettings


@pytest.fixture(scope="module")
def server(services_folder: Path) -> Iterator[EmbeddedServer]:
    """A server with a role `guarded` that needs its password."""
    server = EmbeddedServer(services_folder / f"o{uuid.uuid4().hex[:8]}", EmbeddedSettings(shared_buffers_mb=16))
    server.join()
    with psycopg.connect(server.url()) as conn:
        conn.execute("CREATE ROLE guarded LOGIN PASSWORD 'right'")
    server.shut_down()
    rules = server.data / "pg_hba.conf"
    rules.write_text("local all guarded scram-sha-256\n" + rules.read_text())
    server.join()
    yield server
    server.shut_down()


def manager(server: EmbeddedServer, user: str, retry_s: float) -> DatabaseManager:
    url = server.url().replace("headrace@", f"{user}@")
    return DatabaseManager("outages", DatabaseSettings(url=SecretStr(url), connect_retry_s=retry_s))


def test_wrong_password_is_not_retried_and_not_printed(server: EmbeddedServer) -> None:
    db = manager(server, "guarded:hunter2", 600)
    with pytest.raises(ConfigError, match='password authentication failed for user "guarded"') as caught:
        db.execute_query("x", "SELECT 1")
    assert "hunter2" not in str(caught.value)
    assert "guarded:***@" in str(caught.value)


def test_missing_password_is_not_retried(server: EmbeddedServer) -> None:
    with pytest.raises(ConfigError, match="no password supplied"):
        manager(server, "guarded", 600).execute_query("x", "SELECT 1")


def test_right_password_is_accepted(server: EmbeddedServer) -> None:
    db = manager(server, "guarded:right", 0)
    assert db.execute_query("x", "SELECT current_user") == [("guarded",)]
    assert "right" not in db.url_masked
    db.dispose()


def test_a_server_restarted_in_mid_run_is_waited_for(server: EmbeddedServer) -> None:
    db = manager(server, "headrace", 60)
    assert db.execute_query("x", "SELECT 1") == [(1,)]
    with pytest.raises(StoreUnavailable), db.transaction() as conn:
        server.shut_down()
        conn.execute("SELECT 1")
    restart = threading.Thread(target=server.join)
    restart.start()
    assert db.execute_query("x", "SELECT 2") == [(2,)]
    restart.join()
    assert db.pool_figures()["checked_out"] == 0
    db.dispose()


def test_a_server_that_stays_down_ends_within_the_bound(server: EmbeddedServer) -> None:
    db = manager(server, "headrace", 0.2)
    db.execute_query("x", "SELECT 1")
    server.shut_down()
    with pytest.raises(StoreUnavailable, match=r"within 0\.2 s: No such file or directory"):
        db.execute_query("x", "SELECT 1")
    server.join()
    assert db.execute_query("x", "SELECT 1") == [(1,)]
    db.dispose()


def test_a_read_only_server_leaves_the_pool_and_all_goes_on_when_it_takes_writes(server: EmbeddedServer) -> None:
    db = manager(server, "headrace", 0)
    db.execute_query("make", "CREATE TABLE written (n int)")
    write = Query("write", "one", "why", "INSERT INTO written VALUES (1) RETURNING n")
    with psycopg.connect(server.url(), autocommit=True) as conn:
        conn.execute("ALTER ROLE headrace SET default_transaction_read_only = on")
    db.dispose()
    with db.transaction(), db.transaction():
        pass
    for attempt in (lambda: db.execute_query("write", write.sql), lambda: db.execute_once(write, {})):
        with pytest.raises(StoreReadOnly, match="takes no writes") as caught:
            attempt()
        assert (caught.value.exit_code, caught.value.retryable) == (2, True)
    with psycopg.connect(server.url(), autocommit=True) as conn:
        conn.execute("SET default_transaction_read_only = off")
        conn.execute("ALTER ROLE headrace RESET default_transaction_read_only")
    # Both of the pool, and the one beside it, were given up on.
    with db.transaction() as one, db.transaction() as other:
        assert run(one, write) == run(other, write) == [(1,)]
    assert db.execute_once(write, {}) == [(1,)]
    db.dispose()
