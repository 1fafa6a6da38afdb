"""What is amiss in a database: indexes, dead rows, snapshots that are held, connections, settings. It only reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from core.database import DatabaseManager
from core.database.queries import SQL_DIR, Connection, Query, Row, load, run
from core.database.sizing.tuning import UNSAFE, Machine, tune
from core.errors import StoreError
from core.monitoring.advise.plans import Scan, scans
from core.monitoring.advise.values import same_value

Q = load("advise")
STATEMENTS = load("status")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From where on something is said.

    An index is unused if nothing has read it for `idle_days`, by statistics of `known_days` or more, and it takes
    `least_bytes`. A transaction is held too long after `held_s`. An index is missing where a scan reads `scan_rows` or
    more to keep at most `kept_share` of them.
    """

    known_days: int = 7
    idle_days: int = 30
    least_bytes: int = 1 << 20
    held_s: float = 600.0
    scan_rows: int = 10_000
    kept_share: float = 0.05


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing amiss: what was seen, the statement that mends it, the lock that it takes, and what undoes it."""

    kind: str
    object: str
    evidence: str
    statement: str
    lock: str
    undo: str


@dataclass(frozen=True, slots=True)
class Advice:
    """All findings; `lost` says in words what could not be looked at."""

    findings: tuple[Finding, ...]
    lost: tuple[str, ...] = field(default=())


def advise(db: DatabaseManager, machine: Machine | None = None, limits: Thresholds | None = None) -> Advice:
    """Look at the database of a manager, in one transaction that only reads.

    Args:
        machine: what the server has for itself; with it settings are compared with those of `headrace db tune`.
    Raises StoreError: the database does not answer. What one look lacks, a right or a view, is told in `lost`.
    Cost: some fifteen statements, and a plan each of the 50 costliest; 0.1 s.
    """
    limits = limits or Thresholds()
    findings: list[Finding] = []
    lost: list[str] = []
    with db.transaction() as conn:
        run(conn, Q["advise_read_only"])
        run(conn, Q["advise_patience"])
        for kind, look in _looks(db, machine, limits):
            found, reason = _looked(conn, look)
            findings += [Finding(kind, *row) for row in found]
            lost += [f"{kind}: {reason}"] if reason else []
    return Advice(tuple(findings), tuple(lost))


Look = Callable[[Connection], list[Row]]


def _looks(db: DatabaseManager, machine: Machine | None, limits: Thresholds) -> Iterator[tuple[str, Look]]:
    """What is looked at, the worst first."""
    yield "unsafe setting", _asked(Q["advise_unsafe_settings"])
    yield "snapshot held", _asked(Q["advise_xmin_holders"], {"held_s": limits.held_s})
    yield "invalid index", _asked(Q["advise_invalid_indexes"])
    yield "autovacuum off", _asked(Q["advise_autovacuum"])
    yield "dead rows", _asked(Q["advise_dead_rows"])
    yield "never analysed", _asked(Q["advise_never_analysed"])
    yield "missing index", lambda conn: _missing(conn, limits)
    yield "foreign key without index", _asked(Q["advise_foreign_keys"])
    yield "duplicate index", _asked(Q["advise_duplicate_indexes"])
    yield "unused index", lambda conn: _unused(conn, limits)
    yield "connections", lambda conn: list(_connections(conn, db))
    yield "checkpoints", _asked(Q["advise_checkpoints"])
    yield "log buffers", _asked(Q["advise_wal_buffers"])
    yield "temporary files", _asked(Q["advise_temporary_files"])
    if machine is not None:
        yield "setting", lambda conn: list(_settings(conn, machine))


def _looked(conn: Connection, look: Look) -> tuple[list[Row], str | None]:
    """What a look finds, or why it could not; of a savepoint, so that the others go on."""
    try:
        with conn.transaction():
            return look(conn), None
    except StoreError as error:
        return [], error.message


def _asked(query: Query, params: Mapping[str, Any] | None = None) -> Look:
    return lambda conn: run(conn, query, params)


def _unused(conn: Connection, limits: Thresholds) -> list[Row]:
    ages = {"known_days": limits.known_days, "idle_days": limits.idle_days, "least_bytes": limits.least_bytes}
    return [row for row in run(conn, Q["advise_unused_indexes"], ages) if row[0] not in _own_indexes()]


@cache
def _own_indexes() -> frozenset[str]:
    """Of our own schema: a migration made them, and the code relies on them even where it has not run yet."""
    made = re.compile(r"CREATE (?:UNIQUE )?INDEX (\w+)")
    files = (SQL_DIR / "migrations").glob("*.sql")
    return frozenset(name for path in files for name in made.findall(path.read_text(encoding="utf-8")))


def _missing(conn: Connection, limits: Thresholds) -> list[Row]:
    """Plans of the costliest statements, for whatever values; each index once."""
    if not run(conn, STATEMENTS["status_statements_there"])[0][0]:
        raise StoreError("pg_stat_statements is not in this database; a superuser creates it")
    found: dict[str, Row] = {}
    for text, calls, mean_ms in run(conn, Q["advise_costly"]):
        said = f"{calls:,} calls of {mean_ms:.1f} ms, estimated and not tried: {' '.join(text.split())[:120]}"
        rows = [row for scan in scans(_plan(conn, text)) for row in _indexes(conn, scan, limits)]
        for row in rows:
            found.setdefault(row[2], (row[0], f"{row[1]}; {said}", *row[2:]))
    return list(found.values())


def _indexes(conn: Connection, scan: Scan, limits: Thresholds) -> list[tuple[str, str, str, str, str]]:
    """The index that would serve a scan, if it keeps few rows of many."""
    wanted = {"schema": scan.schema, "table": scan.table, "columns": list(scan.columns)}
    return [
        (
            f"{scan.schema}.{scan.table}",
            f"{n_rows:,} rows are read to keep {scan.rows_kept:,.0f}",
            statement,
            "SHARE UPDATE EXCLUSIVE: reads and writes go on",
            "drop the new index",
        )
        for n_rows, statement in run(conn, Q["advise_table"], wanted)
        if n_rows >= limits.scan_rows and scan.rows_kept <= limits.kept_share * n_rows
    ]


def _plan(conn: Connection, text: str) -> Mapping[str, Any]:
    """The plan of a statement as the server keeps it; {} of one that cannot be planned without its values."""
    explain = Q["advise_plan"]
    try:
        with conn.transaction():
            rows = run(conn, Query(explain.name, "one", explain.comment, explain.sql.replace("VALUES (0)", text)))
    except StoreError:
        return {}
    plan: Mapping[str, Any] = rows[0][0][0]["Plan"]
    return plan


def _connections(conn: Connection, db: DatabaseManager) -> Iterator[Row]:
    granted, n_workers = run(conn, Q["advise_connections"])[0]
    each = db.settings.pool_size + db.settings.max_overflow
    if n_workers * each > granted:
        fits = max(granted // n_workers, 1)
        yield (
            "max_connections",
            f"{n_workers} workers of up to {each} connections each could ask for {n_workers * each}, and there are "
            f"{granted}; PgBouncer would share them",
            f"export HEADRACE_DATABASE__POOL_SIZE={fits} HEADRACE_DATABASE__MAX_OVERFLOW=0",
            "none; holds from the next start of each process",
            "take both variables away",
        )


def _settings(conn: Connection, machine: Machine) -> Iterator[Row]:
    """What differs from `headrace db tune`, but for those that another look is for, and those the server lacks."""
    for setting in tune(machine):
        if setting.name in UNSAFE:
            continue
        for seen, *mended in run(conn, Q["advise_setting"], {"name": setting.name, "value": setting.value}):
            if not same_value(setting.value, seen):
                yield (setting.name, f"{seen}; `headrace db tune` wants {setting.value}: {setting.reason}", *mended)
