"""Debian's PgBouncer in transaction mode in front of the run's server: `make test-pgbouncer`."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from core.database import DatabaseManager
from core.database.embedded import EmbeddedServer
from core.queue import BatchQueue
from core.settings import DatabaseSettings, QueueSettings

START_LIMIT_S = 20

# Two server connections for everybody, so that clients do share them. As most are configured, it refuses `options`.
CONFIG = """
[databases]
* = host={sockets} user=headrace

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
max_client_conn = 200
ignore_startup_parameters = extra_float_digits
logfile = {folder}/pgbouncer.log
"""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def bouncer(postgres: EmbeddedServer) -> Iterator[int]:
    """The port of a PgBouncer; it does not run as root."""
    program = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")
    assert program, "pgbouncer is not installed: apt-get install pgbouncer"
    folder = Path(tempfile.mkdtemp(prefix="hr-bouncer-", dir="/tmp"))
    port = _free_port()
    (folder / "pgbouncer.ini").write_text(CONFIG.format(sockets=postgres.socket_dir, port=port, folder=folder))
    # The server's socket is open to the server's own user alone.
    owner = pwd.getpwuid(postgres.socket_dir.stat().st_uid).pw_name
    user = ["-u", owner] if os.geteuid() == 0 else []
    if user:
        shutil.chown(folder, owner)
    process = subprocess.Popen([program, "-q", *user, str(folder / "pgbouncer.ini")], stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process, folder)
        yield port
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder)


def _wait_for(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    give_up = time.monotonic() + START_LIMIT_S
    while True:
        assert process.poll() is None, (folder / "pgbouncer.log").read_text()[-2000:]
        assert time.monotonic() < give_up, "pgbouncer does not answer"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return


@pytest.fixture(scope="module")
def pooled_url(bouncer: int, database_url: str) -> str:
    """The module's database through the pooler."""
    name = psycopg.conninfo.conninfo_to_dict(database_url)["dbname"]
    return f"postgresql://headrace@127.0.0.1:{bouncer}/{name}"


@pytest.fixture(scope="module")
def pooled(pooled_url: str) -> Iterator[DatabaseManager]:
    """A manager behind the pooler, with the settings it has by default."""
    manager = DatabaseManager("pooled", DatabaseSettings(url=SecretStr(pooled_url), connect_retry_s=5))
    yield manager
    manager.dispose()


@pytest.fixture
def queue(pooled: DatabaseManager) -> BatchQueue:
    return BatchQueue(pooled, QueueSettings(), "worker-a", jitter=lambda: 0.5)
