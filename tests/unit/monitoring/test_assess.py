from __future__ import annotations

import pytest

from core.monitoring.performance import metrics
from core.monitoring.queue_report import FlowState, assess
from core.queue.records.records import Counts


def state(**changes: object) -> FlowState:
    calm = {
        "flow_name": "f",
        "ready_batches": 0,
        "running_batches": 0,
        "expired_batches": 0,
        "waiting_retries": 0,
        "oldest_age_s": 0.0,
        "paused": False,
    }
    return FlowState(**{**calm, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("flows", "counts", "health", "words"),
    [
        ([], Counts(), "healthy", []),
        ([state(oldest_age_s=899)], Counts(10, 10, 1000, 1), "healthy", []),
        ([state(oldest_age_s=901)], Counts(), "degraded", ["behind"]),
        ([state(oldest_age_s=3601)], Counts(), "critical", ["nobody works on it"]),
        ([state(oldest_age_s=3601, running_batches=1)], Counts(), "degraded", ["behind"]),
        ([state(paused=True), state(expired_batches=2)], Counts(), "critical", ["is paused", "2 expired"]),
        ([], Counts(completed=18, failed=1), "healthy", []),
        ([], Counts(completed=95, failed=5), "degraded", ["5% of ended"]),
        ([], Counts(completed=10, failed=10), "critical", ["50% of ended"]),
    ],
)
def test_assess(flows: list[FlowState], counts: Counts, health: str, words: list[str]) -> None:
    verdict, issues = assess(flows, counts)
    assert verdict == health
    assert len(issues) == len(words)
    assert all(word in issue for word, issue in zip(words, issues, strict=True))


def test_metrics_of_nothing_are_zero_and_never_none() -> None:
    empty = metrics([], 24)
    assert set(empty.values()) == {0}
    assert empty["success_rate_percent"] == 0.0


def test_metrics_are_rates_of_sums() -> None:
    # (n_ok, n_dead, attempts, completed attempts, wall_ms, cpu_ms, record_wall_ms)
    both = metrics([(90, 10, 3, 2, 1000.0, 500.0, 600_000.0), (0, 100, 1, 1, 0.0, 0.0, 0.0)], 4)
    assert both["total_records_processed"] == 200
    assert both["success_rate_percent"] == 45.0
    assert both["avg_processing_rate_per_hour"] == 50.0
    assert both["avg_processing_time_minutes"] == 0.05
    assert (both["attempts"], both["attempts_completed"]) == (4, 3)
