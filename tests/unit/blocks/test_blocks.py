from __future__ import annotations

import pytest
from pydantic import SecretStr

from blocks.postgres import Postgres
from blocks.redis import Redis
from core.errors import ConfigError
from core.settings import DatabaseSettings, RedisSettings


def test_postgres_block_turns_into_settings_over_a_base() -> None:
    block = Postgres(url=SecretStr("postgresql://u:secret@h/d"), pool_size=3)
    expected = DatabaseSettings(url=SecretStr("postgresql://u:secret@h/d"), pool_size=3, slow_query_ms=9)
    assert block.to_settings(DatabaseSettings(slow_query_ms=9, pool_size=8)) == expected
    assert "secret" not in repr(block)


def test_postgres_block_refuses_what_settings_refuse() -> None:
    with pytest.raises(ConfigError, match="pool_size"):
        Postgres(url=SecretStr("postgresql://u@h/d"), pool_size=5000).to_settings()


def test_redis_block_turns_into_settings() -> None:
    block = Redis(url=SecretStr("redis://:secret@h:6379/0"), max_connections=2)
    assert block.to_settings() == RedisSettings(url=SecretStr("redis://:secret@h:6379/0"), max_connections=2)
    assert "secret" not in repr(block)
