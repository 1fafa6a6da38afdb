"""Backfill: a range of a table or file as batches, handed in wave by wave, slowly enough, and never twice.

How far it is stands in the job's stage: the rows it has. A wave is added in the transaction that moves this mark, so
the same call goes on after a crash, and of two processes with the same call one adds each wave.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import QueueError
from core.queue.batches import ROWS_MAX, Job, NewBatch
from core.queue.producers import jobs, stages
from core.queue.states import job_is_open
from core.queue.store import flows

Q = load("queue")

STAGE = "backfill"
POLL_S = 0.25
POLL_MIN_S = 0.01
# A producer that was held up may catch up with so much of its rate at once.
CATCH_UP_S = 1.0
BATCHES_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Span:
    """Keys [lo, hi) of a source, in batches of `batch_rows` keys: each becomes {kind: name, "lo", "hi"}."""

    flow_name: str
    kind: Literal["table", "uri"]
    name: str
    lo: int
    hi: int
    batch_rows: int

    @property
    def n_rows(self) -> int:
        """Keys in the range, an upper bound of rows."""
        return self.hi - self.lo

    def key(self) -> str:
        """The job key if the caller has none: the same range is the same job."""
        told = json.dumps([self.flow_name, self.kind, self.name, self.lo, self.hi, self.batch_rows])
        return f"backfill {hashlib.sha256(told.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Throttle:
    """At most `ahead_batches` of the job live at a time; at most `rows_per_s` handed in, None: any number."""

    ahead_batches: int = 20
    rows_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """Where a backfill is, in rows: `issued` handed in, `ended` done or dead; `live` batches."""

    job: Job
    issued: int
    ended: int
    live: int


@dataclass(frozen=True, slots=True)
class Hands:
    """Clock, pauses, and who looks on; the caller's."""

    look: Callable[[Seen], None]
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep


def check(span: Span, throttle: Throttle) -> None:
    """QueueError for a range, a size or a throttle that cannot be."""
    if span.hi <= span.lo:
        raise QueueError(f"the range [{span.lo}, {span.hi}) is empty: hi must be above lo", lo=span.lo, hi=span.hi)
    if not 1 <= span.batch_rows <= ROWS_MAX:
        raise QueueError(f"batches of {span.batch_rows} rows are outside 1..{ROWS_MAX}", batch_rows=span.batch_rows)
    if -(-span.n_rows // span.batch_rows) > BATCHES_MAX:
        raise QueueError(f"more than {BATCHES_MAX} batches; take larger ones", batch_rows=span.batch_rows)
    if throttle.ahead_batches < 1:
        raise QueueError(f"{throttle.ahead_batches} batches ahead is not enough to begin", ahead=throttle.ahead_batches)
    if throttle.rows_per_s is not None and not throttle.rows_per_s > 0:
        raise QueueError(f"{throttle.rows_per_s} rows a second never ends", rows_per_s=throttle.rows_per_s)


def run_backfill(
    db: DatabaseManager,
    span: Span,
    throttle: Throttle,
    hands: Hands,
    *,
    job_key: str | None = None,
    rerun: bool = False,
) -> Seen:
    """Hand the range in and wait until all of it has ended; returns how it ended.

    The same call goes on where an interrupted one stopped; of a range that is done it returns at once, unless `rerun`.
    While the job is paused nothing is handed in; a cancelled job ends the call.
    Raises QueueError (see `check`); UnknownFlow; DuplicateJob: `job_key` belongs to another range.
    """
    check(span, throttle)
    with db.transaction() as conn:
        splittable = flows.policy_of(conn, span.flow_name).splittable
    source = {span.kind: span.name, "lo": span.lo, "hi": span.hi}
    parameters = {"source": source, "batch_rows": span.batch_rows}
    job = jobs.submit(db, span.flow_name, job_key or span.key(), parameters, span.key(), rerun=rerun)
    if job_is_open(job.status):
        stages.open_stage(db, job, STAGE, [])
    pace = _Pace(throttle, hands.clock())
    while True:
        seen = look(db, job)
        hands.look(seen)
        if not job_is_open(seen.job.status):
            return seen
        now = hands.clock()
        if seen.issued < span.n_rows:
            batches = wave(span, seen, pace, now, splittable=splittable)
            if seen.job.status == "running" and batches:
                stages.grow(db, job, STAGE, batches, seen.issued)
                continue
        elif not job_is_open(jobs.finish(db, job.job_id)):
            continue
        hands.wait(min(POLL_S, max(POLL_MIN_S, pace.next_at - now)) if pace.next_at > now else POLL_S)


@dataclass(slots=True)
class _Pace:
    """When the next batch may be handed in."""

    throttle: Throttle
    next_at: float

    def take(self, n_rows: int, now: float) -> bool:
        """May so many rows be handed in now? If so, later ones wait for it."""
        rate = self.throttle.rows_per_s
        if rate is None:
            return True
        if self.next_at > now:
            return False
        self.next_at = max(self.next_at, now - CATCH_UP_S) + n_rows / rate
        return True


def wave(span: Span, seen: Seen, pace: _Pace, now: float, *, splittable: bool) -> list[NewBatch]:
    """The next batches, as many as live ones and rate leave room for."""
    batches: list[NewBatch] = []
    at = seen.issued
    while at < span.n_rows and seen.live + len(batches) < pace.throttle.ahead_batches:
        n_items = min(span.batch_rows, span.n_rows - at)
        if not pace.take(n_items, now):
            break
        source: Mapping[str, Any] = {span.kind: span.name, "lo": span.lo + at, "hi": span.lo + at + n_items}
        batches.append(NewBatch(at // span.batch_rows, n_items, source, splittable=splittable))
        at += n_items
    return batches


def look(db: DatabaseManager, job: Job) -> Seen:
    """Where the backfill is. Cost: one index scan of its live batches."""
    with db.transaction() as conn:
        rows = run(conn, Q["stage_room"], {"job_id": job.job_id, "stage": STAGE})
    if not rows:
        return Seen(job, 0, 0, 0)
    status, issued, live, live_rows = rows[0]
    return Seen(replace(job, status=status), issued, issued - live_rows, live)
