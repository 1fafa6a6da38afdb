"""What runs, in a file: whoever asks later finds it, even when the process that started it was killed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from core.database.warden import start_ticks

Phase = Literal["starting", "ready", "stopping", "failed"]


class Component(BaseModel):
    """A process that leads a group of its own; `ticks` is its start time, which tells reused pids apart."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    pid: int
    ticks: int

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return start_ticks(self.pid) == self.ticks


class StackState(BaseModel):
    """The file `stack.json` of a state directory. `mark` stands in the environment of every process of the stack."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mark: str
    supervisor: Component
    phase: Phase
    api_url: str
    ui_url: str
    web_url: str
    redis_url: str | None = None
    components: tuple[Component, ...] = ()
    note: str = ""

    @property
    def alive(self) -> bool:
        """Whether its supervisor lives."""
        return self.supervisor.alive

    def addresses(self) -> dict[str, str]:
        """For people: what is where."""
        found = {"Prefect UI": self.ui_url, "Prefect API": self.api_url, "web": self.web_url}
        return found | ({"Redis": self.redis_url} if self.redis_url else {})


def folder(state_dir: Path) -> Path:
    """Where the stack of a state directory keeps its file and its logs."""
    return state_dir.expanduser().absolute() / "stack"


def write(state_dir: Path, state: StackState) -> None:
    """Replace the file in one step."""
    target = folder(state_dir) / "stack.json"
    fresh = target.with_name(f"stack.json.{os.getpid()}")
    fresh.write_text(state.model_dump_json(indent=1), encoding="utf-8")
    fresh.replace(target)


def read(state_dir: Path) -> StackState | None:
    """The last stack of the state directory, dead or alive; None if there is none."""
    try:
        return StackState.model_validate_json((folder(state_dir) / "stack.json").read_bytes())
    except (OSError, ValidationError):
        return None


def forget(state_dir: Path) -> None:
    """After everything was stopped."""
    (folder(state_dir) / "stack.json").unlink(missing_ok=True)


def running_stack(state_dir: Path) -> StackState | None:
    """The stack that runs, None if none does."""
    state = read(state_dir)
    return state if state is not None and state.alive else None


def myself(name: str) -> Component:
    """This process as a component."""
    return Component(name=name, pid=os.getpid(), ticks=start_ticks(os.getpid()) or 0)
