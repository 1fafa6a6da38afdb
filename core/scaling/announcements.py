"""What a decision has to tell the automations of a Prefect server, whoever sends it there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from core.scaling.controller import Tick

BACKLOG_HIGH, BACKLOG_CLEARED = "headrace.queue.backlog-high", "headrace.queue.backlog-cleared"
DECIDED = "headrace.scaling.decided"


@dataclass(frozen=True, slots=True)
class Announcement:
    """An event about a flow of the queue."""

    event: str
    resource: dict[str, str]
    payload: dict[str, Any]


def announcements(flow_name: str, tick: Tick | None) -> list[Announcement]:
    """What changed the fleet, and a backlog that is too old, or no longer so; nothing while another one acts."""
    if tick is None:
        return []
    resource = {"prefect.resource.id": f"headrace.flow.{flow_name}", "prefect.resource.name": flow_name}
    found = []
    if tick.late or tick.was_late:
        event = BACKLOG_HIGH if tick.late else BACKLOG_CLEARED
        found.append(Announcement(event, resource, {"reason": tick.decision.reason}))
    if tick.effect is None or tick.effect.started or tick.effect.stopped:
        payload = {"desired": tick.decision.desired, "reason": tick.decision.reason, "error": tick.error}
        found.append(Announcement(DECIDED, resource, payload))
    return found
