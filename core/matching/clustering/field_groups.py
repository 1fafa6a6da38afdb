"""Fields whose values belong together, such as the parts of an address: a golden record takes them from one row."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import polars as pl

from core.matching.specs.spec import FieldSpec, MatchSpec

LINEAGE_SUFFIX = "__row"
_SPELT, _BEST = "spelt:", "best:"


def groups_of(spec: MatchSpec, columns: Collection[str]) -> list[tuple[str, ...]]:
    """The groups of two fields or more among some columns: the parts of a home's address, and those of a name.

    A telephone number is the home's too, but no part of where it stands.
    """
    homes = [field for field in spec.fields if field.belongs_to == "home" and not _reaches(field)]
    names = [field for field in spec.fields if field.kind in ("given_name", "surname") or field.swap_with is not None]
    found = []
    for fields in (homes, names):
        group = tuple(dict.fromkeys(field.column for field in fields if field.column in columns))
        if len(group) > 1:
            found.append(group)
    return found


def _reaches(field: FieldSpec) -> bool:
    """Whether it is how people are reached: a number of which only the last digits count, or an e-mail address."""
    return field.keep_last is not None or field.kind == "email"


def keep_together(settled: pl.DataFrame, rows: pl.DataFrame, group: Sequence[str]) -> pl.DataFrame:
    """Take a group of fields from one row where each field's own best value mixed several.

    What is settled stands where some row has all of it. Else the most frequent combination is taken, then the one with
    most parts, the longest, the smallest row; a part it lacks is filled from a row that agrees in a part and differs
    in none.

    Args:
        settled: `entity_id`, and for each field of the group its value and `<field>__row`.
        rows: the members of these entities: `entity_id`, `row`, and the fields as String.
    Returns:
        `settled` with the columns of the group replaced, in the same order.
    Cost: as one more field where nothing is mixed; four sorts of the mixed entities' rows at most.
    """
    spelt = rows.select("entity_id", "row", *group, *(_spelling(name).alias(_SPELT + name) for name in group))
    mixed = _mixed(settled, spelt, group)
    if mixed.height == 0:
        return settled
    ours = spelt.join(mixed, on="entity_id", how="semi")
    chosen = _most_frequent(ours, group)
    for _ in range(len(group) - 1):
        filled = _filled(chosen, ours, group)
        if filled is None:
            break
        chosen = filled
    columns = [column for name in group for column in (name, name + LINEAGE_SUFFIX)]
    together = chosen.select("entity_id", *(pl.col(name).alias(_BEST + name) for name in columns), mixed=pl.lit(True))
    return (
        settled.join(together, on="entity_id", how="left", maintain_order="left")
        .with_columns(
            pl.when(pl.col("mixed")).then(pl.col(_BEST + name)).otherwise(pl.col(name)).alias(name) for name in columns
        )
        .drop("mixed", *(_BEST + name for name in columns))
    )


def _spelling(name: str) -> pl.Expr:
    """A value as it is compared; null where there is none."""
    text = pl.col(name).str.strip_chars().str.to_lowercase()
    return pl.when(text != "").then(text)


def _mixed(settled: pl.DataFrame, spelt: pl.DataFrame, group: Sequence[str]) -> pl.DataFrame:
    """The entities of whose settled values no row has all."""
    best = settled.select("entity_id", *(_spelling(name).alias(_BEST + name) for name in group))
    whole = pl.all_horizontal(
        pl.col(_BEST + name).is_null() | (pl.col(_SPELT + name) == pl.col(_BEST + name)).fill_null(False)
        for name in group
    )
    held = spelt.join(best, on="entity_id").group_by("entity_id").agg(whole.any().alias("whole"))
    return held.filter(~pl.col("whole")).select("entity_id")


def _most_frequent(spelt: pl.DataFrame, group: Sequence[str]) -> pl.DataFrame:
    """One row an entity, with the row of each value; of values that are missing null."""
    parts = [_SPELT + name for name in group]
    ranked = spelt.with_columns(
        votes=pl.len().over("entity_id", *parts),
        n_parts=_count(pl.col(part).is_not_null() for part in parts),
        length=pl.sum_horizontal(pl.col(part).str.len_chars().fill_null(0) for part in parts),
    ).filter(pl.col("n_parts") > 0)
    order = ["entity_id", "votes", "n_parts", "length", "row"]
    best = ranked.sort(order, descending=[False, True, True, True, False]).unique(
        "entity_id", keep="first", maintain_order=True
    )
    return best.select(
        "entity_id",
        *parts,
        *(pl.when(pl.col(_SPELT + name).is_not_null()).then(pl.col(name)).alias(name) for name in group),
        *(
            pl.when(pl.col(_SPELT + name).is_not_null()).then(pl.col("row")).alias(name + LINEAGE_SUFFIX)
            for name in group
        ),
    )


def _filled(chosen: pl.DataFrame, spelt: pl.DataFrame, group: Sequence[str]) -> pl.DataFrame | None:
    """Each entity with the parts that the row most like it has and it lacks; None when no row has one."""
    lacking = chosen.filter(pl.any_horizontal(pl.col(_SPELT + name).is_null() for name in group))
    given = {_SPELT + name: _BEST + _SPELT + name for name in group}
    ours = lacking.select("entity_id", *(pl.col(name).alias(alias) for name, alias in given.items()))
    pairs = spelt.join(ours, on="entity_id").with_columns(
        agree=_count(pl.col(name) == pl.col(alias) for name, alias in given.items()),
        differ=_count(pl.col(name) != pl.col(alias) for name, alias in given.items()),
        fills=_count(pl.col(name).is_not_null() & pl.col(alias).is_null() for name, alias in given.items()),
        length=pl.sum_horizontal(pl.col(name).str.len_chars().fill_null(0) for name in given),
    )
    fit = pairs.filter((pl.col("agree") > 0) & (pl.col("differ") == 0) & (pl.col("fills") > 0))
    if fit.height == 0:
        return None
    order = ["entity_id", "agree", "fills", "length", "row"]
    best = fit.sort(order, descending=[False, True, True, True, False]).unique("entity_id", keep="first")
    best = best.select("entity_id", pl.col("row").alias("from"), *(pl.col(n).alias("from:" + n) for n in group))
    changed = []
    for name in group:
        spelling = _spelling("from:" + name)
        take = pl.col(_SPELT + name).is_null() & spelling.is_not_null()
        changed += [
            pl.when(take).then(pl.col("from:" + name)).otherwise(pl.col(name)).alias(name),
            pl.when(take).then(pl.col("from")).otherwise(pl.col(name + LINEAGE_SUFFIX)).alias(name + LINEAGE_SUFFIX),
            pl.when(take).then(spelling).otherwise(pl.col(_SPELT + name)).alias(_SPELT + name),
        ]
    return chosen.join(best, on="entity_id", how="left").with_columns(changed).select(chosen.columns)


def _count(conditions: Iterable[pl.Expr]) -> pl.Expr:
    """How many hold; what cannot be told does not."""
    return pl.sum_horizontal(condition.fill_null(False).cast(pl.Int32) for condition in conditions)
