"""Automations as code: what the Prefect server watches for us, by events, and does about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from prefect.client.schemas.objects import StateType
from prefect.events.actions import ActionTypes, ChangeFlowRunState, DoNothing, RunDeployment, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

from core.scaling.announcements import BACKLOG_CLEARED, BACKLOG_HIGH
from flows.runs.events import DEAD_LETTERED

PREFIX = "headrace: "
RUN = "prefect.flow-run."
HEARTBEAT = f"{RUN}heartbeat"
ENDS = {f"{RUN}{state}" for state in ("Completed", "Failed", "TimedOut", "Crashed", "Cancelled")}
# A run that waits has no process that could tell of itself.
RESTS = {f"{RUN}{state}" for state in ("Scheduled", "AwaitingRetry", "AwaitingConcurrencySlot", "Paused", "Suspended")}
STARTS = {f"{RUN}{state}" for state in ("Pending", "Running")}
AUTOSCALE = "autoscale"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a run may do nothing, and how often an alert may come; Prefect waits for ten seconds at least.

    `silent`: three heartbeats of half a minute, see `env` in prefect.yaml. `pending`: an image that cannot be pulled is
    pulled for ever and holds a slot of its pool (prefect#12986). `late`: else an outage of a worker leaves one run for
    each minute of it (prefect#19313).
    """

    silent: timedelta = timedelta(seconds=90)
    pending: timedelta = timedelta(minutes=15)
    late: timedelta = timedelta(minutes=2)
    once_in: timedelta = timedelta(minutes=5)


PATIENCE = Patience()


def automations(
    deployments: Mapping[str, UUID], notify_block: UUID | None, patience: Patience = PATIENCE
) -> list[AutomationCore]:
    """All of them.

    Args:
        deployments: ids by `flow/deployment`; that of the autoscaler is run when the backlog is high, if there is one.
        notify_block: a notification block to tell people by; without one an alert is an event to be seen in the UI.
        patience: shorter in tests.
    """
    autoscaler = next((found for name, found in sorted(deployments.items()) if name.startswith(f"{AUTOSCALE}/")), None)
    wake: list[ActionTypes] = [RunDeployment(deployment_id=autoscaler)] if autoscaler else [DoNothing()]
    silent, pending, late = (_words(one) for one in (patience.silent, patience.pending, patience.late))
    return [
        AutomationCore(
            name=f"{PREFIX}zombie runs",
            description=f"A run that was alive and has told nothing for {silent} has lost its process: it is crashed.",
            trigger=_nothing_follows({HEARTBEAT}, {HEARTBEAT, *ENDS, *RESTS}, patience.silent),
            actions=[_crash(f"no heartbeat for {silent}: its process is gone")],
        ),
        AutomationCore(
            name=f"{PREFIX}stuck pending",
            description=f"A run pending for {pending} holds a slot of its pool and will not start: it is crashed.",
            trigger=_nothing_follows({f"{RUN}Pending"}, {f"{RUN}Running", *ENDS, *RESTS}, patience.pending),
            actions=[_crash(f"pending for {pending}: its image cannot be pulled or the cluster has no room for it")],
        ),
        AutomationCore(
            name=f"{PREFIX}missed runs",
            description=f"A recurring run that is late by {late} is called off: the next one does its work.",
            trigger=_nothing_follows({f"{RUN}Late"}, {*STARTS, *ENDS, *RESTS}, patience.late, tag="recurring"),
            actions=[ChangeFlowRunState(state=StateType.CANCELLED, message=f"late by {late}: the next does it")],
        ),
        _alert(
            "dead letters",
            _seen(DEAD_LETTERED, patience),
            "Batches were given up; `headrace queue dead` shows them.",
            notify_block,
        ),
        AutomationCore(
            name=f"{PREFIX}backlog high",
            description="A flow's oldest batch waits longer than it should: the autoscaler looks at once.",
            trigger=_seen(BACKLOG_HIGH, patience),
            actions=wake,
        ),
        _alert(
            "backlog cleared",
            _seen(BACKLOG_CLEARED, patience),
            "No batch of a flow waits longer than it should any more.",
            notify_block,
        ),
    ]


def _words(span: timedelta) -> str:
    minutes, seconds = divmod(round(span.total_seconds()), 60)
    return f"{60 * minutes + seconds} s" if seconds else f"{minutes} minutes"


def _crash(message: str) -> ActionTypes:
    return ChangeFlowRunState(state=StateType.CRASHED, message=message)


def _nothing_follows(after: set[str], expect: set[str], within: timedelta, tag: str | None = None) -> EventTrigger:
    """For each run: one of `after` was seen, and none of `expect` in that time."""
    tagged = {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{tag}"}
    return EventTrigger(
        after=after,
        expect=expect,
        for_each={"prefect.resource.id"},
        match={"prefect.resource.id": f"{RUN}*"},
        match_related=tagged if tag else {},
        posture=Posture.Proactive,
        threshold=1,
        within=within,
    )


def _seen(event: str, patience: Patience) -> EventTrigger:
    """At most once in that time for each flow of ours."""
    return EventTrigger(
        expect={event}, for_each={"prefect.resource.id"}, posture=Posture.Reactive, threshold=1, within=patience.once_in
    )


def _alert(title: str, trigger: EventTrigger, words: str, notify_block: UUID | None) -> AutomationCore:
    """Tell people, by the block if there is one."""
    subject, body = f"Headrace: {title}", f"{words} Flow: {{{{ event.resource.name }}}}"
    told: ActionTypes = DoNothing()
    if notify_block:
        told = SendNotification(block_document_id=notify_block, subject=subject, body=body)
    else:
        words += " Nobody is told: `headrace deploy --notify type/name` names a notification block."
    return AutomationCore(name=PREFIX + title, description=words, trigger=trigger, actions=[told])
