"""Encode: the records of a range get the job's codes, lose placeholder values, and take their place in one file."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.linkage.stage_files import encode_texts, load_placeholders
from core.matching.records.placeholders import null_values
from core.matching.records.vocabulary import remap
from core.storage.workspace import load

if TYPE_CHECKING:
    from core.jobs.ports import Output
    from core.linkage.job import LinkageJob


def sizes(job: LinkageJob) -> list[int]:
    """One batch a range of rows."""
    return [part.rows for part in job.ranges]


def run(job: LinkageJob, partition: int, folder: Path) -> Output:
    """Write one range into the job's files.

    They are shared, and yet an attempt that was overtaken does no harm: every attempt writes the same bytes.

    Returns:
        `nulled`: per field how many records lost a placeholder (never the values themselves); `cut`: how many have a
        text of more words than are kept.
    """
    folder.rmdir()
    part, source = job.ranges[partition], job.folder("ingest", partition)
    place = job.outputs("reduce")[0]["path"]
    target = job.workspace.path(place)
    words = load(source, "words", mapped=False)
    remap(words, job.layout, load(target, f"codes-{partition:05d}"))
    cut = encode_texts(words, job.layout, source, target, partition) if job.layout.worded else {}
    found = load_placeholders(target)
    nulled = {
        field: null_values(words, job.layout, field, np.array(values, dtype=np.uint64))
        for field, values in found.items()
    }
    write = partial(job.workspace.write_range, place)
    write("words", part.first_row, words)
    first_byte = sum(each["id_bytes"] for each in job.outputs("ingest")[:partition])
    ids = load(source, "ids", mapped=False)
    write("ids", first_byte, ids)
    write("id_starts", part.first_row + 1, load(source, "id_ends").astype(np.int64) + first_byte)
    return {"rows": part.rows, "nulled": {field: count for field, count in nulled.items() if count}, "cut": cut}
