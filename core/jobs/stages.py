"""The stages of a job: `run_batch` is the only way any of them runs, whoever hands out the batches."""

from __future__ import annotations

import time

from core.jobs.ports import BatchSource, Output, Stage, StageBatch
from core.jobs.staged_job import StagedJob
from core.storage.scratch import disk_error


def open_stage(job: StagedJob, source: BatchSource, stage: Stage) -> None:
    """Announce the batches of a stage, and remove what the stages before it, which must be drained, have used up."""
    work = job.table[stage]
    source.open_stage(stage, work.sizes(job))
    if not job.keeps_files:
        for spent in work.spends:
            job.workspace.remove_stage(spent)


def run_batch(job: StagedJob, batch: StageBatch) -> Output:
    """Do the work of one batch and say what came of it.

    Returns:
        JSON: `path` of the files written (relative to the workspace), `items`, `seconds`, and what the stage counted.
    """
    started = time.perf_counter()
    for stage in job.stages[: job.stages.index(batch.stage) + 1]:
        for spent in job.table[stage].spends:
            job.workspace.drop_copies(spent)
    folder = job.workspace.folder(batch.stage, batch.partition, batch.tag)
    try:
        found = job.table[batch.stage].run(job, batch.partition, folder)
    except OSError as error:
        raise disk_error(error, folder) from None
    job.workspace.keep(folder)
    return {
        "path": job.workspace.relative(folder),
        "items": batch.n_items,
        **found,
        "seconds": round(time.perf_counter() - started, 4),
    }
