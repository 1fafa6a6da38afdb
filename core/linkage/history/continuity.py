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

from core.linkage.history.base_run import LOG_SCHEMA, MEMBERS, member_keys
from core.matching.clustering.continuity import UNPUBLISHED, carry, fresh_keys
from core.matching.clustering.entity_ids import entity_keys, uuid_keys, uuid_texts
from core.matching.clustering.keys128 import find_keys, number_keys
from core.matching.records.sources import source_numbers
from core.storage.workspace import BASE, Array, load, load_frame

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
    if not (folder / f"{MEMBERS[0]}.npy").is_file():
        return pl.DataFrame(schema=RENAMED_SCHEMA), pl.DataFrame(schema=LOG_SCHEMA)
    log, (held, codes) = load_frame(folder, "log"), _held(job)
    firsts = np.flatnonzero(labels == np.arange(job.rows, dtype=np.uint32)).astype(np.uint32)
    dense = np.searchsorted(firsts, labels).astype(np.uint32)
    plain = entity_keys(named[firsts], job.ids, job.spec.name, job.boundaries)
    found = carry(dense, codes, _ages(held, log), plain)
    fresh = found.kept == UNPUBLISHED
    names = np.where(fresh[:, None], plain, held[found.kept - 1]) if len(held) else plain.copy()
    if fresh.any():
        ended = log.filter(pl.col("kind").is_in(["merge", "gone"]))["from_id"]
        taken = np.concatenate([held, uuid_keys(ended)])
        names[fresh] = fresh_keys(named[firsts[fresh]], job.ids, job.spec.name, taken, job.boundaries)
    differs = (names != plain).any(axis=1)
    renamed = pl.DataFrame({"label": firsts[differs], "entity_id": uuid_texts(names[differs])}, RENAMED_SCHEMA)
    changes = found.changes.select(
        version=pl.lit(_version(job, log), pl.Int64),
        kind="kind",
        entity_id=_texts_at(names, found.changes["cluster"]),
        from_id=_texts_at(held, found.changes["published"] - 1),
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


def _texts_at(keys: Array, places: pl.Series) -> pl.Series:
    """Ids at some places; null stays null."""
    if len(keys) == 0:
        return pl.Series([None] * len(places), dtype=pl.String)
    texts = uuid_texts(keys[places.fill_null(0).to_numpy()])
    return pl.select(pl.when(places.is_not_null()).then(texts)).to_series()


def _held(job: LinkageJob) -> tuple[Array, Array]:
    """Keys (m, 2) of the published entities, ascending; and per row the place of its own among them, from 1, or
    UNPUBLISHED."""
    members, entities = (load(job.workspace.path(BASE), name) for name in MEMBERS)
    held, numbers = number_keys(entities)
    source = source_numbers(np.arange(job.rows, dtype=np.uint32), job.boundaries)
    places = find_keys(member_keys(job.ids, source), members, job.threads)
    # An entity none of whose records is here is gone: its number has no row, but it has a place.
    return held, np.concatenate([np.array([UNPUBLISHED], dtype=np.uint32), numbers])[places]


def _ages(held: Array, log: pl.DataFrame) -> Array:
    """(held + 1,) version in which each entity began; 0 for those of the first run."""
    ages = np.zeros(len(held) + 1, dtype=np.int64)
    begun = log.filter(pl.col("kind").is_in(["new", "split"])).sort("version", descending=True)
    # Of several entries of an entity the last, which is its oldest, stays.
    ages[find_keys(uuid_keys(begun["entity_id"]), held)] = begun["version"].to_numpy()
    ages[0] = 0
    return ages
