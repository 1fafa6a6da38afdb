"""The pairs worth a review as a list for people: both records side by side, why, and an empty column for a decision."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from core.errors import ConfigError
from core.linkage.description import hints_of
from core.linkage.history.base_run import reopen
from core.linkage.history.kept_apart import KEPT_APART, in_words
from core.linkage.history.labelled_pairs import OPEN
from core.linkage.history.values_seen import records_with, versions
from core.linkage.results.explanation import record_of_output
from core.linkage.run_record import beside, read_table, scan_table

DECISION = "decision"
_SIDES = ("a", "b")


@dataclass(frozen=True, slots=True)
class ReviewList:
    """The list; how many pairs of its kind were beyond its limit; and how many were decided already and left out."""

    frame: pl.DataFrame
    n_beyond: int
    n_decided: int


def review_list(out: Path, *, limit: int | None = None, everything: bool = False) -> ReviewList:
    """List the reviewable pairs of a finished match, the surest first.

    Columns: an empty `decision`, the ids (of two files: with their sources), `confidence`, `answer` (what the run did
    with the two), `reason` (which fields agree, are alike, differ), `in_the_way` (what kept an accepted pair apart),
    each field of both records, and `seen`, which names the values that the row shows.

    Args:
        limit: pairs at most. everything: the accepted pairs too.
    Raises:
        ConfigError: a file of the run is missing. InputError: its input is gone or has changed.
    Cost: the input is read once; the list is held in memory.
    """
    record = record_of_output(out)
    pairs, n_decided = _undecided(out, everything=everything)
    linked = "source_a" in pairs.columns
    pairs = pairs.sort("confidence", "score", "id_a", "id_b", descending=[True, True, False, False])
    listed = pairs.head(limit) if limit is not None else pairs
    columns = record.job.spec.columns
    with tempfile.TemporaryDirectory(prefix="headrace-") as folder:
        sources = reopen(record.job, hints_of(record.job.spec), Path(folder))
        records = records_with(sources, pl.concat([listed["id_a"], listed["id_b"]]), columns)
    a, b = (_side(listed, records, side, linked=linked) for side in _SIDES)
    values = [
        side[name].alias(f"{name} {letter}") for name in columns for letter, side in zip(_SIDES, (a, b), strict=True)
    ]
    frame = listed.select(
        pl.lit(None, pl.String).alias(DECISION),
        *(["source_a", "id_a", "source_b", "id_b"] if linked else ["id_a", "id_b"]),
        pl.col("confidence").round(4),
        pl.when(pl.col("joined")).then(pl.lit("one entity")).otherwise(pl.lit("two entities")).alias("answer"),
        reasons(listed["pattern"]),
        in_the_way(listed),
    ).with_columns(*values, versions(a, b, columns))
    return ReviewList(frame, pairs.height - listed.height, n_decided)


def _undecided(out: Path, *, everything: bool) -> tuple[pl.DataFrame, int]:
    """The pairs to be listed, and how many others people have decided already."""
    path = beside(out, "pairs")
    if not path.is_file():
        raise ConfigError(f"there is no {path}, which `headrace match --out {out}` writes; match again")
    pairs = scan_table(path)
    if not everything:
        pairs = pairs.filter(pl.col("decision") == OPEN)
    columns = pairs.collect_schema().names()
    there = [name for name in ("source_a", "source_b") if name in columns]
    found = pairs.select(
        pl.col("id_a", "id_b").cast(pl.String),
        *(pl.col(name).cast(pl.UInt8) for name in there),
        pl.col("score", "confidence").cast(pl.Float64),
        pl.col("joined").cast(pl.String) == "true",
        "pattern",
        *(_text(name, columns) for name in KEPT_APART),
    ).collect()
    decisions = beside(out, "decisions")
    if not decisions.is_file():
        return found, 0
    decided = read_table(decisions).select(pl.col("id_a", "id_b").cast(pl.String))
    turned = decided.select(id_a="id_b", id_b="id_a")
    left = found.join(pl.concat([decided, turned]), on=["id_a", "id_b"], how="anti")
    return left, found.height - left.height


def _text(name: str, columns: Sequence[str]) -> pl.Expr:
    """A column as text; null where a run of an older version did not write it."""
    return pl.col(name).cast(pl.String) if name in columns else pl.lit(None, pl.String).alias(name)


def _side(pairs: pl.DataFrame, records: pl.DataFrame, side: str, *, linked: bool) -> pl.DataFrame:
    """The records of one side, in the order of the pairs."""
    if linked:
        named = pairs.select(pl.col(f"source_{side}").alias("source"), pl.col(f"id_{side}").alias("id"))
        return named.join(records, on=["source", "id"], how="left", maintain_order="left")
    named = pairs.select(pl.col(f"id_{side}").alias("id"))
    return named.join(records.drop("source"), on="id", how="left", maintain_order="left")


def in_the_way(pairs: pl.DataFrame) -> pl.Series:
    """What kept each pair apart, in words; null where nothing did."""
    said = [in_words(*each) for each in pairs.select(KEPT_APART).iter_rows()]
    return pl.Series("in_the_way", said, dtype=pl.String)


def reasons(patterns: pl.Series) -> pl.Series:
    """Patterns of levels in words, by field: `agree: dob, zip; alike: first_name (nickname); differ: street`.

    Fields that a record lacks are not named. Cost: a few microseconds a distinct pattern.
    """
    distinct = patterns.unique()
    words = [_reason(text.split(",")) for text in distinct]
    return patterns.replace_strict(distinct, pl.Series(words, dtype=pl.String), return_dtype=pl.String).alias("reason")


def _reason(parts: Sequence[str]) -> str:
    groups: dict[str, list[str]] = {"agree": [], "alike": [], "differ": []}
    for part in parts:
        field, _, level = part.partition("=")
        if level == "exact":
            groups["agree"].append(field)
        elif level == "differ":
            groups["differ"].append(field)
        elif level != "missing":
            groups["alike"].append(field if " " in level else f"{field} ({level.replace('_', ' ')})")
    return "; ".join(f"{kind}: {', '.join(fields)}" for kind, fields in groups.items() if fields)
