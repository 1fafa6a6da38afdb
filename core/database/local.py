"""The embedded server for the life of this process: joined on first use, migrated, left at exit."""

from __future__ import annotations

import atexit
import os
import threading

from core.database.connect import Source
from core.database.embedded import EmbeddedServer, server_at
from core.settings import Settings

_lock = threading.Lock()
# Homes this process has joined, by the pid that did: a forked child must not leave in its parent's name.
_joined: dict[tuple[int, str], EmbeddedServer] = {}


def _anew() -> None:
    """In a child: a thread of its parent may have held the lock."""
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_anew)


def join_for_life(settings: Settings) -> Source:
    """Join the server of `settings.state_dir`, migrate its database, and leave at the end of the process.

    Calls after the first cost a dictionary look-up. Safe from threads and from several processes at once.
    """
    server = server_at(settings.state_dir, settings.embedded)
    key = (os.getpid(), str(server.home))
    source = Source(server.url(), server.ensure_running)
    with _lock:
        if key not in _joined:
            server.join()
            _joined[key] = server
            atexit.register(_leave, key)
            from core.database.migrations import migrate

            migrate(source, settings.database)
    return source


def _leave(key: tuple[int, str]) -> None:
    with _lock:
        server = _joined.pop(key, None) if key[0] == os.getpid() else None
    if server is not None:
        server.leave()
