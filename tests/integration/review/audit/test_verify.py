"""What a check finds of each kind of meddling: done with the triggers off, as only the owner of the tables can."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from core.database import DatabaseManager
from core.errors import InputError
from core.review.audit import verify as verify_module
from core.review.audit.chain import GENESIS, Event, Head
from core.review.audit.events import append
from core.review.audit.faults import Report
from core.review.audit.sealer import seal_all
from core.review.audit.verify import verify

AT = datetime(2026, 2, 3, 4, 5, 6, 7, UTC)
EVENTS, LEAVES, SEALS, UNSEALED = TABLES = ("audit_events", "audit_leaves", "audit_seals", "audit_unsealed")


def _append(db: DatabaseManager, tenant_id: str, n: int = 0) -> int:
    with db.transaction() as conn:
        event = Event(tenant_id, "settled", "test", AT, None, {"n": n})
        return append(conn, event, [{"line": at, "amount_minor": 100} for at in range(2)])


@pytest.fixture
def ids(db: DatabaseManager, request: pytest.FixtureRequest) -> list[int]:
    """Four sealed events of a tenant named as the test's case, and one unsealed."""
    made = [_append(db, request.node.name, n) for n in range(4)]
    seal_all(db, "test", request.node.name)
    return [*made, _append(db, request.node.name)]


def _meddle(db: DatabaseManager, *statements: str) -> None:
    with db.transaction() as conn:
        for table in TABLES:
            conn.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")  # type: ignore[arg-type]
        for statement in statements:
            conn.execute(statement)  # type: ignore[arg-type]
        for table in TABLES:
            conn.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")  # type: ignore[arg-type]


def _report(db: DatabaseManager, tenant_id: str, *heads: Head) -> Report:
    (report,) = verify(db, {}, tenant_id, heads)
    return report


def _found(report: Report) -> set[tuple[str, str, int | None]]:
    return {(fault.kind, fault.table, fault.event_id) for fault in report.faults}


def test_verify_finds_nothing_in_what_was_only_appended(
    db: DatabaseManager, ids: list[int], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for page in (1, 2, 1000):
        monkeypatch.setattr(verify_module, "PAGE", page)
        report = _report(db, request.node.name)
        assert (report.sound, report.n_events, report.n_leaves, report.head.seq) == (True, 5, 10, 4)
        assert (report.n_unsealed, report.unsealed) == (1, ids[4:])


CASES: dict[str, tuple[list[str], set[tuple[str, str, int]]]] = {
    "byte-of-a-leaf": (
        ["UPDATE audit_leaves SET body = set_byte(body, 3, 65) WHERE event_id = {1} AND leaf_no = 1"],
        {("changed", LEAVES, 1)},
    ),
    "leaf-gone": (["DELETE FROM audit_leaves WHERE event_id = {1} AND leaf_no = 0"], {("missing", LEAVES, 1)}),
    "leaf-added": (
        ["INSERT INTO audit_leaves SELECT event_id, 2, tenant_id, body FROM audit_leaves "
         "WHERE event_id = {1} AND leaf_no = 1"],
        {("added", LEAVES, 1)},
    ),
    "leaf-renumbered": (
        ["UPDATE audit_leaves SET leaf_no = 7 WHERE event_id = {1} AND leaf_no = 1"],
        {("moved", LEAVES, 1)},
    ),
    "leaves-swapped": (
        ["UPDATE audit_leaves SET leaf_no = 11 - leaf_no WHERE event_id = {1}",
         "UPDATE audit_leaves SET leaf_no = leaf_no - 10 WHERE event_id = {1}"],
        {("changed", LEAVES, 1)},
    ),
    "actor-changed": (["UPDATE audit_events SET actor = 'x' WHERE event_id = {2}"], {("changed", EVENTS, 2)}),
    "microsecond": (
        ["UPDATE audit_events SET recorded_at = recorded_at + interval '1 us' WHERE event_id = {2}"],
        {("changed", EVENTS, 2)},
    ),
    "details-changed": (["UPDATE audit_events SET details = '{{}}' WHERE event_id = {2}"], {("changed", EVENTS, 2)}),
    "unsealed-changed": (["UPDATE audit_events SET actor = 'x' WHERE event_id = {4}"], {("changed", EVENTS, 4)}),
    "event-gone": (
        ["DELETE FROM audit_events WHERE event_id = {2}", "DELETE FROM audit_leaves WHERE event_id = {2}"],
        {("missing", EVENTS, 2)},
    ),
    "unsealed-gone": (
        ["DELETE FROM audit_events WHERE event_id = {4}"],
        {("missing", EVENTS, 4), ("added", LEAVES, 4)},
    ),
    "event-copied": (
        ["UPDATE audit_events a SET details = b.details, digest = b.digest FROM audit_events b "
         "WHERE a.event_id = {2} AND b.event_id = {3}"],
        {("moved", EVENTS, 2)},
    ),
    "event-put-in": (["DELETE FROM audit_unsealed WHERE event_id = {4}"], {("added", EVENTS, 4)}),
    "waits-again": (
        ["INSERT INTO audit_unsealed SELECT tenant_id, event_id FROM audit_events WHERE event_id = {1}"],
        {("added", UNSEALED, 1)},
    ),
    "link-gone": (["DELETE FROM audit_seals WHERE event_id = {1}"],
                  {("missing", SEALS, -1), ("added", EVENTS, 1)}),
    "first-link-gone": (
        ["DELETE FROM audit_seals WHERE event_id = {0}"],
        {("missing", SEALS, -1), ("added", EVENTS, 0)},
    ),
    "link-changed": (["UPDATE audit_seals SET link = sha256('x') WHERE event_id = {1}"], {("changed", SEALS, 1)}),
    "sealed-at-changed": (
        ["UPDATE audit_seals SET sealed_at = sealed_at - interval '1 day' WHERE event_id = {3}"],
        {("changed", SEALS, 3)},
    ),
    "digest-of-link": (["UPDATE audit_seals SET digest = sha256('x') WHERE event_id = {1}"], {("changed", SEALS, 1)}),
    "links-swapped": (
        ["UPDATE audit_seals SET seq = 9 WHERE event_id = {1}",
         "UPDATE audit_seals SET seq = 2 WHERE event_id = {2}",
         "UPDATE audit_seals SET seq = 3 WHERE event_id = {1}"],
        {("moved", SEALS, 1), ("moved", SEALS, 2), ("moved", SEALS, 3)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_verify_names_what_was_done(
    db: DatabaseManager, ids: list[int], request: pytest.FixtureRequest, case: str
) -> None:
    statements, expected = CASES[case]
    _meddle(db, *(statement.format(*ids) for statement in statements))
    report = _report(db, request.node.name)
    assert _found(report) == {(kind, table, ids[at] if at >= 0 else None) for kind, table, at in expected}
    assert not report.sound


def test_verify_finds_a_cut_tail_by_a_head_that_was_kept(
    db: DatabaseManager, ids: list[int], request: pytest.FixtureRequest
) -> None:
    head = _report(db, request.node.name).head
    assert _report(db, request.node.name, head, Head(head.tenant_id, 0, GENESIS)).sound
    _meddle(db, *(f"DELETE FROM {table} WHERE event_id >= {ids[3]}" for table in TABLES))
    assert _report(db, request.node.name).sound, "nothing in the database can tell"
    (fault,) = _report(db, request.node.name, head).faults
    assert (fault.kind, fault.seq, "its end was cut off" in fault.says) == ("missing", 4, True)


def test_verify_finds_a_chain_written_anew(db: DatabaseManager, ids: list[int], request: pytest.FixtureRequest) -> None:
    head = _report(db, request.node.name).head
    _meddle(
        db,
        f"DELETE FROM audit_seals WHERE event_id >= {ids[3]}",
        f"INSERT INTO audit_unsealed SELECT tenant_id, event_id FROM audit_events WHERE event_id = {ids[3]}",
    )
    seal_all(db, "test", request.node.name)
    assert _report(db, request.node.name).sound
    (fault,) = _report(db, request.node.name, head).faults
    assert (fault.kind, fault.table, fault.seq) == ("changed", SEALS, 4)


def test_verify_asks_whoever_keeps_the_leaves(db: DatabaseManager) -> None:
    rows = [(0, 0, b'{"amount_minor":100,"line":0}')]
    with db.transaction() as conn:
        event_id = append(conn, Event("others", "settled", "test", AT), [rows[0][2]], "decisions")
    rows[0] = (event_id, *rows[0][1:])

    def decisions(_: Any, tenant_id: str, after: int, upto: int) -> Iterator[tuple[int, int, bytes]]:
        return (row for row in rows if tenant_id == "others" and after < row[0] <= upto)

    def found() -> set[tuple[str, str, int | None]]:
        (report,) = verify(db, {"decisions": decisions}, "others")
        return _found(report)

    assert found() == set()
    rows[0] = (event_id, 0, b'{"amount_minor":101,"line":0}')
    assert found() == {("changed", "decisions", event_id)}
    rows[:] = [(event_id + 1, 0, b"{}")]
    assert found() == {("missing", "decisions", event_id), ("added", "decisions", event_id + 1)}


def test_verify_takes_all_tenants_and_those_whose_heads_were_kept(db: DatabaseManager) -> None:
    _append(db, "zoe")
    gone = Head("all-gone", 3, b"x" * 32)
    reports = {report.tenant_id: report for report in verify(db, {}, None, [gone])}
    assert (reports["zoe"].sound, reports["all-gone"].sound) == (True, False)
    with pytest.raises(InputError, match="not of the tenant zoe"):
        verify(db, {}, "zoe", [replace(gone, tenant_id="other")])


def test_verify_gives_its_connection_back_as_it_was(db: DatabaseManager) -> None:
    verify(db, {}, "nobody")
    with db.transaction() as conn:
        assert conn.execute("SHOW transaction_isolation").fetchone() == ("read committed",)
        assert conn.execute("SHOW transaction_read_only").fetchone() == ("off",)
