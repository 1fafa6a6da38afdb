"""Entities keep their ids from run to run, and a log says what became of them.

The log is only ever added to. `kind` is one of:

    new     entity_id holds records that no run had before
    merge   entity_id took `records` of from_id, whose id is gone
    split   entity_id took `records` of from_id, which lives on
    gone    none of the records of from_id is left

The entities of the first run are not logged: they are as old as anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl

from core.linkage.earlier import LOG_SCHEMA
from core.linkage.workspace import BASE, Array, load_frame
from core.matching.continuity import UNPUBLISHED, carry, fresh_ids
from core.matching.distinct import sorted_distinct
from core.matching.ids import entity_ids, texts_at

if TYPE_CHECKING:
    from core.linkage.job import LinkageJob

RENAMED_SCHEMA = {"label": pl.UInt32, "entity_id": pl.String}


def last(job: LinkageJob, labels: Array, named: Array) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give clusters the ids that their records had.

    Args:
        labels: (rows,) smallest row of each row's cluster. named: per cluster, there, the row that names it.
    Returns:
        `label`, `entity_id` of the clusters that are not named after their smallest record id; and what changed, in
        the form of the log. Both are empty in a first run.
    """
    folder = job.workspace.path(BASE)
    if not (folder / "members.parquet").is_file():
        return pl.DataFrame(schema=RENAMED_SCHEMA), pl.DataFrame(schema=LOG_SCHEMA)
    log, (held, codes) = load_frame(folder, "log"), _held(job)
    firsts = np.flatnonzero(labels == np.arange(job.rows)).astype(np.uint32)
    dense = np.searchsorted(firsts, labels).astype(np.uint32)
    plain = entity_ids(named[firsts], job.ids, job.spec.name, job.boundary)
    ranks = np.empty(len(firsts), dtype=np.uint32)
    ranks[plain.arg_sort().to_numpy()] = np.arange(len(firsts))
    found = carry(dense, codes, _ages(held, log), ranks)
    fresh = found.kept == UNPUBLISHED
    taken = pl.concat([held, log.filter(pl.col("kind").is_in(["merge", "gone"]))["from_id"]])
    names = held.gather(np.where(fresh, 0, found.kept - 1)) if len(held) else plain.clone()
    if fresh.any():
        made = fresh_ids(named[firsts[fresh]], job.ids, job.spec.name, taken, job.boundary)
        names = names.scatter(np.flatnonzero(fresh), made)
    differs = (names != plain).to_numpy()
    renamed = pl.DataFrame({"label": firsts[differs], "entity_id": names.filter(pl.Series(differs))}, RENAMED_SCHEMA)
    changes = found.changes.select(
        version=pl.lit(_version(job, log), pl.Int64),
        kind="kind",
        entity_id=pl.Series(names).gather(found.changes["cluster"]),
        from_id=held.gather(found.changes["published"] - 1),
        records="n_records",
    )
    return renamed, changes.sort("kind", "entity_id", "from_id").cast(LOG_SCHEMA)


def changes_so_far(job: LinkageJob) -> pl.DataFrame:
    """The log of all runs up to and with this one; empty for a first run."""
    folder = job.workspace.path(BASE)
    log = load_frame(folder, "log") if (folder / "log.parquet").is_file() else pl.DataFrame(schema=LOG_SCHEMA)
    return pl.concat([log, load_frame(job.folder("cluster"), "changes")])


def _version(job: LinkageJob, log: pl.DataFrame) -> int:
    """One more than any run before: only the order counts."""
    last_logged = log["version"].max() if log.height else 0
    return max(job.description.version, int(cast(int, last_logged)) + 1)


def _held(job: LinkageJob) -> tuple[pl.Series, Array]:
    """Ids of the published entities, ascending; and per row the place of its own among them, from 1, or UNPUBLISHED."""
    members = load_frame(job.workspace.path(BASE), "members")
    held, codes = sorted_distinct(members["entity_id"])
    members = members.select("source", "id").with_columns(code=pl.Series(codes))
    rows = np.arange(job.rows, dtype=np.uint32)
    source = (rows >= job.boundary).astype(np.uint8) if job.boundary else np.zeros(job.rows, np.uint8)
    mine = pl.DataFrame({"id": texts_at("id", rows, job.ids), "source": source})
    joined = mine.join(members, on=["source", "id"], how="left", maintain_order="left")
    found = joined["code"].fill_null(UNPUBLISHED).cast(pl.UInt32).to_numpy()
    # An entity none of whose records is here is gone: its number has no row, but it has a place.
    return held, found


def _ages(held: pl.Series, log: pl.DataFrame) -> Array:
    """(held + 1,) version in which each entity began; 0 for those of the first run."""
    begun = log.filter(pl.col("kind").is_in(["new", "split"])).group_by("entity_id").agg(pl.col("version").min())
    ages = held.to_frame("entity_id").join(begun, on="entity_id", how="left", maintain_order="left")["version"]
    return np.concatenate([[0], ages.fill_null(0).to_numpy()])
