"""Ingest: a range of input rows becomes normalised, packed records and their ids."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.linkage.stage_files import save_texts
from core.matching.records.pack_text import number_text
from core.matching.records.vocabulary import frequencies
from core.matching.text.hashing import flat_bytes
from core.storage.workspace import save, save_frame

if TYPE_CHECKING:
    from core.jobs.ports import Output
    from core.linkage.job import LinkageJob


def sizes(job: LinkageJob) -> list[int]:
    """One batch a range of rows."""
    return [part.rows for part in job.ranges]


def run(job: LinkageJob, partition: int, folder: Path) -> Output:
    """Pack one range. Codes are local to the range; `encode` makes them the job's."""
    part = job.ranges[partition]
    values = job.read(part)
    words, strings, texts = number_text(values, job.layout, job.date_orders(part.source))
    ids, starts = flat_bytes(values["id"])
    counts = frequencies(words, job.layout, len(strings))
    save(folder, {"words": words, "ids": ids, "id_ends": starts[1:]})
    save(folder, {"counts": np.stack(list(counts.values())) if counts else np.zeros((0, len(strings)), np.uint32)})
    save_frame(folder, "strings", strings.to_frame("string"))
    save_texts(folder, job.layout, texts)
    return {"rows": part.rows, "first_row": part.first_row, "id_bytes": len(ids)}
