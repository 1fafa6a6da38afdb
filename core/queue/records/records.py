"""The record level in the database: claims that share headers out, marks one record at a time, exact counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from core.database import DatabaseManager
from core.database.queries import Row, load, run
from core.errors import LeaseLost, StoreUnavailable, UnknownFlow
from core.queue.batches import ClaimedBatch
from core.queue.leases import limits
from core.queue.leases.claim import Claimant, Share, Taken, claimed, in_turn, remember, under_limits
from core.queue.leases.fairness import Lane, Look
from core.queue.leases.limits import Limits
from core.queue.records.held_headers import CLAIM_WAIT_S, Patience

Q = load("records")

HEADS_MAX = 500
ORPHANS_LIMIT = 1_000
MARK_TRIES = 3


@dataclass(frozen=True, slots=True)
class Record:
    """One claimed record: its place for ever (origin, seq), its payload as JSON text, how often it failed before."""

    origin: int
    seq: int
    payload: str
    failed_before: int


@dataclass(frozen=True, slots=True)
class Lot:
    """A leased header and the records of it that have no fate yet."""

    batch: ClaimedBatch
    records: list[Record]


@dataclass(frozen=True, slots=True)
class Mark:
    """The fate of one record: `output` is JSON text if it is done, `error_class` and `reason` if it failed;
    `pause_s` then says when to try again, None: never."""

    batch: ClaimedBatch
    origin: int
    seq: int
    output: str | None = None
    error_class: str = ""
    reason: str = ""
    attempts: int = 1
    pause_s: float | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """Records of one flow; `failed` are dead or waiting for a retry."""

    pending: int = 0
    processing: int = 0
    completed: int = 0
    failed: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Records of both."""
        return Counts(
            self.pending + other.pending,
            self.processing + other.processing,
            self.completed + other.completed,
            self.failed + other.failed,
        )

    def named(self) -> dict[str, int]:
        """As reports name them: total_, the sum of the four, pending_, processing_, completed_ and failed_records."""
        return {
            "total_records": self.pending + self.processing + self.completed + self.failed,
            "pending_records": self.pending,
            "processing_records": self.processing,
            "completed_records": self.completed,
            "failed_records": self.failed,
        }


@dataclass(frozen=True, slots=True)
class _Grant:
    """How many records may be leased, under how many leases."""

    n_records: int
    n_leases: int = HEADS_MAX


def claim(
    db: DatabaseManager, who: Claimant, flow_name: str, n_records: int, *, wait_s: float = CLAIM_WAIT_S
) -> list[Lot]:
    """Lease up to `n_records` records: whole headers, and the front of the last one; [] for an unknown flow.

    Turns, shares of tenants, pauses and limits are those of batches: a lease is one of `max_running`, and of
    `rows_per_s` not one record more is handed out than is in the bucket. While all that may be handed out is locked by
    claims that came first, this one waits for them, up to `wait_s`; then it says so in the log and answers [].
    """
    if not who.turns.shared(flow_name) and (lots := _claim_free(db, who, Lane(flow_name), n_records)):
        return lots
    patience = Patience(flow_name, wait_s)

    def take(share: Share, wanted: int) -> Taken[Lot]:
        act = _claim_limited if share.limits.any else _claim_free
        lots = patience.turn(lambda: act(db, who, share.lane, wanted, patience))
        n = sum(len(lot.records) for lot in lots)
        return Taken(lots, n, n)

    try:
        lots = in_turn(db, who, [flow_name], n_records, take)
        while not lots and patience.again():
            lots = in_turn(db, who, [flow_name], n_records, take)
    except UnknownFlow:
        return []
    return lots


def _claim_free(
    db: DatabaseManager, who: Claimant, lane: Lane, n_records: int, patience: Patience | None = None
) -> list[Lot]:
    """From a flow's only tenant, or from one of them, if it has no limits."""
    look, lots = who.turns.look(lane), list[Lot]()
    for low in sorted({0, look.low}, reverse=True):
        with db.transaction() as conn:
            if patience is not None:
                patience.first(conn, lane)
            lots = _gather(conn, who, _where(lane, look, low), _Grant(n_records))
        if lots:
            break
    remember(db, who, lane, look, [lot.batch for lot in lots])
    return lots


def _claim_limited(db: DatabaseManager, who: Claimant, lane: Lane, n_records: int, patience: Patience) -> list[Lot]:
    look = who.turns.look(lane)

    def take(conn: psycopg.Connection[Any], left: Limits) -> tuple[list[Lot], int]:
        # Unlike a batch, the last lot can be cut to what is there: nothing is lent in advance.
        grant = _Grant(int(min(n_records, limits.room(left))), limits.slots(left, HEADS_MAX))
        if not (grant.n_records and grant.n_leases):
            return [], 0
        patience.first(conn, lane)
        lots = _gather(conn, who, _where(lane, look, 0, locked=True), grant)
        return lots, sum(len(lot.records) for lot in lots)

    lots = under_limits(db, lane, take)
    if lots is None:
        patience.missed()
    return lots or []


def _where(lane: Lane, look: Look, low: int, *, locked: bool = False) -> dict[str, Any]:
    return {**lane._asdict(), "oldest": look.oldest, "low": low, "locked": locked}


def _gather(conn: psycopg.Connection[Any], who: Claimant, where: Mapping[str, Any], grant: _Grant) -> list[Lot]:
    """Lease headers until enough records are together; those without any left are ended on the way."""
    lots: list[Lot] = []
    n_left, n_leases, n_heads = grant.n_records, grant.n_leases, 1
    while n_left > 0 and n_leases > 0:
        n_heads = min(n_heads, n_leases)
        heads = run(conn, Q["record_heads"], {**where, "limit": n_heads})
        for lot in _take(conn, who, heads, n_left):
            lots.append(lot)
            n_left -= len(lot.records)
            n_leases -= bool(lot.records)
        if len(heads) < n_heads:
            break
        # As many headers as their size suggests: what is locked here and not needed is hidden from others.
        mean = max(1.0, sum(head[5] for head in heads) / len(heads))
        n_heads = min(HEADS_MAX, max(1, round(n_left / mean)))
    close(conn, [lot.batch for lot in lots if not lot.records])
    return [lot for lot in lots if lot.records]


def _take(conn: psycopg.Connection[Any], who: Claimant, heads: Sequence[Row], n_wanted: int) -> list[Lot]:
    """Claim from the locked headers, in order, until enough records are together."""
    whole: list[int] = []
    marked: dict[int, bool] = {}
    batches: list[ClaimedBatch] = []
    shared = {"worker_id": who.worker_id, "ttl_s": who.ttl_s}
    for batch_id, origin, kind, lo, hi, _, partial in heads:
        if n_wanted <= 0:
            break
        seqs: Sequence[int] = range(lo, hi)
        if partial:
            place = {"kind": kind, "origin": origin, "lo": lo, "hi": hi}
            seqs = [seq for (seq,) in run(conn, Q["record_left"], place)]
        if len(seqs) > n_wanted:
            front = {**shared, "batch_id": batch_id, "lo": lo, "cut": seqs[n_wanted]}
            batches += map(claimed, run(conn, Q["record_claim_front"], front))
            marked[batches[-1].batch_id] = partial
        else:
            whole.append(batch_id)
            marked[batch_id] = partial
        n_wanted -= len(seqs)
    if whole:
        batches += map(claimed, run(conn, Q["record_claim"], {**shared, "batch_ids": whole}))
    return _lots(conn, batches, marked)


def _lots(conn: psycopg.Connection[Any], batches: Iterable[ClaimedBatch], marked: dict[int, bool]) -> list[Lot]:
    ordered = sorted(batches, key=lambda batch: (batch.priority, batch.origin_batch_id, batch.item_lo))
    lots = {batch.batch_id: Lot(batch, []) for batch in ordered}
    params = {
        "batch_ids": [batch.batch_id for batch in ordered],
        "kinds": [batch.kind for batch in ordered],
        "origins": [batch.origin_batch_id for batch in ordered],
        "los": [batch.item_lo for batch in ordered],
        "his": [batch.item_hi for batch in ordered],
        "marked": [marked[batch.batch_id] for batch in ordered],
    }
    for batch_id, origin, seq, payload, attempts in run(conn, Q["record_payloads"], params):
        lot = lots[batch_id]
        failed_before = lot.batch.attempt - 1 if attempts is None else attempts
        lot.records.append(Record(origin, seq, payload, failed_before))
    return list(lots.values())


def mark(
    db: DatabaseManager,
    marks: Sequence[Mark],
    ending: Sequence[ClaimedBatch],
    worker_id: str,
    *,
    in_doubt: bool = False,
) -> set[int]:
    """Write the fates in one transaction, durable when it returns; `ending`: headers of which these are the last.

    After a lost connection it is looked what took place before anything is written again; `in_doubt`: an earlier call
    with some of these marks ended that way, so look first.
    Returns the ids of headers whose lease is lost: nothing was written for their records.
    Raises StoreUnavailable: then it is not known whether the marks were written.
    Cost: one round trip if all are results of a first run and end no header, or just theirs.
    """
    for tries_left in reversed(range(MARK_TRIES)):
        try:
            if in_doubt:
                marks, ending = _still_open(db, marks, ending)
            return _write(db, marks, ending, worker_id)
        except StoreUnavailable:
            if tries_left == 0:
                raise
        in_doubt = True
    raise AssertionError("unreachable")


def _still_open(
    db: DatabaseManager, marks: Sequence[Mark], ending: Sequence[ClaimedBatch]
) -> tuple[list[Mark], list[ClaimedBatch]]:
    """The marks that left no trace, and the headers to end that are still ours.

    A record that has a fate is not marked again, whosever mark it was: the first one wins.
    """
    batches = {one.batch.batch_id: one.batch for one in marks}
    with db.transaction() as conn:
        held = {batch_id for (batch_id,) in run(conn, Q["record_hold_after_loss"], _leases(list(batches.values())))}
        fated = set(run(conn, Q["record_fated"], _places(marks)))
    left = [one for one in marks if (one.origin, one.seq) not in fated]
    return left, [batch for batch in ending if batch.batch_id in held]


def _write(db: DatabaseManager, marks: Sequence[Mark], ending: Sequence[ClaimedBatch], worker_id: str) -> set[int]:
    batches = {one.batch.batch_id: one.batch for one in marks}
    if all(one.output is not None and one.batch.kind == "new" for one in marks):
        if not ending:
            return batches.keys() - _write_at_once(db, marks, list(batches.values()))
        if len(ending) == 1 and batches.keys() == {ending[0].batch_id}:
            return batches.keys() - _end_at_once(db, marks, ending[0])
    with db.transaction() as conn:
        held = _hold(conn, list((batches | {batch.batch_id: batch for batch in ending}).values()))
        kept = [one for one in marks if one.batch.batch_id in held]
        _done(conn, [one for one in kept if one.output is not None])
        failed = [one for one in kept if one.output is None]
        _dead(conn, [one for one in failed if one.pause_s is None], worker_id)
        again = [one for one in failed if one.pause_s is not None]
        if again:
            pauses = {"pauses_s": [one.pause_s for one in again]}
            run(conn, Q["record_wait"], {**_places(again), **_why(again), **pauses})
        close(conn, [batch for batch in ending if batch.batch_id in held])
    return batches.keys() - held


def _write_at_once(db: DatabaseManager, marks: Sequence[Mark], batches: Sequence[ClaimedBatch]) -> set[int]:
    """Results only, in one statement that commits itself; ids of the headers whose lease held."""
    if not marks:
        return set()
    if len(marks) == 1:
        (one,) = marks
        params = {"batch_id": one.batch.batch_id, "token": one.batch.token}
        params |= {"origin": one.origin, "seq": one.seq, "output": one.output}
        return {one.batch.batch_id} if db.execute_once(Q["record_mark"], params) else set()
    headers = {"headers": [one.batch.batch_id for one in marks], "outputs": [one.output for one in marks]}
    rows = db.execute_once(Q["record_marks"], {**_leases(batches), **_places(marks), **headers})
    return {batch_id for (batch_id,) in rows}


def _end_at_once(db: DatabaseManager, marks: Sequence[Mark], batch: ClaimedBatch) -> set[int]:
    """The last results of a header and its end, likewise."""
    params = {"batch_id": batch.batch_id, "token": batch.token, "outputs": [one.output for one in marks]}
    rows = db.execute_once(Q["record_marks_end"], {**_places(marks), **params})
    return {batch_id for (batch_id,) in rows}


def _hold(conn: psycopg.Connection[Any], batches: Sequence[ClaimedBatch]) -> set[int]:
    return {batch_id for (batch_id,) in run(conn, Q["record_hold"], _leases(batches))}


def _done(conn: psycopg.Connection[Any], marks: Sequence[Mark]) -> None:
    if not marks:
        return
    run(conn, Q["record_done"], {**_places(marks), "outputs": [one.output for one in marks]})
    retried = [one for one in marks if one.batch.kind == "retry"]
    if retried:
        run(conn, Q["record_retry_marked"], {**_places(retried), "marked": "completed"})


def _dead(conn: psycopg.Connection[Any], marks: Sequence[Mark], worker_id: str) -> None:
    if not marks:
        return
    run(conn, Q["record_dead"], {**_places(marks), **_why(marks), "worker_id": worker_id})
    retried = [one for one in marks if one.batch.kind == "retry"]
    if retried:
        run(conn, Q["record_retry_marked"], {**_places(retried), "marked": "dead"})


def _places(marks: Sequence[Mark]) -> dict[str, Any]:
    return {"origins": [one.origin for one in marks], "seqs": [one.seq for one in marks]}


def _why(marks: Sequence[Mark]) -> dict[str, Any]:
    return {
        "attempts": [one.attempts for one in marks],
        "classes": [one.error_class for one in marks],
        "reasons": [one.reason for one in marks],
    }


def close(conn: psycopg.Connection[Any], batches: Sequence[ClaimedBatch]) -> None:
    """End headers whose records all have their fate: history, then the fence."""
    if not batches:
        return
    leases = _leases(batches)
    run(conn, Q["record_close"], leases)
    if any(batch.kind == "retry" for batch in batches):
        run(conn, Q["record_retries_done"], leases)
    fenced = {batch_id for (batch_id,) in run(conn, Q["record_fence"], leases)}
    for batch in batches:
        if batch.batch_id not in fenced:
            raise LeaseLost(f"the lease on batch {batch.batch_id} is lost", batch_id=batch.batch_id)


def _leases(batches: Sequence[ClaimedBatch]) -> dict[str, Any]:
    return {"batch_ids": [batch.batch_id for batch in batches], "tokens": [batch.token for batch in batches]}


def orphans(db: DatabaseManager, age_s: float) -> int:
    """Make everything claimed at least `age_s` ago ready again, whoever beats for it; returns how many records."""
    n_records = 0
    while True:
        with db.transaction() as conn:
            heads = run(conn, Q["record_orphans"], {"age_s": age_s, "limit": ORPHANS_LIMIT})
            for _, origin, kind, lo, hi, n_items, partial in heads:
                place = {"kind": kind, "origin": origin, "lo": lo, "hi": hi}
                n_records += len(run(conn, Q["record_left"], place)) if partial else n_items
        if len(heads) < ORPHANS_LIMIT:
            return n_records


def status(db: DatabaseManager, flow_name: str | None) -> dict[str, Counts]:
    """Counts per registered flow, of one snapshot; {} for an unknown flow."""
    with db.transaction() as conn:
        return {name: Counts(*counts) for name, *counts in run(conn, Q["record_status"], {"flow_name": flow_name})}


def check(db: DatabaseManager) -> None:
    """Raises StoreUnavailable or StoreError unless the store answers."""
    with db.transaction() as conn:
        run(conn, Q["record_store_check"])
