"""Survive: the best value of each field of an entity, and the rows it was taken from.

A batch is the entities whose smallest row lies in one range, so every entity is settled by exactly one batch.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from core.linkage.patterns import pattern_texts
from core.linkage.workspace import Array, load_edges, load_frame, save_frame
from core.matching.ids import entity_ids
from core.matching.survive import LINEAGE_SUFFIX, golden

if TYPE_CHECKING:
    from core.linkage.job import LinkageJob
    from core.linkage.ports import Output

LINEAGE_ID_SUFFIX = "__id"


def sizes(job: LinkageJob) -> list[int]:
    """One batch a range of entities, numbered by their smallest row."""
    return [part.rows for part in job.ranges]


def run(job: LinkageJob, partition: int, folder: Path) -> Output:
    """Write members, golden records and pairs of the range."""
    part = job.ranges[partition]
    lo, hi = part.first_row, part.first_row + part.rows
    members = _with_entity_ids(job, _members(job, lo, hi))
    entities = _with_lineage(golden(members, job.spec), members)
    matches = _pairs(job, lo, hi)
    save_frame(folder, "members", members)
    save_frame(folder, "entities", entities)
    save_frame(folder, "matches", matches)
    return {"members": members.height, "entities": entities.height, "pairs": matches.height}


def _members(job: LinkageJob, lo: int, hi: int) -> pl.DataFrame:
    """Text of all rows whose entity starts in [lo, hi): row, source, label, id, fields."""
    rows = np.flatnonzero((job.labels >= lo) & (job.labels < hi)).astype(np.uint32)
    pieces = []
    for found, part in zip(job.outputs("ingest"), job.ranges, strict=True):
        first, last = np.searchsorted(rows, [part.first_row, part.first_row + part.rows])
        if first == last:
            continue
        values = load_frame(job.workspace.path(found["path"]), "values")
        mine = rows[first:last]
        pieces.append(
            values[mine - np.uint32(part.first_row)].with_columns(
                row=pl.Series(mine), source=pl.lit(part.source, pl.UInt8), label=pl.Series(job.labels[mine])
            )
        )
    if not pieces:
        return (
            job.read(job.ranges[0])
            .clear()
            .with_columns(
                row=pl.Series([], dtype=pl.UInt32),
                source=pl.Series([], dtype=pl.UInt8),
                label=pl.Series([], dtype=pl.UInt32),
            )
        )
    return pl.concat(pieces)


def _with_entity_ids(job: LinkageJob, members: pl.DataFrame) -> pl.DataFrame:
    """Name each entity after its smallest source-qualified record id, so that row order changes no name."""
    qualified = pl.concat_str([pl.col("source").cast(pl.String), pl.lit(":"), pl.col("id")])
    first = members.group_by("label", maintain_order=True).agg(qualified.min().alias("first"))
    named = first.select("label", entity_id=entity_ids(first["first"], job.spec.name))
    return members.join(named, on="label", how="left", maintain_order="left")


def _with_lineage(entities: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Name the records that values were taken from: `<field>__row` becomes `<field>__id`."""
    rows = [name for name in entities.columns if name.endswith(LINEAGE_SUFFIX)]
    named = (
        pl.col(name)
        .replace_strict(members["row"], members["id"], default=None)
        .alias(name.removesuffix(LINEAGE_SUFFIX) + LINEAGE_ID_SUFFIX)
        for name in rows
    )
    return entities.with_columns(named).drop(rows)


def _pairs(job: LinkageJob, lo: int, hi: int) -> pl.DataFrame:
    """Accepted and reviewable edges whose left row belongs to an entity of the range."""
    edges = load_edges(job.folder("cluster"))
    edges = edges.take((job.labels[edges.left] >= lo) & (job.labels[edges.left] < hi))
    names = _ids_of(job, np.concatenate([edges.left, edges.right]))
    n = len(edges)
    pattern = np.searchsorted(job.patterns, edges.pattern).astype(np.int32)
    return pl.DataFrame(
        {
            "id_a": names[:n],
            "id_b": names[n:],
            "score": edges.bits,
            "confidence": 1.0 / (1.0 + np.exp2(-edges.bits.astype(np.float64))),
            "tf_bits": edges.tf_bits,
            "pattern": pl.Series(pattern_texts(job.patterns, job.layout), dtype=pl.String).gather(pattern),
            "rule": _rules(job, edges.passes),
            "passes": edges.passes,
            "decision": np.where(edges.bits >= job.spec.match_bits, "match", "review"),
            "joined": job.labels[edges.left] == job.labels[edges.right],
            "source_a": _source(job, edges.left),
            "source_b": _source(job, edges.right),
            "pattern_id": pattern,
        }
    )


def _source(job: LinkageJob, rows: Array) -> Array:
    """Number of the file a row came from."""
    return (rows >= job.boundary).astype(np.uint8) if job.boundary else np.zeros(len(rows), np.uint8)


def _ids_of(job: LinkageJob, rows: Array) -> pl.Series:
    """Record ids of any rows of the job."""
    every = pl.concat(
        [
            pl.read_parquet(job.workspace.path(found["path"], "values.parquet"), columns=["id"])
            for found in job.outputs("ingest")
        ]
    )
    return every["id"].gather(rows)


def _rules(job: LinkageJob, passes: Array) -> pl.Series:
    """Name the first blocking pass that found each pair."""
    lowest = np.log2((passes & (~passes + np.uint32(1))).astype(np.float64)).astype(np.int64)
    return pl.Series([each.name for each in job.spec.passes]).gather(lowest)
