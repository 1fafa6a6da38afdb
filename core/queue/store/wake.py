"""Waking idle consumers: NOTIFY where somebody waits, LISTEN on a connection of its own, polling as the safety net."""

from __future__ import annotations

import logging
import os
import random
import select
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from types import TracebackType
from typing import Any, Literal

import psycopg

from core.database import DatabaseManager, connect
from core.database.errors import wrapped
from core.database.queries import Connection, load, run
from core.errors import HeadraceError, StoreError
from core.settings import QueueSettings

Q = load("queue")
log = logging.getLogger(__name__)

Mode = Literal["notify", "polling"]

# A NOTIFY that has not come back by then never will: behind a pooler nobody listens.
PROBE_S = 1.0
# How long polling goes on before a connection is tried again: after a failed probe, after a lost connection.
PROBE_AGAIN_S = 300.0
RECONNECT_S = 2.0
# A producer that looked for waiting consumers just before we began to wait has committed by then.
SETTLE_S = 0.05
# A mark that nobody renews costs producers a NOTIFY each for this long.
MARK_S_MIN = 3.0


def notify(conn: psycopg.Connection[Any], flow_name: str) -> None:
    """Wake the flow's idle consumers when the caller's transaction commits; say it last, once per transaction.

    Where nobody waits nothing is sent. Whoever begins to wait between this statement and the commit polls.
    Cost: one short statement.
    """
    run(conn, Q["wake_up"], {"flow_name": flow_name})


class Wake:
    """Waits for batches of some flows. One thread waits; any thread, or a signal handler, may `interrupt` it.

    Behind a pooler in transaction mode a NOTIFY never arrives; a probe at the start finds that out, and `mode` is
    "polling" then, as it is while the connection is lost. Opens its connection on first use; outages are not raised.

    Args:
        flow_names: the flows of interest; none: all.
        jitter: draws from [0, 1), so that many consumers do not poll at the same moment.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        db: DatabaseManager,
        settings: QueueSettings,
        flow_names: Sequence[str] = (),
        *,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.mode: Mode = "polling"
        self._db = db
        self._flows = frozenset(flow_names)
        self._poll_s = settings.poll_s
        self._life_s = max(MARK_S_MIN, 2 * settings.poll_s)
        self._jitter, self._clock = jitter, clock
        self._conn: Connection | None = None
        self._slots: list[int] = []
        self._try_at = clock()
        self._marked_until = self._try_at
        self._settling = False
        self._said: Mode | None = None
        self._inner, self._outer = os.pipe()
        os.set_blocking(self._inner, False)
        os.set_blocking(self._outer, False)

    def __enter__(self) -> Wake:
        """Connect and probe; a database that is away is tried again later."""
        self._ensure()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Pause until work was announced; True then, False after `timeout_s` or an interrupt. Look for work after both.

        Args:
            timeout_s: None: the poll interval, times 0.75 to 1.25 by jitter.
        The first wait after work was found or announced is short: it catches what was committed meanwhile.
        """
        self._ensure()
        limit_s = self._poll_s * (0.75 + 0.5 * self._jitter()) if timeout_s is None else timeout_s
        if self._clock() >= self._marked_until:
            # We did not wait for a while, hence nothing was sent to us.
            self._mark()
            self._settling = self.mode == "notify"
        if self._settling:
            limit_s = min(limit_s, SETTLE_S)
        woken = self._wait_until(self._clock() + limit_s)
        # Before the look that follows: what is committed after that look was announced.
        self._mark()
        self._settling = woken
        return woken

    def interrupt(self) -> None:
        """End the present wait, or the next one, at once. Safe in a signal handler."""
        # Full: it is interrupted already; closed: nobody waits.
        with suppress(OSError):
            os.write(self._outer, b"!")

    def close(self) -> None:
        """Close the connection. Closing again does nothing."""
        self._drop()
        for end in {self._inner, self._outer} - {-1}:
            os.close(end)
        self._inner = self._outer = -1

    def _wait_until(self, end: float) -> bool:
        while True:
            announced = self._heard()
            if announced & self._flows or (announced and not self._flows):
                return True
            # Somebody else's flow shares our mark and took it down, or it is getting old.
            if announced or self._clock() > self._marked_until - self._life_s / 2:
                self._mark()
            left_s = end - self._clock()
            if left_s <= 0 or self._pause(min(left_s, self._life_s / 2)):
                return False

    def _pause(self, limit_s: float) -> bool:
        """Until something comes in or the limit is over; True if it was an interrupt."""
        waiting = select.poll()
        waiting.register(self._inner, select.POLLIN)
        if self._conn is not None:
            waiting.register(self._conn.fileno(), select.POLLIN)
        if self._inner not in dict(waiting.poll(limit_s * 1e3)):
            return False
        os.read(self._inner, 4096)
        return True

    def _heard(self) -> set[str]:
        if self._conn is None:
            return set()
        try:
            with wrapped("wake"):
                return {note.payload for note in self._conn.notifies(timeout=0)}
        except StoreError as error:
            self._lost(error)
            return set()

    def _mark(self) -> None:
        if self._conn is None:
            self._marked_until = self._clock()
            return
        try:
            run(self._conn, Q["wake_mark"], {"slots": self._slots, "life_ms": round(self._life_s * 1e3)})
            self._marked_until = self._clock() + self._life_s
        except StoreError as error:
            self._lost(error)

    def _ensure(self) -> None:
        if self._conn is not None or self._clock() < self._try_at:
            return
        try:
            self._open()
        except HeadraceError as error:
            self._lost(error)
            return
        if self.mode == "polling":
            self._try_at = self._clock() + PROBE_AGAIN_S
            self._say("no NOTIFY arrives here (a pooler in transaction mode?)")

    def _open(self) -> None:
        conn = own_connection(self._db)
        try:
            self._slots = [slot for (slot,) in run(conn, Q["wake_slots"], {"flow_names": sorted(self._flows)})]
            if not hears(conn, self._db):
                conn.close()
                return
            run(conn, Q["wake_listen"], {"slots": self._slots})
        except BaseException:
            conn.close()
            raise
        self._conn, self.mode = conn, "notify"
        self._mark()
        if self._said == "polling":
            log.info("wake-ups arrive by NOTIFY again")
        self._said = "notify"

    def _lost(self, error: HeadraceError) -> None:
        self._drop()
        self._try_at = self._clock() + RECONNECT_S
        self._say(error.message)

    def _drop(self) -> None:
        if self._conn is not None:
            self._conn.close()
        self._conn, self.mode = None, "polling"
        self._marked_until = self._clock()

    def _say(self, why: str) -> None:
        """Once, not with every poll."""
        if self._said != "polling":
            log.warning("wake-ups by polling every %g s: %s", self._poll_s, why)
        self._said = "polling"


def own_connection(db: DatabaseManager) -> Connection:
    """A connection that is not of the pool, in autocommit; one attempt. Raises StoreUnavailable, ConfigError."""
    conn = connect.connect(connect.Source(db.url), db.settings.replaced(connect_retry_s=0.0))
    conn.autocommit = True
    return conn


def hears(conn: Connection, db: DatabaseManager) -> bool:
    """Whether a NOTIFY reaches this connection within a second; everything it listened to is forgotten."""
    token = uuid.uuid4().hex
    run(conn, Q["probe_listen"])
    with db.transaction() as other:
        run(other, Q["probe_notify"], {"token": token})
    with wrapped("probe_listen"), closing(conn.notifies(timeout=PROBE_S)) as notes:
        heard = any(note.payload == token for note in notes)
    run(conn, Q["probe_unlisten"])
    return heard


def wake_mode(db: DatabaseManager) -> Mode:
    """What consumers of this database will do; takes a second where it is polling. Raises StoreError."""
    conn = own_connection(db)
    try:
        return "notify" if hears(conn, db) else "polling"
    finally:
        conn.close()
