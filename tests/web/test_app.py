"""The web app on a real database."""

from __future__ import annotations

import asyncio

import httpx
import psycopg
from pydantic import SecretStr

from core.database import DatabaseManager
from core.queue import BatchQueue, FlowPolicy
from core.settings import DatabaseSettings, QueueSettings, Settings
from core.web.app import create_app


def answers(url: str, *paths: str) -> list[httpx.Response]:
    """What the app says under each path."""

    async def ask() -> list[httpx.Response]:
        app = create_app(settings(url))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app") as client:
            return [await client.get(path) for path in paths]

    return asyncio.run(ask())


def settings(url: str) -> Settings:
    return Settings(database=DatabaseSettings(url=SecretStr(url), connect_timeout_s=2))


def test_app_is_ready_and_shows_the_queue(database_url: str, db: DatabaseManager) -> None:
    queue = BatchQueue(db, QueueSettings(), "tests")
    queue.register_flow(FlowPolicy("mill"))
    queue.enqueue("mill", [{}] * 3)
    health, ready, shown = answers(database_url, "/health", "/ready", "/metrics")
    assert health.json()["status"] == "ok"
    assert ready.json() == {"ready": True}
    assert shown.status_code == 200
    assert 'headrace_queue_items{flow="mill",state="ready"} 3.0' in shown.text
    assert 'headrace_queue_dead_letters{flow="mill"} 0.0' in shown.text


def test_app_tells_both_versions_of_an_older_schema(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        (newest,) = conn.execute("SELECT version_num FROM alembic_version").fetchone() or ("",)
        conn.execute("UPDATE alembic_version SET version_num = '0006'")
        try:
            (answer,) = answers(database_url, "/ready")
        finally:
            conn.execute("UPDATE alembic_version SET version_num = %s", [newest])
    assert answer.status_code == 503
    assert "is at revision 0006" in answer.json()["problem"]
    assert f"needs {newest}" in answer.json()["problem"]


def test_app_without_a_database_is_healthy_and_not_ready() -> None:
    found = answers("postgresql://nobody@127.0.0.1:1/none", "/health", "/ready", "/metrics")
    assert [one.status_code for one in found] == [200, 503, 503]
