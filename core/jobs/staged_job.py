"""A job in stages, bound to what its batches found: the part of it that no kind of job adds to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from core.jobs.ports import Output, Outputs, Stage
from core.storage.workspace import Folder, Workspace

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StageWork:
    """One stage.

    sizes: of a job, the items of each batch of the stage. run: the work of one batch: job, partition, folder for its
    files. spends: the stages whose files nothing reads any more once this one is open.
    """

    sizes: Callable[[Any], list[int]]
    run: Callable[[Any, int, Path], Output]
    spends: tuple[Stage, ...] = ()


@dataclass(frozen=True, slots=True)
class StageNeeds:
    """Memory a stage takes, in bytes a record: `whole` for the whole job, `batch` for each batch that runs at once."""

    whole: Mapping[Stage, int] = field(default_factory=dict)
    batch: Mapping[Stage, int] = field(default_factory=dict)


StageTable = Mapping[Stage, StageWork]
"""The stages of a kind of job, in order."""


class StagedJob:
    """A job bound to what its batches found.

    What a drained stage left behind is loaded once and shared by all threads; it must not be changed.
    """

    def __init__(
        self,
        table: StageTable,
        workspace: Workspace,
        batches: Outputs,
        *,
        threads: int = 1,
        at_once: Mapping[Stage, int] | None = None,
        keeps_files: bool = False,
    ) -> None:
        self.table = table
        self.workspace = workspace
        self.batches = batches
        self.threads = threads
        self.keeps_files = keeps_files
        self._at_once = dict(at_once or {})
        self._lock = threading.RLock()
        self._shared: dict[str, Any] = {}

    @property
    def stages(self) -> tuple[Stage, ...]:
        """All stages in order."""
        return tuple(self.table)

    def at_once(self, stage: Stage) -> int:
        """How many batches of a stage, or parts of its only one, may run at once in this process."""
        return self._at_once.get(stage, self.threads)

    def outputs(self, stage: Stage) -> list[Output]:
        """What the batches of a drained stage found, by partition."""
        return self._once(f"outputs:{stage}", lambda: self.batches.outputs(stage))

    def folders(self, stage: Stage) -> list[Folder]:
        """The files of each batch of a drained stage."""
        return [self.workspace.path(found["path"]) for found in self.outputs(stage)]

    def folder(self, stage: Stage, partition: int = 0) -> Folder:
        """The files of one batch of a drained stage, or of its only one."""
        return self.workspace.path(self.outputs(stage)[partition]["path"])

    def _once(self, name: str, make: Callable[[], T]) -> T:
        with self._lock:
            if name not in self._shared:
                self._shared[name] = make()
            return cast(T, self._shared[name])
