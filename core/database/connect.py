"""Opening one connection: what a URL may be, how it is shown, how long a refusal is retried."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from core.database.errors import connection_refused_for_good
from core.database.queries import Connection, load
from core.errors import ConfigError, StoreUnavailable
from core.settings import DatabaseSettings

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
_MASK = "***"


@dataclass(frozen=True, slots=True)
class Source:
    """Where connections come from. `revive` is called between attempts; the embedded server is restarted by it."""

    url: str
    revive: Callable[[], None] | None = None


def require_url(settings: DatabaseSettings) -> str:
    """The libpq form of the configured URL; ConfigError if there is none or libpq cannot read it."""
    if settings.url is None:
        raise ConfigError("no database URL: set HEADRACE_DATABASE__URL")
    url = re.sub(r"^(?:postgres|postgresql)(?:\+psycopg)?://", "postgresql://", settings.url.get_secret_value())
    parts(url)
    return url


def parts(url: str) -> dict[str, Any]:
    """The URL's fields; ConfigError without its text (it may hold a password) if it is no PostgreSQL URL."""
    try:
        return dict(conninfo_to_dict(url))
    except psycopg.Error:
        raise ConfigError(
            "the database URL cannot be read: expected postgresql://user:password@host:5432/database "
            "(percent-encode special characters in the password)"
        ) from None


def mask(url: str) -> str:
    """The URL with every password replaced by ***, rebuilt from its parsed fields."""
    fields = {key: value for key, value in parts(url).items() if value is not None}
    if "password" in fields:
        fields["password"] = _MASK
    if "sslpassword" in fields:
        fields["sslpassword"] = _MASK
    user = fields.pop("user", "")
    secret = f":{fields.pop('password')}" if "password" in fields else ""
    hosts = str(fields.get("host", ""))
    path = f"/{fields.pop('dbname', '')}"
    if "/" in hosts or not hosts:
        where = ""
    else:
        ports = str(fields.pop("port", "")).split(",")
        names = fields.pop("host").split(",")
        ports = ports * len(names) if len(ports) == 1 else ports
        where = ",".join(f"{name}:{port}" if port else name for name, port in zip(names, ports, strict=False))
    query = "&".join(f"{key}={value}" for key, value in sorted(fields.items()))
    at = "@" if user or secret else ""
    return f"postgresql://{user}{secret}{at}{where}{path}{'?' + query if query else ''}"


def connect(source: Source, settings: DatabaseSettings) -> Connection:
    """Open one connection, retrying a server that is down or starting for `connect_retry_s`.

    Raises:
        ConfigError: refused for good (password, role, database, certificate): waiting does not help.
        StoreUnavailable: not reachable within the bound; names host and bound.
    """
    give_up = time.monotonic() + settings.connect_retry_s
    pause_s = _FIRST_PAUSE_S
    while True:
        try:
            return _attempt(source.url, settings)
        except psycopg.Error as error:
            reason = _reason(error)
            refused = connection_refused_for_good(error)
        where = mask(source.url)
        if refused:
            raise ConfigError(f"the database {where} refuses the connection: {reason}")
        if time.monotonic() + pause_s > give_up:
            raise StoreUnavailable(
                f"the database {where} cannot be reached within {settings.connect_retry_s:g} s: {reason}"
            )
        time.sleep(pause_s)
        pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)
        if source.revive is not None:
            source.revive()


def _attempt(url: str, settings: DatabaseSettings) -> Connection:
    conn = Connection.connect(
        url,
        connect_timeout=settings.connect_timeout_s,
        prepare_threshold=settings.prepare_threshold,
        application_name="headrace",
        client_encoding="utf8",
        options=_options(url),
        autocommit=True,
    )
    if behind_pooler(conn):
        # The next statement may run on another backend, which never heard of what was prepared.
        conn.prepare_threshold = None
    conn.autocommit = False
    conn.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
    conn.slow_query_ms = settings.slow_query_ms
    return conn


def behind_pooler(conn: Connection) -> bool:
    """Whether a pooler answers in the server's place: it makes up the pid that a server says at the start."""
    row = conn.execute(load("database")["backend_pid"].sql).fetchone()
    return row is None or row[0] != conn.info.backend_pid


def _options(url: str) -> str:
    # Text forms of dates and numbers must not depend on the server's configuration.
    ours = "-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=iso_8601 -c extra_float_digits=1"
    given = parts(url).get("options")
    return f"{given} {ours}" if given else ours


def _reason(error: psycopg.Error) -> str:
    """libpq's reason without the address, which the sentence names already, and without its advice."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    line = next((line for line in reversed(lines) if "failed: " in line), lines[0])
    return re.sub(r"^.*?failed: ", "", line).removeprefix("FATAL:").strip()
