from __future__ import annotations

from types import SimpleNamespace

import pytest

from core.bench.queue.headers import measure_headers
from core.database import DatabaseManager


def test_headers_are_claimed_and_counted(
    database_url: str, db: DatabaseManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.bench.harness.database.secrets", SimpleNamespace(token_hex=lambda _: "headers"))
    said: list[tuple[str, int, int]] = []
    found = measure_headers(database_url, 2_000, 20, lambda *what: said.append(what), held_xmin=True)
    assert said[-1] == ("headers", 2_000, 2_000)
    assert (found.headers, found.claims, found.held_xmin) == (2_000, 20, True)
    assert 0 < found.claim_p50_ms <= found.claim_p95_ms
    assert 0 < found.depth_computed_p50_ms <= found.depth_computed_p95_ms
    assert 0 < found.depth_cached_p50_ms <= found.depth_cached_p95_ms
    assert db.execute_query("d", "SELECT count(*) FROM pg_database WHERE datname = 'headrace_bench_headers'") == [(0,)]
