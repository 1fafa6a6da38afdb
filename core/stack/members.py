"""All processes of a stack, found by the mark in their environment, and their end.

A worker starts flow runs in sessions of their own, and what a killed process leaves behind has no parent any more:
neither groups nor parents find them all. The environment does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from core.database.warden import start_ticks
from core.stack.state import Component

MARK = "STACK_OF_HEADRACE"
# Prefect's worker may ignore one SIGTERM.
TERM_AGAIN_S, KILL_S = 2.0, 4.0
# A killed process is gone at once, unless the disk is.
GONE_S = 2.0
LOOK_S = 0.05


def members(mark: str, known: Iterable[Component] = ()) -> list[int]:
    """Pids of the living processes that bear the mark, and of the known ones, which may have overwritten it to rename
    themselves; this one excepted. Cost: about 1 ms per hundred processes.
    """
    needle = f"{MARK}={mark}".encode()
    found = {one.pid for one in known if one.alive}
    for entry in os.scandir("/proc"):
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if needle in Path(entry.path, "environ").read_bytes().split(b"\0") and start_ticks(int(entry.name)):
                found.add(int(entry.name))
    return sorted(found)


def end(find: Callable[[], list[int]], last: Iterable[int] = (), reap: Callable[[], None] = lambda: None) -> list[int]:
    """TERM, TERM again after 2 s, KILL after 4 s; returns what was killed.

    Args:
        find: the pids still alive. Asked again, for what is told to end may start something before it does.
        last: of these, those that are told only when the others are gone or did not go at once: a server that others
            report their end to.
        reap: called often, to take leave of children that have ended.
    """
    began = time.monotonic()
    told: dict[int, int] = {}
    killed: list[int] = []
    late = set(last)
    while True:
        reap()
        alive = find()
        if not alive:
            return killed
        passed = time.monotonic() - began
        if passed > KILL_S + GONE_S:
            return killed
        for pid in alive:
            if pid in late and set(alive) - late and passed < TERM_AGAIN_S:
                continue
            wanted = 3 if passed >= KILL_S else 2 if passed >= TERM_AGAIN_S else 1
            if told.get(pid, 0) < wanted:
                told[pid] = wanted
                _signal(pid, signal.SIGKILL if wanted == 3 else signal.SIGTERM)
                killed += [pid] if wanted == 3 else []
        time.sleep(LOOK_S)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
