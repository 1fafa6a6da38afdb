"""Block: the records of one pass in the order of its keys; from here on only row numbers move."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.matching.blocking.blocks import sort_pass
from core.storage.workspace import save

if TYPE_CHECKING:
    from core.jobs.ports import Output
    from core.linkage.job import LinkageJob


ROWS_MIN, BATCHES_MIN = 2_000_000, 4
"""A batch sorts so many rows in all its passes, unless that leaves fewer batches than a small machine has threads."""


def sizes(job: LinkageJob) -> list[int]:
    """One batch so many passes."""
    return [len(numbers) for numbers in _passes(job)]


def run(job: LinkageJob, partition: int, folder: Path) -> Output:
    """Sort some passes, one after the other."""
    numbers, records = _passes(job)[partition], 0
    for number in numbers:
        blocks = sort_pass(job.words, job.vocabulary, job.layout, number)
        save(folder, {f"rows-{number:02d}": blocks.rows, f"depth-{number:02d}": blocks.depth})
        records += len(blocks.rows)
    return {"records": records, "passes": list(numbers)}


def _passes(job: LinkageJob) -> list[range]:
    """The passes of each batch: of a small job several, so that handing a batch out stays small beside it."""
    count = job.n_sorted
    step = max(1, min(ROWS_MIN // max(job.rows, 1), -(-count // BATCHES_MIN)))
    return [range(lo, min(lo + step, count)) for lo in range(0, count, step)]
