"""Names of flow runs in the Prefect UI: what each works on and when, so that two of them can be told apart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.runtime import flow_run

from core.workloads.identity.session import title_of


def of_match() -> str:
    """`people.csv by persons`; the job comes with `rename`, when it is known."""
    request = _request()
    return title_of(str(_field(request, "input")), str(_field(request, "spec") or "persons"))


def of_reconciliation() -> str:
    """`bank.csv and open.csv`; the job comes with `rename`."""
    request = _request()
    paths = [*(_field(request, "payments") or ()), _field(request, "invoices")]
    return " and ".join(Path(str(path)).name for path in paths)


def of_consumer() -> str:
    """`matching 12-02 14:07:31`."""
    request = _request()
    flows = _field(request, "flows") or ()
    return f"{', '.join(flows) or _field(request, 'queue') or 'consumer'} {_moment()}"


def of_autoscaler() -> str:
    """`identity-resolution 12-02 14:07:00`."""
    return f"{_field(_request(), 'flow_name')} {_moment()}"


def of_upkeep() -> str:
    """`maintenance 12-02 14:17:00`."""
    return f"{flow_run.flow_name} {_moment()}"


async def rename(title: str) -> None:
    """Name the run anew, once its job is known. One call of the API; without one the run keeps the name it has."""
    if flow_run.id is None:
        return
    async with get_client() as client:
        await client.update_flow_run(UUID(flow_run.id), name=title)


def _request() -> Any:
    return (flow_run.parameters or {}).get("request") or {}


def _field(request: Any, name: str) -> Any:
    """A flow's parameters are what it was called with: a model, or the JSON of one."""
    return request.get(name) if isinstance(request, Mapping) else getattr(request, name, None)


def _moment() -> str:
    return (flow_run.scheduled_start_time or datetime.now(UTC)).astimezone().strftime("%m-%d %H:%M:%S")
