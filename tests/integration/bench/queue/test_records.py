from __future__ import annotations

from core.bench.queue.records import RecordLoad, measure_records


def test_records_are_marked_once_and_timed(database_url: str) -> None:
    found = measure_records(database_url, RecordLoad(100, 1, 10, 40), lambda *_: None)
    assert (found.lost, found.duplicated, found.records) == (0, 0, 100)
    assert found.marks_per_s > 0
    assert found.commits_per_s > 0
    assert 0 < found.mark_p50_ms <= found.mark_p95_ms
