"""The first third of a batch's way: from the claim to rows that a handler can work on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import polars as pl

from core.database import DatabaseManager
from core.queue.batches import ClaimedBatch, RowFailure
from core.queue.consumers.outages import Outages
from core.queue.handlers import Work
from core.queue.store import items


@dataclass(frozen=True, slots=True)
class Readable:
    """A batch whose rows are at hand: `frame` for the handler, `misfits` that it never sees.

    `cpu_began_s`: the process's own time before the rows were read, where the batch's cost begins.
    """

    batch: ClaimedBatch
    work: Work
    frame: pl.DataFrame
    misfits: list[RowFailure]
    cpu_began_s: float


def read(
    db: DatabaseManager, batch: ClaimedBatch, work: Work, outages: Outages, texts: items.Texts | None = None
) -> Readable:
    """What the handler gets: seq and fields; of a batch with a source one row, which says where the rows are.

    `texts`: what it holds, if that is known. Cost: one statement; none for a batch with a source, or with `texts`.
    """
    cpu_began_s = time.process_time()
    if batch.source is None:
        texts = texts or outages.insist(lambda: items.items(db, batch))
    else:
        texts = items.Texts(pl.Series("seq", [0], dtype=pl.Int64), _whereabouts(batch, batch.source))
    decoded = items.Decoded(texts.frame(), []) if work.schema is None else items.decode(texts, work.schema)
    return Readable(batch, work, decoded.frame, decoded.misfits, cpu_began_s)


def _whereabouts(batch: ClaimedBatch, source: Mapping[str, Any]) -> str:
    """The source, and under `batch` whose it is: stages of a job share handlers, and each attempt writes apart."""
    facts = {"job_id": batch.job_id, "stage": batch.stage, "partition": batch.partition_no, "n_items": batch.n_items}
    tag = f"{batch.batch_id}-{str(batch.token)[:8]}"
    return orjson.dumps({**source, "batch": facts | {"tag": tag}}).decode()
