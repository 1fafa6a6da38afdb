"""Every setting, its unit, bound and meaning. Read once at the edge by `read_settings()`.

Names are `HEADRACE_<GROUP>__<FIELD>`; a name with that prefix that fits no field is refused, because a misspelt
group would otherwise be ignored silently. Named databases (`DatabaseManager("rpa_db")`) are configured by
`<ENVIRONMENT>_GLOBAL_<NAME>_<FIELD>`, see `named_database()`.
"""

from __future__ import annotations

import difflib
import os
import pwd
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from core import carried_names, settings_reference
from core.errors import ConfigError
from core.service_links import is_service_link

PREFIX = "HEADRACE_"

Seconds = Annotated[float, Field(gt=0, le=86_400)]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]


class Group(BaseModel):
    """Base of all groups: frozen, unknown fields refused, input values never shown in errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def replaced(self, **values: Any) -> Self:
        """A copy with the given fields changed and checked; None leaves a field alone. Raises ConfigError."""
        given = {name: value for name, value in values.items() if value is not None}
        try:
            return type(self).model_validate({**self.model_dump(), **given})
        except ValidationError as error:
            first = error.errors()[0]
            field = str(first["loc"][0]) if first["loc"] else ""
            raise ConfigError(f"{field}: {first['msg']}", field=field) from None


class DatabaseSettings(Group):
    """PostgreSQL and its connection pool. Without a URL the embedded server serves."""

    url: SecretStr | None = Field(None, description="libpq URL or conninfo; unset: the embedded server in `state_dir`")
    pool_size: int = Field(10, ge=1, le=500, description="connections kept open per process")
    max_overflow: int = Field(20, ge=0, le=1000, description="connections opened above `pool_size` when busy")
    pool_timeout_s: Seconds = Field(30, description="wait for a free connection before PoolTimeout")
    pool_recycle_s: int = Field(3600, ge=-1, le=604_800, description="age at which a connection is replaced; -1: never")
    pool_pre_ping: bool = Field(True, description="test a connection before lending it if it was idle for 5 s or cut")
    connect_timeout_s: int = Field(10, ge=2, le=600, description="limit of one attempt to connect")
    connect_retry_s: float = Field(30, ge=0, le=3600, description="bound within which refused connections are retried")
    query_timeout_s: Seconds | None = Field(
        None, description="limit of one statement of `execute_query`; unset: none of ours"
    )
    slow_query_ms: float = Field(1000, gt=0, le=3_600_000, description="queries at least this slow are logged by name")
    prepare_threshold: int | None = Field(
        5, ge=0, le=10_000, description="uses before a statement is prepared; never behind a pooler, which is noticed"
    )

    @model_validator(mode="before")
    @classmethod
    def _none_in_words(cls, data: Any) -> Any:
        word = data.get("prepare_threshold") if isinstance(data, dict) else None
        if isinstance(word, str) and word.lower() == "none":
            return {**data, "prepare_threshold": None}
        return data


class RedisSettings(Group):
    """The optional second cache level. Without a URL only the in-process cache is used."""

    url: SecretStr | None = Field(None, description="redis:// or rediss:// URL; unset: no Redis")
    max_connections: int = Field(20, ge=1, le=1000, description="connections kept per process")
    connect_timeout_s: Seconds = Field(2, description="limit of one attempt to connect")
    command_timeout_s: Seconds = Field(2, description="limit of one command")


class CacheSettings(Group):
    """Answers that are kept: in this process, and in Redis where there is one."""

    entries: int = Field(100_000, ge=1, le=100_000_000, description="answers a process keeps at most")
    memory_mb: int = Field(64, ge=1, le=65_536, description="memory of the answers a process keeps")
    ttl_s: float = Field(3600, gt=0, le=2_592_000, description="age at which an answer is made anew")
    version_ttl_s: float = Field(
        1, ge=0, le=3600, description="age up to which the published version is taken as known; 0: asked every time"
    )


class QueueSettings(Group):
    """Batches and leases; policy per flow lives in the table `queue_flows`."""

    lease_ttl_s: Seconds = Field(30, description="life of a lease without a heartbeat")
    beat_s: Seconds = Field(10, description="pause between heartbeats; at most half of `lease_ttl_s`")
    rescue_every_s: Seconds = Field(5, description="pause between scans for expired leases")
    poll_s: Seconds = Field(1, description="pause before an idle worker asks for batches again")
    depth_every_s: Seconds = Field(
        2, description="pause between refreshes of the cached depth; views ignore it after 5 s"
    )
    inbox_linger_s: Seconds = Field(1, description="age at which an inbox that is not full becomes a batch")
    batch_rows: int = Field(5_000, ge=1, le=1_048_576, description="rows a batch gets unless the caller says otherwise")
    batch_rows_max: int = Field(50_000, ge=1, le=1_048_576, description="rows a batch may have at most")
    batch_s_max: float | None = Field(
        None,
        gt=0,
        le=86_400,
        description="what a batch should take at most: those of splittable flows are cut to it by the measured time of "
        "a row, and consumers warn of longer ones; unset: any",
    )
    partition_rows: int = Field(10_000_000, ge=1_000, description="rows after which items go to a new partition")
    partition_hours: float = Field(24, gt=0, le=8_760, description="hours after which items go to a new partition")
    retain_days: float = Field(
        30,
        gt=0,
        le=36_500,
        description="days after which items, results and history of finished partitions are dropped",
    )
    retain_gb: float | None = Field(
        None, gt=0, le=1_000_000, description="size of all partitions above which the oldest finished go; unset: any"
    )
    failed_share_max: float = Field(
        0.2, gt=0, le=1, description="share of failed rows above which a batch is retried whole"
    )
    dedupe_ttl_s: float = Field(
        604_800, gt=0, le=316_224_000, description="life of a unique key: so long a row with it is not enqueued again"
    )
    start_timeout_s: Seconds = Field(
        60, description="what a worker may take to import its handler, before it is killed and replaced"
    )
    record_max_attempts: int = Field(1, ge=1, le=100, description="attempts of a record in the record-level API")
    record_max_runtime_s: int = Field(
        1800, ge=1, le=31_536_000, description="limit of one claim in flows that the record-level API registers"
    )
    orphan_hours: float = Field(
        1, ge=0, le=876_600, description="age of a claim that cleanup_orphaned_records takes back unless told otherwise"
    )

    @model_validator(mode="after")
    def _beat_fits_lease(self) -> QueueSettings:
        if self.beat_s * 2 > self.lease_ttl_s:
            raise ValueError("beat_s must be at most half of lease_ttl_s, else one lost beat loses the lease")
        if self.batch_rows > self.batch_rows_max:
            raise ValueError("batch_rows must not exceed batch_rows_max")
        return self


class MatchingSettings(Group):
    """Resources of the matching engine."""

    memory_gb: float | None = Field(None, gt=0, le=65_536, description="memory budget; unset: derived from the machine")
    threads: int | None = Field(None, ge=1, le=1024, description="kernel threads; unset: all cores of this process")
    workspace_uri: str | None = Field(
        None,
        min_length=1,
        max_length=1_000,
        description="place of the files of queued jobs for all machines: a mounted folder, or an object store "
        "(s3://bucket/prefix; credentials as the cloud's tools find them); unset: `workspaces` in `state_dir`",
    )
    scratch_gb: float | None = Field(
        None, gt=0, le=65_536, description="room for copies of an object store's files in `state_dir`; unset: the disk"
    )


class EmbeddedSettings(Group):
    """The PostgreSQL that Headrace runs itself when no URL is set."""

    shared_buffers_mb: int = Field(512, ge=16, le=65_536, description="page cache; never above an eighth of the memory")
    start_timeout_s: Seconds = Field(60, description="wait for the server to answer after its start")


class ScalingSettings(Group):
    """Autoscalers; how many consumers a flow gets is said where an autoscaler is started."""

    tick_s: float = Field(5, gt=0, le=15, description="pause between decisions where no new work is announced")
    retain_days: float = Field(7, gt=0, le=3_650, description="days after which decisions leave the log")


class WebSettings(Group):
    """Pages and API of `headrace web`: who reaches them, for how long a sign-in holds, how much one may ask."""

    database_url: SecretStr | None = Field(
        None, description="PostgreSQL as a role of the pages' own; unset: `HEADRACE_DATABASE__URL`"
    )
    pool_size: int = Field(10, ge=1, le=100, description="connections that pages and API keep per process")
    statement_timeout_s: Seconds = Field(2, description="limit of one statement of a page or of the API")
    hosts: str = Field(
        "", max_length=2_000, description="names this is reached by, by commas, beside localhost, 127.0.0.1 and ::1"
    )
    proxies: str = Field(
        "", max_length=2_000, description="addresses or networks, by commas, whose X-Forwarded-* are believed"
    )
    behind_tls: bool = Field(False, description="a proxy before this ends TLS; else pages want TLS or loopback")
    idle_hours: float = Field(12, gt=0, le=8_760, description="a sign-in ends after so long without a request")
    sign_in_days: float = Field(7, gt=0, le=365, description="a sign-in ends after so long in all")
    password_memory_mb: int = Field(64, ge=8, le=1_024, description="memory of one argon2 hash; two run at once")
    requests_per_min: int = Field(100, ge=1, le=1_000_000, description="requests of one API token a minute")
    requests_per_hour: int = Field(1_000, ge=1, le=10_000_000, description="requests of one API token an hour")


class ConnectionSettings(Group):
    """A named connection that pipelines read from or write to."""

    kind: Literal["postgres", "folder", "object_store", "http"] = Field("postgres", description="what it is")
    root: Path | None = Field(None, description="of a folder: where it is; nothing above it is reached")
    url: SecretStr | None = Field(None, description="address of a database, an object store or an API")
    secret: SecretStr | None = Field(None, description="token that an API is sent; never shown")
    writable_schemas: str = Field("", max_length=2_000, description="schemas of `warehouse`, by commas, to write to")
    writable: bool = Field(False, description="whether files may be written to a folder")


class LogSettings(Group):
    """Logging of the command line and of workers."""

    level: LogLevel = Field("INFO", description="least level that is written")
    as_json: bool = Field(False, description="one JSON object a line instead of text")


class Settings(BaseSettings):
    """All of Headrace's settings, frozen. Build it with `read_settings()`, or directly in tests."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        validate_by_name=True,
        validate_by_alias=True,
        hide_input_in_errors=True,
    )

    @field_validator("environment", mode="before")
    @classmethod
    def _capitals(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    environment: str = Field(
        "DEVELOPMENT",
        validation_alias="ENVIRONMENT",
        pattern=r"^[A-Z][A-Z0-9_]*$",
        description="DEVELOPMENT, STAGING or PRODUCTION: prefix of the variables of named databases",
    )
    state_dir: Path = Field(
        default_factory=lambda: default_state_dir(os.environ),
        description="embedded server and workspaces; default ~/.local/state/headrace (root: /var/lib/headrace)",
    )
    database: DatabaseSettings = DatabaseSettings()
    redis: RedisSettings = RedisSettings()
    cache: CacheSettings = CacheSettings()
    queue: QueueSettings = QueueSettings()
    matching: MatchingSettings = MatchingSettings()
    embedded: EmbeddedSettings = EmbeddedSettings()
    scaling: ScalingSettings = ScalingSettings()
    web: WebSettings = WebSettings()
    log: LogSettings = LogSettings()
    connections: dict[str, ConnectionSettings] = Field(default_factory=dict, description="connections by name")


def default_state_dir(environ: Mapping[str, str]) -> Path:
    """`$XDG_STATE_HOME/headrace`, else `~/.local/state/headrace`; /var/lib/headrace for root.

    An unset or empty HOME is looked up in the user database. Root's home is closed to the system user that must run
    the server, hence the place that the file system standard names for state of services.
    ConfigError: no home is known.
    """
    if environ.get("XDG_STATE_HOME"):
        return Path(environ["XDG_STATE_HOME"]) / "headrace"
    if os.geteuid() == 0:
        return Path("/var/lib/headrace")
    return Path(environ.get("HOME") or _home()) / ".local" / "state" / "headrace"


def _home() -> str:
    """By the user database, in which some clusters' user ids are not entered."""
    uid = os.geteuid()
    try:
        return pwd.getpwuid(uid).pw_dir
    except KeyError:
        raise ConfigError(
            f"no home folder is known (HOME is not set and user id {uid} is not in the user database): set "
            "HEADRACE_STATE_DIR to a folder that can be written"
        ) from None


def read_settings() -> Settings:
    """Read the environment.

    Raises:
        ConfigError: an unknown `HEADRACE_*` name (with the nearest valid one), or a value out of bounds; the message
            names the variable and the rule, never the value.
    """
    refuse_unknown(os.environ)
    try:
        settings = Settings()
        return carried_names.applied(settings, settings.environment, os.environ)
    except ValidationError as error:
        raise ConfigError(_in_words(error)) from None
    except ValueError:
        # Its text may quote a secret.
        raise ConfigError(f"a {PREFIX}* variable cannot be parsed; `headrace doctor` lists what is set") from None


def valid_names(beside: str = "") -> list[str]:
    """All environment variables that mean something, sorted; with those of the connection that one named is of."""
    names = [name for name, _, _ in _fields()]
    if beside.upper().startswith(f"{PREFIX}CONNECTIONS__"):
        start = "__".join(beside.upper().split("__")[:2])
        names += [f"{start}__{field}".upper() for field in ConnectionSettings.model_fields]
    return sorted(names)


def refuse_unknown(environ: Mapping[str, str]) -> None:
    """Raise ConfigError for a `HEADRACE_*` name that no field reads; service links of Kubernetes are passed over."""
    for name in sorted(environ):
        known = valid_names(name) if name.upper().startswith(PREFIX) else [name.upper()]
        if name.upper() not in known:
            if is_service_link(name, environ[name], PREFIX):
                continue
            near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]}?" if near else "; docs/reference/settings.md lists the names"
            raise ConfigError(f"unknown setting {name}{hint}", name=name, nearest=near[0] if near else None)


# Suffix of a named database's variable -> field of DatabaseSettings.
NAMED_FIELDS: Mapping[str, str] = {
    "URL": "url",
    "POOL_SIZE": "pool_size",
    "MAX_OVERFLOW": "max_overflow",
    "POOL_TIMEOUT": "pool_timeout_s",
    "POOL_RECYCLE": "pool_recycle_s",
    "POOL_PRE_PING": "pool_pre_ping",
}


def named_database(name: str, settings: Settings, environ: Mapping[str, str]) -> DatabaseSettings:
    """Settings of the database `name`: `<ENVIRONMENT>_GLOBAL_<NAME>_{URL,POOL_SIZE,...}` over the default group.

    `default` is the group `HEADRACE_DATABASE__*` itself. Without a URL of its own a name shares the default's.
    Raises ConfigError for an unknown suffix or a value out of bounds.
    """
    if name == "default":
        return settings.database
    prefix = f"{settings.environment}_GLOBAL_{name.upper()}_"
    values: dict[str, Any] = {}
    for variable in sorted(environ):
        if not variable.startswith(prefix) or not environ[variable]:
            continue
        field = NAMED_FIELDS.get(variable.removeprefix(prefix))
        if field is None:
            if is_service_link(variable, environ[variable], prefix):
                continue
            near = difflib.get_close_matches(variable, [prefix + suffix for suffix in NAMED_FIELDS], n=1, cutoff=0)
            raise ConfigError(f"unknown setting {variable}; did you mean {near[0]}?", name=variable, nearest=near[0])
        values[field] = environ[variable]
    try:
        return settings.database.replaced(**values)
    except ConfigError as error:
        suffix = next((suffix for suffix, field in NAMED_FIELDS.items() if field == error.field), "")
        raise ConfigError(f"{prefix}{suffix}: {error.message}") from None


def _in_words(error: ValidationError) -> str:
    parts = []
    for fault in error.errors():
        path = [str(part) for part in fault["loc"]]
        name = "ENVIRONMENT" if path == ["ENVIRONMENT"] else PREFIX + "__".join(path).upper()
        parts.append(f"{name}: {fault['msg']}")
    return "; ".join(parts)


def _fields() -> list[tuple[str, FieldInfo, str]]:
    """(variable, field, group) of every setting, in the order of their definition."""
    rows: list[tuple[str, FieldInfo, str]] = []
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Group):
            rows += [(f"{PREFIX}{name}__{leaf}".upper(), inner, name) for leaf, inner in kind.model_fields.items()]
        elif name != "connections":
            rows.append((str(field.validation_alias or PREFIX + name.upper()), field, ""))
    return rows


def render_reference() -> str:
    """The text of docs/reference/settings.md; `python -m core.settings > docs/reference/settings.md` renews it."""
    groups = {group for _, _, group in _fields() if group}
    purposes = {group: (Settings.model_fields[group].annotation.__doc__ or "").strip() for group in groups}
    return settings_reference.render(_fields(), purposes, NAMED_FIELDS, ConnectionSettings.model_fields)


if __name__ == "__main__":
    import sys

    sys.stdout.write(render_reference())
