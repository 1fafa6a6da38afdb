"""Life of an embedded server, with real processes as its users."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import psutil
import psycopg
import pytest

from core.database import connect, embedded, warden
from core.database.embedded import EmbeddedServer, server_at
from core.errors import ConfigError, StoreUnavailable
from core.settings import DatabaseSettings, EmbeddedSettings

ROOT = Path(__file__).resolve().parents[3]
WAIT_S = 60

# A user that joins, says whether it started the server, and leaves when its stdin is closed.
USER = """
import sys
from pathlib import Path
from core.database.embedded import EmbeddedServer
from core.settings import EmbeddedSettings
server = EmbeddedServer(Path(sys.argv[1]), EmbeddedSettings(shared_buffers_mb=16))
print(server.join(), flush=True)
sys.stdin.read()
print(server.leave(), flush=True)
"""

User = subprocess.Popen[str]


@pytest.fixture(scope="module")
def seeded(services_folder: Path) -> Iterator[EmbeddedServer]:
    """A server that was initialised once, stopped; tests that need no fresh initdb share it."""
    server = make(services_folder / f"e{uuid.uuid4().hex[:8]}")
    server.join()
    server.leave()
    yield server
    server.shut_down()


@pytest.fixture
def server(seeded: EmbeddedServer) -> Iterator[EmbeddedServer]:
    assert not seeded.is_running()
    yield seeded
    seeded.shut_down()


@pytest.fixture
def user() -> Iterator[Callable[[EmbeddedServer], User]]:
    started: list[User] = []

    def start(server: EmbeddedServer) -> User:
        process = subprocess.Popen(
            [sys.executable, "-c", USER, str(server.home)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def make(home: Path) -> EmbeddedServer:
    return EmbeddedServer(home, EmbeddedSettings(shared_buffers_mb=16))


def said(process: User) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def leave(process: User) -> str:
    return process.communicate(timeout=WAIT_S)[0].strip()


def show(server: EmbeddedServer, name: str) -> str:
    with psycopg.connect(server.url()) as conn:
        row = conn.execute("SELECT current_setting(%s)", (name,)).fetchone()
    assert row is not None
    return str(row[0])


def test_last_user_out_stops_the_server(server: EmbeddedServer, user: Callable[[EmbeddedServer], User]) -> None:
    first, second = user(server), user(server)
    assert sorted([said(first), said(second)]) == ["False", "True"]
    assert sorted(server.users()) == sorted([first.pid, second.pid])
    guard = warden.warden_pid(server.home)
    assert guard is not None
    assert leave(first) == "False"
    assert server.is_running()
    assert server.users() == [second.pid]
    assert leave(second) == "True"
    assert not server.is_running()
    assert not (server.data / "postmaster.pid").exists()
    psutil.wait_procs([psutil.Process(guard)] if psutil.pid_exists(guard) else [], timeout=WAIT_S)
    assert warden.warden_pid(server.home) is None


def test_user_killed_does_not_keep_the_server_alive(
    server: EmbeddedServer, user: Callable[[EmbeddedServer], User]
) -> None:
    process = user(server)
    said(process)
    postmaster = psutil.Process(warden.postmaster(server.home))
    process.kill()
    process.wait(WAIT_S)
    postmaster.wait(WAIT_S)
    assert not server.is_running()
    assert server.users() == []


def test_killed_user_is_forgotten_by_those_that_live(
    server: EmbeddedServer, user: Callable[[EmbeddedServer], User]
) -> None:
    living, dead = user(server), user(server)
    said(living), said(dead)
    dead.kill()
    dead.wait(WAIT_S)
    assert server.users() == [living.pid]
    assert server.is_running()
    assert leave(living) == "True"
    assert not server.is_running()


def test_a_server_that_shall_stay_outlives_its_users(
    server: EmbeddedServer, user: Callable[[EmbeddedServer], User]
) -> None:
    assert server.join(keep=True)
    process = user(server)
    assert said(process) == "False"
    assert leave(process) == "False"
    assert server.is_running()
    assert server.kept()
    assert server.shut_down()
    assert not server.is_running()
    # The wish ended with the server.
    process = user(server)
    assert said(process) == "True"
    assert not server.kept()
    assert leave(process) == "True"


def test_a_killed_postmaster_is_started_again_by_the_next_connection(server: EmbeddedServer) -> None:
    server.join()
    with psycopg.connect(server.url()) as conn:
        conn.execute("CREATE TABLE IF NOT EXISTS survives (x int)")
        conn.execute("INSERT INTO survives VALUES (1)")
    postmaster = psutil.Process(warden.postmaster(server.home))
    os.kill(postmaster.pid, signal.SIGKILL)
    postmaster.wait(WAIT_S)
    source = connect.Source(server.url(), server.ensure_running)
    with connect.connect(source, DatabaseSettings(connect_retry_s=WAIT_S)) as again:
        assert again.execute("SELECT count(*) > 0 FROM survives").fetchone() == (True,)
    assert server.leave()


def test_a_server_that_another_container_runs_on_the_folder_is_left_alone(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.join()
    before = (server.home / "users.json").read_text()
    with monkeypatch.context() as patch:
        # Its pid means nothing there.
        patch.setattr(warden, "postmaster", lambda home: None)
        patch.setattr(warden, "SERVER_WAIT_S", 0.0)
        for act in (server.join, server.ensure_running, server.shut_down):
            with pytest.raises(ConfigError, match=r"a server of another container.* runs on "):
                act()
        assert "another container" in str(server.obstacle())
    assert (server.home / "users.json").read_text() == before
    assert server.leave()
    assert not warden.runs_unseen(server.home)


def test_torn_user_file_counts_as_empty(server: EmbeddedServer) -> None:
    (server.home / "users.json").write_text('{"keep": true, "use')
    assert warden.read_users(server.home) == (False, [])
    assert server.join()
    assert server.leave()


def test_reused_pid_is_not_a_user(server: EmbeddedServer) -> None:
    started = warden.start_ticks(os.getpid())
    assert started is not None
    warden.write_users(server.home, False, [(os.getpid(), started - 1)])
    assert server.users() == []


def test_stale_pid_file_of_another_process_is_no_server(server: EmbeddedServer) -> None:
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n")
    assert not server.is_running()
    (server.data / "postmaster.pid").unlink()


def test_a_server_that_does_not_start_says_what_its_log_says(server: EmbeddedServer) -> None:
    own = server.data / "postgresql.auto.conf"
    own.write_text("no_such_setting = 1\n")
    with pytest.raises(StoreUnavailable, match=r"its log, .*server\.log, says: configuration file .* contains errors$"):
        server.join()
    own.write_text("")
    assert server.join()
    server.leave()


def test_server_keeps_data_safe_and_row_data_out_of_its_log(server: EmbeddedServer) -> None:
    server.join()
    wanted = {
        "fsync": "on",
        "synchronous_commit": "on",
        "listen_addresses": "",
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
        "max_connections": "200",
        "server_encoding": "UTF8",
        "data_checksums": "on",
    }
    assert {name: show(server, name) for name in wanted} == wanted
    with psycopg.connect(server.url()) as conn, pytest.raises(psycopg.errors.UniqueViolation):
        conn.execute("CREATE TEMP TABLE t (ssn text UNIQUE)")
        conn.execute("INSERT INTO t VALUES ('123-45-6789'), ('123-45-6789')")
    log = server.log.read_text()
    assert "unique constraint" in log
    assert "123-45-6789" not in log
    assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
    server.leave()


def test_home_with_spaces_and_quotes_works_when_started_by_several_at_once(
    services_folder: Path, user: Callable[[EmbeddedServer], User]
) -> None:
    server = make(services_folder / f'it\'s "a" folder {uuid.uuid4().hex[:6]}')
    users = [user(server) for _ in range(3)]
    assert sorted(map(said, users)) == ["False", "False", "True"]
    assert " " not in str(server.socket_dir)
    assert show(server, "fsync") == "on"
    assert sorted(map(leave, users)) == ["False", "False", "True"]
    server.socket_dir.rmdir()


def test_a_strict_umask_does_not_lock_the_server_out(services_folder: Path) -> None:
    server = make(services_folder / f"u{uuid.uuid4().hex[:8]}" / "state" / "postgres")
    before = os.umask(0o077)
    try:
        assert server.join()
    finally:
        os.umask(before)
    assert show(server, "fsync") == "on"
    assert server.leave()


def test_long_home_moves_the_socket_and_a_foreign_folder_is_refused(
    services_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = make(services_folder / ("x" * 120))
    assert len(str(server.socket_dir / ".s.PGSQL.5432")) <= 107
    server.socket_dir.symlink_to("/")
    with pytest.raises(ConfigError, match="belongs to another user"):
        server.join()
    server.socket_dir.unlink()
    assert server.leave()


def test_binaries_out_of_reach_of_the_system_user_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    monkeypatch.setattr(embedded, "ROOT_STATE", tmp_path / "var")
    monkeypatch.setattr(embedded, "_open_to_all", lambda path: False)
    me = pwd.getpwuid(os.geteuid())
    for _ in range(2):
        found = embedded._binaries(me)
        assert found.is_relative_to(tmp_path / "var")
    assert subprocess.check_output([found / "postgres", "--version"], text=True).startswith("postgres (PostgreSQL)")
    assert subprocess.check_output([found / "psql", "--version"], text=True).startswith("psql (PostgreSQL)")
    assert [path.name[:9] for path in (tmp_path / "var").iterdir()] == ["embedded-"]


def test_server_at_moves_for_root_only_when_the_path_is_closed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert server_at(Path("/var/lib/headrace"), EmbeddedSettings()).home == Path("/var/lib/headrace/postgres")
    assert server_at(closed / "s", EmbeddedSettings()).home.is_relative_to("/var/lib/headrace")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert server_at(closed / "s", EmbeddedSettings()).home == closed / "s" / "postgres"


SCRIPT = dedent("""
    from core.database import DatabaseManager
    db = DatabaseManager("rpa_db")
    print(db.execute_query("count", "SELECT count(*) FROM alembic_version")[0][0])
    print(db.pool_figures()["checked_out"], db.url_masked)
""")


def test_a_script_without_any_configuration_runs_twice_and_leaves_nothing(services_folder: Path) -> None:
    state = services_folder / f"s{uuid.uuid4().hex[:8]}"
    paths = os.pathsep.join([str(ROOT), *sys.path])
    environ = {"PATH": os.environ["PATH"], "HOME": "", "PYTHONPATH": paths, "HEADRACE_STATE_DIR": str(state)}
    server = server_at(state, EmbeddedSettings())
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", SCRIPT],
            env=environ,
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == ["1", f"0 {server.url()}"]
        assert done.stderr == ""
        assert not server.is_running()
        assert server.users() == []
