"""One queued reconciliation: what it was asked, and what its stages share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from core.intake.file_digest import file_digest
from core.jobs.ports import Outputs, Stage
from core.jobs.staged_job import StagedJob, StageTable
from core.storage.workspace import Workspace, load, load_frame
from core.workloads.invoices.publishing.standing import Standing
from core.workloads.invoices.queued.kept import kept
from core.workloads.invoices.queued.request import ReconcileRequest, job_key
from core.workloads.invoices.reconciling.answer import Answer, answer_from
from core.workloads.invoices.rules.block import Tables
from core.workloads.invoices.rules.explanations import Integers
from core.workloads.invoices.rules.propose import Explanations
from core.workloads.invoices.rules.settle import Offered
from core.workloads.invoices.rules.sides.assemble import Sides
from core.workloads.invoices.rules.train import Model

DESCRIPTION = "job.json"


class JobDescription(BaseModel):
    """What `job.json` holds: enough for any process to work on the job.

    files: names by which the workspace finds them. sha256: their digests when the job was asked for. actor: who asked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    request: ReconcileRequest
    files: dict[str, tuple[str, ...]]
    sha256: dict[str, tuple[str, ...]]
    actor: str


def digests(request: ReconcileRequest) -> dict[str, tuple[str, ...]]:
    """SHA-256 of each file. Raises InputError: one cannot be read."""
    return {kind: tuple(file_digest(Path(path)) for path in paths) for kind, paths in request.files().items()}


def describe_job(
    request: ReconcileRequest, sha256: dict[str, tuple[str, ...]], workspace: Workspace, actor: str
) -> JobDescription:
    """Put the description into the workspace, or read the one that is there; what differs changes no answer."""
    stored = workspace.read_json(DESCRIPTION)
    if stored is not None:
        before = JobDescription.model_validate(stored)
        resumed = request.model_copy(update={"batch_records": before.request.batch_records})
        return before.model_copy(update={"request": resumed})
    files = {
        kind: tuple(
            workspace.take_in(Path(path).absolute(), f"source/{kind}/{number}") for number, path in enumerate(paths)
        )
        for kind, paths in request.files().items()
    }
    description = JobDescription(key=job_key(request, sha256), request=request, files=files, sha256=sha256, actor=actor)
    workspace.write_json(DESCRIPTION, description.model_dump(mode="json"))
    return description


class ReceivablesJob(StagedJob):
    """A described job bound to what its batches found, whose arrays are mapped and shared by all threads."""

    def __init__(
        self,
        description: JobDescription,
        table: StageTable,
        where: tuple[Workspace, int],
        batches: Outputs,
        **how: Any,
    ) -> None:
        """`where`: the workspace, and the number of the job. `how`: `threads` of `StagedJob`."""
        workspace, self.job_id = where
        super().__init__(table, workspace, batches, **how)
        self.description = description

    @property
    def request(self) -> ReconcileRequest:
        """What was asked."""
        return self.description.request

    @property
    def standing_folder(self) -> str:
        """Where what was decided before lies, relative to the workspace; another run of the same has its own."""
        return f"standing/{self.job_id:05d}"

    @property
    def tables(self) -> Tables:
        """As the files say."""
        return self._once("tables", lambda: kept(self.folder("import"), "tables", Tables))

    @property
    def standing(self) -> Standing:
        """What was decided before."""
        return self._once("standing", lambda: kept(self.folder("reduce"), "standing", Standing))

    @property
    def standing_before(self) -> Standing:
        """The same, as the database gave it."""
        return kept(self.workspace.path(self.standing_folder), "standing", Standing)

    @property
    def laid(self) -> Tables:
        """The tables with what was decided before."""
        return self._once("laid", lambda: self.standing.laid_over(self.tables))

    @property
    def sides(self) -> Sides:
        """Both sides, resolved."""
        return self._once("sides", lambda: kept(self.folder("resolve"), "sides", Sides))

    @property
    def found(self) -> Explanations:
        """All explanations."""
        return self._once("found", lambda: kept(self.folder("train"), "found", Explanations))

    @property
    def model(self) -> Model:
        """What decides."""
        return self._once("model", lambda: kept(self.folder("train"), "model", Model))

    @property
    def offered(self) -> Offered:
        """What receipts offer to items."""
        return self._once("offered", lambda: kept(self.folder("connect"), "offered", Offered))

    def runs(self, stage: Stage) -> tuple[Integers, Integers]:
        """Members of the batches that a stage has cut, and their bounds: lines by `resolve`, receipts by `connect`."""
        folder = self.folder(stage)
        return self._once(f"runs:{stage}", lambda: (load(folder, "members"), load(folder, "bounds")))

    def sizes_of(self, stage: Stage) -> list[int]:
        """Members of each batch that a stage has cut."""
        return [max(int(size), 1) for size in np.diff(self.runs(stage)[1])]

    @property
    def answer(self) -> Answer:
        """All that the settle batches decided."""
        folders = self.folders("settle")
        rows, states = (pl.concat([load_frame(folder, name) for folder in folders]) for name in ("rows", "states"))
        return answer_from(rows, states)
