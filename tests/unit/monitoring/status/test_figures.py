from __future__ import annotations

import pytest

from core.monitoring.status.figures import SPANS, Attempt, Rate, eta, p95, rate_of, work
from core.monitoring.top import FlowReading


def attempt(age_s: float, n_rows: int = 10, wall_ms: float = 1_000, cpu_ms: float = 500) -> Attempt:
    return Attempt("f", age_s, wall_ms, cpu_ms, n_rows)


def test_rate_of_even_work_has_no_range() -> None:
    rate = rate_of([attempt(10 * i + 5, 20) for i in range(SPANS)], 100)
    assert rate is not None
    assert (rate.per_s, rate.low, rate.high) == pytest.approx((2.0, 2.0, 2.0))


def test_rate_of_one_burst_is_unsure() -> None:
    rate = rate_of([attempt(5, 200)], 100)
    assert rate is not None
    assert rate.per_s == pytest.approx(2.0)
    assert rate.low == 0.0
    assert rate.high > 4
    assert eta(100, rate) == (100 / rate.high, None)


def test_rate_of_nothing_is_none() -> None:
    assert rate_of([], 100) is None
    assert rate_of([attempt(0)], 0) is None


def test_eta_is_a_range_at_both_ends_of_the_rate() -> None:
    assert eta(100, Rate(10, 5, 20)) == (5.0, 20.0)
    assert eta(0, None) == (0.0, 0.0)
    assert eta(1, None) is None
    assert eta(1, Rate(0, 0, 0)) is None


def test_work_sums_up_flows_and_attempts() -> None:
    flow = FlowReading("f", 2, 20, 1, 10, 0, 5, 0, 0, 0, 7.0, False)
    seen = work([flow], [attempt(1), attempt(2, wall_ms=3_000)], 100)
    assert (seen.backlog_rows, seen.ready_batches, seen.running_batches, seen.oldest_age_s) == (35, 2, 1, 7.0)
    assert (seen.attempts, seen.batch_rows, seen.batch_s, seen.cpu_share) == (2, 10, 2.0, 0.25)


def test_p95_of_a_single_value_is_itself() -> None:
    assert p95([3.0]) == 3.0
    assert p95([float(n) for n in range(101)]) == pytest.approx(95.0)
