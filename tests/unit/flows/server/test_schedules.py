from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule

from core.deploying.manifest import Schedule
from flows.server.schedules import merged

NAME = "maintenance/local"
FILE = [Schedule(cron="17 * * * *")]


def held(rule: Any, slug: str | None = None, *, active: bool = True, **more: Any) -> DeploymentSchedule:
    return DeploymentSchedule(id=uuid4(), deployment_id=uuid4(), schedule=rule, active=active, slug=slug, **more)


OURS = held(CronSchedule(cron="17 * * * *", timezone="UTC"), "headrace-1", active=False)
THEIRS = held(RRuleSchedule(rrule="FREQ=DAILY", timezone="UTC"), parameters={"n": 1})


def slug_and_state(*args: Any) -> list[tuple[str | None, bool | None]]:
    return [(one.slug, one.active) for one in merged(*args)]


def test_merged_keeps_what_others_added_with_its_parameters() -> None:
    assert slug_and_state(FILE, [THEIRS, OURS], NAME, None) == [("headrace-1", False), (None, True)]
    assert merged(FILE, [THEIRS], NAME, None)[1].parameters == {"n": 1}


@pytest.mark.parametrize(("scheduled", "theirs"), [(True, True), (False, False)])
def test_merged_wakes_only_ours_and_lets_all_rest(scheduled: bool, theirs: bool) -> None:
    assert slug_and_state(FILE, [THEIRS, OURS], NAME, scheduled) == [("headrace-1", scheduled), (None, theirs)]


def test_merged_names_what_was_ours_before_it_had_names() -> None:
    former = held(CronSchedule(cron="17 * * * *", timezone="UTC"), active=False)
    assert slug_and_state(FILE, [former], NAME, None) == [("headrace-1", False)]
    assert slug_and_state([], [held(CronSchedule(cron="* * * * *", timezone="UTC"))], "autoscale/local", None) == []


def test_merged_replaces_ours_by_what_the_file_says_now() -> None:
    assert slug_and_state([Schedule(interval=60)], [OURS], NAME, None) == [("headrace-1", True)]
    ours = held(IntervalSchedule(interval=60, timezone="UTC"), "headrace-1")  # type: ignore[arg-type]
    assert merged([Schedule(interval=60)], [ours], NAME, None)[0].schedule == ours.schedule
    same = held(CronSchedule(cron="17 * * * *", timezone="UTC"))
    assert slug_and_state(FILE, [OURS, same], NAME, None) == [("headrace-1", False), (None, True)]
