"""`headrace doctor`: what is configured, what answers, and what is wrong, in words."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import typer

from core.terminal.options import AsJson

if TYPE_CHECKING:
    from core.settings import DatabaseSettings, Settings

PACKAGES = ("headrace", "prefect", "polars", "numba", "psycopg", "sqlalchemy", "alembic", "redis")
DISK_MIN_GB = 2.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `problem` is None when all is well."""

    subject: str
    found: str
    problem: str | None = None


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(as_json: AsJson = False) -> None:
    """Check settings, disk, workspace, database, Redis, stack and Prefect; exit 1 if one is wrong.

    It leaves nothing behind.

    Example: headrace doctor --json
    """
    findings = list(examine())
    wrong = [finding for finding in findings if finding.problem]
    if as_json:
        import json

        print(json.dumps({"ok": not wrong, "findings": [asdict(finding) for finding in findings]}))
    else:
        _print_table(findings)
    raise typer.Exit(1 if wrong else 0)


def examine() -> Iterator[Finding]:
    """All findings, in the order in which one would look."""
    from core.errors import HeadraceError
    from core.settings import read_settings, valid_names

    yield _versions()
    try:
        settings = read_settings()
    except HeadraceError as error:
        yield Finding("settings", "cannot be read", error.message)
        return
    names = sorted(set(valid_names()) & {name.upper() for name in os.environ})
    yield Finding("settings", f"set: {', '.join(names)}" if names else "all defaults")
    shared = [_database, *_named(settings), _redis, _stack, _prefect]
    checks: list[Callable[[Settings], Finding]] = [_machine, _state_dir, _workspace, *shared]
    for check in checks:
        yield check(settings)


def _versions() -> Finding:
    import platform
    from importlib.metadata import PackageNotFoundError, version

    found, missing = [f"python {platform.python_version()}"], []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            missing.append(package)
    return Finding("versions", ", ".join(found), f"not installed: {', '.join(missing)}" if missing else None)


def _machine(settings: Settings) -> Finding:
    import psutil

    from core.metrics.process import usable_cores

    memory_gb = psutil.virtual_memory().total / 2**30
    threads, wanted_gb = settings.matching.threads, settings.matching.memory_gb
    cores = usable_cores()
    problem = None
    if wanted_gb is not None and wanted_gb > memory_gb:
        problem = f"HEADRACE_MATCHING__MEMORY_GB is {wanted_gb:g}, more than the machine has"
    elif threads is not None and threads > cores:
        problem = f"HEADRACE_MATCHING__THREADS is {threads}, but this process may use {cores} cores"
    return Finding("machine", f"{cores} cores, {memory_gb:.1f} GB memory", problem)


def _state_dir(settings: Settings) -> Finding:
    import shutil

    folder = settings.state_dir.expanduser().absolute()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free_gb = shutil.disk_usage(existing).free / 2**30
    problem = None
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        problem = f"{existing} cannot be written; set HEADRACE_STATE_DIR"
    elif free_gb < DISK_MIN_GB:
        problem = f"less than {DISK_MIN_GB:g} GB are free"
    return Finding("state", f"{folder}, {free_gb:.1f} GB free", problem)


def _workspace(settings: Settings) -> Finding:
    """Whether a small file can be written, read and deleted where jobs keep theirs; nothing of it stays."""
    from uuid import uuid4

    from core.errors import HeadraceError
    from core.storage.scratch import Scratch
    from core.storage.workspace import Workspace

    uri = settings.matching.workspace_uri
    if uri is None:
        return Finding("workspace", "files of queued jobs lie in the state folder, for this machine only")
    try:
        workspace = Workspace(f"{uri.rstrip('/')}/doctor-{uuid4()}", Scratch(settings.state_dir / "scratch"))
        workspace.write_json("probe", True)
        same = workspace.read_json("probe") is True
        workspace.remove()
        workspace.close()
    except HeadraceError as error:
        return Finding("workspace", "configured", error.message)
    except OSError as error:
        return Finding("workspace", "configured", f"{uri} cannot be written ({error.strerror}); correct its rights")
    return Finding("workspace", f"{uri} can be written", None if same else f"{uri} gives back what was not written")


def _database(settings: Settings) -> Finding:
    from core.database.embedded import server_at
    from core.errors import HeadraceError

    if settings.database.url is not None:
        return _answers("database", settings.database, migrated=True)
    server = server_at(settings.state_dir, settings.embedded)
    if server.is_running():
        return _answers("database", settings.database.replaced(url=server.url()), migrated=True)
    try:
        server.program("postgres")
    except HeadraceError as error:
        return Finding("database", "embedded server, not running", error.message)
    return Finding("database", f"embedded server in {server.home}, not running; it starts on first use")


def _named(settings: Settings) -> list[Callable[[Settings], Finding]]:
    """A check for each named database that has a URL of its own."""
    pattern = re.compile(rf"^{settings.environment}_GLOBAL_([A-Z0-9_]+?)_URL$")
    names = sorted(match[1].lower() for match in map(pattern.match, os.environ) if match)
    return [lambda given, name=name: _named_one(given, name) for name in names]  # type: ignore[misc]


def _named_one(settings: Settings, name: str) -> Finding:
    from core.errors import HeadraceError
    from core.settings import named_database

    try:
        return _answers(f"database {name}", named_database(name, settings, os.environ), migrated=False)
    except HeadraceError as error:
        return Finding(f"database {name}", "configured", error.message)


def _answers(subject: str, wanted: DatabaseSettings, *, migrated: bool) -> Finding:
    from core.database import DatabaseManager, connect, migrations
    from core.database.errors import read_only
    from core.errors import HeadraceError
    from core.monitoring.server_facts import TESTED_MAJORS, server_facts
    from core.queue.store import wake

    once = wanted.replaced(connect_retry_s=0)
    where, waking = "configured", ""
    db = DatabaseManager(subject, once)
    try:
        source = connect.Source(connect.require_url(once))
        where = connect.mask(source.url)
        facts = server_facts(db)
        if migrated:
            migrations.require_current(source, once)
            waking = f", wake-ups by {wake.wake_mode(db)}"
    except HeadraceError as error:
        return Finding(subject, where, error.message)
    finally:
        db.dispose()
    found = f"{where}, PostgreSQL {facts['version']}, {facts['connections']}/{facts['max_connections']} connections"
    found += waking
    problem = None
    if facts["encoding"] != "UTF8":
        problem = f"the database's encoding is {facts['encoding']}; it must be UTF8"
    elif facts["read_only"]:
        problem = read_only()
    elif int(facts["version"].split(".")[0]) not in TESTED_MAJORS:
        found += f" (untested; tested: {', '.join(map(str, TESTED_MAJORS))})"
    return Finding(subject, found, problem)


def _redis(settings: Settings) -> Finding:
    if settings.redis.url is None:
        return Finding("redis", "HEADRACE_REDIS__URL is not set; this command keeps answers in its process alone")
    import redis

    from core.cache.shared import require_url
    from core.errors import ConfigError

    limit_s = settings.redis.connect_timeout_s
    try:
        url = settings.redis.url.get_secret_value()
        require_url(url)
        with redis.Redis.from_url(url, socket_connect_timeout=limit_s, socket_timeout=limit_s) as client:
            return Finding("redis", f"answers, version {client.info('server')['redis_version']}")
    except (redis.RedisError, OSError) as error:
        return Finding("redis", "configured", f"HEADRACE_REDIS__URL does not answer ({type(error).__name__})")
    except ConfigError as error:
        return Finding("redis", "configured", error.message)


def _stack(settings: Settings) -> Finding:
    """The local stack of this state folder."""
    from core.stack.state import running_stack

    stack = running_stack(settings.state_dir)
    if stack is None:
        return Finding("stack", "none runs for this state folder; `headrace up` starts one")
    where = ", ".join(f"{name} {address}" for name, address in stack.addresses().items())
    dead = [part.name for part in stack.components if not part.alive]
    problem = f"{', '.join(dead)} has ended; its log is in {settings.state_dir / 'stack'}" if dead else None
    return Finding("stack", f"`headrace up` is {stack.phase}: {where}", problem)


def _prefect(settings: Settings) -> Finding:
    """By its HTTP health page: core does not import Prefect."""
    from core.stack.state import running_stack

    api, named = os.environ.get("PREFECT_API_URL"), "PREFECT_API_URL"
    stack = running_stack(settings.state_dir)
    if not api and stack is not None and stack.phase == "ready":
        api, named = stack.api_url, "the server of the running stack"
    if not api:
        return Finding("prefect", "PREFECT_API_URL is not set and no stack is up; each run starts a server of its own")
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import urlopen

    if not api.startswith(("http://", "https://")):
        return Finding("prefect", "configured", "PREFECT_API_URL must begin with http:// or https://")
    try:
        with urlopen(api.rstrip("/") + "/health", timeout=5) as answer:  # noqa: S310 - scheme checked above
            healthy = answer.status == 200
    except HTTPException:
        # Its words repeat a part of the address, which may be a password.
        return Finding("prefect", "configured", f"{named} cannot be read: expected http://host:4200/api")
    except HTTPError as error:
        error.close()
        healthy = False
    except (URLError, OSError, ValueError) as error:
        return Finding("prefect", "configured", f"{named} does not answer ({type(error).__name__})")
    return Finding("prefect", f"{named} answers", None if healthy else f"{named} answers, but not as healthy")


def _print_table(findings: list[Finding]) -> None:
    from core.terminal.tables import emit

    rows = []
    for finding in findings:
        said = finding.found + (f"; {finding.problem}" if finding.problem else "")
        rows.append({"": "wrong" if finding.problem else "ok", "subject": finding.subject, "found": said})
    emit("", rows, as_json=False)
