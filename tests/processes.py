"""For tests that start processes: a port to listen on, a wait for what they do, their end."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

LIMIT_S = 240.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(done: Callable[[], Any], words: Callable[[], str] = lambda: "it never happens") -> Any:
    """Ask until the answer is true, and return it; `words` tell what is the matter when that takes too long."""
    give_up = time.monotonic() + LIMIT_S
    while not (found := done()):
        assert time.monotonic() < give_up, words()
        threading.Event().wait(0.05)
    return found


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop a process as `headrace down` does: Prefect's worker may overhear one SIGTERM."""
    for signalled in (process.terminate, process.terminate, process.kill):
        signalled()
        try:
            process.wait(2)
            return
        except subprocess.TimeoutExpired:
            continue
    process.wait(LIMIT_S)
