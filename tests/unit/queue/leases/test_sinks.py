from __future__ import annotations

import pytest

from core.queue.leases.sinks import ends_transaction


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("COMMIT", "COMMIT"),
        ("  commit and chain", "COMMIT"),
        ("/* done */ -- really\nEND", "END"),
        ("INSERT INTO t VALUES (';'); rollback", "ROLLBACK"),
        ("ROLLBACK AND CHAIN", "ROLLBACK"),
        ("begin", "BEGIN"),
        ("start   transaction read only", "START TRANSACTION"),
        ("PREPARE TRANSACTION 'x'", "PREPARE TRANSACTION"),
        ("ABORT;", "ABORT"),
        ("ROLLBACK TO SAVEPOINT a", None),
        ("rollback work to a", None),
        ("SAVEPOINT a; RELEASE a", None),
        ("INSERT INTO t VALUES ('; commit'), ($q$; commit $q$), (E'\\'; commit')", None),
        ("DO $$ BEGIN PERFORM 1; END $$", None),
        ('SELECT "; commit" FROM t', None),
        ("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END", None),
        ("SELECT 1 AS commit", None),
        ("PREPARE p AS SELECT 1", None),
    ],
)
def test_ends_transaction_sees_statements_and_not_words(text: str, what: str | None) -> None:
    assert ends_transaction(text) == what
