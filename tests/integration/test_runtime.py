from __future__ import annotations

import os
import re

import psycopg
import pytest
from pydantic import SecretStr

from core.errors import ConfigError, MigrationError
from core.runtime import open_runtime
from core.settings import DatabaseSettings, Settings


def settings_for(url: str) -> Settings:
    return Settings(database=DatabaseSettings(url=SecretStr(url), connect_retry_s=0))


def test_open_runtime_connects_what_the_settings_say(database_url: str) -> None:
    with open_runtime(settings_for(database_url)) as first, open_runtime(settings_for(database_url)) as second:
        assert first.db.execute_query("x", "SELECT 1") == [(1,)]
        assert first.queue is first.queue
        assert re.fullmatch(rf".+-{os.getpid()}-[0-9a-f]{{8}}", first.worker_id)
        assert first.worker_id != second.worker_id


def test_open_runtime_does_not_migrate_a_real_database(postgres, database_url: str) -> None:
    with psycopg.connect(database_url) as conn:
        conn.execute("DELETE FROM alembic_version")
    with pytest.raises(MigrationError, match="headrace db migrate"), open_runtime(settings_for(database_url)):
        pass
    with psycopg.connect(database_url) as conn:
        assert conn.execute("SELECT count(*) FROM alembic_version").fetchone() == (0,)


def test_open_runtime_refuses_a_misspelt_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_DATABSE__URL", "postgresql://u@h/d")
    with pytest.raises(ConfigError, match="HEADRACE_DATABASE__URL"), open_runtime():
        pass
