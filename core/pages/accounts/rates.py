"""How much one API token may ask: counted in Redis for all processes, without one in each process for itself."""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis.exceptions import RedisError

from core.cache.shared import connection_pool
from core.errors import HeadraceError
from core.settings import RedisSettings, WebSettings


class TooManyRequests(HeadraceError):
    """The token has asked too much: facts `wait_s`, `limit`."""


class Rates:
    """Limits of tokens. Thread-safe. A Redis that is away is no reason to refuse: this process counts meanwhile.

    Cost: two round trips to Redis a request, or microseconds.
    """

    def __init__(self, web: WebSettings, redis: RedisSettings) -> None:
        self._limits = (RateLimitItemPerMinute(web.requests_per_min), RateLimitItemPerHour(web.requests_per_hour))
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        pool = connection_pool(redis)
        self._shared = None if pool is None else SlidingWindowCounterRateLimiter(RedisStorage("redis://", pool))

    def count(self, token_id: int) -> None:
        """Count a request. Raises TooManyRequests."""
        try:
            self._count(self._shared or self._own, str(token_id))
        except RedisError:
            self._count(self._own, str(token_id))

    def _count(self, limiter: SlidingWindowCounterRateLimiter, name: str) -> None:
        for limit in self._limits:
            if not limiter.hit(limit, name):
                wait_s = max(math.ceil(limiter.get_window_stats(limit, name).reset_time - time.time()), 1)
                raise TooManyRequests(
                    f"this token may ask {limit}; the next request can be made in {wait_s} s",
                    wait_s=wait_s,
                    limit=str(limit),
                )
