"""Processes that handlers started: what is given up is given up with all that it started.

A worker is the first of a process group of its own, which its children stay in unless they leave it; those that do are
found as long as their parents live. Who leaves the group and outlives its parent is meant to stay.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress

import psutil

from core.database.warden import start_ticks


def of(pid: int) -> list[psutil.Process]:
    """Children, and theirs, of a process that lives. Cost: a look at every process of the machine."""
    with suppress(psutil.Error):
        return list(psutil.Process(pid).children(recursive=True))
    return []


def end(found: Iterable[psutil.Process]) -> None:
    """Kill them; those that have ended meanwhile are left alone, also if their numbers are others' now."""
    for process in found:
        with suppress(psutil.Error):
            process.kill()


def now() -> float:
    """Seconds since the machine was started: by this clock the kernel notes when a process began."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def end_between(began: float, ended: float) -> None:
    """Kill what this process has started between two moments of `now`. The kernel counts in hundredths of a second."""
    first, last = (int(moment * os.sysconf("SC_CLK_TCK")) for moment in (began, ended))
    end(process for process in of(os.getpid()) if first <= (start_ticks(process.pid) or -1) <= last)


def kill(worker: subprocess.Popen[bytes]) -> None:
    """Kill a worker and all that it has started."""
    found = of(worker.pid)
    worker.kill()
    end(found)


def exit_code(worker: subprocess.Popen[bytes]) -> int | None:
    """Of a worker that has ended, and then nobody of its group is left; None: it runs."""
    try:
        # While nobody has waited for it, its number and that of its group are nobody else's.
        ended = os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return worker.poll()
    if ended is None:
        return None
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(worker.pid, signal.SIGKILL)
    return worker.wait()
