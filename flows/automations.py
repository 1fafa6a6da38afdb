"""Automations as code: what the Prefect server watches for us, by events, and does about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from prefect.client.schemas.objects import StateType
from prefect.events.actions import ActionTypes, ChangeFlowRunState, DoNothing, RunDeployment, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

from flows.autoscale import BACKLOG_CLEARED, BACKLOG_HIGH
from flows.events import DEAD_LETTERED

PREFIX = "headrace: "
# Three heartbeats of half a minute, see `env` in prefect.yaml.
ZOMBIE_AFTER = timedelta(seconds=90)
# An image that cannot be pulled stays pending for ever and holds a slot of its pool (prefect#12986).
PENDING_FOR = timedelta(minutes=15)
# Else an outage of a worker leaves one run for each minute of it (prefect#19313).
LATE_FOR = timedelta(minutes=2)
ONCE_IN = timedelta(minutes=5)
ENDS = {
    "prefect.flow-run.Completed",
    "prefect.flow-run.Failed",
    "prefect.flow-run.Crashed",
    "prefect.flow-run.Cancelled",
}
AUTOSCALE = "autoscale"


def automations(deployments: Mapping[str, UUID], notify_block: UUID | None) -> list[AutomationCore]:
    """All of them.

    Args:
        deployments: ids by `flow/deployment`; that of the autoscaler is run when the backlog is high, if there is one.
        notify_block: a notification block to tell people by; without one an alert is an event to be seen in the UI.
    """
    autoscaler = next((found for name, found in sorted(deployments.items()) if name.startswith(f"{AUTOSCALE}/")), None)
    wake: list[ActionTypes] = [RunDeployment(deployment_id=autoscaler)] if autoscaler else [DoNothing()]
    return [
        AutomationCore(
            name=f"{PREFIX}zombie runs",
            description="A run that was alive and has told nothing for 90 s has lost its process: it is crashed.",
            trigger=EventTrigger(
                after={"prefect.flow-run.heartbeat"},
                expect={"prefect.flow-run.heartbeat", *ENDS},
                for_each={"prefect.resource.id"},
                match=_runs(),
                posture=Posture.Proactive,
                threshold=1,
                within=ZOMBIE_AFTER,
            ),
            actions=[ChangeFlowRunState(state=StateType.CRASHED, message="no heartbeat for 90 s: its process is gone")],
        ),
        AutomationCore(
            name=f"{PREFIX}stuck pending",
            description="A run pending for 15 minutes holds a slot of its pool and will not start: it is crashed.",
            trigger=EventTrigger(
                after={"prefect.flow-run.Pending"},
                expect={"prefect.flow-run.Running", *ENDS},
                for_each={"prefect.resource.id"},
                match=_runs(),
                posture=Posture.Proactive,
                threshold=1,
                within=PENDING_FOR,
            ),
            actions=[
                ChangeFlowRunState(
                    state=StateType.CRASHED,
                    message="pending for 15 minutes: its image cannot be pulled or its pool has no room",
                )
            ],
        ),
        AutomationCore(
            name=f"{PREFIX}missed runs",
            description="A recurring run that is late by two minutes is called off: the next one does its work.",
            trigger=EventTrigger(
                after={"prefect.flow-run.Late"},
                expect={"prefect.flow-run.Pending", "prefect.flow-run.Running", *ENDS},
                for_each={"prefect.resource.id"},
                match=_runs(),
                match_related={"prefect.resource.role": "tag", "prefect.resource.id": "prefect.tag.recurring"},
                posture=Posture.Proactive,
                threshold=1,
                within=LATE_FOR,
            ),
            actions=[ChangeFlowRunState(state=StateType.CANCELLED, message="late by two minutes: the next does it")],
        ),
        _alert("dead letters", DEAD_LETTERED, "Batches were given up; `headrace queue dead` shows them.", notify_block),
        AutomationCore(
            name=f"{PREFIX}backlog high",
            description="A flow's backlog is over its objective: the autoscaler looks at once.",
            trigger=_seen(BACKLOG_HIGH),
            actions=wake,
        ),
        _alert("backlog cleared", BACKLOG_CLEARED, "A flow's backlog is below its objective again.", notify_block),
    ]


def _runs() -> dict[str, str | list[str]]:
    return {"prefect.resource.id": "prefect.flow-run.*"}


def _seen(event: str) -> EventTrigger:
    """At most once in five minutes for each flow."""
    return EventTrigger(
        expect={event}, for_each={"prefect.resource.id"}, posture=Posture.Reactive, threshold=1, within=ONCE_IN
    )


def _alert(title: str, event: str, words: str, notify_block: UUID | None) -> AutomationCore:
    """Tell people, by the block if there is one."""
    subject, body = f"Headrace: {title}", f"{words} {{{{ event.resource.name }}}}"
    told: ActionTypes = (
        SendNotification(block_document_id=notify_block, subject=subject, body=body) if notify_block else DoNothing()
    )
    return AutomationCore(name=PREFIX + title, description=words, trigger=_seen(event), actions=[told])
