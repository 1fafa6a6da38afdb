"""Survive: which record belongs to which entity, the pairs that say so, and each entity's best values.

A batch is a range of rows: the records in it, the pairs whose smaller row is in it, and the entities whose smallest row
is in it, so that everything is written by exactly one batch.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from core.linkage.history.kept_apart import with_kept_apart
from core.matching.clustering.entity_ids import entity_ids, texts_at
from core.matching.clustering.field_groups import LINEAGE_SUFFIX
from core.matching.clustering.survivorship import golden
from core.matching.records.sources import source_numbers
from core.storage.workspace import Array, Folder, save_frame

if TYPE_CHECKING:
    from core.jobs.ports import Output
    from core.linkage.job import LinkageJob

LINEAGE_ID_SUFFIX = "__id"
BATCHES = 8
ROWS_MIN, ROWS_MAX = 50_000, 2_000_000


def cuts(job: LinkageJob) -> list[tuple[int, int]]:
    """The ranges of rows: an eighth of the job each, but never so many that reading the input for each would tell."""
    step = min(max(-(-job.rows // BATCHES), ROWS_MIN), ROWS_MAX)
    return [(lo, min(lo + step, job.rows)) for lo in range(0, job.rows, step)]


def sizes(job: LinkageJob) -> list[int]:
    """One batch a range of rows."""
    return [min(hi - lo, 2**20) for lo, hi in cuts(job)]


def run(job: LinkageJob, partition: int, folder: Path) -> Output:
    """Write members and pairs of the range, and golden records where somebody asks for them."""
    lo, hi = cuts(job)[partition]
    members, matches = _members(job, lo, hi), _pairs(job, lo, hi)
    save_frame(folder, "members", members)
    save_frame(folder, "matches", matches)
    if job.settles_values:
        settle(job, partition, folder)
    entities = int(np.count_nonzero(job.labels[lo:hi] == np.arange(lo, hi, dtype=np.uint32)))
    counts = {"members": members.height, "entities": entities, "pairs": matches.height}
    return counts | {"golden": job.settles_values}


def settle(job: LinkageJob, partition: int, folder: Folder) -> None:
    """Write the golden record of each entity that begins in the range."""
    texts = _with_texts(job, *cuts(job)[partition])
    save_frame(folder, "entities", _with_lineage(golden(texts, job.spec), texts))


def _members(job: LinkageJob, lo: int, hi: int) -> pl.DataFrame:
    """Rows [lo, hi) in order: id, source, entity_id."""
    rows = np.arange(lo, hi, dtype=np.uint32)
    return pl.DataFrame(
        {
            "id": texts_at("id", rows, job.ids),
            "source": _source(job, rows),
            "entity_id": _entity_ids(job, job.labels[lo:hi]),
        }
    )


def _entity_ids(job: LinkageJob, labels: Array) -> pl.Series:
    """The entity of each label: the id it had, else named after its smallest record id: row order changes no name."""
    found = entity_ids(job.named[labels], job.ids, job.spec.name, job.boundaries)
    renamed, names = job.renamed
    if len(renamed) == 0:
        return found
    place = np.minimum(np.searchsorted(renamed, labels), len(renamed) - 1)
    hits = np.flatnonzero(renamed[place] == labels)
    return found.scatter(hits, names.gather(place[hits])) if len(hits) else found


def _with_texts(job: LinkageJob, lo: int, hi: int) -> pl.DataFrame:
    """Text of all records whose entity starts in [lo, hi): row, source, label, entity_id, id, fields."""
    rows = np.flatnonzero((job.labels >= lo) & (job.labels < hi)).astype(np.uint32)
    pieces = []
    for part in job.ranges:
        first, last = np.searchsorted(rows, [part.first_row, part.first_row + part.rows])
        mine = rows[first:last]
        if len(mine):
            pieces.append(
                job.read(part)[mine - np.uint32(part.first_row)].with_columns(
                    row=pl.Series(mine), source=_source(job, mine), label=pl.Series(job.labels[mine])
                )
            )
    if not pieces:
        empty = {"row": pl.UInt32, "source": pl.UInt8, "label": pl.UInt32, "entity_id": pl.String}
        nothing = (pl.lit(None, dtype=dtype).alias(name) for name, dtype in empty.items())
        return job.read(job.ranges[0]).clear().with_columns(nothing)
    found = pl.concat(pieces)
    return found.with_columns(entity_id=_entity_ids(job, found["label"].to_numpy()))


def _with_lineage(entities: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    """Name the records that values were taken from: `<field>__row` becomes `<field>__id`."""
    rows = [name for name in entities.columns if name.endswith(LINEAGE_SUFFIX)]
    named = (
        pl.col(name)
        .replace_strict(texts["row"], texts["id"], default=None)
        .alias(name.removesuffix(LINEAGE_SUFFIX) + LINEAGE_ID_SUFFIX)
        for name in rows
    )
    return entities.with_columns(named).drop(rows)


def _pairs(job: LinkageJob, lo: int, hi: int) -> pl.DataFrame:
    """Accepted and reviewable edges whose smaller row is in the range."""
    first, last = np.searchsorted(job.edges.left, [lo, hi])
    edges = job.edges.take(np.arange(first, last))
    pattern = np.searchsorted(job.patterns, edges.pattern).astype(np.int32)
    pairs = pl.DataFrame(
        {
            "id_a": texts_at("id_a", edges.left, job.ids),
            "id_b": texts_at("id_b", edges.right, job.ids),
            "score": edges.bits,
            "confidence": job.calibration.probability(_settled(job)[first:last], edges.passes),
            "tf_bits": edges.tf_bits,
            "pattern": job.pattern_texts.gather(pattern),
            "rule": _rules(job, edges.passes),
            "passes": edges.passes,
            "decision": np.where(edges.bits >= job.spec.match_bits, "match", "review"),
            "joined": job.labels[edges.left] == job.labels[edges.right],
            "source_a": _source(job, edges.left),
            "source_b": _source(job, edges.right),
            "pattern_id": pattern,
        }
    )
    return with_kept_apart(pairs, job.kept_apart, (edges.left, edges.right), job.calibration)


def _settled(job: LinkageJob) -> Array:
    """Log-odds of all edges; of those to a reference with the other answers of their record counted in."""
    if job.answers is None:
        return job.edges.bits
    bits = job.edges.bits.copy()
    bits[job.answers["edge"].to_numpy()] = job.answers["bits"].to_numpy()
    return bits


def _source(job: LinkageJob, rows: Array) -> Array:
    """Number of the file a row came from."""
    return source_numbers(rows, job.boundaries)


def _rules(job: LinkageJob, passes: Array) -> pl.Series:
    """Name the first blocking pass that made each pair."""
    lowest = np.log2((passes & (~passes + np.uint32(1))).astype(np.float64)).astype(np.int64)
    return pl.Series([each.name for each in job.spec.passes]).gather(lowest)
