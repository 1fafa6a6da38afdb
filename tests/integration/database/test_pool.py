"""DatabaseManager against a real server."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterator

import psycopg
import pytest
from pydantic import SecretStr

from core.database import DatabaseManager
from core.database.queries import Query, affected, run
from core.errors import ConfigError, PoolTimeout, StoreError, StoreUnavailable
from core.settings import DatabaseSettings

SELECT_ALL = Query("all_notes", "many", "", "SELECT id, ssn FROM notes ORDER BY id")
ADD = Query("note_add", "exec", "", "INSERT INTO notes VALUES (%(id)s, %(ssn)s)")
PID = Query("pid", "one", "", "SELECT pg_backend_pid()")


@pytest.fixture(scope="module", autouse=True)
def notes(db: DatabaseManager) -> None:
    db.execute_query("create", "CREATE TABLE notes (id int PRIMARY KEY, ssn text UNIQUE)")


@pytest.fixture(autouse=True)
def empty(notes: None, db: DatabaseManager) -> None:
    db.execute_query("truncate", "TRUNCATE notes")


@pytest.fixture
def small(database_url: str) -> Iterator[DatabaseManager]:
    """One connection, no patience, everything is slow."""
    settings = DatabaseSettings(
        url=SecretStr(database_url), pool_size=1, max_overflow=0, pool_timeout_s=0.05, slow_query_ms=0.0001
    )
    manager = DatabaseManager("small", settings)
    yield manager
    manager.dispose()


def test_execute_query_binds_named_parameters_and_returns_tuples(db: DatabaseManager) -> None:
    assert db.execute_query("sum", "SELECT :a + :b, 'x'", {"a": 1, "b": 2}) == [(3, "x")]
    assert db.execute_query("add", "INSERT INTO notes VALUES (:id, 'a')", {"id": 1}) == []
    assert db.execute_query("read", "SELECT id FROM notes") == [(1,)]


def test_execute_query_without_a_value_for_a_name_is_told(db: DatabaseManager) -> None:
    with pytest.raises(ConfigError, match="'sum'"):
        db.execute_query("sum", "SELECT :a", {})


def test_transaction_commits_and_labels_itself(db: DatabaseManager) -> None:
    with db.transaction(application_name="worker-7") as conn:
        assert run(conn, Query("n", "one", "", "SHOW application_name")) == [("worker-7",)]
        assert run(conn, Query("i", "one", "", "SHOW transaction_isolation")) == [("read committed",)]
        assert affected(conn, ADD, {"id": 1, "ssn": "a"}) == 1
    assert db.execute_query("name", "SHOW application_name") == [("headrace",)]
    assert db.execute_query("count", "SELECT count(*) FROM notes") == [(1,)]


def test_transaction_rolls_back_on_any_error(db: DatabaseManager) -> None:
    with pytest.raises(KeyError), db.transaction() as conn:
        run(conn, ADD, {"id": 1, "ssn": "a"})
        raise KeyError
    assert db.execute_query("count", "SELECT count(*) FROM notes") == [(0,)]
    assert db.pool_figures()["checked_out"] == 0


def test_errors_carry_names_but_no_row_data(db: DatabaseManager, capsys: pytest.CaptureFixture[str]) -> None:
    with db.transaction() as conn:
        run(conn, ADD, {"id": 1, "ssn": "123-45-6789"})
    with pytest.raises(StoreError) as caught, db.transaction() as conn:
        run(conn, ADD, {"id": 2, "ssn": "123-45-6789"})
    error = pickle.loads(pickle.dumps(caught.value))
    assert (error.sqlstate, error.table, error.constraint, error.query) == (
        "23505",
        "notes",
        "notes_ssn_key",
        "note_add",
    )
    assert "unique violation" in str(error)
    with pytest.raises(StoreError) as other:
        db.execute_query("cast", "SELECT CAST(:ssn AS int)", {"ssn": "123-45-6789"})
    for text in (str(error), repr(error.facts), str(other.value), repr(other.value.facts)):
        assert "123-45-6789" not in text
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_errors_of_a_wrong_statement_name_the_missing_thing(db: DatabaseManager) -> None:
    with pytest.raises(StoreError, match='relation "no_such" does not exist'):
        db.execute_query("q", "SELECT * FROM no_such")


@pytest.mark.parametrize(
    ("sql", "where"),
    [
        ("SELECT status, count(*) FROM processing_queue GROUP BY status", "view processing_queue_records"),
        (
            "SELECT id FROM processing_queue WHERE status = 'pending' LIMIT 9 FOR UPDATE SKIP LOCKED",
            "claim_records_batch",
        ),
        ("SELECT id FROM processing_queue_records LIMIT 9 FOR UPDATE SKIP LOCKED", "claim_records_batch"),
        ("SELECT id FROM processing_queue_records\nORDER BY id FOR NO KEY UPDATE", "claim_records_batch"),
        ("UPDATE processing_queue_records SET status = 'pending'", "cleanup_orphaned_records"),
    ],
)
def test_sql_for_one_row_a_record_is_told_where_to_look(db: DatabaseManager, sql: str, where: str) -> None:
    with pytest.raises(StoreError, match=where):
        db.execute_query("theirs", sql)


def test_query_timeout_ends_a_statement(db: DatabaseManager) -> None:
    quick = DatabaseManager("quick", db.settings.replaced(query_timeout_s=0.05))
    with pytest.raises(StoreError) as told:
        quick.execute_query("slow", "SELECT pg_sleep(60)")
    quick.dispose()
    assert told.value.facts["sqlstate"] == "57014"


def test_pool_timeout_is_told_and_the_pool_recovers(small: DatabaseManager) -> None:
    with small.transaction():
        figures = small.pool_figures()
        assert (figures["checked_out"], figures["max_total"], figures["utilization_percent"]) == (1, 1, 100.0)
        with pytest.raises(PoolTimeout), small.transaction():
            pass
    with small.transaction():
        pass
    figures = small.pool_figures()
    assert (figures["checked_out"], figures["checked_in"], figures["requests"]) == (0, 1, 2)
    assert figures["requests_wait_ms"] > 0


def test_slow_query_log_names_the_query_and_never_its_parameters(
    small: DatabaseManager, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "headrace.slow"), small.transaction() as conn:
        run(conn, ADD, {"id": 1, "ssn": "123-45-6789"})
    small.execute_query("by_ssn", "SELECT id FROM notes WHERE ssn = :ssn", {"ssn": "123-45-6789"})
    lines = [record.getMessage() for record in caplog.records]
    assert any(line.startswith("slow query note_add took") for line in lines)
    assert any(line.startswith("slow query by_ssn took") for line in lines)
    assert "123-45-6789" not in caplog.text
    assert "SELECT" not in caplog.text


def test_upkeep_takes_as_long_as_it_takes(small: DatabaseManager, caplog: pytest.LogCaptureFixture) -> None:
    analyse = Query("notes_analyse", "upkeep", "why", "ANALYZE notes")
    with caplog.at_level(logging.WARNING, "headrace.slow"), small.transaction() as conn:
        run(conn, analyse)
        run(conn, ADD, {"id": 1, "ssn": "1"})
    lines = [record.getMessage() for record in caplog.records]
    assert [line.split(" took")[0] for line in lines] == ["slow query note_add"]


def test_quick_queries_are_not_logged(db: DatabaseManager, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "headrace"), db.transaction() as conn:
        run(conn, SELECT_ALL)
    assert caplog.records == []


def test_a_connection_lost_in_the_pool_is_replaced(db: DatabaseManager, database_url: str) -> None:
    with db.transaction() as conn:
        ((pid,),) = run(conn, PID)
    with psycopg.connect(database_url) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    with db.transaction() as conn:
        assert run(conn, PID) != [(pid,)]


def test_a_connection_lost_in_a_transaction_is_store_unavailable(db: DatabaseManager, database_url: str) -> None:
    with pytest.raises(StoreUnavailable) as caught, db.transaction() as conn:
        run(conn, ADD, {"id": 1, "ssn": "a"})
        with psycopg.connect(database_url) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", run(conn, PID)[0])
        run(conn, SELECT_ALL)
    assert caught.value.retryable
    assert db.execute_query("count", "SELECT count(*) FROM notes") == [(0,)]


def test_wrong_database_is_refused_at_once(database_url: str) -> None:
    settings = DatabaseSettings(url=SecretStr(database_url.replace("/t_", "/absent_")), connect_retry_s=60)
    with pytest.raises(ConfigError, match="does not exist"):
        DatabaseManager("absent", settings).execute_query("x", "SELECT 1")


def test_unknown_host_ends_in_one_sentence() -> None:
    settings = DatabaseSettings(url=SecretStr("postgresql://u:hunter2@no.such.host.invalid/d"), connect_retry_s=0)
    with pytest.raises(StoreUnavailable, match=r"cannot be reached within 0 s") as caught:
        DatabaseManager("far", settings).execute_query("x", "SELECT 1")
    assert "hunter2" not in str(caught.value)


def test_prepare_threshold_none_prepares_nothing(database_url: str) -> None:
    settings = DatabaseSettings(url=SecretStr(database_url), prepare_threshold=None)
    manager = DatabaseManager("pooled", settings)
    with manager.transaction() as conn:
        for _ in range(8):
            run(conn, SELECT_ALL)
        assert run(conn, Query("p", "one", "", "SELECT count(*) FROM pg_prepared_statements")) == [(0,)]
    manager.dispose()
