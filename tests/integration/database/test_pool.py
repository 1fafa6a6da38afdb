"""DatabaseManager against a real server."""

from __future__ import annotations

from core.database import DatabaseManager


def test_execute_query_returns_tuples(db: DatabaseManager) -> None:
    assert db.execute_query("sum", "SELECT :a + :b", {"a": 1, "b": 2}) == [(3,)]


def test_redis_answers(redis_url: str) -> None:
    import redis

    with redis.Redis.from_url(redis_url) as client:
        assert client.ping()
