"""Who uses an embedded server, and the small process that stops it when every user has died.

Standard library only: it runs as `python -S warden.py HOME` beside the server, sleeping, for about 8 MB of memory. A
user that ends properly leaves by itself; the warden is for users killed with -9, of whom nobody else would learn.

Files in HOME: `lock` (flock), `users.json` ({"keep": bool, "users": [[pid, start_ticks], ...]}), `data/postmaster.pid`,
`warden` (flock held by the warden, its pid inside), `server` (flock held by the server and its children: pids mean
nothing in another container that has the same folder, the kernel's locks do).
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOOK_EVERY_S = 2.0
STOP_LIMIT_S = 60.0
SERVER_WAIT_S = 5.0

User = tuple[int, int]


class Busy(Exception):
    """The lock was not free within the limit."""


@contextmanager
def locked(home: Path, limit_s: float = 120.0) -> Iterator[None]:
    """Hold HOME's lock; the kernel frees it if the holder dies."""
    handle = os.open(home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        give_up = time.monotonic() + limit_s
        while not _try_lock(handle):
            if time.monotonic() > give_up:
                raise Busy(str(home))
            time.sleep(0.02)
        yield
    finally:
        os.close(handle)


def hold_server(home: Path, limit_s: float | None = None) -> int | None:
    """The lock that says that a server runs on HOME, as a descriptor for the server to inherit; None: another has it.

    Waits for the children of a server that was killed, which need a moment to notice.
    """
    handle = os.open(home / "server", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    give_up = time.monotonic() + (SERVER_WAIT_S if limit_s is None else limit_s)
    while not _try_lock(handle):
        if time.monotonic() > give_up:
            os.close(handle)
            return None
        time.sleep(0.02)
    return handle


def runs_unseen(home: Path) -> bool:
    """Whether a server runs on HOME that is not among our processes: one of another container."""
    if not (home / "server").exists() or postmaster(home) is not None:
        return False
    handle = hold_server(home, 0.0)
    if handle is not None:
        os.close(handle)
    return handle is None


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def start_ticks(pid: int) -> int | None:
    """When the process started, in clock ticks since boot; None if it is gone or a zombie. Tells reused pids apart."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, *rest = stat.rpartition(")")[2].split()
    return None if state in {"Z", "X"} else int(rest[18])


def read_users(home: Path) -> tuple[bool, list[User]]:
    """(keep running without users, living users). The dead are forgotten; a torn file counts as empty."""
    try:
        stored = json.loads((home / "users.json").read_text())
        users = [(int(pid), int(ticks)) for pid, ticks in stored["users"]]
        keep = bool(stored["keep"])
    except (OSError, ValueError, KeyError, TypeError):
        return False, []
    return keep, [user for user in users if start_ticks(user[0]) == user[1]]


def write_users(home: Path, keep: bool, users: list[User]) -> None:
    """Replace the file in one step, so that a writer killed half-way leaves the old one."""
    fresh = home / "users.json.new"
    fresh.write_text(json.dumps({"keep": keep, "users": sorted(set(users))}))
    fresh.replace(home / "users.json")


def postmaster(home: Path) -> int | None:
    """Pid of HOME's running server, None if there is none; a stale pid file of another process does not count."""
    try:
        pid = int((home / "data" / "postmaster.pid").read_text().split("\n", 1)[0])
        return pid if Path(f"/proc/{pid}/cwd").resolve(strict=True) == (home / "data").resolve() else None
    except (OSError, ValueError):
        return None


def stop(home: Path, limit_s: float = STOP_LIMIT_S) -> bool:
    """Fast shutdown (open transactions are rolled back); waits. True if no server runs afterwards."""
    pid = postmaster(home)
    if pid is None:
        return True
    os.kill(pid, signal.SIGINT)
    give_up = time.monotonic() + limit_s
    while start_ticks(pid) is not None and time.monotonic() < give_up:
        time.sleep(0.02)
    return start_ticks(pid) is None


def stop_if_unused(home: Path) -> bool:
    """Under the lock: stop the server unless somebody uses it or it shall stay. True if it does not run any more."""
    keep, users = read_users(home)
    write_users(home, keep, users)
    if keep or users:
        return False
    return stop(home)


def warden_pid(home: Path) -> int | None:
    """Pid of HOME's warden, None if it has none."""
    try:
        handle = os.open(home / "warden", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return None if _try_lock(handle) else int(os.read(handle, 32) or b"0") or None
    finally:
        os.close(handle)


def spawn(home: Path) -> None:
    """Start HOME's warden, detached."""
    subprocess.run(  # noqa: S603 - our own file, our own interpreter
        [sys.executable, "-S", "-E", __file__, str(home)],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        close_fds=True,
        check=False,
    )


def watch(home: Path) -> None:
    """Until the server is gone or shall stay: look whether a user still lives. Ends at once if HOME has a warden."""
    handle = os.open(home / "warden", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if not _try_lock(handle):
        return
    os.ftruncate(handle, 0)
    os.write(handle, str(os.getpid()).encode())
    while home.is_dir():
        time.sleep(LOOK_EVERY_S)
        try:
            if _nothing_to_watch(home):
                return
        except (OSError, Busy):
            continue


def _nothing_to_watch(home: Path) -> bool:
    with locked(home):
        return postmaster(home) is None or read_users(home)[0] or stop_if_unused(home)


if __name__ == "__main__":
    # Detached: the one who asked for a warden must neither wait for it nor be its parent.
    if os.fork():
        os._exit(0)
    os.setsid()
    watch(Path(sys.argv[1]))
