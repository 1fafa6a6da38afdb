"""Enqueue: one transaction of ids, COPY of items, headers; all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
import psycopg

from core.database import DatabaseManager
from core.database.copy import copy_in
from core.database.queries import load, run
from core.errors import InputError, QueueError, StoreError
from core.queue import flows, partitions, payloads
from core.queue.batches import FlowPolicy
from core.queue.payloads import OnBad, Payloads, Refused

Q = load("queue")

HEADER: dict[str, type[pl.DataType]] = {
    "batch_id": pl.Int64,
    "partition_no": pl.Int32,
    "priority": pl.Int32,
    "splittable": pl.Boolean,
    "n_items": pl.Int64,
    "source": pl.String,
}
# Invalid text representation, character not in repertoire, untranslatable character, stack depth, syntax.
_BAD_PAYLOAD = frozenset({"22P02", "22021", "22P05", "54001", "22023"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where new items go: the stage of a job, or the flow alone; `splittable` None: as the flow says."""

    flow_name: str
    job_id: int | None = None
    stage: str = "main"
    priority: int = 100
    splittable: bool | None = None
    tenant_id: str = flows.DEFAULT_TENANT


def enqueue(db: DatabaseManager, place: Place, rows: Payloads, batch_rows: int, on_bad: OnBad) -> list[int]:
    """Store the payloads as batches of `batch_rows` items; returns the batch ids, [] for no payloads.

    Raises:
        UnknownFlow; RowError: a payload is not JSON, over 1 MiB, nested over 128 deep or holds NUL, and `on_bad` is
        "raise". With "dead" such payloads become dead letters instead, and the others keep their order.
    Cost: one COPY per call, about 5 microseconds a row for 200-byte payloads; memory three times the text.
    """
    texts = payloads.to_text(rows)
    if texts.len() == 0:
        return []
    refused = payloads.screen(texts)
    if refused and on_bad == "raise":
        raise payloads.row_error(refused)
    try:
        return _store(db, place, texts, refused, batch_rows)
    except StoreError as error:
        if error.facts.get("sqlstate") not in _BAD_PAYLOAD:
            raise
    broken = {one.line for one in refused}
    refused = sorted(refused + [one for one in payloads.not_json(texts) if one.line not in broken], key=_line)
    if len(refused) == len(broken):
        raise InputError("the database refuses a payload that reads as JSON; it cannot be told which")
    if on_bad == "raise":
        raise payloads.row_error(refused)
    return _store(db, place, texts, refused, batch_rows)


def _line(one: Refused) -> int:
    return one.line


def _store(db: DatabaseManager, place: Place, texts: pl.Series, refused: list[Refused], batch_rows: int) -> list[int]:
    bad = [one.line for one in refused]
    good = texts.gather([i for i in range(texts.len()) if i not in set(bad)]) if bad else texts
    n_batches = -(-good.len() // batch_rows)
    with db.transaction() as conn:
        policy = flows.policy_of(conn, place.flow_name, place.tenant_id)
        # Refused payloads get an id of their own, so that every header's range is whole.
        ids = partitions.take_ids(conn, n_batches + bool(bad))
        _copy_items(conn, good, ids[:n_batches], batch_rows)
        headers = _headers(good.len(), ids[:n_batches], batch_rows, place, policy)
        spot = {
            "tenant_id": place.tenant_id,
            "flow_name": place.flow_name,
            "job_id": place.job_id,
            "stage": place.stage,
        }
        if place.job_id is not None:
            run(conn, Q["stage_add"], {**spot, "n_batches": n_batches, "n_items": good.len()})
        new_headers(conn, headers, spot)
        if bad:
            _reject(conn, spot, ids[-1], texts, refused)
    return ids[:n_batches]


def _copy_items(conn: psycopg.Connection[Any], texts: pl.Series, ids: list[int], batch_rows: int) -> None:
    row = pl.int_range(pl.len(), dtype=pl.Int64)
    frame = pl.DataFrame({"payload": texts}).select(
        pl.lit(pl.Series(ids, dtype=pl.Int64)).gather(row // batch_rows).alias("batch_id"),
        (row % batch_rows).cast(pl.Int32).alias("seq"),
        pl.col("payload"),
    )
    copy_in(conn, "queue_items", frame)


def _headers(n_items: int, ids: list[int], batch_rows: int, place: Place, policy: FlowPolicy) -> pl.DataFrame:
    splittable = policy.splittable if place.splittable is None else place.splittable
    return pl.DataFrame(
        {
            "batch_id": ids,
            "partition_no": list(range(len(ids))),
            "priority": [place.priority] * len(ids),
            "splittable": [splittable] * len(ids),
            "n_items": [min(batch_rows, n_items - i * batch_rows) for i in range(len(ids))],
            "source": [None] * len(ids),
        },
        schema=HEADER,
    )


def new_headers(conn: psycopg.Connection[Any], frame: pl.DataFrame, spot: Mapping[str, Any]) -> None:
    """Write batches and their headers, ready to be claimed.

    Args:
        frame: columns of HEADER, one row a batch.
        spot: tenant_id, flow_name, job_id, stage.
    """
    constants = [pl.lit(value, dtype=_SPOT[name]).alias(name) for name, value in spot.items()]
    frame = frame.with_columns(constants)
    copy_in(conn, "queue_batches", frame)
    header = frame.with_columns(
        pl.col("batch_id").alias("origin_batch_id"),
        pl.lit(0, dtype=pl.Int64).alias("item_lo"),
        pl.col("n_items").alias("item_hi"),
    )
    copy_in(conn, "processing_queue", header)


_SPOT = {"tenant_id": pl.String, "flow_name": pl.String, "job_id": pl.Int64, "stage": pl.String}


def _reject(
    conn: psycopg.Connection[Any], spot: Mapping[str, Any], origin: int, texts: pl.Series, refused: list[Refused]
) -> None:
    """Refused payloads become dead letters as the bytes they came as."""
    lines = [one.line for one in refused]
    frame = pl.DataFrame(
        {
            "seq": list(range(len(refused))),
            "payload_raw": [(texts[line] or "").encode() for line in lines],
            "reason": [f"payload {one.line}: {one.reason}" for one in refused],
        }
    ).with_columns(
        pl.lit(origin, dtype=pl.Int64).alias("origin_batch_id"),
        pl.lit("poison").alias("fault"),
        pl.lit("RowError").alias("error_class"),
        pl.lit(0, dtype=pl.Int32).alias("attempts"),
        *[pl.lit(value, dtype=_SPOT[name]).alias(name) for name, value in spot.items()],
    )
    copy_in(conn, "dead_letters", frame)
    run(conn, Q["history_reject"], {**spot, "origin": origin, "lo": 0, "hi": len(refused), "n_dead": len(refused)})


def put(db: DatabaseManager, flow_name: str, payload: Any) -> None:
    """Put one payload into the inbox; the leader seals it into a batch. Raises RowError, UnknownFlow."""
    text = payload if isinstance(payload, str) else payloads.encode(payload)
    if refused := payloads.screen(pl.Series([text])) or payloads.not_json(pl.Series([text])):
        raise payloads.row_error(refused)
    with db.transaction() as conn:
        policy = flows.policy_of(conn, flow_name)
        run(conn, Q["inbox_put"], {"flow_name": flow_name, "tenant_id": policy.tenant_id, "payload": text})


def seal_inbox(db: DatabaseManager, rows: int, linger_s: float) -> int:
    """Turn full or old inboxes into batches; returns how many batches."""
    with db.transaction() as conn:
        ripe = run(conn, Q["inbox_ripe"], {"rows": rows, "linger_s": linger_s})
    return sum(_seal(db, Place(flow_name, tenant_id=tenant_id), rows) for flow_name, tenant_id in ripe)


def _seal(db: DatabaseManager, place: Place, rows: int) -> bool:
    with db.transaction() as conn:
        policy = flows.policy_of(conn, place.flow_name, place.tenant_id)
        ids = partitions.take_ids(conn, 1)
        params = {
            "flow_name": place.flow_name,
            "tenant_id": place.tenant_id,
            "rows": rows,
            "batch_id": ids[0],
        }
        n_items = int(run(conn, Q["inbox_seal"], params)[0][0])
        if n_items == 0:
            return False
        spot = {
            "tenant_id": place.tenant_id,
            "flow_name": place.flow_name,
            "job_id": None,
            "stage": place.stage,
        }
        new_headers(conn, _headers(n_items, ids, rows, place, policy), spot)
        return True


def check_batch_rows(batch_rows: int, rows_max: int) -> None:
    """QueueError unless 1 <= batch_rows <= rows_max."""
    if not 1 <= batch_rows <= rows_max:
        raise QueueError(
            f"batch_rows {batch_rows} is outside 1..{rows_max} (HEADRACE_QUEUE__BATCH_ROWS_MAX)",
            batch_rows=batch_rows,
            limit=rows_max,
        )
