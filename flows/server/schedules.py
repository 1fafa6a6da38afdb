"""Schedules of a deployment: those of the file, and those that somebody has added on the server, which stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule

from core.deploying.manifest import Schedule

SLUG = "headrace-"
"""What the names of ours begin with on the server."""
# Ours of a time when they had no names.
_ONCE = frozenset({("autoscale/local", "* * * * *")})


def merged(
    wanted: Sequence[Schedule], held: Sequence[DeploymentSchedule], full_name: str, scheduled: bool | None
) -> list[DeploymentScheduleCreate]:
    """What the server shall hold: the file's, paused if somebody has paused them, then what others have added.

    Args:
        scheduled: True: the file's are active; False: nothing is.
    """
    rules = [(_rule(one), one.active) for one in wanted]
    keys = {key(rule) for rule, _ in rules}
    named = {key(one.schedule) for one in held if is_ours(one, full_name)}
    # Of a time when ours had no names: an equal one without parameters.
    former = [one for one in held if not one.slug and not one.parameters and key(one.schedule) in keys - named]
    paused = {key(one.schedule) for one in held if not one.active and (one in former or is_ours(one, full_name))}
    ours = [
        DeploymentScheduleCreate(
            schedule=_kept(rule, held),
            active=(active and key(rule) not in paused) if scheduled is None else scheduled,
            slug=f"{SLUG}{number}",
        )
        for number, (rule, active) in enumerate(rules, 1)
    ]
    others = [
        DeploymentScheduleCreate(
            schedule=one.schedule,
            active=one.active and scheduled is not False,
            parameters=one.parameters,
            slug=one.slug,
        )
        for one in held
        if not is_ours(one, full_name) and one not in former
    ]
    return ours + others


def is_ours(held: DeploymentSchedule, full_name: str) -> bool:
    """Whether a schedule on the server was made by `headrace deploy`."""
    if held.slug:
        return held.slug.startswith(SLUG)
    return (full_name, key(held.schedule)[0]) in _ONCE


def in_order(schedules: Sequence[DeploymentSchedule | DeploymentScheduleCreate]) -> list[tuple[Any, ...]]:
    """Comparable: the server gives them in an order of its own."""
    return sorted(
        (one.slug or "", *key(one.schedule), repr(one.schedule), bool(one.active), repr(one.parameters or {}))
        for one in schedules
    )


def key(rule: Any) -> tuple[str, str]:
    """When it is due, and in which zone."""
    due = getattr(rule, "cron", None) or getattr(rule, "interval", None) or getattr(rule, "rrule", None)
    return str(due), str(rule.timezone)


def _kept(rule: CronSchedule | IntervalSchedule, held: Sequence[DeploymentSchedule]) -> Any:
    """The server's own form of an equal schedule: an interval's anchor is the moment it was made."""
    return next((one.schedule for one in held if key(one.schedule) == key(rule)), rule)


def _rule(schedule: Schedule) -> CronSchedule | IntervalSchedule:
    if schedule.cron is not None:
        return CronSchedule(cron=schedule.cron, timezone=schedule.timezone)
    return IntervalSchedule(interval=schedule.interval, timezone=schedule.timezone)  # type: ignore[arg-type]
