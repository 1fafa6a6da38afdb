"""What `headrace deploy` asks for, handed to the process that talks to Prefect."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from core.deploying.pools import Target

# Who brings consumers: the scheduled flow `autoscale`, KEDA, or something else, or nobody.
Scaler = Literal["prefect", "keda", "none"]
AUTOSCALER = "flows.autoscale.autoscale"


class DeployRequest(BaseModel):
    """The target, the files, and how to answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: Target
    file: str = Field(description="prefect.yaml")
    pools: str = Field(description="folder of the pools' base job templates")
    notify: str | None = Field(None, description="type/name of the notification block that alerts go to")
    scaler: Scaler | None = Field(None, description="who scales consumers; unset: as it is on the server")
    workspace_claim: str | None = Field(None, description="claim with jobs' files; unset: they are in an object store")
    wait_s: float = Field(0, ge=0, description="wait so long for an API that is being started")
    fresh: bool = Field(False, description="no worker of the pool lives: runs that are said to run do not")
    as_json: bool = False

    def scheduled(self, entrypoint: str) -> bool | None:
        """Whether a deployment runs by itself; None: as the file says, unless somebody has paused it."""
        return None if self.scaler is None or entrypoint != AUTOSCALER else self.scaler == "prefect"
