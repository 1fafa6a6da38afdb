"""`headrace jobs show`: what can be done with a job that is done."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.cli.jobs import _ways_on
from core.queue.batches import Job
from core.workloads.identity.workload import FLOW

DONE = Job(7, FLOW, "key", "completed", False, "default", {}, "", datetime(2026, 1, 1, tzinfo=UTC), None)


def test_a_job_that_is_done_names_the_commands_that_show_what_it_found() -> None:
    assert _ways_on(DONE) == ["headrace report 7 --out job-7.html", "headrace explain ID1 ID2 --job 7"]


@pytest.mark.parametrize("job", [replace(DONE, status="running"), replace(DONE, flow_name="invoices")])
def test_a_job_that_runs_or_that_no_workload_knows_names_none(job: Job) -> None:
    assert _ways_on(job) == []
