"""The database's URL: what it may be, and how it is shown. No part of a password is ever repeated.

libpq ends the password at the first @, and takes what stands before the first / for the host where none comes earlier.
A password with such a sign would thus turn up in the names of hosts and databases, hence in messages.
"""

from __future__ import annotations

import re
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from core.errors import ConfigError
from core.settings import DatabaseSettings

CURE = (
    "expected postgresql://user:password@host:5432/database; in the password write % as %25, @ as %40, : as %3A, "
    "/ as %2F, # as %23 and ? as %3F"
)
_SCHEME = re.compile(r"^\s*postgres(?:ql)?://", re.IGNORECASE)
_MASK = "***"
# What may be shown of the rest; anything else may be a secret, such as `sslpassword`.
_SHOWN = frozenset(
    "application_name channel_binding connect_timeout gssencmode host hostaddr keepalives load_balance_hosts port "
    "replication require_auth service sslcert sslcrl sslkey sslmode sslnegotiation sslrootcert "
    "target_session_attrs tcp_user_timeout".split()
)


def require_url(settings: DatabaseSettings) -> str:
    """The libpq form of the configured URL; ConfigError if there is none or it cannot be read for sure."""
    if settings.url is None:
        raise ConfigError("no database URL: set HEADRACE_DATABASE__URL")
    url = re.sub(r"^(?:postgres|postgresql)(?:\+psycopg)?://", "postgresql://", settings.url.get_secret_value())
    parts(url)
    return url


def parts(url: str) -> dict[str, Any]:
    """The URL's fields; ConfigError without its text (it may hold a password) if it is no PostgreSQL URL."""
    try:
        fields = dict(conninfo_to_dict(url))
    except (psycopg.Error, UnicodeError):
        raise ConfigError(f"the database URL cannot be read: {CURE}") from None
    if (why := _doubt(url, fields)) is not None:
        raise ConfigError(f"the database URL cannot be read: {why}; {CURE}")
    return fields


def _doubt(url: str, fields: dict[str, Any]) -> str | None:
    """Why something in it may be a piece of a password, without that piece."""
    if (scheme := _SCHEME.match(url)) is not None:
        credentials = re.match(r"[^@/]*@", url[scheme.end() :])
        rest = url[scheme.end() + (credentials.end() if credentials else 0) :]
        if "@" in rest.partition("?")[0]:
            return "its password seems to hold an @ or a / as it is" if credentials else "a / stands before its @"
        if credentials and "?" in credentials[0].partition(":")[0]:
            return "a ? stands before its @"
    if any(port and not port.strip().isdecimal() for port in str(fields.get("port") or "").split(",")):
        return "its port is no number"
    for name in ("host", "dbname"):
        if re.search(r"[=@]|://", str(fields.get(name) or "")) and not (name == "host" and _is_socket(fields[name])):
            return f"its {'host' if name == 'host' else 'database'} holds an @, an = or ://"
    return None


def _is_socket(host: Any) -> bool:
    """A folder of sockets, or an abstract one."""
    return bool(re.fullmatch(r"/[^:]*|@[\w.-]+", str(host)))


def mask(url: str) -> str:
    """The URL rebuilt from its parsed fields, with *** for every password and for what is not known to be none."""
    fields = {key: value for key, value in parts(url).items() if value is not None}
    user = fields.pop("user", "")
    secret = f":{_MASK}" if fields.pop("password", None) is not None else ""
    hosts = str(fields.get("host", ""))
    path = f"/{fields.pop('dbname', '')}"
    if "/" in hosts or not hosts:
        where = ""
    else:
        ports = str(fields.pop("port", "")).split(",")
        names = fields.pop("host").split(",")
        ports = ports * len(names) if len(ports) == 1 else ports
        where = ",".join(f"{name}:{port}" if port else name for name, port in zip(names, ports, strict=False))
    query = "&".join(f"{key}={value if key in _SHOWN else _MASK}" for key, value in sorted(fields.items()))
    at = "@" if user or secret else ""
    return f"postgresql://{user}{secret}{at}{where}{path}{'?' + query if query else ''}"


def scrubbed(said: str, url: str) -> str:
    """What a driver says about a connection, without the URL's passwords, should it quote one."""
    fields = parts(url)
    shown = {str(value) for key, value in fields.items() if key in ("user", "host", "dbname")}
    for name in ("password", "sslpassword"):
        secret = str(fields.get(name) or "")
        if secret and secret not in shown:
            said = said.replace(secret, _MASK)
    return said
