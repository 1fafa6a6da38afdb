"""The pool of local processes: each consumer is a `headrace consume` of its own, started and watched here."""

from __future__ import annotations

import logging
import signal
import socket
import subprocess
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil

from core.database import DatabaseManager
from core.errors import QueueError
from core.processes import python
from core.scaling import signals
from core.scaling.policy import Fleet
from core.scaling.ports import Effect

log = logging.getLogger(__name__)

# How long an end is remembered for the question whether consumers work at all.
ENDED_S = 600.0
ENDED_MOST = 20
# After its grace a consumer gives its batches back and ends; one that cannot is killed so much later.
KILL_AFTER_S = 10.0
# Consumers whose autoscaler was killed end after so long, if they have work all the time.
RUN_S_MOST = 3600.0
IDLE_EXIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Command:
    """What a consumer of the pool is: options of `headrace consume`. `idle_exit_s` None: it stays."""

    flow_name: str
    handler: str | None = None
    idle_exit_s: float | None = IDLE_EXIT_S
    grace_s: float = 30.0

    def line(self) -> list[str]:
        """The program and its arguments."""
        line = python("core.cli", "consume", "--flow", self.flow_name)
        # Consumers of one machine would quarrel over the port of health and metrics.
        line += ["--http-port", "0", "--max-run-seconds", f"{RUN_S_MOST:g}", "--grace-seconds", f"{self.grace_s:g}"]
        line += [] if self.handler is None else ["--handler", self.handler]
        return line + ([] if self.idle_exit_s is None else ["--idle-exit-seconds", f"{self.idle_exit_s:g}"])


class ProcessPool:
    """Starts and stops consumers on this machine. Not for several threads.

    Args:
        argv: a consumer; it ends by itself with code 0, or after SIGTERM when its batch is done.
        stops_working: whether consumers at work are stopped too when fewer are wanted; else those on their way only.
        grace_s: what one gets to end in.
    """

    pool = "processes"

    def __init__(
        self, db: DatabaseManager, argv: Sequence[str], *, stops_working: bool = False, grace_s: float = 30.0
    ) -> None:
        self._db, self._argv = db, list(argv)
        self._stops_working, self._grace_s = stops_working, grace_s
        self._alive: list[subprocess.Popen[bytes]] = []
        self._told: set[int] = set()
        self._ended: deque[tuple[float, bool]] = deque(maxlen=ENDED_MOST)

    def census(self) -> Fleet:
        """Children, and those among them that beat."""
        self._bury()
        beating = signals.pids_at_work(self._db, socket.gethostname()) if self._alive else frozenset()
        working = sum(_works(process, beating) for process in self._staying())
        since = time.monotonic() - ENDED_S
        ended = [well for at, well in self._ended if at >= since]
        return Fleet(working, len(self._staying()) - working, sum(ended), len(ended) - sum(ended))

    def bring_about(self, desired: int, fleet: Fleet, key: str) -> Effect:
        """Start what is missing; the youngest go first where there are too many. Raises QueueError."""
        missing = desired - fleet.active
        for _ in range(missing):
            self._start()
        surplus = max(-missing, 0)
        if not self._stops_working:
            surplus = min(surplus, fleet.starting)
        return Effect(max(missing, 0), self._stop(surplus))

    def close(self) -> None:
        """Let all finish their batches within the grace; what is left after it is killed."""
        self._stop(len(self._alive))
        give_up = time.monotonic() + self._grace_s + KILL_AFTER_S
        for process in self._alive:
            try:
                process.wait(max(0.0, give_up - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("consumer %d did not end within its grace, it is killed", process.pid)
                process.kill()
                process.wait()
        self._bury()

    def pids(self) -> list[int]:
        """Of the consumers that have not ended."""
        return [process.pid for process in self._alive]

    def _start(self) -> None:
        try:
            # A session of its own: Ctrl-C is for us, and we tell the consumers.
            process = subprocess.Popen(  # noqa: S603 - our own words
                self._argv, stdin=subprocess.DEVNULL, stdout=2, start_new_session=True
            )
        except OSError as error:
            raise QueueError(f"a consumer process cannot be started: {error.strerror}") from error
        self._alive.append(process)

    def _staying(self) -> list[subprocess.Popen[bytes]]:
        return [process for process in self._alive if process.pid not in self._told]

    def _stop(self, n: int) -> int:
        leaving = self._staying()[::-1][:n]
        for process in leaving:
            self._told.add(process.pid)
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        return len(leaving)

    def _bury(self) -> None:
        for process in self._alive:
            code = process.poll()
            if code is None:
                continue
            told = process.pid in self._told
            self._told.discard(process.pid)
            # Whoever was told to go before it could listen died of the signal.
            self._ended.append((time.monotonic(), code == 0 or (told and code == -signal.SIGTERM)))
            if not self._ended[-1][1]:
                log.warning("consumer %d ended with code %d", process.pid, code)
        self._alive = [process for process in self._alive if process.returncode is None]


def _works(process: subprocess.Popen[bytes], beating: frozenset[int]) -> bool:
    if process.pid in beating:
        return True
    try:
        return any(child.pid in beating for child in psutil.Process(process.pid).children(recursive=True))
    except psutil.Error:
        # It has just ended; the next census says how.
        return False
