"""Partitions are looked at when they changed, parents now and then, and nothing waits for a lock."""

from __future__ import annotations

import pytest

from core.database import DatabaseManager
from core.queue import BatchQueue
from core.queue.store import statistics

PARENTS = {"queue_items", "queue_results", "queue_batches", "queue_history"}


def fill(db: DatabaseManager, rows: int) -> None:
    """Items whose change is known to the statistics at once."""
    with db.transaction() as conn:
        conn.execute(
            "INSERT INTO queue_items (batch_id, seq, payload) SELECT 1, n, '{}' FROM generate_series(1, %s) n", [rows]
        )
        conn.execute("SELECT pg_stat_force_next_flush()")


def test_what_changed_is_looked_at_once_and_parents_now_and_then(db: DatabaseManager, queue: BatchQueue) -> None:
    assert set(statistics.refresh(db).done) == PARENTS
    assert statistics.refresh(db) == statistics.Refreshed()
    fill(db, 5_000)
    assert statistics.refresh(db).done == ("queue_items_p0",)
    known = "SELECT reltuples::int FROM pg_class WHERE relname = 'queue_items_p0'"
    assert db.execute_query("known", known) == [(5_000,)]
    assert statistics.refresh(db) == statistics.Refreshed()
    fill(db, 900)
    assert statistics.refresh(db) == statistics.Refreshed()
    fill(db, 400)
    assert statistics.refresh(db).done == ("queue_items_p0",)


def test_a_locked_table_is_left_for_the_next_time(
    db: DatabaseManager, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(statistics, "PARENT_AGE_S", 0.0)
    with db.transaction() as other:
        other.execute("LOCK TABLE queue_batches IN SHARE UPDATE EXCLUSIVE MODE")
        found = statistics.refresh(db)
    assert found.held == ("queue_batches",)
    assert set(found.done) >= PARENTS - {"queue_batches"}
    assert "statistics of queue_batches are not renewed" in caplog.text
    assert "queue_batches" in statistics.refresh(db).done
