"""A database that is away for a while: what a consumer does waits for it, longer from try to try."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from core.errors import StoreError, StoreReadOnly
from core.queue.consumers.status_board import Board

log = logging.getLogger(__name__)
T = TypeVar("T")

# The longest pause between two tries to reach a database that is away.
OUTAGE_PAUSE_MAX_S = 15.0
# A failover ends within seconds, and a server that answers is asked cheaply.
READ_ONLY_PAUSE_MAX_S = 2.0


class Outages:
    """Tries again what the database refuses for a moment. Each reason is logged once, and that it is over.

    Args:
        stopping: set when the consumer was told to stop; no pause outlasts it.
        first_pause_s: before the second try; it doubles from there.
        board: shows for how long the database has been asked in vain.
    """

    def __init__(self, stopping: threading.Event, first_pause_s: float, board: Board | None = None) -> None:
        self._stopping = stopping
        self._first_pause_s = first_pause_s
        self._board = board
        self._logged: str | None = None

    def wait_out(self, act: Callable[[], T]) -> T | None:
        """Do it, waiting for a database that is away; None if told to stop meanwhile."""
        pause_s = self._first_pause_s
        while True:
            try:
                return self._over(act())
            except StoreError as error:
                if not error.retryable:
                    raise
                pause_s = self._paused(error, pause_s)
            if self._stopping.is_set():
                return None

    def insist(self, act: Callable[[], T]) -> T:
        """The same for a batch in hand: told to stop, the last error is raised and the lease is left to run out."""
        pause_s = self._first_pause_s
        while True:
            try:
                return self._over(act())
            except StoreError as error:
                if not error.retryable or self._stopping.is_set():
                    raise
                pause_s = self._paused(error, pause_s)

    def _paused(self, error: StoreError, pause_s: float) -> float:
        """Pause, at most until told to stop; returns how long the next pause is."""
        if self._board is not None:
            self._board.asks()
        if error.message != self._logged:
            self._logged = error.message
            log.warning("%s", error.message)
        longest_s = READ_ONLY_PAUSE_MAX_S if isinstance(error, StoreReadOnly) else OUTAGE_PAUSE_MAX_S
        self._stopping.wait(min(pause_s, longest_s))
        return min(2 * pause_s, longest_s)

    def _over(self, done: T) -> T:
        if self._board is not None:
            self._board.answered()
        if self._logged is not None:
            self._logged = None
            log.info("the database does what it is asked again")
        return done
