"""Events of ours on the Prefect server, for its automations."""

from __future__ import annotations

from collections.abc import Mapping

from prefect.events import emit_event

DEAD_LETTERED = "headrace.batch.dead-lettered"


def dead_lettered(before: Mapping[str, int], now: Mapping[str, int]) -> None:
    """Tell of flows that have more dead letters than before; where the API is away, Prefect drops it."""
    for flow_name, n_dead in now.items():
        if n_dead > before.get(flow_name, 0):
            tell_dead(flow_name, n_dead)


def tell_dead(flow_name: str, n_dead: int) -> None:
    """One event for a flow."""
    resource = {"prefect.resource.id": f"headrace.flow.{flow_name}", "prefect.resource.name": flow_name}
    emit_event(DEAD_LETTERED, resource, payload={"dead_letters": n_dead})
