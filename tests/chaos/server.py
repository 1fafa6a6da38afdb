"""A server of one's own, and what can be done to it: killed, crowded, kept from growing."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg

from core.database import connect, migrations, warden
from core.database.embedded import EmbeddedServer
from core.settings import DatabaseSettings, EmbeddedSettings
from tests.chaos.fleet import until


@contextmanager
def own_server(folder: Path) -> Iterator[EmbeddedServer]:
    """Migrated, running until the end of the block. Cost: about 4 s."""
    server = EmbeddedServer(folder / f"c{uuid.uuid4().hex[:8]}", EmbeddedSettings(shared_buffers_mb=64))
    server.join()
    try:
        migrations.migrate(connect.Source(server.url()), DatabaseSettings())
        yield server
    finally:
        server.shut_down()


def postmaster(server: EmbeddedServer) -> int:
    """Its pid."""
    pid = warden.postmaster(server.home)
    assert pid is not None, "the server does not run"
    return pid


def kill_postmaster(server: EmbeddedServer) -> float:
    """SIGKILL, and a new start; returns the time of day of the kill."""
    pid = postmaster(server)
    os.kill(pid, signal.SIGKILL)
    killed_at = time.time()
    # A zombie that init has not reaped yet still counts as a living postmaster for its successor.
    until(lambda: not psutil.pid_exists(pid), "the postmaster is gone")
    server.ensure_running()
    return killed_at


@contextmanager
def crowded(server: EmbeddedServer) -> Iterator[int]:
    """Every connection that the server has left is taken; how many that were."""
    with ExitStack() as stack:
        taken = 0
        while True:
            try:
                stack.enter_context(psycopg.connect(server.url()))
            except psycopg.OperationalError:
                break
            taken += 1
        yield taken


@contextmanager
def full_disk(server: EmbeddedServer, n_bytes: int) -> Iterator[None]:
    """No file of the server grows beyond so many bytes, which must be more than a WAL segment of 16 MiB."""
    _limit(server, str(n_bytes))
    try:
        yield
    finally:
        _limit(server, "unlimited")


def _limit(server: EmbeddedServer, soft: str) -> None:
    """For the postmaster and every backend that lives; new ones inherit it. Only their own user may do so."""
    parent = psutil.Process(postmaster(server))
    uid, gid = parent.uids().real, parent.gids().real
    identity: dict[str, Any] = {"user": uid, "group": gid, "extra_groups": []} if os.geteuid() == 0 else {}
    for process in [parent, *parent.children()]:
        command = ["prlimit", f"--pid={process.pid}", f"--fsize={soft}:"]
        done = subprocess.run(command, check=False, capture_output=True, **identity)
        # A backend may have ended meanwhile.
        assert done.returncode == 0 or not psutil.pid_exists(process.pid), done.stderr
