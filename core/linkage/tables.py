"""Settled entities as rows of `identities`, `entities`, `entity_members` and `matches`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import psycopg

from core.database import DatabaseManager
from core.database.copy import copy_in
from core.database.queries import load, run
from core.linkage.ports import Output, Sink, StageBatch
from core.linkage.stages.survive import LINEAGE_ID_SUFFIX
from core.linkage.workspace import load_frame
from core.matching.dates import parse_dates

if TYPE_CHECKING:
    from core.linkage.job import LinkageJob

COLUMNS = ("first_name", "last_name", "dob", "ssn", "phone", "street", "city", "state", "zip", "email")
MEMBER_COLUMNS = ("row", "source", "label", "id", "entity_id")


def sink_of(job: LinkageJob, job_id: int, batch: StageBatch, output: Output) -> Sink | None:
    """Make what writes a publish batch's rows; None for any other stage."""
    if batch.stage != "publish":
        return None
    return partial(_write, job=job, job_id=job_id, partition=batch.partition, folder=job.workspace.path(output["path"]))


def _write(conn: psycopg.Connection, *, job: LinkageJob, job_id: int, partition: int, folder: Path) -> None:
    owner = pl.lit(job_id, pl.Int64).alias("job_id")
    members = load_frame(folder, "texts")
    copy_in(conn, "identities", _identities(members, job).select(owner, pl.all()))
    copy_in(conn, "entities", _entities(load_frame(folder, "entities")).select(owner, pl.all()))
    copy_in(
        conn,
        "entity_members",
        members.select(owner, "entity_id", source_no=pl.col("source").cast(pl.Int16), record_id="id"),
    )
    matches = load_frame(folder, "matches").drop("pattern").with_columns(pl.col("source_a", "source_b").cast(pl.Int16))
    copy_in(conn, "matches", matches.select(owner, pl.all()))
    if partition == 0:
        texts = job.pattern_texts
        patterns = pl.DataFrame({"pattern_id": np.arange(len(texts), dtype=np.int32), "levels": texts})
        copy_in(conn, "match_patterns", patterns.select(owner, pl.all()))


def _identities(members: pl.DataFrame, job: LinkageJob) -> pl.DataFrame:
    """One row per record, in the columns of the table; fields of a custom spec travel as JSON."""
    kinds = {field.name: field.kind for field in job.spec.fields}
    fields = [name for name in members.columns if name not in MEMBER_COLUMNS]
    known = [name for name in COLUMNS if name in fields]
    extra = [name for name in fields if name not in COLUMNS]
    frame = members.select(
        pl.col("row").cast(pl.Int64).alias("row_no"),
        pl.col("source").cast(pl.Int16).alias("source_no"),
        pl.col("id").alias("record_id"),
        "entity_id",
        *known,
    )
    if kinds.get("dob") == "date":
        frame = frame.with_columns(dob=_dates(members, job))
    if "state" in known:
        frame = frame.with_columns(pl.col("state").str.to_uppercase())
    for name in ("ssn", "phone"):
        if kinds.get(name) == "digits":
            frame = frame.with_columns(pl.col(name).str.replace_all(r"\D", "").replace("", None))
    if extra:
        frame = frame.with_columns(attributes=members.select(pl.struct(extra).struct.json_encode()).to_series())
    # The table is partitioned by state: in its order COPY fills one partition after the other.
    return frame.sort("state", "row_no") if "state" in known else frame


def _dates(members: pl.DataFrame, job: LinkageJob) -> pl.Series:
    """Whole and possible dates; null for the rest."""
    parsed = pl.Series("dob", [None] * members.height, dtype=pl.Int32)
    for source in range(len(job.sources)):
        numbers, _ = parse_dates(members["dob"], job.date_orders(source).get("dob", False))
        parsed = pl.select(pl.when(members["source"] == source).then(numbers).otherwise(parsed)).to_series()
    return parsed.cast(pl.String).str.to_date("%Y%m%d", strict=False)


def _entities(golden: pl.DataFrame) -> pl.DataFrame:
    """Golden values and their lineage as two JSON documents."""
    values = [name.removesuffix(LINEAGE_ID_SUFFIX) for name in golden.columns if name.endswith(LINEAGE_ID_SUFFIX)]
    lineage = [pl.col(name + LINEAGE_ID_SUFFIX).alias(name) for name in values]
    return golden.select(
        "entity_id",
        pl.col("n_members").cast(pl.Int32),
        golden=pl.struct(values).struct.json_encode(),
        lineage=pl.struct(lineage).struct.json_encode(),
    )


def publish(db: DatabaseManager, job: LinkageJob, job_id: int) -> None:
    """Point the data set's one row at the job: readers of the `current_*` views switch at commit."""
    with db.transaction() as conn:
        said = {"dataset": job.description.dataset_name, "job_id": job_id, "how": "publish"}
        run(conn, load("identity")["job_publish"], said)
