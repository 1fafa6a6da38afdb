"""What a phase cost the server: WAL with and without full-page images, commits, dead rows, CPU time."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psutil
import psycopg

from core.bench.harness.database import session
from core.database.queries import load, run
from core.errors import StoreError

Q = load("bench")


@dataclass(frozen=True, slots=True)
class Reading:
    """Counters at one moment; differences of two are a phase."""

    wal_bytes: int
    commits: int
    server_cpu_s: float | None


class Meter:
    """Reads counters over a connection of its own. WAL and CPU are the whole server's: measure on an idle one."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self._conn = conn
        self._server = _postmaster(conn)
        self._slot = self._keep_wal()

    def read(self) -> Reading:
        """All counters. Those of sessions that ended are complete; commits of live ones may lag a second."""
        wal_bytes, commits = (int(value) for value in run(self._conn, Q["bench_counters"])[0])
        return Reading(wal_bytes, commits, None if self._server is None else _tree_cpu_s(self._server))

    def image_bytes(self, before: Reading, after: Reading) -> int | None:
        """Bytes of full-page images between two readings; None where the server does not let us look.

        Cost: reads that much WAL, about a second for 300 MB; forgets it afterwards.
        """
        if self._slot is None:
            return None
        run(self._conn, Q["bench_wal_mark"])
        span = {"lo": before.wal_bytes, "hi": after.wal_bytes}
        n_bytes = int(run(self._conn, Q["bench_wal_images"], span)[0][0])
        run(self._conn, Q["bench_wal_advance"], {"slot": self._slot, "hi": after.wal_bytes})
        return n_bytes

    def analyse(self) -> None:
        """Fresh statistics for all tables, as autovacuum would leave them: without, some plans sort the whole queue.

        Its commits, one a table, are in the counters when this returns.
        """
        run(self._conn, Q["bench_analyse"])
        run(self._conn, Q["bench_flush"])

    def dead_tuples(self) -> int:
        """Dead rows in the tables of the database, as the server's statistics have them."""
        return int(run(self._conn, Q["bench_dead_tuples"])[0][0])

    def _keep_wal(self) -> str | None:
        """A temporary slot keeps the segments that we want to look at, without holding back any row's removal."""
        slot = f"headrace_bench_{secrets.token_hex(4)}"
        with suppress(StoreError):
            run(self._conn, Q["bench_wal_extension"])
            run(self._conn, Q["bench_wal_keep"], {"slot": slot})
            return slot
        return None


@contextmanager
def metered(url: str) -> Iterator[Meter]:
    """A meter on the database of `url`."""
    with session(url) as conn:
        yield Meter(conn)


@contextmanager
def held_snapshot(url: str, *, held: bool) -> Iterator[None]:
    """With `held`, a REPEATABLE READ reader keeps the snapshot it has taken: no row that dies later can be removed."""
    if not held:
        yield
        return
    with psycopg.connect(url) as conn:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        run(conn, Q["bench_counters"])
        yield
        conn.rollback()


def _postmaster(conn: psycopg.Connection[Any]) -> psutil.Process | None:
    """The server's first process if it runs on this machine, else None."""
    host = conn.info.host
    if not (host.startswith("/") or host in {"localhost", "127.0.0.1", "::1"}):
        return None
    try:
        parent = psutil.Process(conn.info.backend_pid).parent()
        return parent if parent is not None and "postgres" in parent.name() else None
    except psutil.Error:
        return None


def _tree_cpu_s(server: psutil.Process) -> float:
    """Of the postmaster, of the children it has buried, and of those that live."""
    own = server.cpu_times()
    total = own.user + own.system + own.children_user + own.children_system
    for child in server.children(recursive=True):
        with suppress(psutil.Error):
            times = child.cpu_times()
            total += times.user + times.system
    return float(total)
