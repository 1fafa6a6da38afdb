"""What a server says about itself, for `db status` and `doctor`."""

from __future__ import annotations

from typing import Any

from core.database.pool import DatabaseManager
from core.database.queries import load, run

# Major versions on which the test suite was run.
TESTED_MAJORS = (18,)


def server_facts(db: DatabaseManager) -> dict[str, Any]:
    """`version`, `database`, `username`, `size_mb`, `read_only`, `connections`, `max_connections`, `encoding`."""
    with db.transaction() as conn:
        (row,) = run(conn, load("database")["server_facts"])
    names = ("version", "database", "username", "size_mb", "read_only", "connections", "max_connections", "encoding")
    facts = dict(zip(names, row, strict=True))
    facts["size_mb"] = round(facts["size_mb"] / 2**20, 1)
    return facts
