# budget: parameters, each caller of the whole job says some of them, and no two go together
"""The whole job in one call, as `headrace match` runs it: prepare, all stages, outputs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from core.jobs.local import OnProgress, own_workspace, run_job
from core.jobs.local_source import LocalManifest
from core.jobs.memory import Watch, fit, limit_bytes
from core.linkage.description import DESCRIPTION, JobDescription
from core.linkage.history.earlier_runs import earlier_runs, forget_here
from core.linkage.job import LinkageJob
from core.linkage.prepare import describe, understand
from core.linkage.request import MatchRequest
from core.linkage.request_checks import check_here
from core.linkage.results.given_pairs import scored_pairs
from core.linkage.results.outline import Outline, outline_of
from core.linkage.results.outputs import summarise, write_outputs
from core.linkage.stages.needs import NEEDS, STAGES
from core.linkage.stages.table import TABLE
from core.matching.scoring.model import Model
from core.storage.workspace import Workspace

OnDescribed = Callable[[JobDescription], None]


def resolve(
    request: MatchRequest,
    workspaces: Path,
    *,
    threads: int = 1,
    on_described: OnDescribed = lambda description: None,
    on_progress: OnProgress = lambda stage, done, total: None,
    keep_workspace: bool = False,
    copies: Path | None = None,
) -> dict[str, Any]:
    """Resolve a request in this process; an interrupted call goes on where it stopped when made again.

    Args:
        workspaces: folder that holds the workspaces of jobs; this job's is removed when it is done, unless kept.
        on_described: is shown what will be done, before it is done.
        copies: folder of private copies of input; those of earlier runs go when records are removed or changed.
    Returns:
        The figures of `core.linkage.results.outputs.summarise`, and `peak_memory_mb` beside `memory_limit_mb`.
    Raises:
        InputError, SpecError: before any work, with place and remedy. ConfigError: the memory does not suffice.
    """
    check_here(request)
    started = time.perf_counter()
    understood = understand(request, partial(_begun, workspaces))
    with own_workspace(workspaces, understood.key) as workspace, Watch() as watch:
        description = describe(understood, workspace, ours=copies)
        on_described(description)
        # The output may take the place of the one that it is added to, and the record of that run with it.
        earlier = earlier_runs(None if understood.base is None else understood.base.out)
        room = fit(NEEDS, description.rows, threads, limit_bytes(request.memory_gb))
        manifest = LocalManifest(workspace.root)
        job = LinkageJob(
            description,
            TABLE,
            workspace,
            manifest,
            threads=threads,
            at_once=room.at_once,
            keeps_files=keep_workspace,
        )
        stages = run_job(job, manifest, on_progress=on_progress)
        summary = summarise(job, time.perf_counter() - started, stages)
        summary |= {
            "peak_memory_mb": round(watch.peak_bytes / 1e6, 1),
            "memory_limit_mb": round(room.limit_bytes / 1e6),
        }
        if request.out is not None:
            write_outputs(job, Path(request.out), summary)
        if not keep_workspace:
            workspace.remove()
        if description.erases:
            forget_here(workspaces, earlier, copies, description)
    return summary


def outline(request: MatchRequest, workspaces: Path, copies: Path | None = None) -> Outline:
    """Check the input from end to end and say what a match would do; nothing is matched, nothing stays behind.

    Args and raises as `resolve`. Cost: as reading the input.
    """
    workspaces.mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryDirectory(dir=workspaces, prefix=".outline-") as folder:
        side = Path(folder) / "bad_rows.csv"
        trial = request.model_copy(update={"quarantine": None if request.quarantine is None else str(side)})
        return outline_of(describe(understand(trial), Workspace(f"{folder}/job"), ours=copies))


def learn(
    request: MatchRequest,
    workspaces: Path,
    *,
    threads: int = 1,
    on_progress: OnProgress = lambda stage, done, total: None,
) -> Model:
    """Run the stages of a job as far as its model, in this process. Raises as `resolve`."""
    with _trained(request, workspaces, threads=threads, on_progress=on_progress) as job:
        return job.model


def score(
    request: MatchRequest,
    pairs: Path,
    workspaces: Path,
    *,
    threads: int = 1,
    on_described: OnDescribed = lambda description: None,
    on_progress: OnProgress = lambda stage, done, total: None,
) -> pl.DataFrame:
    """Weigh the pairs that a file names, and no others, under a model that is learnt or given.

    Returns:
        As `core.linkage.results.given_pairs.scored_pairs`. Raises as that and as `resolve`.
    """
    check_here(request)
    watched = _trained(request, workspaces, threads=threads, on_described=on_described, on_progress=on_progress)
    with watched as job:
        return scored_pairs(job, pairs)


def _begun(workspaces: Path, key: str) -> bool:
    return (workspaces / key / DESCRIPTION).is_file()


@contextmanager
def _trained(
    request: MatchRequest,
    workspaces: Path,
    *,
    threads: int,
    on_progress: OnProgress,
    on_described: OnDescribed = lambda description: None,
) -> Iterator[LinkageJob]:
    """A job whose stages have come as far as its model; its files go with the block."""
    understood = understand(request, partial(_begun, workspaces))
    with own_workspace(workspaces, understood.key) as workspace:
        description = describe(understood, workspace)
        on_described(description)
        manifest = LocalManifest(workspace.root)
        job = LinkageJob(description, TABLE, workspace, manifest, threads=threads)
        run_job(job, manifest, on_progress=on_progress, stages=STAGES[: STAGES.index("train") + 1])
        yield job
        workspace.remove()
