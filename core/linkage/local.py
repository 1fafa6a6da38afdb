"""Run a whole job in this process: threads over batches, no database, no Prefect."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from core.linkage.job import LinkageJob
from core.linkage.ports import STAGES, Output, Stage, StageBatch
from core.linkage.stages import open_stage, run_batch

OnProgress = Callable[[Stage, int, int], None]
"""Called with stage, batches done, batches in all."""


def run_job(job: LinkageJob, *, on_progress: OnProgress, stages: Sequence[Stage] = STAGES) -> dict[Stage, float]:
    """Run the stages to their end; what an interrupted run finished is not done again.

    Returns:
        Wall seconds of each stage in this run.
    """
    seconds: dict[Stage, float] = {}
    with ThreadPoolExecutor(job.threads, thread_name_prefix="headrace") as pool:
        for stage in stages:
            started = time.perf_counter()
            open_stage(job, stage)
            _drain(job, stage, pool, on_progress)
            seconds[stage] = time.perf_counter() - started
    return seconds


def _drain(job: LinkageJob, stage: Stage, pool: ThreadPoolExecutor, on_progress: OnProgress) -> None:
    """Keep every thread busy until the stage is done; the first error ends the run after the batches in flight."""
    flying: dict[Future[Output], StageBatch] = {}
    try:
        while True:
            for batch in job.batches.claim(stage, job.at_once(stage) - len(flying)):
                flying[pool.submit(run_batch, job, batch)] = batch
            progress = job.batches.progress(stage)
            on_progress(stage, progress.done, progress.total)
            if not flying:
                return
            for future in wait(flying, return_when=FIRST_COMPLETED).done:
                job.batches.complete(flying.pop(future), future.result())
    finally:
        wait(flying)
