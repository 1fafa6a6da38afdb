"""Settled entities as rows of `identities`, `entities`, `entity_members` and `matches`."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import psycopg

from core.database import DatabaseManager
from core.database.copy import copy_in
from core.database.queries import load, run
from core.jobs.ports import Output, Sink, StageBatch
from core.linkage.history.continuity import changes_so_far
from core.linkage.history.kept_apart import KEPT_APART
from core.linkage.job import Range
from core.linkage.stages.survive import LINEAGE_ID_SUFFIX, cuts
from core.matching.standardise.dates import parse_dates
from core.storage.workspace import Folder, load_frame
from core.workloads.identity.publishing.lookup_tables import write_lookup

if TYPE_CHECKING:
    from core.linkage.job import LinkageJob

COLUMNS = ("first_name", "last_name", "dob", "ssn", "phone", "street", "city", "state", "zip", "email")
# Below this the tables that all jobs share take the identities, indexes and all.
OWN_IDENTITIES_ROWS = 500_000
SORT_MB = 256
Q = load("identity")


def prepare(db: DatabaseManager, job: LinkageJob, job_id: int) -> None:
    """Make the job's own partitions, which are filled before they have an index; again changes nothing."""
    with db.transaction() as conn:
        run(conn, Q["own_tables_make"], {"job_id": job_id, "identities": _own_identities(job)})
        if job.description.request.lookup:
            run(conn, load("lookup")["lookup_tables_make"], {"job_id": job_id})


def sink_of(job: LinkageJob, job_id: int, batch: StageBatch, output: Output) -> Sink | None:
    """Make what writes a publish batch's rows; None for any other stage."""
    if batch.stage != "publish":
        return None
    return partial(_write, job=job, job_id=job_id, partition=batch.partition, folder=job.workspace.path(output["path"]))


def index(db: DatabaseManager, job_id: int, *, at_once: int, memory_mb: int = SORT_MB) -> None:
    """Build the indexes of the job's partitions, several at once; processes that do it together share the work.

    Args:
        memory_mb: what each of them may sort in.
    Cost: one sort of each column that is indexed, in the database.
    """
    with db.transaction() as conn:
        names = run(conn, Q["own_tables"], {"job_id": job_id})

    def build(name: str, parent: str) -> None:
        with db.transaction() as conn:
            run(conn, Q["own_table_index"], {"name": name, "parent": parent, "memory": f"{memory_mb}MB"})

    with ThreadPoolExecutor(at_once, "index") as pool:
        for built in [pool.submit(build, *each) for each in names]:
            built.result()


def _write(conn: psycopg.Connection, *, job: LinkageJob, job_id: int, partition: int, folder: Folder) -> None:
    owner = pl.lit(job_id, pl.Int64).alias("job_id")
    lo, hi = cuts(job)[partition]
    members = load_frame(folder, "members")
    copy_in(
        conn,
        "entity_members",
        members.select(owner, "entity_id", source_no=pl.col("source").cast(pl.Int16), record_id="id"),
    )
    golden = folder / "entities.parquet"
    entities = _golden(load_frame(folder, "entities")) if golden.exists() else _sizes(job, members["entity_id"], lo, hi)
    copy_in(conn, "entities", entities.select(owner, pl.all()))
    matches = (
        load_frame(folder, "matches")
        .drop("pattern", *KEPT_APART)
        .with_columns(pl.col("source_a", "source_b").cast(pl.Int16))
    )
    copy_in(conn, "matches", matches.select(owner, pl.all()))
    if job.description.request.publish != "links":
        own = [owner.alias("own_job")] if _own_identities(job) else []
        for part in _pieces(job, lo, hi):
            mine = members.slice(part.first_row - lo, part.rows)
            copy_in(conn, "identities", _identities(job.read(part), mine, part, job).select(owner, *own, pl.all()))
    if job.description.request.lookup:
        write_lookup(conn, job, job_id, partition, folder)
    if partition == 0:
        texts = job.pattern_texts
        patterns = pl.DataFrame({"pattern_id": np.arange(len(texts), dtype=np.int32), "levels": texts})
        copy_in(conn, "match_patterns", patterns.select(owner, pl.all()))
        copy_in(conn, "entity_changes", changes_so_far(job).select(owner, pl.all()))


def _own_identities(job: LinkageJob) -> bool:
    """Whether the job's identities are so many that loading them without indexes is worth fifty tables."""
    return job.description.request.publish != "links" and job.rows >= OWN_IDENTITIES_ROWS


def _pieces(job: LinkageJob, lo: int, hi: int) -> Iterator[Range]:
    """The ranges of the input within rows [lo, hi)."""
    for part in job.ranges:
        first, last = max(lo, part.first_row), min(hi, part.first_row + part.rows)
        if first < last:
            yield Range(part.source, part.lo + first - part.first_row, part.lo + last - part.first_row, first)


def _sizes(job: LinkageJob, names: pl.Series, lo: int, hi: int) -> pl.DataFrame:
    """The entities whose smallest row is in [lo, hi), and how many records each has.

    Args:
        names: entity ids of the rows [lo, hi).
    Cost: one look at the labels of all rows.
    """
    labels = job.labels
    inside = labels[(labels >= lo) & (labels < hi)] - np.uint32(lo)
    counts = np.bincount(inside, minlength=hi - lo)
    firsts = np.flatnonzero(counts)
    return pl.DataFrame({"entity_id": names.gather(firsts), "n_members": counts[firsts].astype(np.int32)})


def _identities(texts: pl.DataFrame, members: pl.DataFrame, part: Range, job: LinkageJob) -> pl.DataFrame:
    """One row per record, in the columns of the table; fields of a custom spec travel as JSON."""
    kinds = {field.name: field.kind for field in job.spec.fields}
    fields = [name for name in texts.columns if name != "id"]
    known = [name for name in COLUMNS if name in fields]
    extra = [name for name in fields if name not in COLUMNS]
    frame = texts.select(
        pl.int_range(part.first_row, part.first_row + part.rows, dtype=pl.Int64).alias("row_no"),
        pl.lit(part.source, pl.Int16).alias("source_no"),
        pl.col("id").alias("record_id"),
        members["entity_id"],
        *known,
    )
    if kinds.get("dob") == "date":
        frame = frame.with_columns(dob=_dates(texts["dob"], part.source, job))
    if "state" in known:
        frame = frame.with_columns(pl.col("state").str.to_uppercase())
    for name in ("ssn", "phone"):
        if kinds.get(name) == "digits":
            frame = frame.with_columns(pl.col(name).str.replace_all(r"\D", "").replace("", None))
    if kinds.get("ssn") == "identifier":
        frame = frame.with_columns(
            pl.col("ssn").str.to_uppercase().str.replace_all(r"[^\p{L}\p{N}]", "").replace("", None)
        )
    if extra:
        frame = frame.with_columns(attributes=texts.select(pl.struct(extra).struct.json_encode()).to_series())
    # The table is partitioned by state: in its order COPY fills one partition after the other.
    return frame.sort("state", "row_no") if "state" in known else frame


def _dates(written: pl.Series, source: int, job: LinkageJob) -> pl.Series:
    """Whole and possible dates; null for the rest."""
    numbers, _ = parse_dates(written, job.date_orders(source).get("dob", False))
    return numbers.cast(pl.String).str.to_date("%Y%m%d", strict=False)


def _golden(golden: pl.DataFrame) -> pl.DataFrame:
    """Golden values and their lineage as two JSON documents."""
    values = [name.removesuffix(LINEAGE_ID_SUFFIX) for name in golden.columns if name.endswith(LINEAGE_ID_SUFFIX)]
    lineage = [pl.col(name + LINEAGE_ID_SUFFIX).alias(name) for name in values]
    return golden.select(
        "entity_id",
        pl.col("n_members").cast(pl.Int32),
        golden=pl.struct(values).struct.json_encode(),
        lineage=pl.struct(lineage).struct.json_encode(),
    )
