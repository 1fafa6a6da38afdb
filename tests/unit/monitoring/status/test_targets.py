from __future__ import annotations

from dataclasses import replace

import pytest

from core.monitoring.status.figures import Ended, Server, Status
from core.monitoring.status.targets import Kpi, exit_code, kpis
from tests.unit.monitoring.status.status_of import CALM, LATE, host, status_of

GOOD = Ended(1_000, 0, 2_000.0, 100.0, 0.1)


def found(status: Status, environment: str = "PRODUCTION") -> dict[str, Kpi]:
    return {kpi.name: kpi for kpi in kpis(status, environment)}


def test_idle_system_misses_nothing_and_says_where_it_knows_nothing() -> None:
    seen = kpis(status_of(), "PRODUCTION")
    assert exit_code(seen) == 0
    assert all(kpi.note for kpi in seen if kpi.verdict == "no data")
    assert {kpi.name for kpi in seen if kpi.verdict == "met"} == {"database answer", "connections"}


@pytest.mark.parametrize(
    ("environment", "success", "verdict"),
    [
        ("DEVELOPMENT", 95.0, "met"),
        ("STAGING", 97.9, "missed"),
        ("PRODUCTION", 98.9, "missed"),
        # One that has no targets of its own.
        ("TESTING", 95.0, "met"),
    ],
)
def test_success_is_judged_by_the_environment(environment: str, success: float, verdict: str) -> None:
    status = status_of(ended=replace(GOOD, success_percent=success))
    assert found(status, environment)["success"].verdict == verdict


def test_rate_is_judged_while_something_waits() -> None:
    slow = replace(GOOD, rows_per_hour=999.0)
    assert found(status_of(ended=slow))["rate"].verdict == "no data"
    assert found(status_of({"f": LATE}, ended=slow))["rate"].verdict == "missed"
    assert found(status_of({"f": LATE}))["rate"].verdict == "missed"


def test_depth_is_judged_in_rows_of_records_and_in_time_of_batches() -> None:
    records = replace(CALM, backlog_rows=1_001, ready_batches=20)
    seen = found(status_of({"records": records, "batches": LATE}))
    assert (seen["depth"].value, seen["depth"].verdict) == (1_001, "missed")
    assert (seen["time to drain"].value, seen["time to drain"].verdict) == (9_000, "missed")
    unsure = found(status_of({"batches": replace(LATE, eta_s=(10.0, None))}))["time to drain"]
    assert (unsure.verdict, unsure.note) == ("no data", "no end is sure of 1 of 1 flows")


@pytest.mark.parametrize(
    ("load", "connections", "code"), [(0.7, 80, 0), (0.71, 80, 1), (0.5, 81, 1), (0.91, 10, 3), (0.5, 96, 3)]
)
def test_exit_code_is_that_of_the_worst_figure(load: float, connections: int, code: int) -> None:
    status = status_of(hosts=(host(load=load), host(load=None)), server=Server(1.0, connections, 100))
    assert exit_code(kpis(status, "PRODUCTION")) == code
