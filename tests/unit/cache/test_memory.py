"""The level in this process: bounded by number, bytes and age."""

from __future__ import annotations

from core.cache.memory import OVERHEAD_BYTES, MemoryCache


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_memory_forgets_the_least_recently_used_above_its_entries() -> None:
    cache = MemoryCache(2, 1 << 20, 60)
    cache.put("a", b"1")
    cache.put("b", b"2")
    assert cache.get("a") == b"1"
    cache.put("c", b"3")
    assert [cache.get(key) for key in "abc"] == [b"1", None, b"3"]
    cache.put("c", b"4")
    assert cache.size[0] == 2
    assert cache.get("a") == b"1"


def test_memory_keeps_within_its_bytes() -> None:
    cache = MemoryCache(1000, 3 * (OVERHEAD_BYTES + 100), 60)
    for key in "abcd":
        cache.put(key, bytes(100))
    assert cache.size == (3, 3 * (OVERHEAD_BYTES + 100))
    assert cache.get("a") is None
    cache.put("huge", bytes(10_000))
    assert cache.get("huge") is None
    assert cache.size[0] == 3


def test_memory_forgets_what_is_too_old() -> None:
    clock = Clock()
    cache = MemoryCache(10, 1 << 20, 60, clock)
    cache.put("a", b"1")
    clock.now = 59.0
    assert cache.get("a") == b"1"
    clock.now = 61.0
    assert cache.get("a") is None
    assert cache.size == (0, 0)
