"""Opening one connection: how long a refusal is retried, and what poolers want of a session's start."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

from core.database.addresses import mask, parts, require_url, scrubbed
from core.database.errors import connection_refused_for_good, read_only
from core.database.queries import Connection, load, run
from core.errors import ConfigError, StoreReadOnly, StoreUnavailable
from core.processes import on_fork
from core.settings import DatabaseSettings

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
# Text forms of dates and numbers must not depend on the server's configuration.
_FORMS = {"TimeZone": "UTC", "DateStyle": "ISO", "IntervalStyle": "iso_8601", "extra_float_digits": "1"}
# PgBouncer, Neon; RDS Proxy.
_NO_OPTIONS_CURE = (
    "take `options` out of the database URL, or let the pooler pass over it "
    "(PgBouncer: ignore_startup_parameters = extra_float_digits,options)"
)
_NO_OPTIONS = re.compile(r"unsupported startup parameter|command-line options", re.IGNORECASE)


__all__ = ["Source", "connect", "mask", "parts", "require_url", "set_forms"]


# A peer that is gone without a word (a machine that lost its power, a network that swallows packets) is noticed after
# so many milliseconds without an acknowledgement; an idle peer is asked for one after so many seconds. A long statement
# is no silence: the peer's system answers.
SILENT_PEER_MS = 10_000
_SILENT_PEER = {
    "tcp_user_timeout": SILENT_PEER_MS,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where connections come from. `revive` is called between attempts; the embedded server is restarted by it."""

    url: str
    revive: Callable[[], None] | None = None


def connect(source: Source, settings: DatabaseSettings) -> Connection:
    """Open one connection, retrying a server that is down or starting for `connect_retry_s`.

    Raises:
        ConfigError: refused for good (password, role, database, certificate): waiting does not help.
        StoreUnavailable: not reachable within the bound; names host and bound. StoreReadOnly: only standbys are.
    """
    give_up = time.monotonic() + settings.connect_retry_s
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            return _attempt(source.url, settings)
        except psycopg.Error as error:
            reason = scrubbed(_reason(error), source.url)
            refused = connection_refused_for_good(error)
        where = mask(source.url)
        if _NO_OPTIONS.search(reason):
            # What is ours was left out before; the rest is of the URL.
            raise ConfigError(f"the pooler at {where} refuses the connection: {reason}; {_NO_OPTIONS_CURE}")
        if refused:
            raise ConfigError(f"the database {where} refuses the connection: {reason}")
        if time.monotonic() + pause_s > give_up and "session is read-only" in reason:
            raise StoreReadOnly(read_only(f" at {where}"))
        if time.monotonic() + pause_s > give_up:
            raise StoreUnavailable(
                f"the database {where} cannot be reached within {settings.connect_retry_s:g} s: {reason}"
            )
        time.sleep(pause_s)
        pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)
        if source.revive is not None:
            source.revive()


def _attempt(url: str, settings: DatabaseSettings) -> Connection:
    ours = " ".join(f"-c {name}={value}" for name, value in _FORMS.items())
    given = parts(url).get("options")
    try:
        conn = _open(url, settings, f"{given} {ours}" if given else ours)
    except psycopg.OperationalError as error:
        if not _NO_OPTIONS.search(str(error)):
            raise
        # A pooler that cannot hand options on; each transaction sets the forms then, where the server's are others.
        conn = _open(url, settings, given)
    on_fork(conn, _sever)
    _look_behind(conn)
    conn.autocommit = False
    conn.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
    conn.slow_query_ms = settings.slow_query_ms
    return conn


def _open(url: str, settings: DatabaseSettings, options: str | None) -> Connection:
    given = parts(url)
    ours: dict[str, Any] = {name: value for name, value in _SILENT_PEER.items() if name not in given}
    if options:
        ours["options"] = options
    return Connection.connect(
        url,
        connect_timeout=settings.connect_timeout_s,
        prepare_threshold=settings.prepare_threshold,
        application_name="headrace",
        client_encoding="utf8",
        autocommit=True,
        **ours,
    )


def _sever(conn: Connection) -> None:
    """In a child: put a dead socket in the place of the parent's, whatever is done with the connection there.

    Closing it, an error that rolls back, the end of the process: all would else be said to the parent's server. And the
    server learns of the parent's end although the child lives on.
    """
    if conn.closed:
        return
    ours, theirs = socket.socketpair()
    theirs.close()
    os.dup2(ours.fileno(), conn.fileno(), inheritable=False)
    ours.close()


def _look_behind(conn: Connection) -> None:
    """Find out what a pooler in the server's place changes: it answers before it has a server, which may refuse."""
    try:
        row = conn.execute(load("database")["backend_pid"].sql).fetchone()
    except psycopg.Error:
        conn.close()
        raise
    assert row is not None
    pid, *forms = row
    if pid != conn.info.backend_pid:
        # The next statement may run on another backend, which never heard of what was prepared.
        conn.prepare_threshold = None
    # The order of day and month says how dates are read, not how they are written.
    conn.forms_differ = [str(form).split(",")[0] for form in forms] != list(_FORMS.values())


def set_forms(conn: Connection) -> None:
    """First in a transaction: the forms of dates and numbers, where a pooler kept them from being set at the start.

    Cost: one round trip behind a pooler whose server writes other forms than ours; else none.
    """
    if conn.forms_differ:
        run(conn, load("database")["session_forms"], {name.lower(): value for name, value in _FORMS.items()})


def _reason(error: psycopg.Error) -> str:
    """libpq's reason without the address, which the sentence names already, and without its advice."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    line = next((line for line in reversed(lines) if "failed: " in line), lines[0])
    return re.sub(r"^.*?failed: ", "", line).removeprefix("FATAL:").strip()
