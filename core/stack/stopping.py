"""`headrace down`: the end of a stack, whoever still looks after it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from core.database.embedded import server_at
from core.settings import EmbeddedSettings
from core.stack import members, state

# A supervisor ends its parts within 4 s, and PostgreSQL then takes a moment.
SUPERVISOR_LIMIT_S = 4.6


def stop(state_dir: Path, embedded: EmbeddedSettings) -> bool:
    """End the stack of a state directory; False if there was none. Nothing of it is left afterwards.

    Its supervisor does it if it lives. If it was killed, what it left behind is found by the mark it was started with.
    """
    found = state.read(state_dir)
    if found is None:
        return False
    supervisor = found.supervisor
    if not _ended(supervisor, signal.SIGTERM, SUPERVISOR_LIMIT_S):
        _ended(supervisor, signal.SIGKILL, members.GONE_S)
    last = [one.pid for one in found.components if one.name in {"server", "redis"} and one.alive]
    members.end(lambda: members.members(found.mark, found.components), last)
    server_at(state_dir, embedded).leave(supervisor.pid)
    state.forget(state_dir)
    return True


def _ended(process: state.Component, number: signal.Signals, limit_s: float) -> bool:
    """Send the signal and wait for the end; False if it still lives at the limit."""
    if process.alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
    give_up = time.monotonic() + limit_s
    while process.alive:
        if time.monotonic() > give_up:
            return False
        time.sleep(0.02)
    return True
