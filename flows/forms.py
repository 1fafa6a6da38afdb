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
