"""Merge: every edge once, with the passes that found it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.linkage.history.base_run import known_edges
from core.linkage.stage_files import load_edges
from core.matching.edges import merge_edges
from core.storage.workspace import save_frame

if TYPE_CHECKING:
    from core.jobs.ports import Output
    from core.linkage.job import LinkageJob


def sizes(job: LinkageJob) -> list[int]:
    """A single batch: an edge may come from any pass."""
    return [job.rows]


def run(job: LinkageJob, partition: int, folder: Path) -> Output:
    """Unite the edges of all match batches, and those of the run that an increment adds to."""
    found = [load_edges(job.workspace.path(each["path"])) for each in job.outputs("match")]
    edges = merge_edges([*known_edges(job), *found])
    save_frame(folder, "edges", edges.to_frame())
    return {"edges": len(edges)}
