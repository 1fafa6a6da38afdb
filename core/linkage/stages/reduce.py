"""Reduce: what only the whole input can tell: one vocabulary, value frequencies, placeholders; room for the records."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.linkage.history.models import kept_model
from core.linkage.stage_files import save_placeholders, save_words
from core.matching.records.placeholders import FLOORS, suspects_of
from core.matching.records.value_places import field_values
from core.matching.records.vocabulary import Vocabulary, add_counts, code_columns
from core.matching.scoring.model import term_tables, well_known
from core.matching.text.string_views import Spread
from core.storage.workspace import Array, Folder, load, load_frame, save, save_frame

if TYPE_CHECKING:
    from core.jobs.ports import Output
    from core.linkage.job import LinkageJob
    from core.matching.specs.spec import FieldSpec


def sizes(job: LinkageJob) -> list[int]:
    """A single batch: it must see every range."""
    return [job.rows]


def run(job: LinkageJob, partition: int, folder: Path) -> Output:
    """Unite the ranges' vocabularies, count values, and make the files that `encode` fills."""
    parts = job.folders("ingest")
    with ThreadPoolExecutor(job.at_once("reduce")) as pool:
        fields = [field for field in job.spec.fields if field.kind in FLOORS]
        suspects = [pool.submit(_suspects, job, parts, field) for field in fields]
        n_codes = _vocabulary(job, parts, folder, pool.map)
        n_words = save_words(folder, job.layout, parts, pool.map) if job.layout.worded else 0
        found = {field.name: each.result() for field, each in zip(fields, suspects, strict=True)}
    save_placeholders(folder, found)
    new_array = partial(job.workspace.new_array, folder)
    new_array("words", (job.rows, job.layout.stride), np.uint32)
    new_array("ids", (sum(each["id_bytes"] for each in job.outputs("ingest")),), np.uint8)
    new_array("id_starts", (job.rows + 1,), np.int64)
    suspected = {name: len(values) for name, values in found.items()}
    return {"rows": job.rows, "vocabulary": n_codes, "words": n_words, "suspects": suspected}


def _suspects(job: LinkageJob, parts: list[Folder], field: FieldSpec) -> Array:
    """The placeholders of a field: found here, or those of the run that this one adds to."""
    if job.description.frozen is not None:
        return np.array(job.description.frozen.placeholders.get(field.name, []), dtype=np.uint64)
    return suspects_of(_values(job, parts, field.name), field)


def _values(job: LinkageJob, parts: list[Folder], field: str) -> Iterator[Array]:
    """A field's packed values, range by range."""
    return (field_values(load(part, "words"), job.layout, field) for part in parts)


def _vocabulary(job: LinkageJob, parts: list[Folder], folder: Path, spread: Spread) -> int:
    """One vocabulary, a table from each range's codes to its own, and how often each code occurs in each field."""
    strings = [load_frame(part, "strings")["string"] for part in parts]
    vocabulary, tables = code_columns(strings, spread, job.layout)
    local = [load(part, "counts") for part in parts]
    counts = np.zeros((len(job.counted_fields), len(vocabulary)), dtype=np.uint32)
    deque(spread(lambda row: _total(tables, [each[row] for each in local], counts[row]), range(len(counts))), maxlen=0)
    vocabulary.mark_well_known(_well_known(job, vocabulary, counts))
    codes = {f"codes-{number:05d}": table for number, table in enumerate(tables)}
    writes = [partial(save_frame, folder, "strings", vocabulary.to_frame())]
    writes += [partial(save, folder, {name: array}) for name, array in (vocabulary.to_arrays() | codes).items()]
    deque(spread(lambda write: write(), [*writes, partial(save, folder, {"counts": counts})]), maxlen=0)
    return len(vocabulary)


def _well_known(job: LinkageJob, vocabulary: Vocabulary, counts: Array) -> frozenset[str]:
    """Names that many bear: here, or where the model was learnt that this run takes over."""
    if job.description.request.model is not None or job.description.frozen is not None:
        return well_known(kept_model(job).term_tables, job.layout)
    frequencies = dict(zip(job.counted_fields, counts, strict=True))
    return well_known(term_tables(frequencies, vocabulary, job.layout), job.layout)


def _total(tables: list[Array], local: list[Array], totals: Array) -> None:
    for table, counts in zip(tables, local, strict=True):
        add_counts(table, counts, totals)
