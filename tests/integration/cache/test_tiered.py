"""Both levels with a real Redis: hits, one maker for many, and a server that dies."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest
import redis
from pydantic import SecretStr

from core.cache import CacheKey, MemoryCache, SharedCache, TieredCache, connect_shared
from core.cache.shared import REST_S, require_url
from core.errors import ConfigError
from core.settings import RedisSettings
from core.stack.plan import packaged_redis

KEY = CacheKey.of("test", "1", {"n": 1})


def level_two(url: str, clock: Any = None) -> SharedCache:
    shared = connect_shared(RedisSettings(url=SecretStr(url)), 60)
    assert shared is not None
    if clock is not None:
        shared._clock = clock
    return shared


def tiered(url: str | None, **options: Any) -> TieredCache:
    return TieredCache(MemoryCache(100, 1 << 20, 60), None if url is None else level_two(url), **options)


@pytest.fixture(autouse=True)
def _empty(redis_url: str) -> None:
    with contextlib.closing(redis.Redis.from_url(redis_url)) as client:
        client.flushall()


def test_tiered_finds_in_memory_then_in_redis_then_makes(redis_url: str) -> None:
    made: list[int] = []
    one, other = tiered(redis_url), tiered(redis_url)

    def make() -> dict[str, Any]:
        made.append(1)
        return {"entity": "x", "bits": 3.5}

    for cache in (one, one, other):
        assert cache.get_or_make(KEY, make) == {"entity": "x", "bits": 3.5}
    assert len(made) == 1
    first, second = one.figures(), other.figures()
    assert (first.l1_hits, first.l1_misses, first.l2_hits, first.l2_misses, first.made) == (1, 1, 0, 1, 1)
    assert (second.l1_hits, second.l2_hits, second.made) == (0, 1, 0)
    assert one.get_or_make(CacheKey.of("test", "2", {"n": 1}), lambda: "new") == "new"
    one.close()
    other.close()


def test_tiered_hands_out_copies(redis_url: str) -> None:
    cache = tiered(redis_url)
    cache.get_or_make(KEY, lambda: {"list": [1]})["list"].append(2)
    assert cache.get_or_make(KEY, lambda: None) == {"list": [1]}
    cache.close()


@pytest.mark.parametrize("with_redis", [True, False])
def test_tiered_makes_once_what_many_threads_ask_for(redis_url: str, with_redis: bool) -> None:
    cache = tiered(redis_url if with_redis else None)
    together, made = threading.Barrier(8), []

    def make() -> int:
        made.append(1)
        while cache.figures().joined < 7:
            pass
        return 42

    def ask(_: int) -> Any:
        together.wait()
        return cache.get_or_make(KEY, make)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [42] * 8
    assert len(made) == 1
    cache.close()


def test_tiered_waits_for_the_process_that_makes_the_value(redis_url: str) -> None:
    maker = level_two(redis_url)
    assert maker.lock(str(KEY), 60)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            maker.put(str(KEY), b'"theirs"')

    cache = tiered(redis_url, pause=pause)
    assert cache.get_or_make(KEY, lambda: "ours") == "theirs"
    assert len(pauses) == 3
    maker.close()
    cache.close()


@pytest.mark.parametrize("poison", [b"", b"{", b"\xff\x00", b'"a" "b"'])
def test_tiered_takes_a_poisoned_value_for_a_miss_counts_it_and_replaces_it(redis_url: str, poison: bytes) -> None:
    one, other, raw = tiered(redis_url), tiered(redis_url), level_two(redis_url)
    raw.put(str(KEY), poison)
    assert one.get_or_make(KEY, lambda: 7) == 7
    figures = one.figures()
    assert (figures.l2_poisoned, figures.l2_misses, figures.l2_hits, figures.l2_errors) == (1, 1, 0, 0)
    assert other.get_or_make(KEY, lambda: 8) == 7
    for cache in (one, other, raw):
        cache.close()


def test_tiered_deletes_a_poisoned_value_even_if_no_new_one_can_be_made(redis_url: str) -> None:
    cache, raw = tiered(redis_url), level_two(redis_url)
    raw.put(str(KEY), b"{")
    with pytest.raises(ZeroDivisionError):
        cache.get_or_make(KEY, lambda: 1 / 0)
    assert raw.get(str(KEY)) is None
    cache.close()
    raw.close()


class SlowRedis:
    """A server whose answers take so long, by a clock that it moves; it says how often it was asked."""

    def __init__(self, takes_s: float) -> None:
        self.takes_s, self.now, self.asked = takes_s, 0.0, 0

    def get(self, key: str) -> bytes | None:
        self.asked += 1
        self.now += self.takes_s
        return None


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]


def test_a_slow_redis_costs_one_wait_and_one_warning_an_outage(caplog: pytest.LogCaptureFixture) -> None:
    server = SlowRedis(1.9)
    shared = SharedCache(cast("redis.Redis", server), 60, lambda: server.now)
    for _ in range(10):
        assert shared.get("k") is None
    assert server.asked == 1, "below its time limit, and yet too slow to be asked by every request"
    for rest in range(2, 5):
        server.now += REST_S
        shared.get("k")
        shared.get("k")
        assert server.asked == rest, "one try after each rest"
    assert len(warnings_of(caplog)) == 1
    server.takes_s = 0.001
    server.now += REST_S
    shared.get("k")
    shared.get("k")
    assert server.asked == 6, "it is back"
    server.takes_s = 1.9
    shared.get("k")
    assert len(warnings_of(caplog)) == 2, "a second outage"
    assert "an answer took 1.90 s" in warnings_of(caplog)[1]


def test_after_its_rest_one_request_tries_redis_and_the_others_go_on() -> None:
    server = SlowRedis(1.9)
    shared = SharedCache(cast("redis.Redis", server), 60, lambda: server.now)
    shared.get("k")
    server.now += REST_S
    others: list[bytes | None] = []

    def probe(key: str) -> bytes:
        # In mid-try, in another thread: it is not asked, and does not wait.
        with ThreadPoolExecutor(1) as pool:
            others.append(pool.submit(shared.get, "k").result())
        server.asked += 1
        return b"1"

    server.get = probe  # type: ignore[method-assign]
    assert shared.get("k") == b"1"
    assert (others, server.asked) == ([None], 2)


def test_tiered_makes_the_value_when_the_other_process_takes_too_long(redis_url: str) -> None:
    maker = level_two(redis_url)
    assert maker.lock(str(KEY), 60)
    pauses: list[float] = []
    cache = tiered(redis_url, lock_s=0.05, pause=pauses.append)
    assert cache.get_or_make(KEY, lambda: "ours") == "ours"
    assert len(pauses) == 10
    assert maker.lock(str(KEY), 60), "who puts the value lets go of the lock"
    maker.close()
    cache.close()


def test_tiered_raises_what_the_maker_raises_and_keeps_nothing(redis_url: str) -> None:
    cache, other = tiered(redis_url), level_two(redis_url)
    with pytest.raises(ZeroDivisionError):
        cache.get_or_make(KEY, lambda: 1 / 0)
    assert other.lock(str(KEY), 60), "the lock is given back"
    other.unlock(str(KEY))
    assert cache.get_or_make(KEY, lambda: 5) == 5
    other.close()
    cache.close()


@contextlib.contextmanager
def own_redis(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A redis-server that a test may kill."""
    socket = folder / "own.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
    server = subprocess.Popen([packaged_redis() or "redis-server", *options], stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        for line in server.stdout:
            if b"ready to accept connections" in line.lower():
                break
        yield f"unix://{socket}", server
    finally:
        server.kill()
        server.communicate()


def test_tiered_goes_on_when_redis_dies_and_comes_back(services_folder: Path) -> None:
    now = [0.0]
    folder = services_folder / "dying"
    folder.mkdir(exist_ok=True)
    with own_redis(folder) as (url, server):
        shared = level_two(url, lambda: now[0])
        cache = TieredCache(MemoryCache(1, 1 << 20, 60), shared)
        assert cache.get_or_make(KEY, lambda: 1) == 1

        def make() -> int:
            # In mid-flight: the lock is taken and the value not yet put.
            server.kill()
            server.wait()
            return 2

        assert cache.get_or_make(CacheKey.of("test", "1", {"n": 2}), make) == 2
        assert not shared.answers
        assert cache.get_or_make(CacheKey.of("test", "1", {"n": 3}), lambda: 3) == 3
        assert cache.figures().l2_errors == 1, "a server that is gone is not asked again at once"
    with own_redis(folder) as (_, _again):
        now[0] = REST_S + 1
        assert cache.get_or_make(CacheKey.of("test", "1", {"n": 4}), lambda: 4) == 4
        assert shared.get(str(CacheKey.of("test", "1", {"n": 4}))) == b"4"
        cache.close()


def test_connect_shared_refuses_a_url_that_is_none() -> None:
    assert connect_shared(RedisSettings(), 60) is None
    for url in ("http://nowhere", "redis://:a?secret=b@h/0", "unix:///s?secret=1", "rediss://h?ssl_cert_reqs=secret"):
        with pytest.raises(ConfigError, match="HEADRACE_REDIS__URL cannot be read") as caught:
            connect_shared(RedisSettings(url=SecretStr(url)), 60)
        assert "secret" not in str(caught.value)
        with pytest.raises(ConfigError):
            require_url(url)
    require_url("redis://nowhere:1/2?socket_timeout=1")
