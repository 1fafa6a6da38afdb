"""Pairs that a user names, compared and weighed as a match would: no pass has to make them, none is left out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from core.errors import InputError
from core.intake.whole_columns import read_table
from core.linkage.history.labelled_pairs import IDS, require_columns
from core.matching.blocking.shared_passes import key_parts, shared_passes
from core.matching.clustering.entity_ids import texts_at
from core.matching.compare.patterns import pattern_texts
from core.matching.records.sources import source_numbers
from core.matching.scoring.model import weights
from core.matching.scoring.score_pairs import Scorer, score_range

if TYPE_CHECKING:
    from core.linkage.job import LinkageJob
    from core.storage.workspace import Array

SOURCES = ("source_a", "source_b")


def scored_pairs(job: LinkageJob, path: Path) -> pl.DataFrame:
    """Weigh the pairs of a file under the job's model.

    Args:
        job: its stages have come as far as `train`.
        path: columns id_a and id_b; with linked files also source_a and source_b (0: the first file), which may be
            left out where there are two: then id_a is of the first and id_b of the second.
    Returns:
        A row for each of the file's, in its order: id_a, id_b (and sources), score in bits, confidence, tf_bits,
        pattern, and decision: match, review or differ, as the spec's thresholds say of the pair alone.
    Raises:
        SchemaError: a column is missing. InputError: a pair names no two records that the match would compare.
    Cost: 0.3 us a pair, and a look at every record's id.
    """
    asked = _asked(job, path)
    left, right = (asked[f"row_{side}"].to_numpy() for side in "ab")
    found = _weighed(job, np.minimum(left, right), np.maximum(left, right))
    scores, passes = found["score"].to_numpy(), _passes(job, left, right)
    look = pl.lit(pl.Series(job.calibration.worth_a_look(scores, passes, job.spec)))
    decision = pl.when(pl.col("score") >= job.spec.match_bits).then(pl.lit("match")).when(look)
    return pl.concat([asked.drop("row_a", "row_b"), found], how="horizontal").with_columns(
        confidence=pl.Series(job.calibration.probability(scores, passes)),
        decision=decision.then(pl.lit("review")).otherwise(pl.lit("differ")),
    )


def _passes(job: LinkageJob, left: Array, right: Array) -> Array:
    """(n,) bits of the passes that would make each pair."""
    parts = key_parts(job.layout.ops, job.passes_in_use)
    return shared_passes(job.words, (left, right), job.vocabulary, job.layout, parts)


def _weighed(job: LinkageJob, left: Array, right: Array) -> pl.DataFrame:
    """(n,) score, tf_bits and pattern of pairs of rows, left before right."""
    arrays = weights(job.model, job.vocabulary, job.layout)
    scorer = Scorer(job.vocabulary, job.layout, arrays, -np.inf, job.boundaries)
    # Each pair is a block of its own: the kernel walks it as any other.
    pairs = np.unique(np.stack([left, right], axis=1), axis=0)
    edges, _ = score_range(job.words, pairs.ravel(), np.repeat(np.arange(len(pairs), dtype=np.uint64), 2), scorer)
    numbers, pattern = np.unique(edges.pattern, return_inverse=True)
    weighed = pl.DataFrame(
        {
            "left": edges.left,
            "right": edges.right,
            "score": edges.bits,
            "tf_bits": edges.tf_bits,
            "pattern": pattern_texts(numbers, job.layout).gather(pattern),
        }
    )
    wanted = pl.DataFrame({"left": left, "right": right})
    return wanted.join(weighed, on=["left", "right"], how="left", maintain_order="left").drop("left", "right")


def _asked(job: LinkageJob, path: Path) -> pl.DataFrame:
    """The pairs of the file with the rows they mean: id_a, id_b, sources where files are linked, row_a, row_b."""
    frame = read_table(path)
    told = [name for name in SOURCES if name in frame.columns]
    if job.linked and len(job.sources) == 2 and not told:
        frame, told = frame.with_columns(source_a=pl.lit("0"), source_b=pl.lit("1")), list(SOURCES)
    require_columns(frame, path, (*IDS, *(SOURCES if job.linked else ())))
    asked = frame.select(*IDS, *(SOURCES if job.linked else ()))
    rows = np.arange(job.rows, dtype=np.uint32)
    known = pl.DataFrame({"id": texts_at("id", rows, job.ids), "row": rows})
    known = known.with_columns(source=pl.Series(source_numbers(rows, job.boundaries)).cast(pl.String))
    for side in "ab":
        key = {f"id_{side}": "id"} | ({f"source_{side}": "source"} if job.linked else {})
        named = known.select("row", *key.values()).rename({"row": f"row_{side}"})
        asked = asked.join(named, left_on=list(key), right_on=list(key.values()), how="left", maintain_order="left")
    _refuse_pairs_of_nobody(job, asked, path)
    return asked


def _refuse_pairs_of_nobody(job: LinkageJob, asked: pl.DataFrame, path: Path) -> None:
    numbered = asked.with_row_index("row", offset=1)
    absent = pl.any_horizontal(pl.col("row_a", "row_b").is_null())
    same = pl.col("row_a") == pl.col("row_b")
    within = pl.col("source_a") == pl.col("source_b") if job.linked else pl.lit(False)
    for fault, words in (
        (absent, "names a record that is not in the input; correct the id, or leave the pair out"),
        (same, "names one record twice; a pair is of two"),
        (within, "names two records of one file, but the match compares across files only"),
    ):
        bad = numbered.filter(fault)
        if bad.height:
            raise InputError(
                f"{path}, row {bad['row'][0]}: {words} ({bad.height:,} such rows)", path=str(path), row=bad["row"][0]
            )
