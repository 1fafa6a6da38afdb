"""psycopg and SQLAlchemy errors become ours here, once, and lose every value of a row on the way.

PostgreSQL quotes values in its primary message ("invalid input syntax for type integer: ..."), in DETAIL ("Key
(ssn)=(...) already exists") and in CONTEXT. What survives is the name of the condition, the sqlstate, and the names of
table, column and constraint, plus the line of a COPY. Only the few conditions whose message can hold nothing but
identifiers keep it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import exc as sa_exc

from core.errors import (
    ConfigError,
    InputError,
    PoolTimeout,
    StoreBusy,
    StoreError,
    StoreReadOnly,
    StoreUnavailable,
)

# Undefined column, function, table, parameter; missing privilege: their messages hold identifiers only.
_MESSAGE_IS_SAFE = frozenset({"42703", "42883", "42P01", "42P02", "42501"})
# 08 connection, 57P0x shutdown and recovery, 53 no disk, memory or connection left, 58 the system below: no row is to
# blame, and the server may be well in a moment.
_UNAVAILABLE = re.compile(r"^(08...|57P0[1-5]|53...|58...)$")
# Serialization failure, deadlock, lock time-out, object in use, cancelled statement, time-outs of transactions, a
# server that is read-only during a failover: they ask for another try, and say nothing of rows.
_PASSING = re.compile(r"^(40(?!002)...|55P03|55006|57014|25P0[34]|25006|72000)$")
# A file at its size limit (`ulimit -f`) is an internal error to PostgreSQL.
_NO_ROOM = re.compile(r"^could not (extend|write) ")
_SQLSTATE = re.compile(r"^[0-9A-Z]{5}$")
# SQL of users written for one row a record: sqlstate, what the SQL names, where to look.
_HINTS = (
    (
        "42703",
        re.compile(r"\bprocessing_queue\b", re.IGNORECASE),
        "processing_queue holds batches: read records in the view processing_queue_records, take them with "
        "claim_records_batch (docs/how-to/carry-over-row-sql.md)",
    ),
    (
        "0A000",
        re.compile(r"\bprocessing_queue_records\b.*\bfor\s+(?:no\s+key\s+|key\s+)?(?:update|share)\b", re.I | re.S),
        "records are not locked in processing_queue_records: take them with claim_records_batch",
    ),
    (
        "55000",
        re.compile(r"\bprocessing_queue_records\b", re.IGNORECASE),
        "processing_queue_records is for reading: mark_record_completed and mark_record_failed end a record, "
        "cleanup_orphaned_records gives stuck ones back",
    ),
)
_COPY_LINE = re.compile(r"^COPY (?P<table>\S+), line (?P<line>\d+)(?:, column (?P<column>[^\s:]+))?")
_READ_ONLY = "25006"
# Refusals that waiting will not cure, as libpq and poolers word them (a failed connection has no sqlstate).
_REFUSED = re.compile(
    r"authentication failed|no password supplied|pg_hba\.conf|(?:role|database) \"[^\"]*\" does not exist"
    r"|no such (?:database|user)|permission denied for (?:database|\"|parameter)|not currently accepting connections"
    r"|not permitted to log in|certificate|SSL|GSS|channel binding|SCRAM|authentication method|require_auth"
    r"|unrecognized configuration parameter|invalid (?:port|integer|connection option|value for parameter|command-line)"
    r"|parameter \"[^\"]*\" cannot be (?:changed|set)|expected authentication request|unsupported (?:frontend|startup)"
    r"|private key|root\.crt|definition of service|TLS",
    re.IGNORECASE,
)
# A connection that broke in mid-handshake, which says nothing of settings.
_BROKEN = re.compile(r"SYSCALL|closed (?:the connection|unexpectedly)|unexpected eof", re.IGNORECASE)


def connection_refused_for_good(error: psycopg.Error) -> bool:
    """True when a failed attempt to connect needs another setting, not patience."""
    if isinstance(error, psycopg.ProgrammingError):
        return True
    said = str(error)
    # libpq tries what it can, and says of each attempt how it ended: one that met an outage may do better later.
    return _REFUSED.search(said) is not None and _BROKEN.search(said) is None


def read_only(where: str = "") -> str:
    """The sentence about a server that takes no writes; `where`: ` at ADDRESS`, or nothing."""
    return (
        f"the database{where} takes no writes: it is a standby, or default_transaction_read_only is on; give the "
        "primary's address (or all addresses, and target_session_attrs=read-write), or wait for the failover to end"
    )


def wrap(error: psycopg.Error, query: str | None = None) -> StoreError:
    """Our error for psycopg's: facts `sqlstate`, `table`, `column`, `constraint`, `line`, `query` where known."""
    state = error.sqlstate
    diag = error.diag
    facts: dict[str, object] = {
        "sqlstate": state,
        "table": diag.table_name,
        "column": diag.column_name,
        "constraint": diag.constraint_name,
        "query": query,
    }
    if at := _COPY_LINE.match(diag.context or ""):
        facts["table"] = at["table"]
        facts["line"] = int(at["line"])
        facts["column"] = at["column"]
    facts = {key: value for key, value in facts.items() if value is not None}
    if state == _READ_ONLY:
        return StoreReadOnly(read_only(), **facts)
    if _is_away(error):
        return StoreUnavailable(f"the database is not available{_where(facts)}; it is worth trying again", **facts)
    if state and _PASSING.match(state):
        said = f"the database refused for now: {_condition(error)}{_where(facts)}; it is worth trying again"
        return StoreBusy(said, **facts)
    if state is None and isinstance(error, psycopg.DataError) and "NUL" in str(error):
        return StoreError(f"a text with the character NUL cannot be stored{_where(facts)}", **facts)
    condition = _condition(error)
    if state in _MESSAGE_IS_SAFE and diag.message_primary:
        condition = f"{condition}: {diag.message_primary}"
    return StoreError(f"the database refused: {condition}{_where(facts)}", **facts)


@contextmanager
def hinted(sql: str) -> Iterator[None]:
    """Say where to look when SQL for a row-per-record `processing_queue` meets ours, which holds batches."""
    try:
        yield
    except StoreError as error:
        for state, written, hint in _HINTS:
            if error.facts.get("sqlstate") == state and written.search(sql):
                raise type(error)(f"{error.message}; {hint}", **error.facts) from None
        raise


def sqlstate_of(error: BaseException) -> str | None:
    """The SQLSTATE that an exception of whatever driver carries; None: none."""
    for name in ("sqlstate", "pgcode"):
        state = getattr(error, name, None)
        if isinstance(state, str) and _SQLSTATE.match(state):
            return state
    return None


def is_passing(error: BaseException) -> bool:
    """Whether it is a condition of the database's that another try may not meet: no row is to blame for it."""
    if isinstance(error, psycopg.Error) and _is_away(error):
        return True
    state = sqlstate_of(error)
    return state is not None and (_PASSING.match(state) or _UNAVAILABLE.match(state)) is not None


def _is_away(error: psycopg.Error) -> bool:
    state = error.sqlstate
    if state is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    no_room = state == "XX000" and _NO_ROOM.match(error.diag.message_primary or "") is not None
    return no_room or _UNAVAILABLE.match(state) is not None


def _condition(error: psycopg.Error) -> str:
    """`UniqueViolation` -> `unique violation`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()


def _where(facts: dict[str, object]) -> str:
    return "".join(f", {key} {value}" for key, value in facts.items())


@contextmanager
def wrapped(query: str | None = None) -> Iterator[None]:
    """Turn driver and pool errors raised in the block into ours; others pass."""
    try:
        yield
    except psycopg.Error as error:
        raise wrap(error, query) from None
    except UnicodeEncodeError:
        at = f", query {query}" if query else ""
        raise InputError(f"a text that is not valid Unicode (half of a surrogate pair) cannot be stored{at}") from None
    except sa_exc.TimeoutError:
        raise PoolTimeout("no pooled connection came free in time; raise HEADRACE_DATABASE__POOL_SIZE") from None
    except sa_exc.DBAPIError as error:
        if isinstance(error.orig, psycopg.Error):
            raise wrap(error.orig, query) from None
        raise StoreError(f"the database driver failed: {type(error.orig).__name__}") from None
    except sa_exc.StatementError:
        raise ConfigError(f"the parameters do not fit the query {query!r}: a :name has no value") from None
