"""Block: the records of one pass in the order of its keys; from here on only row numbers move."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.linkage.workspace import save
from core.matching.blocks import sort_pass

if TYPE_CHECKING:
    from core.linkage.job import LinkageJob
    from core.linkage.ports import Output


def sizes(job: LinkageJob) -> list[int]:
    """One batch a pass."""
    return [1] * len(job.spec.passes)


def run(job: LinkageJob, partition: int, folder: Path) -> Output:
    """Sort one pass."""
    blocks = sort_pass(job.words, job.vocabulary, job.layout, partition)
    save(folder, {"rows": blocks.rows, "depth": blocks.depth})
    return {"records": len(blocks.rows)}
