"""The second level: Redis, shared by processes. Whatever is wrong with it is a miss, never an error."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.errors import ConfigError
from core.processes import on_fork
from core.settings import RedisSettings

logger = logging.getLogger(__name__)
T = TypeVar("T")

# Nothing of the URL is repeated: any part may be a piece of a password.
CANNOT_BE_READ = (
    "HEADRACE_REDIS__URL cannot be read: expected redis://user:password@host:6379/0, after a ? only options of "
    "redis-py's connections; in the password write % as %25, @ as %40, / as %2F, # as %23 and ? as %3F"
)

REST_S = 5.0
"""After a failure Redis is left alone so long: a server that hangs costs one time limit, not one a request."""

SLOW_S = 0.25
"""An answer that took so long counts as a failure, although it came: to make a value anew is faster."""


class SharedCache:
    """Values in Redis under their own time to live.

    Args:
        ttl_s: age at which a value is gone. clock: seconds, never backwards.
    """

    def __init__(self, client: redis.Redis, ttl_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._ttl_ms = max(int(ttl_s * 1000), 1)
        self._clock = clock
        self._rests_until = float("-inf")
        self._is_out = False
        self._probe = threading.Lock()
        self.n_errors = 0
        on_fork(self, SharedCache._unlock)

    def _unlock(self) -> None:
        """In a child made by fork: the thread that tried whether Redis is back did not come along."""
        self._probe = threading.Lock()

    @property
    def answers(self) -> bool:
        """False while Redis is left alone after a failure."""
        return self._clock() >= self._rests_until

    def get(self, key: str) -> bytes | None:
        """The value, or None: also when Redis does not answer."""
        return cast("bytes | None", self._tried(lambda: self._client.get(key), None))

    def put(self, key: str, value: bytes) -> None:
        """Keep a value, and let go of the lock on it."""

        def both() -> None:
            with self._client.pipeline(transaction=False) as pipe:
                pipe.set(key, value, px=self._ttl_ms)
                pipe.delete(_lock(key))
                pipe.execute()

        self._tried(both, None)

    def forget(self, key: str) -> None:
        """Delete a value."""
        self._tried(lambda: self._client.delete(key), None)

    def lock(self, key: str, limit_s: float) -> bool:
        """Take it upon oneself to make a value; False where somebody else is about to.

        True as well when Redis does not answer. The lock ends after `limit_s` by itself: a maker that is slower is
        joined by another one, which costs work and harms nothing.
        """
        return self._tried(
            lambda: bool(self._client.set(_lock(key), b"", nx=True, px=max(int(limit_s * 1000), 1))), True
        )

    def unlock(self, key: str) -> None:
        """Give up making a value."""
        self._tried(lambda: self._client.delete(_lock(key)), None)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _tried(self, call: Callable[[], Any], otherwise: T) -> T:
        if not self.answers:
            return otherwise
        if not self._is_out:
            return self._asked(call, otherwise)
        # After its rest one request tries whether it is back; the others do not wait with it.
        if not self._probe.acquire(blocking=False):
            return otherwise
        try:
            return self._asked(call, otherwise)
        finally:
            self._probe.release()

    def _asked(self, call: Callable[[], Any], otherwise: T) -> T:
        began = self._clock()
        try:
            answer = cast(T, call())
        except (redis.RedisError, OSError) as error:
            # The text may hold the address with its password; the kind is enough.
            self._fails(type(error).__name__)
            return otherwise
        took_s = self._clock() - began
        if took_s > SLOW_S:
            self._fails(f"an answer took {took_s:.2f} s")
        elif self._is_out:
            self._is_out = False
            logger.info("Redis answers again")
        return answer

    def _fails(self, why: str) -> None:
        """Leave it alone for a while; said once an outage, however many requests fail in it."""
        said, self._is_out = self._is_out, True
        self.n_errors += 1
        self._rests_until = self._clock() + REST_S
        if not said:
            logger.warning("Redis does not answer in time (%s); going on without it, tried every %g s", why, REST_S)


def _lock(key: str) -> str:
    return f"{key}:lock"


def connect_shared(settings: RedisSettings, ttl_s: float) -> SharedCache | None:
    """The second level that the settings name; None without a URL. Opens no connection.

    Raises:
        ConfigError: the URL cannot be read.
    """
    pool = connection_pool(settings)
    return None if pool is None else SharedCache(redis.Redis(connection_pool=pool), ttl_s)


def connection_pool(settings: RedisSettings) -> redis.ConnectionPool | None:
    """Connections to the Redis that the settings name; None without a URL. Opens none yet. Raises ConfigError."""
    if settings.url is None:
        return None
    with _url_read():
        pool = redis.BlockingConnectionPool.from_url(
            settings.url.get_secret_value(),
            max_connections=settings.max_connections,
            timeout=settings.command_timeout_s,
            socket_connect_timeout=settings.connect_timeout_s,
            socket_timeout=settings.command_timeout_s,
            # One more attempt: a pooled connection may be older than a restart of the server.
            retry=Retry(NoBackoff(), 1),
        )
        _try_out(pool)
    return pool


def require_url(url: str) -> None:
    """Raises ConfigError: the URL cannot be read, or holds options that are none. Opens no connection."""
    with _url_read():
        _try_out(redis.ConnectionPool.from_url(url))


def _try_out(pool: redis.ConnectionPool) -> None:
    # What stands in the URL's query is looked at by connections, when they are made.
    pool.connection_class(**pool.connection_kwargs)


@contextmanager
def _url_read() -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, AttributeError, redis.RedisError):
        raise ConfigError(CANNOT_BE_READ) from None
