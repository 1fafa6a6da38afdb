"""A cache in two levels: this process, and Redis where there is one. Everything works without either."""

from core.cache.keys import CacheKey
from core.cache.memory import MemoryCache
from core.cache.shared import SharedCache, connect_shared
from core.cache.tiered import CacheFigures, TieredCache, open_cache

__all__ = ["CacheFigures", "CacheKey", "MemoryCache", "SharedCache", "TieredCache", "connect_shared", "open_cache"]
