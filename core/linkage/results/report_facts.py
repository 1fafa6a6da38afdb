"""What the page says of a run, gathered from OUT.run.json and OUT.pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from core.errors import ConfigError
from core.linkage.results.explanation import Run, record_of_output, records_of, run_of_record
from core.linkage.run_record import beside, scan_table
from core.matching.quality.model_tables import LevelRow, level_rows
from core.matching.scoring.calibration.held_out import Calibration

BIN_BITS = 2.0
EXAMPLES_MAX = 12


@dataclass(frozen=True, slots=True)
class Example:
    """A pair near the threshold: its levels by field, the ids and, if asked for, the values of both records."""

    bits: float
    decision: str
    levels: Mapping[str, str]
    values: Mapping[str, tuple[str | None, str | None]] | None
    ids: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the page shows; no row data unless `with_values` was asked for.

    `scores` is (lowest bits, pairs for review, pairs accepted) a bin of `BIN_BITS`. `completeness` is the share of
    records with a value, by field (empty for runs of older versions). `review_bits` is the lowest score that may be
    worth a review.
    """

    summary: Mapping[str, Any]
    spec_name: str
    source_names: Sequence[str]
    match_bits: float
    review_bits: float
    prior_bits: float
    levels: Sequence[LevelRow]
    scores: Sequence[tuple[float, int, int]]
    passes: Sequence[Mapping[str, Any]]
    completeness: Mapping[str, float]
    examples: Sequence[Example]
    with_values: bool


def gather(out: Path, *, with_values: bool) -> Facts:
    """Read what `headrace match --out OUT` left.

    Raises:
        ConfigError: a file is missing or of another version. InputError: values are wanted of an input that changed.
    """
    record = record_of_output(out)
    run = run_of_record(record)
    pairs_path = beside(out, "pairs")
    if not pairs_path.is_file():
        raise ConfigError(f"there is no {pairs_path}, which `headrace match --out {out}` writes; match again")
    pairs = scan_table(pairs_path).with_columns(pl.col("score").cast(pl.Float32))
    spec, summary = record.job.spec, record.summary
    return Facts(
        summary=summary,
        spec_name=spec.name,
        source_names=[Path(str(source["path"])).name for source in run.description.sources],
        match_bits=spec.match_bits,
        review_bits=Calibration.of(run.model).least_score(spec),
        prior_bits=run.model.prior_bits,
        levels=list(level_rows(run.model)),
        scores=score_bins(pairs, spec.match_bits),
        passes=_passes(record.passes or (), summary["recall"]["passes"]),
        completeness=record.completeness,
        examples=_examples(run, pairs, spec.match_bits, with_values=with_values),
        with_values=with_values,
    )


def score_bins(pairs: pl.LazyFrame, match_bits: float) -> list[tuple[float, int, int]]:
    """Pairs a bin of `BIN_BITS`, ascending without gaps, split by decision; one bin begins at the threshold."""
    found = (
        pairs.group_by(((pl.col("score") - match_bits) / BIN_BITS).floor().cast(pl.Int64).alias("bin"))
        .agg(
            (pl.col("decision") != "match").sum().alias("review"), (pl.col("decision") == "match").sum().alias("match")
        )
        .collect()
    )
    counts = {at: (review, match) for at, review, match in found.iter_rows()}
    if not counts:
        return []
    return [(match_bits + at * BIN_BITS, *counts.get(at, (0, 0))) for at in range(min(counts), max(counts) + 1)]


def _passes(planned: Sequence[Mapping[str, Any]], yields: Mapping[str, Mapping[str, int]]) -> list[dict[str, Any]]:
    """Each pass with what it compared, found, and found alone."""
    by_name = {each["name"]: each for each in planned}
    return [{"name": name, **by_name.get(name, {}), **found} for name, found in yields.items()]


def _examples(run: Run, pairs: pl.LazyFrame, match_bits: float, *, with_values: bool) -> list[Example]:
    """The pairs nearest to the threshold, one of each pattern, the strongest first."""
    # Of linked files, whose ids may be equal, the pairs say the source as well.
    linked = "source_a" in pairs.collect_schema().names()
    sources = [
        pl.col(f"source_{side}").cast(pl.Int64) if linked else pl.lit(0).alias(f"source_{side}") for side in "ab"
    ]
    near = (
        pairs.with_columns((pl.col("score") - match_bits).abs().alias("away"))
        .sort("away", "id_a", "id_b")
        .unique("pattern", keep="first", maintain_order=True)
        .head(EXAMPLES_MAX)
        .sort("score", descending=True)
        .select("id_a", "id_b", "score", "decision", "pattern", *sources)
        .collect()
    )
    ids = {str(each) for name in ("id_a", "id_b") for each in near[name]}
    values = records_of(run, ids) if with_values and ids else {}
    # A field that is a part of a column, as the head of a company's name is, is shown by all of it; so is a mark.
    columns = {
        field.name: field.column if field.values > 0 else field.read_from[0] for field in run.description.spec.fields
    }
    examples = []
    for id_a, id_b, bits, decision, pattern, source_a, source_b in near.iter_rows():
        levels = dict(part.split("=", 1) for part in pattern.split(","))
        both = None
        if with_values:
            a, b = values[source_a, str(id_a)], values[source_b, str(id_b)]
            both = {field: (a.get(columns[field]), b.get(columns[field])) for field in levels}
        examples.append(Example(float(bits), decision, levels, both, (str(id_a), str(id_b))))
    return examples
