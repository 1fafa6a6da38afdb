"""The whole job in one call, as `headrace match` runs it: prepare, all stages, outputs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from core.errors import ConfigError
from core.linkage.job import LinkageJob
from core.linkage.local import OnProgress, run_job
from core.linkage.manifest import LocalManifest
from core.linkage.memory import Watch, fit, limit_bytes
from core.linkage.outputs import summarise, write_outputs
from core.linkage.ports import STAGES
from core.linkage.prepare import describe, identify
from core.linkage.request import MatchRequest
from core.linkage.workspace import Workspace
from core.matching.scoring.model import Model


def resolve(
    request: MatchRequest,
    workspaces: Path,
    *,
    threads: int = 1,
    on_progress: OnProgress = lambda stage, done, total: None,
    keep_workspace: bool = False,
) -> dict[str, Any]:
    """Resolve a request in this process; an interrupted call goes on where it stopped when made again.

    Args:
        workspaces: folder that holds the workspaces of jobs; this job's is removed when it is done, unless kept.
    Returns:
        The figures of `core.linkage.outputs.summarise`, and `peak_memory_mb` beside `memory_limit_mb`.
    Raises:
        InputError, SpecError: before any work, with place and remedy. ConfigError: the memory does not suffice.
    """
    if request.lookup:
        raise ConfigError("--lookup is for what is published in the database; add --via prefect")
    started = time.perf_counter()
    key = identify(request)
    with own_workspace(workspaces, key) as workspace, Watch() as watch:
        description = describe(request, key, workspace)
        room = fit(description.rows, threads, limit_bytes(request.memory_gb))
        manifest = LocalManifest(workspace.root)
        job = LinkageJob(
            description, workspace, manifest, threads=threads, at_once=room.at_once, keeps_files=keep_workspace
        )
        stages = run_job(job, on_progress=on_progress)
        summary = summarise(job, time.perf_counter() - started, stages)
        summary |= {
            "peak_memory_mb": round(watch.peak_bytes / 1e6, 1),
            "memory_limit_mb": round(room.limit_bytes / 1e6),
        }
        if request.out is not None:
            write_outputs(job, Path(request.out), summary)
        if not keep_workspace:
            workspace.remove()
    return summary


def learn(
    request: MatchRequest,
    workspaces: Path,
    *,
    threads: int = 1,
    on_progress: OnProgress = lambda stage, done, total: None,
) -> Model:
    """Run the stages of a job as far as its model, in this process. Raises as `resolve`."""
    key = identify(request)
    with own_workspace(workspaces, key) as workspace:
        manifest = LocalManifest(workspace.root)
        job = LinkageJob(describe(request, key, workspace), workspace, manifest, threads=threads)
        run_job(job, on_progress=on_progress, stages=STAGES[: STAGES.index("train") + 1])
        model = job.model
        workspace.remove()
    return model


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


def _drop_lock(workspace: Workspace) -> None:
    """Of the description; another process that reads it just now leaves the file to the next one."""
    path = workspace.root.with_suffix(".lock")
    with suppress(Timeout), FileLock(path, timeout=0):
        path.unlink(missing_ok=True)
