"""The stages of a job, in order; `run_batch` is the only way any of them runs, whoever hands out the batches."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from core.linkage.ports import STAGES, Output, Stage, StageBatch
from core.linkage.scratch import disk_error
from core.linkage.stages import block, cluster, encode, ingest, match, merge, plan, publish, reduce, survive, train

if TYPE_CHECKING:
    from types import ModuleType

    from core.linkage.job import LinkageJob

# Each module has `sizes(job) -> list[int]`, the items of each batch of the stage, and
# `run(job, partition, folder) -> Output`, the work of one batch.
_MODULES: dict[Stage, ModuleType] = {
    "ingest": ingest,
    "reduce": reduce,
    "encode": encode,
    "block": block,
    "train": train,
    "plan": plan,
    "match": match,
    "merge": merge,
    "cluster": cluster,
    "survive": survive,
    "publish": publish,
}

# Whose files nothing reads any more once a stage is open: at seventy million records half of the workspace.
_SPENT: dict[Stage, tuple[Stage, ...]] = {"block": ("ingest",), "cluster": ("block", "plan", "match")}


def open_stage(job: LinkageJob, stage: Stage) -> None:
    """Announce the batches of a stage, and remove what the stages before it, which must be drained, have used up."""
    job.batches.open_stage(stage, _MODULES[stage].sizes(job))
    if not job.keeps_files:
        for spent in _SPENT.get(stage, ()):
            job.workspace.remove_stage(spent)


def run_batch(job: LinkageJob, batch: StageBatch) -> Output:
    """Do the work of one batch and say what came of it.

    Returns:
        JSON: `path` of the files written (relative to the workspace), `items`, `seconds`, and what the stage counted.
    """
    started = time.perf_counter()
    for stage in STAGES[: STAGES.index(batch.stage) + 1]:
        for spent in _SPENT.get(stage, ()):
            job.workspace.drop_copies(spent)
    folder = job.workspace.folder(batch.stage, batch.partition, batch.tag)
    try:
        found: Output = _MODULES[batch.stage].run(job, batch.partition, folder)
    except OSError as error:
        raise disk_error(error, folder) from None
    job.workspace.keep(folder)
    return {
        "path": job.workspace.relative(folder),
        "items": batch.n_items,
        **found,
        "seconds": round(time.perf_counter() - started, 4),
    }
