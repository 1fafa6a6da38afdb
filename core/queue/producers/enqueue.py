"""Enqueue: one transaction of ids, COPY of items, headers; all of it or nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import polars as pl
import psycopg

from core.database import DatabaseManager
from core.database.copy import copy_in
from core.database.queries import load, run
from core.errors import InputError, StoreError
from core.queue import checks, payloads
from core.queue.batches import FlowPolicy
from core.queue.payloads import OnBad, Payloads, Refused
from core.queue.producers import backpressure, jobs, screening, unique_keys
from core.queue.producers.backpressure import Patience, patiently
from core.queue.producers.screening import Arrivals
from core.queue.producers.unique_keys import Keys, Places
from core.queue.store import flows, partitions
from core.queue.store.headers import HEADER, Begin, Spot, constants, new_headers

Q = load("queue")
log = logging.getLogger(__name__)

_Late = Callable[[], list[Refused]]
# So many payloads are looked through for doubled keys beside their COPY; to start a thread costs as much as fewer do.
KEYS_BESIDE_ROWS = 1_000
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
    checks.check_priority(place.priority)
    checks.check_not_before(place.not_before)
    checks.check_stage(place.stage)
    rows = screening.at_hand(rows)
    beside = len(rows) >= KEYS_BESIDE_ROWS and screening.may_double(rows)
    arrivals = screening.read(rows, terms.on_bad, with_keys=not beside)
    n_rows = arrivals.texts.len()
    keys = None if terms.unique_keys is None else unique_keys.checked(terms.unique_keys, n_rows)
    if n_rows == 0:
        return Enqueued()

    def stored(arrivals: Arrivals, late: _Late | None = None) -> Enqueued:
        return _json_only(arrivals, terms, lambda kept: _store(db, place, kept, keys, terms, late))

    if not beside:
        return stored(arrivals)
    # Polars looks while the server stores, which takes several times as long.
    with ThreadPoolExecutor(1, "headrace-keys") as pool:
        try:
            return stored(arrivals, pool.submit(screening.doubled_keys, arrivals).result)
        except _Doubled as found:
            refused = found.refused
    return stored(screening.screened(arrivals, refused, terms.on_bad))


def _json_only(arrivals: Arrivals, terms: Terms, store: Callable[[Arrivals], Enqueued]) -> Enqueued:
    """Store them; if the server refuses a payload, look for those that are no JSON, and store the others."""
    try:
        return patiently(terms.patience, lambda: store(arrivals))
    except StoreError as error:
        if error.facts.get("sqlstate") not in _BAD_PAYLOAD or error.facts.get("query") != "copy_in":
            raise
    n_known = len(arrivals.refused)
    arrivals = screening.screened(arrivals, payloads.not_json(arrivals.texts), terms.on_bad)
    if len(arrivals.refused) == n_known:
        raise InputError("the database refuses a payload that reads as JSON; it cannot be told which")
    return patiently(terms.patience, lambda: store(arrivals))


class _Doubled(Exception):
    """Payloads with doubled keys, found when they were stored and not yet committed."""

    def __init__(self, refused: list[Refused]) -> None:
        super().__init__(len(refused))
        self.refused = refused


def _store(
    db: DatabaseManager, place: Place, arrivals: Arrivals, keys: pl.Series | None, terms: Terms, late: _Late | None
) -> Enqueued:
    """`late`: waits for what a look beside this one finds."""
    batch_rows = terms.batch_rows
    with db.transaction() as conn:
        policy = flows.policy_of(conn, place.flow_name, place.tenant_id)
        held = place.job_id is not None and jobs.join(conn, place.job_id, place.tenant_id)
        if keys is None:
            taken = _all_of(conn, arrivals, batch_rows)
        else:
            named = Keys(place.flow_name, place.tenant_id, keys, terms.dedupe_ttl_s)
            taken = _new_of(conn, arrivals, named, batch_rows)
        backpressure.check_room(conn, policy, taken.texts.len())
        ids = taken.ids
        _copy_items(conn, taken.texts, ids, batch_rows)
        spot = Spot(place.tenant_id, place.flow_name, place.job_id, place.stage)
        if place.job_id is not None:
            run(conn, Q["stage_add"], {**asdict(spot), "n_batches": len(ids), "n_items": taken.texts.len()})
        headers = headers_of(taken.texts.len(), ids, batch_rows, place, policy)
        if taken.bad:
            _reject(conn, spot, taken.bad_id, arrivals, taken.bad)
        new_headers(conn, headers, spot, Begin(place.not_before, held))
        if late is not None and (found := late()):
            raise _Doubled(found)
    n_left_out = arrivals.texts.len() - taken.texts.len() - len(taken.bad)
    return Enqueued(ids, taken.texts.len(), n_left_out, len(taken.bad))


@dataclass(frozen=True, slots=True)
class _Taken:
    """What goes in: `texts` into the batches `ids`, the refused into the dead letters under an id of their own, so that
    every header's range is whole."""

    texts: pl.Series
    ids: list[int]
    bad: list[Refused]
    bad_id: int = 0


def _all_of(conn: psycopg.Connection[Any], arrivals: Arrivals, batch_rows: int) -> _Taken:
    texts, bad = arrivals.texts, arrivals.refused
    if bad:
        texts = texts.filter(_mask(texts.len(), [one.line for one in bad], among=False))
    n_batches = -(-texts.len() // batch_rows)
    ids = partitions.take_ids(conn, n_batches + bool(bad))
    return _Taken(texts, ids[:n_batches], bad, ids[-1])


def _new_of(conn: psycopg.Connection[Any], arrivals: Arrivals, keys: Keys, batch_rows: int) -> _Taken:
    """Those whose keys are new. Ids come first, for a key is taken together with the identity of its row; if rows are
    left out, the others move up, and ids of batches that are not needed stay unused."""
    n_rows = arrivals.texts.len()
    bad_lines = pl.Series([one.line for one in arrivals.refused], dtype=pl.Int64)
    lines = unique_keys.candidates(keys.keys, bad_lines.to_list()).arg_true().cast(pl.Int64)
    ids = partitions.take_ids(conn, -(-n_rows // batch_rows) + 1)
    new = unique_keys.take(conn, keys, lines, Places(lines, ids, batch_rows))
    bad_new = new.filter(new.is_in(bad_lines.implode()))
    good = new.filter(~new.is_in(bad_lines.implode()))
    n_batches = -(-good.len() // batch_rows)
    if good.len() < lines.len():
        unique_keys.move(conn, keys, good, Places(good, ids, batch_rows))
        # The dead letters of one call are numbered through.
        unique_keys.move(conn, keys, bad_new, Places(bad_new, ids[-1:], n_rows))
    texts = arrivals.texts if good.len() == n_rows else arrivals.texts.gather(good)
    known = set(bad_new.to_list())
    return _Taken(texts, ids[:n_batches], [one for one in arrivals.refused if one.line in known], ids[-1])


def _mask(n: int, lines: Sequence[int], *, among: bool) -> pl.Series:
    return pl.Series([not among]).new_from_index(0, n).scatter(lines, among)


def _copy_items(conn: psycopg.Connection[Any], texts: pl.Series, ids: list[int], batch_rows: int) -> None:
    row = pl.int_range(pl.len(), dtype=pl.Int64)
    frame = pl.DataFrame({"payload": texts}).select(
        pl.lit(pl.Series(ids, dtype=pl.Int64)).gather(row // batch_rows).alias("batch_id"),
        (row % batch_rows).cast(pl.Int32).alias("seq"),
        pl.col("payload"),
    )
    copy_in(conn, "queue_items", frame, binary=True)


def headers_of(n_items: int, ids: list[int], batch_rows: int, place: Place, policy: FlowPolicy) -> pl.DataFrame:
    """One row of HEADER a batch."""
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
        *constants(spot),
    )
    copy_in(conn, "dead_letters", frame)
    told = {"origin": origin, "lo": 0, "hi": len(refused), "n_dead": len(refused)}
    run(conn, Q["history_reject"], {**asdict(spot), **told})
