"""Run a whole job in this process: threads over batches, no database, no Prefect."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from core.jobs.ports import BatchSource, Output, Stage, StageBatch
from core.jobs.staged_job import StagedJob
from core.jobs.stages import open_stage, run_batch
from core.storage.workspace import Workspace

OnProgress = Callable[[Stage, int, int], None]
"""Called with stage, batches done, batches in all."""


def run_job(
    job: StagedJob, source: BatchSource, *, on_progress: OnProgress, stages: Sequence[Stage] | None = None
) -> dict[Stage, float]:
    """Run the stages to their end, all unless some are named; what an interrupted run finished is not done again.

    Returns:
        Wall seconds of each stage in this run.
    """
    seconds: dict[Stage, float] = {}
    with ThreadPoolExecutor(job.threads, thread_name_prefix="headrace") as pool:
        for stage in job.stages if stages is None else stages:
            started = time.perf_counter()
            open_stage(job, source, stage)
            _drain(job, source, stage, pool, on_progress)
            seconds[stage] = time.perf_counter() - started
    return seconds


def _drain(
    job: StagedJob, source: BatchSource, stage: Stage, pool: ThreadPoolExecutor, on_progress: OnProgress
) -> None:
    """Keep every thread busy until the stage is done; the first error ends the run after the batches in flight."""
    flying: dict[Future[Output], StageBatch] = {}
    try:
        while True:
            for batch in source.claim(stage, job.at_once(stage) - len(flying)):
                flying[pool.submit(run_batch, job, batch)] = batch
            progress = source.progress(stage)
            on_progress(stage, progress.done, progress.total)
            if not flying:
                return
            for future in wait(flying, return_when=FIRST_COMPLETED).done:
                source.complete(flying.pop(future), future.result())
    finally:
        wait(flying)


@contextmanager
def own_workspace(workspaces: Path, key: str) -> Iterator[Workspace]:
    """Hold the job's workspace alone; while another process has it, work in a private one that is not kept.

    Lock files go with the work, each while it is held: whoever has waited for it sees that it names nothing any more,
    and makes it anew (filelock from 4.2 on).
    """
    workspaces.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FileLock(workspaces / f"{key}.owner")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        private = Workspace(str(workspaces / f"{key}-{os.getpid()}"))
        try:
            yield private
        finally:
            private.remove()
            _drop_lock(private)
        return
    try:
        yield Workspace(str(workspaces / key))
    finally:
        _drop_lock(Workspace(str(workspaces / key)))
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def remove_idle(workspaces: Path, name: str) -> bool:
    """Delete a workspace, unless a process is at work in it; whether it is gone."""
    _, _, process = name.partition("-")
    if process.isdecimal() and _runs(int(process)):
        return False
    lock = FileLock(workspaces / f"{name}.owner")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    try:
        Workspace(str(workspaces / name)).remove()
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()
    return True


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _drop_lock(workspace: Workspace) -> None:
    """Of the description; another process that reads it just now leaves the file to the next one."""
    path = workspace.root.with_suffix(".lock")
    with suppress(Timeout), FileLock(path, timeout=0):
        path.unlink(missing_ok=True)
