"""Both levels as one, with a guard against stampedes: what many ask for at once is made once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from core.cache.keys import CacheKey
from core.cache.memory import MemoryCache
from core.cache.shared import SharedCache, connect_shared
from core.processes import on_fork
from core.settings import Settings

LOCK_S = 1.0
POLL_S = 0.005


@dataclass(slots=True)
class CacheFigures:
    """How requests ended since the start: `made` anew, or `joined` one that was being made in this process.

    `l2_poisoned`: values in Redis that could not be read; each was deleted, and is one of the misses too.
    """

    l1_hits: int = 0
    l1_misses: int = 0
    l2_hits: int = 0
    l2_misses: int = 0
    l2_errors: int = 0
    l2_poisoned: int = 0
    joined: int = 0
    made: int = 0

    def to_dict(self) -> dict[str, int]:
        """As JSON can hold it."""
        return asdict(self)


class TieredCache:
    """Looks in memory, then in Redis, then makes the value and keeps it in both. Values are what JSON can hold.

    Args:
        shared: None where there is no Redis.
        lock_s: so long a process waits for another one that makes the value, before it makes the value itself.
        pause: waits some seconds.
    """

    def __init__(
        self,
        memory: MemoryCache,
        shared: SharedCache | None = None,
        *,
        lock_s: float = LOCK_S,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._memory = memory
        self._shared = shared
        self._lock_s = lock_s
        self._pause = pause
        self._guard = threading.Lock()
        self._flying: dict[str, Future[bytes]] = {}
        self._figures = CacheFigures()
        on_fork(self, TieredCache._unlock)

    def _unlock(self) -> None:
        """In a child made by fork: threads that made values did not come along."""
        self._guard = threading.Lock()
        self._flying = {}

    def get_or_make(self, key: CacheKey, make: Callable[[], Any]) -> Any:
        """The value of a key, a fresh copy each time; `make` is called where neither level has it.

        What it raises is raised to all who wait.
        """
        name = str(key)
        held = self._memory.get(name)
        if held is not None:
            self._count("l1_hits")
            return orjson.loads(held)
        with self._guard:
            flight = self._flying.get(name)
            first = flight is None
            if flight is None:
                flight = self._flying[name] = Future()
        if not first:
            self._count("joined")
            return orjson.loads(flight.result())
        self._count("l1_misses")
        try:
            # Whoever made the value may have landed since it was looked for above.
            flight.set_result(self._memory.get(name) or self._fetch(name, make))
        except BaseException as error:
            flight.set_exception(error)
            raise
        finally:
            with self._guard:
                del self._flying[name]
        return orjson.loads(flight.result())

    def figures(self) -> CacheFigures:
        """Counts so far; a copy."""
        with self._guard:
            errors = 0 if self._shared is None else self._shared.n_errors
            return CacheFigures(**{**self._figures.to_dict(), "l2_errors": errors})

    def close(self) -> None:
        """Forget what is in memory, and close the connections to Redis."""
        self._memory.clear()
        if self._shared is not None:
            self._shared.close()

    def _fetch(self, name: str, make: Callable[[], Any]) -> bytes:
        value = self._from_shared(name)
        if value is None:
            value = self._made(name, make)
        self._memory.put(name, value)
        return value

    def _from_shared(self, name: str) -> bytes | None:
        """The value out of Redis, also if another process is about to put it there; None: it is ours to make."""
        shared = self._shared
        if shared is None:
            return None
        value, polls = self._readable(shared, name), round(self._lock_s / POLL_S)
        while value is None and not shared.lock(name, self._lock_s) and polls > 0:
            self._pause(POLL_S)
            polls -= 1
            value = self._readable(shared, name)
        self._count("l2_misses" if value is None else "l2_hits")
        return value

    def _readable(self, shared: SharedCache, name: str) -> bytes | None:
        """What Redis holds, if it is JSON. Else it is deleted: every request would meet it until its time is up."""
        value = shared.get(name)
        if value is None:
            return None
        try:
            orjson.loads(value)
        except orjson.JSONDecodeError:
            self._count("l2_poisoned")
            shared.forget(name)
            return None
        return value

    def _made(self, name: str, make: Callable[[], Any]) -> bytes:
        try:
            value = orjson.dumps(make())
        except BaseException:
            if self._shared is not None:
                self._shared.unlock(name)
            raise
        self._count("made")
        if self._shared is not None:
            self._shared.put(name, value)
        return value

    def _count(self, what: str) -> None:
        with self._guard:
            setattr(self._figures, what, getattr(self._figures, what) + 1)


def open_cache(settings: Settings) -> TieredCache:
    """Answers kept in this process, and in Redis if the settings name one. Raises ConfigError: its address."""
    wanted = settings.cache
    memory = MemoryCache(wanted.entries, wanted.memory_mb << 20, wanted.ttl_s)
    return TieredCache(memory, connect_shared(settings.redis, wanted.ttl_s))
