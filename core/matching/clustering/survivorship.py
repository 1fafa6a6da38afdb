"""Golden records: the best value of each field of an entity, and the row it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import polars as pl

from core.matching.clustering.field_groups import LINEAGE_SUFFIX, groups_of, keep_together
from core.matching.specs.spec import MatchSpec

Policy = Literal["most_frequent", "most_complete"]


def golden(members: pl.DataFrame, spec: MatchSpec, policies: Mapping[str, Policy] | None = None) -> pl.DataFrame:
    """Settle one row per entity.

    `most_frequent` (default) takes the value most members have, comparing them trimmed and without regard to case;
    `most_complete` the longest. Ties go to the longest value, then to the smallest id, or row where none is given.
    Missing values never survive over present ones. Fields that belong together, as street and town do, are not taken
    from rows that contradict each other (see `keep_together`); a field with a policy of its own is settled by itself.

    Args:
        members: `entity_id`, `row`, perhaps `source` and `id`, and a String column per `spec.columns`.
    Returns:
        `entity_id`, `n_members`, every field, and `<field>__row`, the row its value was taken from (null when no
        member has one); ordered by smallest row.
    Cost: one sort of the members of entities with several rows per field; single rows are passed through.
    """
    names = [name for name in spec.columns if name in members.columns]
    ids = [name for name in ("source", "id") if name in members.columns]
    rows = members.select(
        "entity_id", pl.col("row").cast(pl.UInt32), *ids, *(pl.col(name).cast(pl.String) for name in names)
    )
    size, first_row = pl.len().over("entity_id").cast(pl.UInt32), pl.min("row").over("entity_id")
    rows = rows.with_columns(n_members=size, first_row=first_row)
    single = rows.filter(pl.col("n_members") == 1).with_columns(
        pl.when(pl.col(name).is_not_null()).then(pl.col("row")).alias(name + LINEAGE_SUFFIX) for name in names
    )
    # Ties go by `row` below, so rows are numbered by id meanwhile: where they stand in a file decides nothing.
    several = rows.filter(pl.col("n_members") > 1).sort(ids or ["row"])
    rows_by_id = several["row"]
    several = several.with_columns(row=pl.int_range(pl.len(), dtype=pl.UInt32))
    settled = several.select("entity_id", "n_members", "first_row").unique("entity_id", maintain_order=True)
    for name in names:
        policy = (policies or {}).get(name, "most_frequent")
        settled = settled.join(_settle(several, name, policy), on="entity_id", how="left", maintain_order="left")
    for group in groups_of(spec, set(names) - set(policies or {})):
        settled = keep_together(settled, several, group)
    lineage = [name + LINEAGE_SUFFIX for name in names]
    settled = settled.with_columns(rows_by_id.gather(settled[name]).alias(name) for name in lineage)
    columns = ["entity_id", "n_members", "first_row"]
    columns += [column for name in names for column in (name, name + LINEAGE_SUFFIX)]
    return pl.concat([single.select(columns), settled.select(columns)]).sort("first_row").drop("first_row")


def _settle(rows: pl.DataFrame, name: str, policy: Policy) -> pl.DataFrame:
    """Value and row of one field per entity that has any."""
    present = rows.select("entity_id", "row", pl.col(name)).filter(pl.col(name).str.strip_chars() != "")
    spelt = pl.col(name).str.strip_chars().str.to_lowercase()
    ranked = present.with_columns(length=pl.col(name).str.len_chars(), votes=pl.len().over("entity_id", spelt))
    order = ["votes", "length", "row"] if policy == "most_frequent" else ["length", "votes", "row"]
    best = ranked.sort(["entity_id", *order], descending=[False, True, True, False])
    best = best.unique("entity_id", keep="first", maintain_order=True)
    return best.select("entity_id", name, pl.col("row").alias(name + LINEAGE_SUFFIX))
