"""What a flow can be told, one model a flow: the form in the Prefect UI. See also core.linkage.request."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Duty = Literal["partitions", "retention", "statistics", "keys"]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MaintenanceRequest(_Form):
    """Which duties of upkeep are done."""

    duties: tuple[Duty, ...] = Field(
        ("partitions", "retention", "statistics", "keys"),
        description="partitions: made ahead; retention: old ones dropped; statistics: renewed; keys: purged",
    )


class StatisticsRequest(_Form):
    """Whose statistics are renewed: those of every table that has changed enough."""


class ConsumeRequest(_Form):
    """Which batches are consumed, by what, and for how long."""

    flows: tuple[str, ...] = Field((), description="flows whose batches are consumed; empty: those of the queue")
    queue: str | None = Field(None, description="work queue whose flows are consumed; unset: the flows named above")
    handler: str | None = Field(None, description="module:function; unset: the flow's own handler")
    processes: int = Field(1, ge=1, le=256, description="worker processes")
    idle_exit_s: float | None = Field(10, ge=0, description="end when nothing was ready for so long; unset: never")
    max_run_s: float | None = Field(3_000, gt=0, description="claim nothing after that; unset: without end")
    max_batches: int | None = Field(None, ge=1, description="each process ends after so many batches; unset: any")
    grace_s: float = Field(30, ge=0, description="what a running batch gets to finish when the run is ended")
