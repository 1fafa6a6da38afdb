"""What a reference answers, as files hold it: one answer a record or none, and all that may be one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from core.matching.clustering.entity_ids import texts_at
from core.matching.records.sources import source_numbers
from core.matching.scoring.calibration.held_out import chance_of

if TYPE_CHECKING:
    from core.linkage.job import LinkageJob


def answer_of_each(job: LinkageJob) -> pl.DataFrame:
    """For every row of the input `reference_id` and `probability` of its answer; null of those that have none."""
    given = _answers(job).filter("given")
    rows = pl.DataFrame({"record": pl.int_range(job.rows, dtype=pl.UInt32, eager=True)})
    answers = given.select(
        "record", reference_id=texts_at("reference_id", given["answer"].to_numpy(), job.ids),
        probability=chance_of(given["bits"].to_numpy()),
    )  # fmt: skip
    return rows.join(answers, on="record", how="left", maintain_order="left").drop("record")


def every_answer(job: LinkageJob) -> pl.DataFrame:
    """A row for each answer that a record may have, the likeliest first, and one for none: null as `reference_id`.

    Columns: `source`, `id`, `reference_id`, `probability`, `given`. The probabilities of a record add up to 1; records
    without any answer at or above the review threshold are not there.
    """
    known = _answers(job)
    answers = known.select(
        "record", "given", reference_id=texts_at("reference_id", known["answer"].to_numpy(), job.ids),
        probability=chance_of(known["bits"].to_numpy()),
    )  # fmt: skip
    none = answers.group_by("record", maintain_order=True).agg(
        given=~pl.col("given").any(), probability=(1.0 - pl.col("probability").sum()).clip(0.0)
    )
    both = pl.concat([answers, none], how="diagonal").sort("record", maintain_order=True)
    rows = both["record"].to_numpy()
    return both.select(
        pl.Series("source", source_numbers(rows, job.boundaries)),
        texts_at("id", rows, job.ids),
        "reference_id", "probability", "given",
    )  # fmt: skip


def _answers(job: LinkageJob) -> pl.DataFrame:
    if job.answers is None:
        raise ValueError("the job has no reference")
    return job.answers
