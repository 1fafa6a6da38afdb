"""PgBouncer in front of the server, for the settings in force: how many connections it shares among how many.

Pure: settings and a load in, lines with their reasons out. In transaction mode, for the queue claims and acknowledges
in single transactions and keeps nothing in a session.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.database.addresses import parts, require_url
from core.database.sizing.tuning import Setting
from core.errors import ConfigError
from core.settings import DatabaseSettings

PORT = 6432
# Of max_connections: superusers' own, Prefect's server, migrations and whoever listens for wake-ups go past the pooler.
SUPERUSERS, PAST_SHARE = 3, 0.3
RESERVE_SHARE = 0.2
_BOUNDS = {"processes": (1, 10_000), "connections": (10, 5_000), "poolers": (1, 100)}


@dataclass(frozen=True, slots=True)
class Load:
    """Who connects: processes of ours, `max_connections` of the server, and poolers that share it."""

    processes: int
    connections: int
    poolers: int

    def __post_init__(self) -> None:
        for name, (least, most) in _BOUNDS.items():
            if not least <= (value := getattr(self, name)) <= most:
                raise ConfigError(f"--{name} {value}: must be between {least} and {most}", value=value)


def pgbouncer(settings: DatabaseSettings, load: Load) -> Mapping[str, Sequence[Setting]]:
    """Sections of a pgbouncer.ini and their lines.

    Raises:
        ConfigError: no database URL, or one that cannot be read; or fewer connections than there are poolers.
    """
    given = parts(require_url(settings))
    shared = int((load.connections - SUPERUSERS) * (1 - PAST_SHARE)) // load.poolers
    if shared < 2:
        raise ConfigError(
            f"{load.poolers} poolers cannot share {load.connections} connections: two each are the least, and "
            f"{PAST_SHARE:.0%} stay for those who go past them; give --connections or fewer --poolers"
        )
    where = " ".join(f"{name}={_quoted(str(given[name]))}" for name in ("host", "hostaddr", "port") if given.get(name))
    here = Setting(
        _section_key(str(given.get("dbname") or given.get("user") or "")),
        where,
        "Clients ask for the database by its own name (*: any); user and password are their own.",
    )
    return {"databases": [here], "pgbouncer": [*_sharing(settings, load, shared), *_waiting(settings), *_tls(given)]}


def as_ini(sections: Mapping[str, Sequence[Setting]], heading: str) -> str:
    """The text of the file: a comment with the reason above each line."""
    lines = [f"; {heading}"]
    for name, settings in sections.items():
        lines += ["", f"[{name}]"]
        for setting in settings:
            lines += [f"; {setting.reason}", f"{setting.name} = {setting.value}"]
    return "\n".join(lines) + "\n"


def _sharing(settings: DatabaseSettings, load: Load, shared: int) -> list[Setting]:
    reserve = max(1, int(shared * RESERVE_SHARE))
    per_process = settings.pool_size + settings.max_overflow
    return [
        Setting("listen_addr", "127.0.0.1", "Widen it to the network of your consumers, and to nothing else."),
        Setting("listen_port", str(PORT), "Point HEADRACE_DATABASE__URL at this port."),
        Setting("auth_type", "scram-sha-256", "As the server asks for passwords."),
        Setting("auth_file", "userlist.txt", 'One line a role, "role" "its SCRAM secret"; keep it at mode 0600.'),
        Setting("pool_mode", "transaction", "Nothing of ours outlives a transaction; wake-ups fall back to polling."),
        Setting("max_prepared_statements", "200", "Statements that clients prepare go on to work."),
        Setting(
            "default_pool_size",
            str(shared - reserve),
            f"Of {load.connections} connections {SUPERUSERS} are superusers' and {PAST_SHARE:.0%} stay for Prefect's "
            f"server, migrations and people; the rest is shared by {load.poolers}.",
        ),
        Setting("reserve_pool_size", str(reserve), "Opened when somebody has waited for reserve_pool_timeout."),
        Setting("reserve_pool_timeout", "3", "Seconds; a short burst needs no more connections."),
        Setting(
            "max_client_conn",
            str(load.processes * per_process + 10),
            f"{load.processes} processes, each with a pool of {settings.pool_size} and {settings.max_overflow} above "
            "it when busy, and ten for people.",
        ),
        Setting(
            "ignore_startup_parameters",
            "extra_float_digits,options,search_path",
            "Ours ask for forms of dates and numbers at the start; behind a pooler each transaction sets them.",
        ),
    ]


def _waiting(settings: DatabaseSettings) -> list[Setting]:
    recycled = settings.pool_recycle_s if settings.pool_recycle_s > 0 else 3600
    return [
        Setting(
            "query_wait_timeout", str(max(1, round(settings.pool_timeout_s))), "As long as a process waits for its own."
        ),
        Setting("server_lifetime", str(max(60, recycled)), "Seconds; as our own pools replace connections."),
        Setting("server_idle_timeout", "120", "Seconds; a lull gives connections back to the server."),
        Setting("log_connections", "0", "Consumers come and go with the queue."),
        Setting("log_disconnections", "0", "Likewise."),
    ]


def _tls(given: Mapping[str, str]) -> list[Setting]:
    """What the URL asks of the connection to the server."""
    ours = {"server_tls_sslmode": "sslmode", "server_tls_ca_file": "sslrootcert"}
    reason = "As the database URL says."
    return [Setting(name, str(given[field]), reason) for name, field in ours.items() if given.get(field)]


def _quoted(value: str) -> str:
    return value if _is_plain(value) else "'" + value.replace("'", "''") + "'"


def _section_key(database: str) -> str:
    """What PgBouncer reads as a name; it knows no quotes for others."""
    return database if _is_plain(database) else "*"


def _is_plain(value: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9_.-]+", value) is not None
