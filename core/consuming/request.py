"""What a consumer is asked for: by the command line, and as the form of the flow `consume`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ConsumeRequest(BaseModel):
    """Which batches are consumed, by what, and for how long."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    flows: tuple[str, ...] = Field((), description="flows whose batches are consumed; empty: those of the queue")
    queue: str | None = Field(
        None, description="work queue (matching, validation, aggregation, or any) whose flows are consumed"
    )
    handler: str | None = Field(None, description="module:function; empty: the flow's own")
    folder: str | None = Field(None, description="folder that the handler's module is imported from")
    capabilities: tuple[str, ...] = Field((), description="what this consumer has that flows may need, such as gpu")
    processes: int = Field(1, ge=1, le=256, description="worker processes")
    idle_exit_s: float | None = Field(None, ge=0, description="end when nothing was ready for so long; empty: never")
    max_run_s: float | None = Field(None, ge=0, description="claim nothing after that; empty: without end")
    max_batches: int | None = Field(None, ge=1, description="each process ends after so many batches; empty: any")
    grace_s: float = Field(30, ge=0, description="what a running batch gets to finish when the consumer is ended")
    memory_mb: int | None = Field(None, ge=64, description="a worker above that is killed and replaced; empty: any")
