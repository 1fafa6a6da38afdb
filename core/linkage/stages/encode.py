"""Encode: the records of a range get the job's codes, lose placeholder values, and take their place in one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.linkage.workspace import load, load_placeholders, open_array
from core.matching.placeholders import null_values
from core.matching.vocabulary import remap

if TYPE_CHECKING:
    from core.linkage.job import LinkageJob
    from core.linkage.ports import Output


def sizes(job: LinkageJob) -> list[int]:
    """One batch a range of rows."""
    return [part.rows for part in job.ranges]


def run(job: LinkageJob, partition: int, folder: Path) -> Output:
    """Write one range into the job's files.

    They are shared, and yet an attempt that was overtaken does no harm: every attempt writes the same bytes.

    Returns:
        `nulled`: per field how many records lost a placeholder (never the values themselves).
    """
    folder.rmdir()
    part, source, target = job.ranges[partition], job.folders("ingest")[partition], job.folder("reduce")
    words = load(source, "words", mapped=False)
    remap(words, job.layout, load(target, f"codes-{partition:05d}"))
    found = load_placeholders(target)
    nulled = {
        field: null_values(words, job.layout, field, np.array(values, dtype=np.uint64))
        for field, values in found.items()
    }
    open_array(target, "words")[part.first_row : part.first_row + part.rows] = words
    first_byte = sum(each["id_bytes"] for each in job.outputs("ingest")[:partition])
    ids = load(source, "ids", mapped=False)
    open_array(target, "ids")[first_byte : first_byte + len(ids)] = ids
    starts = open_array(target, "id_starts")
    starts[part.first_row + 1 : part.first_row + part.rows + 1] = load(source, "id_ends") + first_byte
    return {"rows": part.rows, "nulled": {field: count for field, count in nulled.items() if count}}
