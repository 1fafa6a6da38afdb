"""What `headrace lookup` needs of a job, as rows: its rules, lists of blocking keys, and records as they are compared.

Each publish batch writes the records of its range of rows, and the lists of some of the passes; all are there when the
last batch is.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import polars as pl
import psycopg

from core.database.copy import copy_in
from core.linkage.history.continuity import changes_so_far
from core.linkage.history.decisions import decided_rows
from core.linkage.stage_files import load_placeholders
from core.linkage.stages.survive import cuts
from core.matching.lookup.join_record import LINK, TEXT_SEPARATOR
from core.matching.lookup.key_index import Sizes, bucketed, postings
from core.storage.workspace import Array, Folder, load_frame

if TYPE_CHECKING:
    from core.linkage.job import LinkageJob

RECORDS_AT_ONCE = 200_000
BUCKETS_AT_ONCE = 50_000


def write_lookup(conn: psycopg.Connection, job: LinkageJob, job_id: int, partition: int, folder: Folder) -> None:
    """Write a publish batch's share.

    Args:
        folder: of the `survive` batch.
    Cost: at a million persons 260 MB in the database; about 4 s a core.
    """
    owner = pl.lit(job_id, pl.Int64).alias("job_id")
    parts = cuts(job)
    if partition == 0:
        rules = {"job_id": [job_id], "n_rows": [job.rows], "rules": [rules_of(job)]}
        copy_in(conn, "lookup_jobs", pl.DataFrame(rules))
    for number in job.passes_planned[partition :: len(parts)]:
        _write_keys(conn, job, number, owner)
    lo, hi = parts[partition]
    members = load_frame(folder, "members")
    members = members.with_columns(began=_began(job, members["entity_id"]))
    links = _Links.of(job, lo, hi)
    for first in range(lo, hi, RECORDS_AT_ONCE):
        last = min(first + RECORDS_AT_ONCE, hi)
        frame = members[first - lo : last - lo].select(
            owner,
            pl.Series("row_no", np.arange(first, last, dtype=np.int64)),
            pl.col("id").alias("record_id"),
            "entity_id",
            "began",
            *_packed(job, first, last),
            links.column(first, last),
        )
        copy_in(conn, "lookup_records", frame)


def rules_of(job: LinkageJob) -> str:
    """All that a lookup decides by, as JSON."""
    found = {
        "spec": job.spec.model_dump(mode="json"),
        "model": job.model.model_dump(mode="json"),
        "date_orders": job.date_orders(0),
        "readings": {name: reading.to_dict() for name, reading in (job.sources[0].readings or {}).items()},
        "placeholders": load_placeholders(job.folder("reduce")),
        "window": job.outputs("plan")[0]["window"],
    }
    return orjson.dumps(found).decode()


def _write_keys(conn: psycopg.Connection, job: LinkageJob, number: int, owner: pl.Expr) -> None:
    sizes = Sizes.of(job.rows)
    for slot, entries in postings(job.words, job.vocabulary, job.layout, number, job.outputs("plan")[0]["window"]):
        buckets = list(bucketed(entries, sizes))
        for lo in range(0, len(buckets), BUCKETS_AT_ONCE):
            some = buckets[lo : lo + BUCKETS_AT_ONCE]
            frame = pl.DataFrame(
                {
                    "bucket": pl.Series([bucket for bucket, _ in some], dtype=pl.Int32),
                    "entries": pl.Series([held for _, held in some], dtype=pl.Binary),
                }
            )
            copy_in(conn, "lookup_keys", frame.select(owner, pl.lit(slot, pl.Int16).alias("slot"), pl.all()))


def _packed(job: LinkageJob, lo: int, hi: int) -> tuple[pl.Series, pl.Expr]:
    """Columns `words` and `texts` of rows [lo, hi)."""
    words = job.words[lo:hi].astype("<u4")
    strings = job.vocabulary.strings
    texts = [strings.gather(words[:, at]).alias(str(at)) for at in job.layout.coded_words]
    words[:, job.layout.coded_words] = 0
    step, raw = words.shape[1] * 4, words.tobytes()
    blobs = [raw[at : at + step] for at in range(0, len(raw), step)]
    tidy = (pl.lit(text.str.replace_all(TEXT_SEPARATOR, " ", literal=True)) for text in texts)
    joined = pl.concat_str(*tidy, separator=TEXT_SEPARATOR) if texts else pl.lit("")
    return pl.Series("words", blobs, dtype=pl.Binary), joined.alias("texts")


class _Links:
    """Accepted pairs of a range of rows, seen from both sides, and decisions."""

    def __init__(self, lo: int, starts: Array, ends: Array) -> None:
        self._lo, self._starts, self._ends = lo, starts, ends

    @classmethod
    def of(cls, job: LinkageJob, lo: int, hi: int) -> _Links:
        edges, decided = job.edges, decided_rows(job)
        accepted = edges.take(edges.bits >= np.float32(job.spec.match_bits))
        sides = [
            (accepted.left, accepted.right, accepted.bits),
            *(
                (pairs[:, 0], pairs[:, 1], np.full(len(pairs), said, dtype=np.float32))
                for pairs, said in ((decided.matches, np.inf), (decided.differs, -np.inf))
            ),
        ]
        sides += [(right, left, bits) for left, right, bits in sides]
        rows, ends = [np.zeros(0, dtype=np.uint32)], [np.zeros(0, dtype=LINK)]
        for row, other, bits in sides:
            mine = (row >= lo) & (row < hi)
            found = np.empty(int(mine.sum()), dtype=LINK)
            found["row"], found["bits"] = other[mine], bits[mine]
            rows.append(row[mine])
            ends.append(found)
        every, found = np.concatenate(rows), np.concatenate(ends)
        order = np.lexsort((found["row"], every))
        return cls(lo, np.searchsorted(every[order], np.arange(lo, hi + 1)), found[order])

    def column(self, lo: int, hi: int) -> pl.Series:
        """Column `links` of rows [lo, hi); null where a record has none."""
        starts = self._starts[lo - self._lo : hi - self._lo + 1].tolist()
        raw, step = self._ends.tobytes(), LINK.itemsize
        blobs: list[Any] = [raw[first * step : last * step] or None for first, last in pairwise(starts)]
        return pl.Series("links", blobs, dtype=pl.Binary)


def _began(job: LinkageJob, entities: pl.Series) -> pl.Series:
    """Version in which each record's entity began; 0 for those of the first run."""
    begun = changes_so_far(job).filter(pl.col("kind").is_in(["new", "split"]))
    ages = begun.group_by("entity_id").agg(pl.col("version").min())
    joined = entities.to_frame("entity_id").join(ages, on="entity_id", how="left", maintain_order="left")
    return joined["version"].fill_null(0).cast(pl.Int64)
