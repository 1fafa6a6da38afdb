"""Headers that another claim holds for a moment: whoever finds nothing else waits for them, a bounded time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg

from core.database.queries import load, run
from core.errors import StoreError
from core.queue.leases.fairness import Lane

Q = load("records")
T = TypeVar("T")
log = logging.getLogger(__name__)

# A claim shares a header out in some milliseconds, so hundreds have their turn within this.
CLAIM_WAIT_S = 5.0
# Then it looks again for what came in behind the held header, and in other lanes.
SLICE_S = 0.25
_LOCK_NOT_AVAILABLE = "55P03"


class Patience:
    """Rounds of one claim over its lanes: the first looks only, later ones wait where records are ready but held.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, flow_name: str, wait_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._flow_name = flow_name
        self._clock = clock
        self._wait_s = wait_s
        self._until = clock() + wait_s
        self._waits = False
        self._held = False

    def first(self, conn: psycopg.Connection[Any], lane: Lane) -> None:
        """Said at the start of the transaction that claims from the lane: after the first round it waits there until
        the first ready header is free, and holds it, for else the next one that waits would have it.

        Raises StoreError: the header was held for a whole slice (see `turn`).
        """
        if not self._waits:
            # The lane has work, or it would not be asked.
            self._held = True
            return
        place = lane._asdict()
        if run(conn, Q["record_ready"], place):
            self._held = True
            slice_s = max(0.001, min(SLICE_S, self._until - self._clock()))
            run(conn, Q["record_wait_bound"], {"wait_ms": round(slice_s * 1000)})
            run(conn, Q["record_wait_head"], place)

    def missed(self) -> None:
        """The lock of the lane's limits, or its first header, stayed held: nobody knows what is left there."""
        self._held = True

    def turn(self, act: Callable[[], list[T]]) -> list[T]:
        """What the claim got; [] if the header stayed held."""
        try:
            return act()
        except StoreError as error:
            if not self._waits or error.facts.get("sqlstate") != _LOCK_NOT_AVAILABLE:
                raise
            return []

    def again(self) -> bool:
        """After a round without a record: whether another one may find some, now or after a wait."""
        held, self._held = self._held, False
        if not held:
            return False
        if self._clock() < self._until:
            self._waits = True
            return True
        log.warning(
            "records of flow %s wait, but other transactions have held their headers for %g s; ask again",
            self._flow_name,
            self._wait_s,
        )
        return False
