"""The first level: values of this process, bounded by number, bytes and age; the least recently used goes first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from cachetools import TTLCache

from core.processes import on_fork

# What an entry costs beside its value: key, links and two bytes objects.
OVERHEAD_BYTES = 400


class MemoryCache:
    """Thread-safe; holds bytes, which nobody can change behind its back.

    Args:
        entries: most values. size_bytes: most bytes of all of them, `OVERHEAD_BYTES` each included.
        ttl_s: age at which a value is gone. clock: seconds, never backwards.
    """

    def __init__(
        self, entries: int, size_bytes: int, ttl_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._entries = entries
        self._lock = threading.Lock()
        on_fork(self, MemoryCache._unlock)
        self._held: TTLCache[str, bytes, float] = TTLCache(
            maxsize=size_bytes, ttl=ttl_s, timer=clock, getsizeof=lambda value: len(value) + OVERHEAD_BYTES
        )

    def _unlock(self) -> None:
        """In a child made by fork: whoever held the lock did not come along."""
        self._lock = threading.Lock()

    def get(self, key: str) -> bytes | None:
        """The value, or None."""
        with self._lock:
            return self._held.get(key)

    def put(self, key: str, value: bytes) -> None:
        """Keep a value; one that would fill the cache alone is not kept."""
        if len(value) + OVERHEAD_BYTES > self._held.maxsize:
            return
        with self._lock:
            self._held.pop(key, None)
            while len(self._held) >= self._entries:
                self._held.popitem()
            self._held[key] = value

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()

    @property
    def size(self) -> tuple[int, int]:
        """Values held, and their bytes."""
        with self._lock:
            self._held.expire()
            return len(self._held), int(self._held.currsize)
