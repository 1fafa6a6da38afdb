"""What kept apart the records of pairs that were accepted by their score, as files and people are told."""

from __future__ import annotations

from collections import Counter
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from core.linkage.history.decisions import decisions_of
from core.matching.clustering.contested import BY, KeptApart
from core.matching.clustering.entity_ids import texts_at
from core.matching.clustering.torn import NOBODY
from core.matching.records.sources import source_numbers
from core.matching.scoring.calibration.held_out import Calibration
from core.storage.workspace import Array

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.linkage.job import LinkageJob

KEPT_APART = ("kept_apart_by", "kept_apart_id")
"""Columns of the pairs: one of `BY`, and the record in the way, or who decided."""
_SAID = {
    "record": "{id} does not fit the entity of the other",
    "rival": "one of the two fits {id} about as well",
    "max_cluster": "the entity would be larger than max_cluster",
    "decision": "a decision by {id}",
    "field": "they differ in a field that tells apart",
    "partner": "one of the two had a better partner, {id}",
}
_COUNTED = {
    "record": "for records of the two entities that do not fit each other",
    "rival": "for a record that fits another entity about as well",
    "max_cluster": "for entities larger than max_cluster",
    "decision": "for decisions",
    "field": "for a field that tells apart",
}


def apart_frame(job: LinkageJob, apart: KeptApart) -> pl.DataFrame:
    """Rows `left`, `right` of each pair, `bits` with its alternatives counted, and the columns of `KEPT_APART`."""
    own = (apart.one == apart.left) | (apart.one == apart.right) | (apart.one == NOBODY)
    in_way = np.where(own, apart.other, apart.one)
    by = pl.Series(BY, dtype=pl.String).gather(apart.by)
    ids = pl.select(pl.when(pl.lit(by) == "decision").then(_deciders(job, apart)).otherwise(_names(job, in_way)))
    return pl.DataFrame(
        {"left": apart.left, "right": apart.right, "bits": apart.bits, KEPT_APART[0]: by},
    ).with_columns(ids.to_series().alias(KEPT_APART[1]))


def _names(job: LinkageJob, rows: Array) -> pl.Series:
    """Ids of rows, of linked files with the number of the file; null for NOBODY."""
    there = rows != NOBODY
    known = np.where(there, rows, 0).astype(np.uint32)
    names = texts_at("id", known, job.ids)
    if job.linked:
        names = pl.Series(source_numbers(known, job.boundaries)).cast(pl.String) + ":" + names
    return pl.select(pl.when(pl.Series(there)).then(names)).to_series()


def _deciders(job: LinkageJob, apart: KeptApart) -> pl.Series:
    """Who told apart the records in the way, `somebody` where that is not known."""
    decisions = decisions_of(job).filter(pl.col("decision") == "differ").select("id_a", "id_b", "by")
    both = pl.concat([decisions, decisions.select(id_a="id_b", id_b="id_a", by="by")]).unique(["id_a", "id_b"])
    pairs = pl.DataFrame({"id_a": _names(job, apart.one), "id_b": _names(job, apart.other)})
    found = pairs.join(both, on=["id_a", "id_b"], how="left", maintain_order="left")["by"]
    return found.fill_null("somebody")


def with_kept_apart(
    pairs: pl.DataFrame, apart: pl.DataFrame, ends: tuple[Array, Array], calibration: Calibration
) -> pl.DataFrame:
    """Add the columns of `KEPT_APART` to pairs; those kept apart are worth a review, with alternatives counted.

    Args:
        pairs: with `confidence`, `passes` and `decision`. apart: see `apart_frame`. ends: rows of both sides.
    """
    if apart.height == 0:
        return pairs.with_columns(pl.lit(None, pl.String).alias(name) for name in KEPT_APART)
    rows = pl.DataFrame({"left": ends[0], "right": ends[1]})
    found = rows.join(apart, on=["left", "right"], how="left", maintain_order="left")
    kept = pl.lit(found[KEPT_APART[0]].is_not_null())
    # Null where nothing kept the pair apart.
    bits = found["bits"].cast(pl.Float64).fill_null(0.0).to_numpy()
    settled = pl.Series(calibration.probability(bits, pairs["passes"].to_numpy()))
    return pairs.with_columns(
        confidence=pl.when(kept).then(settled).otherwise("confidence"),
        decision=pl.when(kept).then(pl.lit("review")).otherwise("decision"),
        **{name: found[name] for name in KEPT_APART},
    )


def counts_of(apart: pl.DataFrame) -> dict[str, int]:
    """How many pairs each thing kept apart."""
    return dict(Counter(apart[KEPT_APART[0]].to_list()))


def notices_of(counts: Mapping[str, int]) -> list[str]:
    """One sentence on all of them, if there are any; on lost partners there is one of its own."""
    counts = {by: count for by, count in counts.items() if by in _COUNTED}
    if not counts:
        return []
    said = ", ".join(f"{counts[by]:,} {_COUNTED[by]}" for by in BY if by in counts)
    total = sum(counts.values())
    return [f"{total:,} pairs were accepted by their score and not joined: {said}; `headrace review export` lists them"]


def linking_notices(linking: Mapping[str, Any] | None, names: Sequence[str]) -> list[str]:
    """What became of the pairs that the linking of files did not take, or which records got no answer.

    Args:
        linking: as the cluster stage counts it; None where it asks for nothing. names: of the files.
    """
    if linking and "asked" in linking:
        n_none = linking["asked"] - linking["answered"]
        return [f"{linking['answered']:,} of {linking['asked']:,} records got an answer, {n_none:,} none"]
    if not linking or not linking["lost"]:
        return []
    better = [(name, n) for name, n in zip(names, linking["better_partner"], strict=True) if n]
    whose = ", ".join(f"{n:,} times one of {name}" for name, n in better)
    ways = f" ({whose}); `shared` {max(better, key=itemgetter(1))[0]} lets its records have several" if better else ""
    what = f"{linking['lost']:,} pairs at or above the threshold were not taken because a record had a better partner"
    return [what + ways]


def in_words(by: str | None, record_id: str | None) -> str | None:
    """What kept a pair apart, for people; None where nothing did."""
    return None if by is None else _SAID[by].format(id=record_id if by == "decision" else f"record {record_id}")
