"""One reading of the queue for all who look: at most one every two seconds in a process, however many tabs are open."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from core.database import DatabaseManager
from core.monitoring.top import Frame, Reader, Window

FRESH_S = 2.0


class Readings:
    """The newest reading, with rates since earlier ones. Thread-safe.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, db: DatabaseManager, clock: Callable[[], float] = time.monotonic) -> None:
        self._reader = Reader(db)
        self._window = Window()
        self._clock = clock
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._frame: Frame | None = None

    def frame(self) -> Frame:
        """Not older than two seconds. Raises StoreError. Cost: a few milliseconds, or nothing where it is fresh."""
        with self._lock:
            now = self._clock()
            if self._frame is None or self._read_at is None or now - self._read_at >= FRESH_S:
                self._frame = self._window.add(self._reader.read())
                self._read_at = now
            return self._frame

    def version(self) -> str:
        """Tells readings apart; known without a query while the reading is fresh."""
        return f"{self.frame().at_s:.3f}"
