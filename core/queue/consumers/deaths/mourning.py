"""What workers that died had claimed, ended by a thread of its own.

The database may be away, or say nothing at all; whoever watches workers must kill those that hang, and end in time.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.errors import HeadraceError
from core.queue.leases.failures import Failure

log = logging.getLogger(__name__)

# What cannot be ended now is tried again after so long, or when somebody else has died; longer during an outage.
AGAIN_BASE_S, AGAIN_MAX_S = 0.2, 2.0


@dataclass(frozen=True, slots=True)
class Dead:
    """A worker that is gone. `batch_id`: what it was at, if that attempt counts."""

    worker_id: str
    batch_id: int | None
    failure: Failure


class Mourning:
    """Ends leases of the dead, from the first death on, until `end`.

    Args:
        bury: ends the leases of one; returns how many are still held by its last backend.
    """

    def __init__(self, bury: Callable[[Dead], int]) -> None:
        self._bury = bury
        self._changed = threading.Condition()
        self._waiting: list[Dead] = []
        self._ending = False
        self._thread: threading.Thread | None = None
        self._pause_s = AGAIN_BASE_S
        self._said: str | None = None

    def add(self, dead: Dead) -> None:
        """Never waits for the database."""
        with self._changed:
            self._waiting.append(dead)
            self._changed.notify_all()
            if self._thread is None:
                # Daemon: a socket on which nothing comes any more must not keep the process.
                self._thread = threading.Thread(target=self._run, name="headrace-mourning", daemon=True)
                self._thread.start()

    def end(self, limit_s: float) -> bool:
        """Wait until all is ended, so long at most; says so where something was left. Whether all was."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._waiting, limit_s)
            n_left, self._waiting = len(self._waiting), []
        if n_left:
            log.warning(
                "leases of %d workers were not ended within %g s, for the database does not answer; they run out by "
                "themselves",
                n_left,
                limit_s,
            )
        return not n_left

    def _run(self) -> None:
        while dead := self._next():
            left = self._left_of(dead)
            with self._changed:
                self._waiting = [one for one in self._waiting if one not in dead or one in left]
                self._changed.notify_all()
                if left and self._waiting:
                    self._changed.wait(self._pause_s)

    def _next(self) -> list[Dead]:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ending)
            return list(self._waiting)

    def _left_of(self, graves: Sequence[Dead]) -> list[Dead]:
        left: list[Dead] = []
        for at, dead in enumerate(graves):
            try:
                if self._bury(dead):
                    left.append(dead)
            except HeadraceError as error:
                # Once, not with every try; and the others would meet with the same.
                if error.message != self._said:
                    self._said = error.message
                    log.warning("leases of worker %s were not ended, tried again: %s", dead.worker_id, error.message)
                self._pause_s = min(2 * self._pause_s, AGAIN_MAX_S)
                return [*left, *graves[at:]]
        self._pause_s, self._said = AGAIN_BASE_S, None
        return left
