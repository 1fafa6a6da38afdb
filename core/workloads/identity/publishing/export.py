"""The output of a finished job of the queue as files, from what its stages left in its workspace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from core.errors import ConfigError
from core.jobs.ports import Output, Stage
from core.linkage.description import DESCRIPTION, JobDescription
from core.linkage.job import LinkageJob
from core.linkage.results.outputs import summarise, write_outputs
from core.linkage.stages.needs import STAGES
from core.linkage.stages.table import TABLE
from core.queue import BatchQueue
from core.queue.batches import Job
from core.queue.producers import stages
from core.queue.producers.jobs import find
from core.storage.workspace import Workspace


@dataclass(frozen=True)
class _Finished:
    """What the stages of a finished job found: all that an output needs of a batch source."""

    found: Mapping[Stage, list[Output]]
    publishes: bool = False

    def outputs(self, stage: Stage) -> list[Output]:
        """As the batch source of the running job gave them."""
        return self.found[stage]


def export_job(
    queue: BatchQueue, job_id: int, folder: Path, open_workspace: Callable[[str], Workspace] = Workspace
) -> Path:
    """Write entities, pairs and record of a completed job into a folder, as `headrace match --out` does.

    Args:
        open_workspace: finds the files of the job by their address.
    Returns:
        The file of the entities.
    Raises:
        ConfigError: there is no such job, it is not done, or its workspace is gone.
    """
    job = find(queue.db, job_id)
    if job is None or job.status != "completed":
        raise ConfigError(f"job {job_id} is no completed job; `headrace jobs` lists them", job_id=job_id)
    with closing(open_workspace(str(dict(job.parameters).get("workspace")))) as workspace:
        return _export(queue, job, workspace, folder)


def _export(queue: BatchQueue, job: Job, workspace: Workspace, folder: Path) -> Path:
    job_id = job.job_id
    stored = workspace.read_json(DESCRIPTION)
    found = {stage: stages.results(queue.db, job_id, stage) for stage in STAGES}
    # Where no record was added there was nothing to compare.
    if stored is None or not all(found[stage] for stage in STAGES if stage != "match"):
        raise ConfigError(f"the workspace of job {job_id} is gone; match its input again", job_id=job_id)
    description = JobDescription.model_validate(stored)
    request = description.request.model_copy(update={"entities": None})
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    out = folder / f"job-{job_id}.parquet"
    finished = LinkageJob(description.model_copy(update={"request": request}), TABLE, workspace, _Finished(found))
    ended = job.finished_at or job.created_at
    took_s = max((ended - job.created_at).total_seconds(), 0.001)
    busy_s = {stage: sum(float(each["seconds"]) for each in found[stage]) for stage in STAGES}
    write_outputs(finished, out, summarise(finished, took_s, busy_s) | {"job_id": job_id})
    return out
