"""What `headrace deploy` asks for, handed to the process that talks to Prefect."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from core.deploying.pools import Target


class DeployRequest(BaseModel):
    """The target, the files, and how to answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: Target
    file: str = Field(description="prefect.yaml")
    pools: str = Field(description="folder of the pools' base job templates")
    notify: str | None = Field(None, description="type/name of the notification block that alerts go to")
    wait_s: float = Field(0, ge=0, description="wait so long for an API that is being started")
    fresh: bool = Field(False, description="no worker of the pool lives: runs that are said to run do not")
    as_json: bool = False
