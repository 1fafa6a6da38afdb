from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import psycopg
import pytest
from pydantic import SecretStr

from core.database import DatabaseManager, liveness
from core.database.queries import Query
from core.errors import StoreError, StoreUnavailable
from core.settings import DatabaseSettings

PID = Query("pid", "one", "", "SELECT pg_backend_pid() WHERE %(n)s = 1")
WRITE = Query("write", "one", "", "INSERT INTO kept VALUES (%(n)s::integer) RETURNING n")


@pytest.fixture
def single(database_url: str) -> Iterator[DatabaseManager]:
    """A pool of one connection."""
    manager = DatabaseManager("one", DatabaseSettings(url=SecretStr(database_url), pool_size=1, max_overflow=0))
    yield manager
    manager.dispose()


def pid_of(db: DatabaseManager) -> int:
    return int(db.execute_query("p", "SELECT pg_backend_pid()")[0][0])


def test_a_connection_that_the_server_ended_is_replaced_unnoticed(single: DatabaseManager, database_url: str) -> None:
    first = pid_of(single)
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 10000)", [first])
    assert pid_of(single) != first


def test_only_a_connection_in_doubt_is_pinged(single: DatabaseManager, monkeypatch: pytest.MonkeyPatch) -> None:
    pings = []
    answers = liveness._answers
    monkeypatch.setattr(liveness, "_answers", lambda conn: pings.append(1) or answers(conn))
    first = pid_of(single)
    assert pid_of(single) == first
    assert pings == []
    monkeypatch.setattr(liveness, "PING_IDLE_S", -1.0)
    assert pid_of(single) == first
    assert pings == [1]


def test_execute_once_commits_by_itself_and_keeps_its_connection(single: DatabaseManager) -> None:
    ((first,),) = single.execute_once(PID, {"n": 1})
    single.execute_query("t", "CREATE TABLE kept (n integer)")
    assert single.execute_once(WRITE, {"n": 1}) == [(1,)]
    with pytest.raises(StoreError):
        single.execute_once(WRITE, {"n": "no number"})
    assert single.execute_once(WRITE, {"n": 2}) == [(2,)]
    assert single.execute_once(PID, {"n": 1}) == [(first,)]
    assert single.execute_query("k", "SELECT n FROM kept ORDER BY n") == [(1,), (2,)]


def test_execute_once_says_that_the_connection_was_lost(
    single: DatabaseManager, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ((first,),) = single.execute_once(PID, {"n": 1})
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 10000)", [first])
    with monkeypatch.context() as patch:
        patch.setattr(liveness, "_has_news", lambda conn: False)
        with pytest.raises(StoreUnavailable):
            single.execute_once(PID, {"n": 1})
    ((second,),) = single.execute_once(PID, {"n": 1})
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 10000)", [second])
    # Nobody notices where the socket is looked at.
    assert single.execute_once(PID, {"n": 1}) not in [[(first,)], [(second,)]]


def test_a_server_that_says_nothing_is_given_up_on(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        assert liveness.is_alive(conn, liveness.PING_IDLE_S + 1)
        assert conn.execute("SELECT 1").fetchone() == (1,)
        monkeypatch.setattr(liveness, "ANSWERS_WITHIN_S", 0.05)
        os.kill(conn.info.backend_pid, signal.SIGSTOP)
        try:
            assert not liveness.is_alive(conn, liveness.PING_IDLE_S + 1)
        finally:
            os.kill(conn.info.backend_pid, signal.SIGCONT)
            conn.close()
