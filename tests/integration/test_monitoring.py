from __future__ import annotations

import json

import pytest

from core.database import DatabaseManager
from core.distributed import DistributedProcessor
from core.errors import ConfigError
from core.monitoring import distributed_queue_monitoring, processing_performance_monitoring
from core.queue import leader
from core.settings import QueueSettings
from core.tasks import connection_pool_monitoring


def overall(db: DatabaseManager, flow: str, hours: float = 24) -> tuple[float, float, float]:
    found = processing_performance_monitoring(hours, db, flow)["overall_metrics"]
    return found["total_records_processed"], found["success_rate_percent"], found["avg_processing_rate_per_hour"]


def test_an_empty_window_is_zero_not_none(db: DatabaseManager) -> None:
    found = processing_performance_monitoring(24, db, "nothing")["overall_metrics"]
    assert set(found.values()) == {0}
    with pytest.raises(ConfigError, match="time_window_hours is 0"):
        processing_performance_monitoring(0, db)


def test_performance_counts_every_mark_once_before_and_after_the_roll_up(db: DatabaseManager) -> None:
    with DistributedProcessor(db, QueueSettings()) as processor:
        processor.add_records_to_queue("perf", [{"n": n} for n in range(12)])
        came = processor.claim_records_batch("perf", 12)
        for one in came[:9]:
            processor.mark_record_completed(one["id"], 1)
        processor.mark_record_failed(came[9]["id"], "why")
        assert overall(db, "perf") == (10, 90.0, round(10 / 24, 2))
        processor.mark_records_failed([(one["id"], "why") for one in came[10:]])
        for _ in range(2):
            assert overall(db, "perf") == (12, 75.0, 0.5)
            assert overall(db, "perf", 1) == (12, 75.0, 12.0)
            leader.roll_up(db)
    assert processing_performance_monitoring(24, db, "perf")["errors"] == [
        {"flow_name": "perf", "error_class": "RecordFailed", "records": 3}
    ]


def test_performance_leaves_out_what_ended_before_the_window(db: DatabaseManager) -> None:
    with DistributedProcessor(db, QueueSettings()) as processor:
        for age, n in (("70 minutes", 2), ("130 minutes", 3), ("10 hours", 4)):
            processor.add_records_to_queue("old", [{}] * n)
            processor.mark_records_completed([(one["id"], 1) for one in processor.claim_records_batch("old", n)])
            # Not yet in the totals, whose hours could not be moved.
            db.execute_query(
                "age",
                f"UPDATE queue_history SET finished_at = now() - interval '{age}' "
                "WHERE flow_name = 'old' AND finished_at > now() - interval '30 minutes'",
            )
    for _ in range(2):
        assert [overall(db, "old", hours)[0] for hours in (1, 1.5, 3, 24)] == [0, 2, 5, 9]
        leader.roll_up(db)


def test_queue_report_counts_and_judges(db: DatabaseManager) -> None:
    with DistributedProcessor(db, QueueSettings()) as processor:
        # What other tests let die would count against the health.
        db.execute_query("t", "TRUNCATE dead_letters")
        processor.add_records_to_queue("report", [{}] * 3)
        processor.claim_records_batch("report", 1)
        found = distributed_queue_monitoring(db)
        assert found["by_flow"]["report"]["pending_records"] == 2
        assert found["by_flow"]["report"]["processing_records"] == 1
        assert found["overall_queue_status"]["pending_records"] == 2
        assert found["queue_health_assessment"]["queue_health"] == "healthy"
        db.execute_query("p", "UPDATE queue_flows SET paused = true WHERE flow_name = 'report'")
        judged = distributed_queue_monitoring(db)["queue_health_assessment"]
        assert judged["queue_health"] == "critical"
        assert "report is paused" in judged["issues"][0]
        json.dumps(found)


def test_pool_report_by_manager_and_by_name(
    db: DatabaseManager, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with db.transaction():
        lent = connection_pool_monitoring(db)
    assert lent["checked_out"] == 1
    assert lent["utilization_percent"] == pytest.approx(100 / 30, abs=0.01)
    monkeypatch.setenv("DEVELOPMENT_GLOBAL_RPA_DB_URL", database_url)
    monkeypatch.setenv("DEVELOPMENT_GLOBAL_RPA_DB_POOL_SIZE", "3")
    named = connection_pool_monitoring("rpa_db")
    assert (named["database"], named["size"], named["utilization_percent"]) == ("rpa_db", 3, 0.0)
    assert 0 < named["server_utilization_percent"] <= 100


def test_reports_without_a_manager_are_about_rpa_db(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGING_GLOBAL_RPA_DB_URL", database_url)
    monkeypatch.setenv("ENVIRONMENT", "STAGING")
    db = DatabaseManager("rpa_db")
    with DistributedProcessor(db) as processor:
        processor.add_records_to_queue("named", [{}])
    assert "named" in distributed_queue_monitoring()["by_flow"]
    assert processing_performance_monitoring(time_window_hours=24)["time_window_hours"] == 24
    assert db.execute_query("n", "SELECT count(*) FROM queue_batches WHERE flow_name = :f", {"f": "named"}) == [(1,)]
    db.dispose()
