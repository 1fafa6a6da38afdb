"""Reduce: one vocabulary, one record file, value frequencies, placeholders, and each pass's keys in one order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from core.linkage.workspace import Array, load, load_frame, save, save_frame, save_placeholders
from core.matching.placeholders import null_values, placeholders
from core.matching.vocabulary import Vocabulary, frequencies, merge, remap

if TYPE_CHECKING:
    from core.linkage.job import LinkageJob
    from core.linkage.ports import Output


def sizes(job: LinkageJob) -> list[int]:
    """A single batch: it must see every range."""
    return [job.rows]


def run(job: LinkageJob, partition: int, folder: Path) -> Output:
    """Merge the ranges."""
    parts = [job.workspace.path(found["path"]) for found in job.outputs("ingest")]
    vocabulary, tables = merge([Vocabulary.from_frame(load_frame(part, "strings")) for part in parts])
    save_frame(folder, "strings", vocabulary.to_frame())
    words = np.lib.format.open_memmap(
        folder / "words.npy", mode="w+", dtype=np.uint32, shape=(job.rows, job.layout.stride)
    )
    for part, table, piece in zip(parts, tables, job.ranges, strict=True):
        block = load(part, "words", mapped=False)
        remap(block, job.layout, table)
        words[piece.first_row : piece.first_row + piece.rows] = block
    nulled, found = _null_placeholders(job, words, folder)
    words.flush()
    counts = frequencies(words, job.layout, len(vocabulary))
    save_frame(folder, "frequencies", pl.DataFrame(counts))
    keys = {each.name: _merge_keys(job, parts, folder, number, nulled) for number, each in enumerate(job.spec.passes)}
    return {"rows": job.rows, "vocabulary": len(vocabulary), "placeholders": found, "keys": keys}


def _null_placeholders(job: LinkageJob, words: Array, folder: Path) -> tuple[dict[str, Array], dict[str, int]]:
    """Blank values so frequent that they cannot be what they say.

    Returns:
        Per field the rows that lost their value, and how many values were blanked (never the values themselves).
    """
    rows: dict[str, Array] = {}
    found: dict[str, int] = {}
    suspects = placeholders(words, job.layout)
    save_placeholders(folder, suspects)
    for field, values in suspects.items():
        at = job.layout.words_of(field)
        had = words[:, at].any(axis=1)
        null_values(words, job.layout, field, values)
        lost: Array = np.logical_and(had, ~words[:, at].any(axis=1))
        rows[field] = lost
        found[field] = int(lost.sum())
    return rows, {field: count for field, count in found.items() if count}


def _merge_keys(job: LinkageJob, parts: list[Path], folder: Path, number: int, nulled: dict[str, Array]) -> int:
    """Merge the sorted runs of one pass (a stable sort walks sorted runs) without rows whose value was blanked."""
    names = f"keys-{number:02d}", f"rows-{number:02d}"
    keys, rows = (np.concatenate([load(part, name, mapped=False) for part in parts]) for name in names)
    order = np.argsort(keys, kind="stable")
    keys, rows = keys[order], rows[order]
    for field in job.spec.passes[number].fields:
        if field in nulled:
            keep = ~nulled[field][rows]
            keys, rows = keys[keep], rows[keep]
    save(folder, {names[0]: keys, names[1]: rows})
    return len(keys)
