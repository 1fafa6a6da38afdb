from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from core.cli.app import build
from core.database import DatabaseManager
from core.queue import BatchQueue, FlowPolicy
from core.queue.store import partitions
from core.settings import QueueSettings


def test_retain_foresees_then_drops(database_url: str, db: DatabaseManager, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_DATABASE__URL", database_url)
    queue = BatchQueue(db, QueueSettings(), "cli-test")
    queue.register_flow(FlowPolicy("mill"))
    queue.enqueue("mill", [{}] * 3)
    queue.complete(*queue.claim("mill"))
    queue.sweep()
    assert partitions.rotate(db, 1, 3600)

    def retained(*options: str) -> list[dict[str, object]]:
        done = CliRunner().invoke(build(), ["queue", "retain", "--json", *options], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return list(json.loads(done.stdout))

    old = db.execute_query("old", "UPDATE queue_partitions SET state = state RETURNING 1")
    assert [row["fate"] for row in retained("--dry-run")] == ["keep"] * len(old)
    with db.transaction() as conn:
        conn.execute("UPDATE queue_batches SET created_at = now() - interval '8 days'")
        conn.execute("UPDATE queue_history SET finished_at = now() - interval '8 days'")
    assert [row["fate"] for row in retained("--dry-run", "--days", "7")][:2] == ["drop", "keep"]
    first, *others = retained("--days", "7")
    assert (first["fate"], first["first_id"]) == ("dropped", 0)
    assert {row["why"] for row in others} == {"new batches go there"}
    assert len(retained()) == len(others)
    assert db.execute_query("left", "SELECT count(*) FROM queue_items") == [(0,)]
