"""Publish: rows of settled entities go to the database in the transaction that acknowledges the batch.

Without a database the files of `survive` are the publication, and the batch only says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.jobs.ports import Output
    from core.linkage.job import LinkageJob


def sizes(job: LinkageJob) -> list[int]:
    """One batch for each batch of `survive`."""
    return [max(found["items"], 1) for found in job.outputs("survive")]


def run(job: LinkageJob, partition: int, folder: Path) -> Output:
    """Name what is published; the rows themselves travel through the sink (see `tables.sink_of`)."""
    folder.rmdir()
    survived = job.outputs("survive")[partition]
    return {name: survived[name] for name in ("path", "members", "entities", "pairs")}
