"""Deadlines of batches, which are moments of the server, by the clock of this process."""

from __future__ import annotations

import time
from datetime import datetime

from core.database import DatabaseManager
from core.database.queries import load, run
from core.queue.consumers.outages import Outages

Q = load("consumers")

# The server's clock is compared with ours so often.
CLOCK_AGE_MAX_S = 60.0


class Deadlines:
    """Turns moments of the server into our monotonic seconds, whatever our wall clock says."""

    def __init__(self, db: DatabaseManager, outages: Outages) -> None:
        self._db = db
        self._outages = outages
        # Server's clock and ours, read together.
        self._clock: tuple[float, float] | None = None

    def monotonic_s(self, moment: datetime) -> float:
        """When it is. Cost: now and then a statement."""
        if self._clock is None or time.monotonic() - self._clock[1] > CLOCK_AGE_MAX_S:
            self._clock = self._outages.insist(self._read_clock)
        return moment.timestamp() - self._clock[0] + self._clock[1]

    def _read_clock(self) -> tuple[float, float]:
        with self._db.transaction() as conn:
            return run(conn, Q["consumer_clock"])[0][0].timestamp(), time.monotonic()
