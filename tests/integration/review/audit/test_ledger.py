"""Appending, sealing, and what the tables refuse."""

from __future__ import annotations

from datetime import UTC, date, datetime
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest

from core.database import DatabaseManager
from core.errors import InputError, StoreError
from core.queue.store.singleton import drop_lease, take_lease
from core.review.audit.chain import Event
from core.review.audit.events import append
from core.review.audit.sealer import LEASE, seal, seal_all

TABLES = ("audit_events", "audit_leaves", "audit_seals", "audit_unsealed")
AT = datetime(2026, 2, 3, 4, 5, 6, 7, UTC)


def _event(tenant_id: str, **facts: Any) -> Event:
    return Event(tenant_id, "settled", "invoice-matching", AT, date(2026, 2, 1), facts)


def _append(db: DatabaseManager, tenant_id: str, *leaves: dict[str, Any]) -> int:
    with db.transaction() as conn:
        return append(conn, _event(tenant_id), leaves)


def _rows(db: DatabaseManager, statement: str, *params: Any) -> list[tuple[Any, ...]]:
    with db.transaction() as conn:
        return conn.execute(statement, params).fetchall()


def _chain(db: DatabaseManager, tenant_id: str) -> list[tuple[Any, ...]]:
    return _rows(db, "SELECT seq, event_id FROM audit_seals WHERE tenant_id = %s ORDER BY seq", tenant_id)


def test_append_is_gone_with_the_transaction_of_its_caller(db: DatabaseManager) -> None:
    with pytest.raises(RuntimeError), db.transaction() as conn:
        append(conn, _event("undone"), [{"a": 1}])
        raise RuntimeError
    tables = ["audit_events", "audit_leaves", "audit_unsealed"]
    assert [_rows(db, f"SELECT 1 FROM {table} WHERE tenant_id = 'undone'") for table in tables] == [[], [], []]


def test_append_keeps_leaves_in_their_order_as_canonical_bytes(db: DatabaseManager) -> None:
    event_id = _append(db, "kept", {"b": 1, "a": "ü"}, {"a": 2})
    rows = _rows(db, "SELECT leaf_no, body FROM audit_leaves WHERE event_id = %s ORDER BY leaf_no", event_id)
    assert rows == [(0, '{"a":"ü","b":1}'.encode()), (1, b'{"a":2}')]


def test_append_refuses_a_float_before_it_writes(db: DatabaseManager) -> None:
    with db.transaction() as conn:
        with pytest.raises(InputError, match="amount is a float"):
            append(conn, _event("floats"), [{"amount": 0.1}])
        assert conn.execute("SELECT count(*) FROM audit_events WHERE tenant_id = 'floats'").fetchone() == (0,)


def test_seal_all_goes_on_with_the_chain_of_each_tenant(db: DatabaseManager) -> None:
    first, other, second = _append(db, "one", {"a": 1}), _append(db, "two", {"a": 1}), _append(db, "one", {"a": 2})
    assert seal_all(db, "test", "one") == 2
    third = _append(db, "one")
    seal_all(db, "test")
    assert _chain(db, "one") == [(1, first), (2, second), (3, third)]
    assert _chain(db, "two") == [(1, other)]
    assert _rows(db, "SELECT 1 FROM audit_unsealed") == []
    assert seal_all(db, "test") == 0


def test_a_late_commit_joins_a_later_seal(db: DatabaseManager) -> None:
    with db.transaction() as late:
        early_id = append(late, _event("late"), [{"a": 1}])
        later_id = _append(db, "late", {"a": 2})
        assert later_id > early_id
        assert seal_all(db, "test", "late") == 1
    assert seal_all(db, "test", "late") == 1
    assert _chain(db, "late") == [(1, later_id), (2, early_id)]


def test_seal_all_leaves_it_to_whoever_holds_the_lease(db: DatabaseManager) -> None:
    _append(db, "leased")
    token = uuid4()
    assert take_lease(db, LEASE, "another", token, 30)
    assert seal_all(db, "test", "leased") == 0
    drop_lease(db, LEASE, token)
    assert seal_all(db, "test", "leased") == 1


def test_two_sealers_at_once_make_one_chain(db: DatabaseManager) -> None:
    """As after a hang: the lease went to another, and both are in it."""
    ids = [_append(db, "twice", {"n": n}) for n in range(4)]
    with db.transaction() as hung:
        seal(hung, "twice", 2)

        def second() -> None:
            with db.transaction() as conn:
                seal(conn, "twice", 10)

        thread = Thread(target=second)
        thread.start()
    thread.join()
    assert _chain(db, "twice") == [(n + 1, event_id) for n, event_id in enumerate(ids)]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("how", ["UPDATE {} SET tenant_id = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
@pytest.mark.parametrize("role", ["origin", "replica"])
def test_rows_of_the_ledger_are_not_changed(db: DatabaseManager, table: str, how: str, role: str) -> None:
    _append(db, "fast", {"a": 1})
    seal_all(db, "test")
    _append(db, "fast", {"a": 2})
    with pytest.raises(StoreError) as refused, db.transaction() as conn:
        conn.execute(f"SET LOCAL session_replication_role = {role}")
        conn.execute(how.format(table))  # type: ignore[arg-type]
    assert refused.value.sqlstate == "42501"


def test_rights_of_an_ordinary_owner_suffice_to_append_and_seal(db: DatabaseManager) -> None:
    """The run's own role is a superuser, whom no right binds: so one that owns the tables and is none."""
    with db.transaction() as conn:
        conn.execute("CREATE ROLE audit_owner")
        for table in TABLES:
            conn.execute(f"ALTER TABLE {table} OWNER TO audit_owner")
        conn.execute("SET LOCAL ROLE audit_owner")
        append(conn, _event("owner"), [{"a": 1}])
        assert seal(conn, "owner", 10) == 1
        for table in TABLES:
            refused = ["TRUNCATE"] if table == "audit_unsealed" else ["TRUNCATE", "UPDATE", "DELETE"]
            held = conn.execute("SELECT has_table_privilege(%s, %s)", (table, ", ".join(refused))).fetchone()
            assert held == (False,), table
        conn.rollback()
