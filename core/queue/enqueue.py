"""Enqueue: one transaction of ids, COPY of items, headers; all of it or nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import polars as pl
import psycopg

from core.database import DatabaseManager
from core.database.copy import copy_in
from core.database.queries import load, run
from core.errors import InputError, StoreError, UnknownFlow
from core.queue import backpressure, dedupe, door, flows, jobs, partitions, payloads, wake
from core.queue.backpressure import Patience, patiently
from core.queue.batches import FlowPolicy
from core.queue.door import Arrivals
from core.queue.payloads import OnBad, Payloads, Refused
from core.queue.states import BatchState

Q = load("queue")
log = logging.getLogger(__name__)

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
    """Where new items go: the stage of a job, or the flow alone; `splittable` None: as the flow says; `not_before`: an
    aware moment before which none of it starts."""

    flow_name: str
    job_id: int | None = None
    stage: str = "main"
    priority: int = 100
    splittable: bool | None = None
    tenant_id: str = flows.DEFAULT_TENANT
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """How rows are taken in; `unique_keys`: one per row, taken for `dedupe_ttl_s`."""

    batch_rows: int
    on_bad: OnBad = "raise"
    unique_keys: Sequence[str] | None = None
    dedupe_ttl_s: float = 0.0
    patience: Patience = field(default_factory=Patience)


class Enqueued(list[int]):
    """Ids of the batches, in order; and what became of the rows: `n_rows` are in them, `n_left_out` were known by their
    unique keys, `n_refused` are dead letters."""

    def __init__(self, batch_ids: Iterable[int] = (), n_rows: int = 0, n_left_out: int = 0, n_refused: int = 0) -> None:
        super().__init__(batch_ids)
        self.n_rows = n_rows
        self.n_left_out = n_left_out
        self.n_refused = n_refused


def enqueue(db: DatabaseManager, place: Place, rows: Payloads, terms: Terms) -> Enqueued:
    """Store the payloads as batches; all of them or none. No payloads, or none that is new: no batch.

    Raises:
        UnknownFlow; QueueError: the job is finished or another tenant's, or a number or name is out of range.
        QueueFull: the flow's limit of depth, after `terms.patience`.
        RowError: a payload is not JSON, over 1 MiB, nested over 128 deep or holds NUL, and `on_bad` is "raise". With
        "dead" such payloads become dead letters instead (their first MiB), and the others keep their order.
    Cost: one COPY per call, about 5 microseconds a row for 200-byte payloads; memory three times the text.
    """
    door.check_priority(place.priority)
    door.check_not_before(place.not_before)
    door.check_stage(place.stage)
    arrivals = door.read(rows, terms.on_bad)
    n_rows = arrivals.texts.len()
    keys = None if terms.unique_keys is None else dedupe.checked(terms.unique_keys, n_rows)
    if n_rows == 0:
        return Enqueued()

    def attempt() -> Enqueued:
        return _store(db, place, arrivals, keys, terms)

    try:
        return patiently(terms.patience, attempt)
    except StoreError as error:
        if error.facts.get("sqlstate") not in _BAD_PAYLOAD or error.facts.get("query") != "copy_in":
            raise
    n_known = len(arrivals.refused)
    arrivals = door.screened(arrivals, payloads.not_json(arrivals.texts), terms.on_bad)
    if len(arrivals.refused) == n_known:
        raise InputError("the database refuses a payload that reads as JSON; it cannot be told which")
    return patiently(terms.patience, attempt)


def _store(db: DatabaseManager, place: Place, arrivals: Arrivals, keys: pl.Series | None, terms: Terms) -> Enqueued:
    batch_rows = terms.batch_rows
    with db.transaction() as conn:
        policy = flows.policy_of(conn, place.flow_name, place.tenant_id)
        held = place.job_id is not None and jobs.join(conn, place.job_id, place.tenant_id)
        texts, bad, n_left_out = arrivals.texts, arrivals.refused, 0
        fine = pl.Series([True]).new_from_index(0, texts.len())
        if keys is not None:
            new = dedupe.take(conn, place.flow_name, place.tenant_id, keys, terms.dedupe_ttl_s)
            bad = [one for one in bad if new[one.line]]
            fine, n_left_out = new, texts.len() - int(new.sum())
        good = texts.filter(fine.scatter([one.line for one in bad], False)) if bad or n_left_out else texts
        backpressure.check_room(conn, policy, good.len())
        n_batches = -(-good.len() // batch_rows)
        # Refused payloads get an id of their own, so that every header's range is whole.
        ids = partitions.take_ids(conn, n_batches + bool(bad))
        _copy_items(conn, good, ids[:n_batches], batch_rows)
        spot = Spot(place.tenant_id, place.flow_name, place.job_id, place.stage)
        if place.job_id is not None:
            run(conn, Q["stage_add"], {**asdict(spot), "n_batches": n_batches, "n_items": good.len()})
        headers = _headers(good.len(), ids[:n_batches], batch_rows, place, policy)
        if bad:
            _reject(conn, spot, ids[-1], arrivals, bad)
        new_headers(conn, headers, spot, Begin(place.not_before, held))
    return Enqueued(ids[:n_batches], good.len(), n_left_out, len(bad))


def _copy_items(conn: psycopg.Connection[Any], texts: pl.Series, ids: list[int], batch_rows: int) -> None:
    row = pl.int_range(pl.len(), dtype=pl.Int64)
    frame = pl.DataFrame({"payload": texts}).select(
        pl.lit(pl.Series(ids, dtype=pl.Int64)).gather(row // batch_rows).alias("batch_id"),
        (row % batch_rows).cast(pl.Int32).alias("seq"),
        pl.col("payload"),
    )
    copy_in(conn, "queue_items", frame, binary=True)


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


@dataclass(frozen=True, slots=True)
class Spot:
    """Columns that all batches of one call share."""

    tenant_id: str
    flow_name: str
    job_id: int | None
    stage: str


@dataclass(frozen=True, slots=True)
class Begin:
    """When new batches may start: at once, from a moment on, or when their job is resumed."""

    not_before: datetime | None = None
    held: bool = False

    @property
    def state(self) -> BatchState:
        """The state that follows from it."""
        if self.held:
            return "paused"
        return "ready" if self.not_before is None else "scheduled"


def new_headers(conn: psycopg.Connection[Any], frame: pl.DataFrame, spot: Spot, begin: Begin) -> None:
    """Write batches and their headers, and wake who waits for them; the last step of a transaction.

    Args:
        frame: columns of HEADER, one row a batch.
    """
    if frame.height == 0:
        return
    frame = frame.with_columns(_constants(spot))
    copy_in(conn, "queue_batches", frame)
    header = frame.with_columns(
        pl.col("batch_id").alias("origin_batch_id"),
        pl.lit(0, dtype=pl.Int64).alias("item_lo"),
        pl.col("n_items").alias("item_hi"),
        pl.lit(begin.state).alias("state"),
        pl.lit(begin.held).alias("held"),
        pl.lit(begin.not_before, dtype=pl.Datetime("us", "UTC")).alias("not_before"),
    )
    copy_in(conn, "processing_queue", header)
    if begin.state == "ready":
        wake.notify(conn, spot.flow_name)


def _constants(spot: Spot) -> list[pl.Expr]:
    dtypes = {"job_id": pl.Int64}
    return [pl.lit(value, dtype=dtypes.get(name, pl.String)).alias(name) for name, value in asdict(spot).items()]


def _reject(
    conn: psycopg.Connection[Any], spot: Spot, origin: int, arrivals: Arrivals, refused: Sequence[Refused]
) -> None:
    """Refused payloads become dead letters as the bytes they came as."""
    frame = pl.DataFrame(
        {
            "seq": list(range(len(refused))),
            "payload_raw": [arrivals.raw(one.line) for one in refused],
            "reason": [f"payload {one.line}: {one.reason}" for one in refused],
        }
    ).with_columns(
        pl.lit(origin, dtype=pl.Int64).alias("origin_batch_id"),
        pl.lit("poison").alias("fault"),
        pl.lit("RowError").alias("error_class"),
        pl.lit(0, dtype=pl.Int32).alias("attempts"),
        *_constants(spot),
    )
    copy_in(conn, "dead_letters", frame)
    told = {"origin": origin, "lo": 0, "hi": len(refused), "n_dead": len(refused)}
    run(conn, Q["history_reject"], {**asdict(spot), **told})


def put(db: DatabaseManager, flow_name: str, payload: Any, patience: Patience) -> None:
    """Put one payload into the inbox; the leader seals it into a batch. Raises RowError, UnknownFlow, QueueFull."""
    text = payload if isinstance(payload, str) else payloads.encode(payload)
    texts = door.read([text], "raise").texts
    if refused := payloads.not_json(texts):
        raise payloads.row_error(refused)

    def attempt() -> None:
        with db.transaction() as conn:
            policy = flows.policy_of(conn, flow_name)
            backpressure.check_room(conn, policy, 1)
            run(conn, Q["inbox_put"], {"flow_name": flow_name, "tenant_id": policy.tenant_id, "payload": text})

    patiently(patience, attempt)


def seal_inbox(db: DatabaseManager, rows: int, linger_s: float) -> int:
    """Turn full or old inboxes into batches; returns how many batches."""
    with db.transaction() as conn:
        ripe = run(conn, Q["inbox_ripe"], {"rows": rows, "linger_s": linger_s})
    return sum(_sealed(db, Place(flow_name, tenant_id=tenant_id), rows) for flow_name, tenant_id in ripe)


def _sealed(db: DatabaseManager, place: Place, rows: int) -> bool:
    try:
        return _seal(db, place, rows)
    except UnknownFlow as error:
        # Somebody deleted the flow; the inboxes of others must not wait for it.
        log.warning("the inbox of flow %s waits: %s", place.flow_name, error.message)
        return False


def _seal(db: DatabaseManager, place: Place, rows: int) -> bool:
    with db.transaction() as conn:
        run(conn, Q["duty_bounds"])
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
        spot = Spot(place.tenant_id, place.flow_name, None, place.stage)
        new_headers(conn, _headers(n_items, ids, rows, place, policy), spot, Begin())
        return True
