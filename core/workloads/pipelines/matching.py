"""A match step of a pipeline: the rows go through the matching engine as a linkage job in a private folder."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.linkage.run_record import beside
from core.metrics.process import usable_cores
from core.pipelines.language.spec import Match

_ROW = "headrace_row"
"""Number of a row: what a job calls a record's id."""


def match_rows(step: Match, rows: pl.DataFrame, other: pl.DataFrame | None) -> pl.DataFrame:
    """Carry a match step out.

    rows: those before the step. other: those of `with`, in which each of `rows` may have one partner.

    Returns, by `result`: `entity` the rows with `entity_id`; `golden` one row an entity, the fullest one with its gaps
    filled from the others; `links` `left_id`, `right_id` and `probability`, a row an accepted pair; `new` the rows
    without a partner. A row of links is named by the first column that names every row of its side, else by its
    number. The entity of a row is named by its first row, so it does not hang on the number of threads.

    Raises HeadraceError: the engine refuses the rows, in its words.
    Cost: about 7 s a million rows on two cores; rows are written to disk once, into a folder that goes with the call.
    """
    if not rows.height or (other is not None and not other.height):
        return _of_nothing(step, rows)
    with TemporaryDirectory(prefix="headrace-") as folder:
        found = _run(step, rows, other, Path(folder))
    if step.result == "links":
        assert other is not None  # of the check of the spec: links are against another source
        return _links(found[1], _names(rows), _names(other))
    return _result(step, rows, found[0])


def _run(step: Match, rows: pl.DataFrame, other: pl.DataFrame | None, here: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(entities, pairs) of the job, in the columns that `headrace match` writes."""
    for name, frame in (("rows", rows), ("other", other)):
        if frame is not None:
            frame.with_row_index(_ROW).write_parquet(here / f"{name}.parquet")
    request = MatchRequest(
        input=str(here / "rows.parquet"),
        id_column=_ROW,
        spec=step.spec,
        mapping=dict(step.map),
        link=() if other is None else (str(here / "other.parquet"),),
        out=str(here / "out.parquet"),
    )
    resolve(request, here / "work", threads=usable_cores())
    return pl.read_parquet(here / "out.parquet"), pl.read_parquet(beside(here / "out.parquet", "pairs"))


def _result(step: Match, rows: pl.DataFrame, entities: pl.DataFrame) -> pl.DataFrame:
    sources = entities["source"] if "source" in entities.columns else pl.repeat(0, entities.height, eager=True)
    numbered = entities.select("entity_id", row=pl.col("id").cast(pl.Int64)).with_columns(source=sources.cast(pl.Int64))
    if step.result == "new":
        linked = numbered.filter(pl.col("source").n_unique().over("entity_id") > 1)
        known = linked.filter(pl.col("source") == 0)["row"]
        return rows.filter(~pl.int_range(rows.height, eager=True).is_in(known.implode()))
    ours = numbered.filter(pl.col("source") == 0).sort("row")
    named = ours.with_columns(first=pl.col("row").min().over("entity_id"))
    entity = rows.with_columns(named["first"].cast(pl.String).alias("entity_id"))
    return entity if step.result == "entity" else _golden(entity)


def _golden(rows: pl.DataFrame) -> pl.DataFrame:
    """The row of each entity with the most values, its gaps filled from the next; rows of equally many as they came."""
    names = [name for name in rows.columns if name != "entity_id"]
    values = [pl.col(name).is_not_null().cast(pl.Int32) for name in names]
    fullest = rows.with_columns(pl.sum_horizontal(values).alias(_ROW)).sort(_ROW, descending=True, maintain_order=True)
    golden = fullest.group_by("entity_id").agg([pl.col(name).drop_nulls().first() for name in names])
    return golden.sort(pl.col("entity_id").cast(pl.Int64)).select(rows.columns)


def _links(pairs: pl.DataFrame, left: pl.Series, right: pl.Series) -> pl.DataFrame:
    accepted = pairs.filter(pl.col("joined")).with_columns(pl.col("id_a", "id_b").cast(pl.Int64)).sort("id_a", "id_b")
    return pl.DataFrame(
        {
            "left_id": left.gather(accepted["id_a"]),
            "right_id": right.gather(accepted["id_b"]),
            "probability": accepted["confidence"].cast(pl.Float64),
        }
    )


def _names(frame: pl.DataFrame) -> pl.Series:
    """What each row is called: the first column that has a value of its own for each, else its number from 0."""
    for column in frame.iter_columns():
        if not column.dtype.is_float() and not column.null_count() and column.n_unique() == len(column):
            return column.cast(pl.String)
    return pl.int_range(frame.height, eager=True).cast(pl.String)


def _of_nothing(step: Match, rows: pl.DataFrame) -> pl.DataFrame:
    """What comes of rows that have nothing beside them to be matched with."""
    if step.result == "links":
        return pl.DataFrame(schema={"left_id": pl.String, "right_id": pl.String, "probability": pl.Float64})
    if step.result == "new":
        return rows
    return rows.with_columns(pl.int_range(rows.height).cast(pl.String).alias("entity_id"))
