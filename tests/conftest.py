"""Real services for the whole run: one embedded PostgreSQL, one Prefect server (tests/prefect_server.py) and one
redis-server, shared by all xdist workers.

The process that controls the run is the services' user: it stops them at the end, and if it is killed the warden stops
PostgreSQL, and Prefect's keeper Prefect. Databases are cloned from a template that has all migrations.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from psycopg import sql
from pydantic import SecretStr

from core.database import DatabaseManager, connect, migrations, warden
from core.database.embedded import EmbeddedServer
from core.settings import DatabaseSettings, EmbeddedSettings
from core.stack.plan import packaged_redis
from tests import keeper, profiles, slowest
from tests.prefect_server import KEEPER
from tests.scheduling import ByFile, on_prefect

TEMPLATE = "headrace_template"
_FOLDER = pytest.StashKey[Path]()
profiles.begin()


def pytest_configure(config: pytest.Config) -> None:
    # The caller's settings must not reach the tests, nor may the tests reach the caller's services.
    for name in [name for name in os.environ if name.startswith("HEADRACE_") or "_GLOBAL_" in name]:
        del os.environ[name]
    os.environ.pop("ENVIRONMENT", None)
    handed = getattr(config, "workerinput", {}).get("services_folder")
    if handed is None:
        # Below /tmp whatever TMPDIR says: a socket's path is short, without spaces, and open to the server's user.
        folder = Path(tempfile.mkdtemp(prefix="hr-", dir="/tmp"))
        folder.chmod(0o711)
        (folder / "owner").write_text(str(os.getpid()))
    config.stash[_FOLDER] = Path(handed) if handed else folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What has to go to one process first, and then the longest files: at the end they would keep the others idle."""
    rank = {one.path: at for at, one in enumerate(slowest.slow_files())}

    def turn(item: pytest.Item) -> tuple[bool, int]:
        path = item.nodeid.partition("::")[0]
        return not on_prefect(path), rank.get(path, len(rank))

    items.sort(key=turn)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile | None:
    return ByFile(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["services_folder"] = str(node.config.stash[_FOLDER])


def pytest_unconfigure(config: pytest.Config) -> None:
    folder = config.stash.get(_FOLDER, None)
    if folder is None or hasattr(config, "workerinput"):
        return
    keeper.end(folder / "prefect" / KEEPER)
    _server(folder).shut_down()
    with contextlib.suppress(FileNotFoundError):
        pid = int((folder / "redis.pid").read_text())
        os.kill(pid, signal.SIGTERM)
        while warden.start_ticks(pid) is not None:
            time.sleep(0.01)
    shutil.rmtree(folder)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the run spent its time on; and what chaos tests counted and timed, also when they pass."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    lines = [
        value
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, value in report.user_properties
        if name == "figures"
    ]
    if lines:
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.line(line)
    if durations := list(slowest.phases(reports)):
        terminalreporter.section("time")
        for line in slowest.lines(durations, [one.path for one in slowest.slow_files()]):
            terminalreporter.line(line)


def _server(folder: Path) -> EmbeddedServer:
    return EmbeddedServer(folder / "pg", EmbeddedSettings(shared_buffers_mb=128))


@pytest.fixture(scope="session")
def services_folder(pytestconfig: pytest.Config) -> Path:
    """Folder of this run, the same in every worker; short, without spaces."""
    return pytestconfig.stash[_FOLDER]


@pytest.fixture(scope="session")
def postgres(services_folder: Path) -> EmbeddedServer:
    """The run's server with the migrated template database."""
    server = _server(services_folder)
    server.join(int((services_folder / "owner").read_text()))
    with warden.locked(services_folder):
        if not (services_folder / "template").exists():
            _admin(server, "CREATE DATABASE {name}", TEMPLATE)
            migrations.migrate(connect.Source(server.url(TEMPLATE)), DatabaseSettings())
            _forget_the_disk(server)
            (services_folder / "template").touch()
    return server


def _forget_the_disk(server: EmbeddedServer) -> None:
    """Nothing of this server outlives the run; tests that pull its plug have servers of their own."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute("ALTER SYSTEM SET fsync = off")
        conn.execute("SELECT pg_reload_conf()")


def _admin(server: EmbeddedServer, statement: str, name: str, template: str = TEMPLATE) -> None:
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute(sql.SQL(statement).format(name=sql.Identifier(name), template=sql.Identifier(template)))


def create_database(server: EmbeddedServer, template: str = TEMPLATE) -> str:
    """Name of a new database, migrated unless the template is another. Cost: about 30 ms."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    _admin(server, "CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY", name, template)
    return name


@contextlib.contextmanager
def fresh_database(server: EmbeddedServer, template: str = TEMPLATE) -> Iterator[str]:
    """URL of a database of its own, as `create_database` makes it; dropped afterwards."""
    name = create_database(server, template)
    try:
        yield server.url(name)
    finally:
        _admin(server, "DROP DATABASE {name} WITH (FORCE)", name)


@pytest.fixture(scope="module")
def database_url(postgres: EmbeddedServer) -> Iterator[str]:
    """A migrated database of the test module's own."""
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture(scope="module")
def db(database_url: str) -> Iterator[DatabaseManager]:
    """A manager on `database_url` that does not wait long for a server that is gone."""
    manager = DatabaseManager("tests", DatabaseSettings(url=SecretStr(database_url), connect_retry_s=5))
    yield manager
    manager.dispose()


@pytest.fixture(scope="session")
def redis_url(services_folder: Path) -> str:
    """URL of the run's redis-server, on a unix socket, without persistence."""
    socket = services_folder / "redis.sock"
    with warden.locked(services_folder):
        if not (services_folder / "redis.pid").exists():
            options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no"]
            files = [
                "--daemonize",
                "yes",
                "--dir",
                str(services_folder),
                "--pidfile",
                str(services_folder / "redis.pid"),
            ]
            subprocess.run(
                [packaged_redis() or "redis-server", *options, *files], check=True, stdout=subprocess.DEVNULL
            )
        _wait_for_redis(f"unix://{socket}")
    return f"unix://{socket}"


def _wait_for_redis(url: str, limit_s: float = 20) -> None:
    give_up = time.monotonic() + limit_s
    while not _redis_answers(url):
        assert time.monotonic() < give_up, "redis-server does not answer"
        time.sleep(0.01)


def _redis_answers(url: str) -> bool:
    with contextlib.closing(redis.Redis.from_url(url)) as client, contextlib.suppress(redis.ConnectionError):
        return bool(client.ping())
    return False


@pytest.fixture(autouse=True)
def _no_services_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A test that forgets to say where its state lives gets an empty folder, never the user's."""
    monkeypatch.setenv("HEADRACE_STATE_DIR", str(tmp_path / "state"))
