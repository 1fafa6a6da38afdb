"""Ingest: a range of input rows becomes normalised, packed records and their sorted blocking keys."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.linkage.workspace import save, save_frame
from core.matching.blocking import pass_keys, sorted_pass
from core.matching.records import pack_text

if TYPE_CHECKING:
    from core.linkage.job import LinkageJob
    from core.linkage.ports import Output


def sizes(job: LinkageJob) -> list[int]:
    """One batch a range of rows."""
    return [part.rows for part in job.ranges]


def run(job: LinkageJob, partition: int, folder: Path) -> Output:
    """Pack one range. Codes are local to the range; keys are hashes of values, so they are global already."""
    part = job.ranges[partition]
    values = job.read(part)
    words, vocabulary = pack_text(values, job.layout, job.date_orders(part.source))
    save(folder, {"words": words})
    save_frame(folder, "strings", vocabulary.to_frame())
    save_frame(folder, "values", values)
    keys = pass_keys(words, vocabulary, job.layout)
    for number in range(keys.shape[1]):
        ordered, rows = sorted_pass(keys[:, number], part.first_row)
        save(folder, {f"keys-{number:02d}": ordered, f"rows-{number:02d}": rows})
    return {"rows": part.rows, "first_row": part.first_row}
