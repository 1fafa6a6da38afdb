# budget: parameters, claim says five things about what it takes, and grouping them would only rename them
"""Taking leases, keeping them, giving them back."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Generic, TypeVar

import psycopg

from core.database import DatabaseManager
from core.database.queries import Query, Row, load, run
from core.errors import QueueError, StoreError
from core.queue.batches import ClaimedBatch
from core.queue.leases import limits
from core.queue.leases.fairness import Lane, Look, Turns
from core.queue.leases.limits import Limits
from core.queue.store import flows

Q = load("queue")
T = TypeVar("T")
log = logging.getLogger(__name__)

# A claim under limits waits so long for the claim before it, which takes some milliseconds.
LOCK_WAIT_MS = 2_000
_LOCK_NOT_AVAILABLE = "55P03"

_Ask = Callable[[Query, Mapping[str, Any]], list[Row]]


@dataclass(frozen=True, slots=True)
class Claimant:
    """Who claims, for how long without a heartbeat, and what it remembers of its claims before."""

    worker_id: str
    ttl_s: float
    flow_run_id: str | None = None
    turns: Turns = field(default_factory=Turns, compare=False)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What is asked for: up to `limit` batches of a flow, of one tenant of it, or of one job."""

    flow_name: str
    limit: int
    tenant_id: str | None = None
    job_id: int | None = None
    stage: str | None = None
    together_rows: int | None = None

    @property
    def lane(self) -> Lane:
        """Under which this claim is remembered."""
        return Lane(self.flow_name, self.tenant_id)


@dataclass(frozen=True, slots=True)
class _Grant:
    """Under the lock of a lane: what its limits leave. Without it, claims take from unlimited flows only."""

    limit: int
    room: float


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one claim statement said: the tenants it saw (0: unknown), the state of the only one, the batches."""

    n_tenants: int
    paused: bool
    limited: bool
    tenant_id: str | None
    batches: list[ClaimedBatch]


@dataclass(frozen=True, slots=True)
class Share:
    """A lane as claim_lanes saw it."""

    lane: Lane
    weight: float
    paused: bool
    limits: Limits
    has_ready: bool

    @property
    def open(self) -> bool:
        """Whether a claim may get something here."""
        return self.has_ready and not self.paused and limits.slots(self.limits, 1) > 0 and limits.room(self.limits) > 0


@dataclass(frozen=True, slots=True)
class Taken(Generic[T]):
    """What one lane gave: `n` of what was wanted, `n_rows` of its share."""

    got: list[T]
    n: int
    n_rows: int


def claim(
    db: DatabaseManager,
    who: Claimant,
    flow_name: str,
    limit: int,
    *,
    job_id: int | None = None,
    stage: str | None = None,
    together_rows: int | None = None,
) -> list[ClaimedBatch]:
    """Lease up to `limit` ready batches, by priority then age; [] if there are none, or none may run now.

    Every tenth claim takes the oldest instead. Tenants of the flow share by weight. Limits hold exactly, see
    `under_limits`. `stage` only together with `job_id`. Raises UnknownFlow.

    Args:
        together_rows: the batches are for one worker, which runs them one after the other: the first, and more while
            all of them have no more rows than this and were never tried before; one only where the flow has limits, for
            the places are for others too. Not for a job.
    Cost: one round trip for a flow with one tenant and no limits; else two to five statements.
    """
    if stage is not None and job_id is None:
        raise QueueError(f"stage {stage!r} without a job: stages are claimed by job_id and stage", stage=stage)
    if limit < 1:
        return []
    if job_id is None and who.turns.shared(flow_name):
        return claim_any(db, who, [flow_name], limit, together_rows)
    wish = _Wish(flow_name, limit, job_id=job_id, stage=stage, together_rows=together_rows)
    answer = _claim_free(db, who, wish)
    if answer.n_tenants == 0 and not who.turns.known(flow_name):
        flows.require_known(db, flow_name)
    if answer.n_tenants > 1 or (answer.limited and not answer.paused):
        if job_id is None:
            return claim_any(db, who, [flow_name], limit, together_rows)
        return _claim_limited(db, who, replace(wish, tenant_id=answer.tenant_id))
    if answer.n_tenants and job_id is None:
        who.turns.saw(flow_name, shared=False)
    return _in_turn(answer.batches)


def claim_any(
    db: DatabaseManager, who: Claimant, flow_names: Sequence[str], limit: int, together_rows: int | None = None
) -> list[ClaimedBatch]:
    """Lease up to `limit` ready batches of several flows; flows and their tenants share by weight, in rows.

    Those claimed together (see `claim`) are of one flow and tenant. Raises UnknownFlow. Cost: O(flows and tenants),
    whatever waits in them.
    """
    if limit < 1 or not flow_names:
        return []

    def take(share: Share, wanted: int) -> Taken[ClaimedBatch]:
        together = together_rows is not None
        most = 1 if together and share.limits.any else wanted
        wish = _Wish(share.lane.flow_name, most, share.lane.tenant_id, together_rows=together_rows)
        got = _claim_limited(db, who, wish) if share.limits.any else _claim_free(db, who, wish).batches
        n = wanted if together and got else len(got)
        return Taken(_in_turn(got), n, sum(batch.n_items for batch in got))

    return in_turn(db, who, flow_names, limit, take)


def in_turn(
    db: DatabaseManager, who: Claimant, flow_names: Sequence[str], wanted: int, take: Callable[[Share, int], Taken[T]]
) -> list[T]:
    """Ask the lanes of the flows that have work, whose turn it is first, until so much as `wanted` is taken.

    What was taken is committed and leased, so an error of a later lane does not lose it. Raises UnknownFlow.
    """
    lows = who.turns.lows(flow_names)
    shares = _shares(db, flow_names, lows)
    if lows and not any(share.open for share in shares):
        shares = _shares(db, flow_names, {})
    _learn(db, who, flow_names, shares)
    by_lane = {share.lane: share for share in shares if share.open}
    got: list[T] = []
    for lane in who.turns.order(by_lane):
        try:
            taken = take(by_lane[lane], wanted)
        except StoreError as error:
            if not got:
                raise
            log.warning("claims of %s go without tenant %s: %s", lane.flow_name, lane.tenant_id, error.message)
            break
        if taken.got:
            who.turns.served(lane, taken.n_rows, by_lane[lane].weight)
        got += taken.got
        wanted -= taken.n
        if wanted <= 0:
            break
    return got


def _claim_free(db: DatabaseManager, who: Claimant, wish: _Wish) -> _Answer:
    """A claim without limits: one statement that commits itself, one round trip."""
    look = who.turns.look(wish.lane)
    answer = _take(db.execute_once, who, wish, look)
    remember(db, who, wish.lane, look, answer.batches)
    return answer


def _claim_limited(db: DatabaseManager, who: Claimant, wish: _Wish) -> list[ClaimedBatch]:
    """A claim under limits."""
    look = who.turns.look(wish.lane)

    def take(conn: psycopg.Connection[Any], left: Limits) -> tuple[list[ClaimedBatch], int]:
        grant = _Grant(limits.slots(left, wish.limit), limits.room(left))
        if not grant.limit or grant.room <= 0:
            return [], 0
        batches = _take(partial(run, conn), who, wish, look, grant).batches
        return batches, sum(batch.n_items for batch in batches)

    batches = under_limits(db, wish.lane, take) or []
    remember(db, who, wish.lane, look, batches)
    return _in_turn(batches)


def under_limits(
    db: DatabaseManager, lane: Lane, take: Callable[[psycopg.Connection[Any], Limits], tuple[T, int]]
) -> T | None:
    """Lock, count, claim, as separate statements, so that each sees what was committed before.

    Claims of one flow and tenant come one after the other. Waiting for the one before is right: a claim that did not
    wait would leave free places empty. None: it held the lock for too long, or the lane is gone.

    Args:
        take: gets what the limits leave; returns what it claimed, and how many rows of the bucket that takes.
    """
    place = {"flow_name": lane.flow_name, "tenant_id": lane.tenant_id}
    try:
        with db.transaction() as conn:
            run(conn, Q["claim_lock"], {**place, "wait_ms": LOCK_WAIT_MS})
            found = _read_shares(conn, [lane.flow_name], {}, lane.tenant_id)
            if not found:
                return None
            left = found[0].limits
            got, n_rows = take(conn, left)
            bucket = limits.spent(left, n_rows)
            if bucket is not None and n_rows:
                run(conn, Q["claim_spend"], {**place, "rows": bucket, "now": left.now})
            return got
    except StoreError as error:
        if error.facts.get("sqlstate") != _LOCK_NOT_AVAILABLE:
            raise
        return None


def _take(ask: _Ask, who: Claimant, wish: _Wish, look: Look, grant: _Grant | None = None) -> _Answer:
    """One claim statement; a second one if nothing was found where live batches were thought to begin."""
    params = {
        "flow_name": wish.flow_name,
        "tenant_id": wish.tenant_id,
        "job_id": wish.job_id,
        "stage": wish.stage,
        "locked": grant is not None,
        "limit": wish.limit if grant is None else grant.limit,
        "room": math.inf if grant is None else grant.room,
        "oldest": look.oldest,
        "low": look.low,
        "together_rows": wish.together_rows,
        "worker_id": who.worker_id,
        "flow_run_id": who.flow_run_id,
        "ttl_s": who.ttl_s,
    }
    query = Q["batch_claim"] if wish.job_id is None else Q["batch_claim_job"]
    answer = _answer(ask(query, params))
    if not answer.batches and look.low > 0 and answer.n_tenants == 1 and not answer.paused:
        answer = _answer(ask(query, {**params, "low": 0}))
    return answer


def remember(db: DatabaseManager, who: Claimant, lane: Lane, look: Look, batches: Sequence[ClaimedBatch]) -> None:
    """After the commit: what is remembered is only a guess, and must not cost us the batches."""
    if not batches:
        return
    first = min(batch.batch_id for batch in batches)
    who.turns.found(lane, first)
    if not look.ask_low:
        return
    params = {"flow_name": lane.flow_name, "tenant_id": lane.tenant_id, "low": min(look.low, first)}
    with suppress(StoreError):
        ((low,),) = db.execute_once(Q["claim_low"], params)
        # None: all that was live is gone by now.
        if low is not None:
            who.turns.live_from(lane, low)


def _answer(rows: list[Row]) -> _Answer:
    if not rows:
        return _Answer(0, False, False, None, [])
    n_tenants, paused, limited, tenant_id = rows[0][:4]
    return _Answer(n_tenants, paused, limited, tenant_id, [claimed(row[4:]) for row in rows if row[4] is not None])


def _shares(db: DatabaseManager, flow_names: Sequence[str], lows: dict[Lane, int]) -> list[Share]:
    with db.transaction() as conn:
        return _read_shares(conn, flow_names, lows)


def _read_shares(
    conn: psycopg.Connection[Any], flow_names: Sequence[str], lows: dict[Lane, int], tenant_id: str | None = None
) -> list[Share]:
    params = {
        "flow_names": list(flow_names),
        "tenant_id": tenant_id,
        "lane_flows": [lane.flow_name for lane in lows],
        "lane_tenants": [lane.tenant_id for lane in lows],
        "lane_lows": list(lows.values()),
    }
    return [
        Share(Lane(flow_name, tenant), weight, paused, Limits(*counted), has_ready)
        for flow_name, tenant, weight, paused, *counted, has_ready in run(conn, Q["claim_lanes"], params)
    ]


def _learn(db: DatabaseManager, who: Claimant, flow_names: Sequence[str], shares: Sequence[Share]) -> None:
    """Remember which flows a plain claim can serve; UnknownFlow for one that no tenant registered."""
    for flow_name in flow_names:
        own = [share for share in shares if share.lane.flow_name == flow_name]
        if not own:
            flows.require_known(db, flow_name)
        who.turns.saw(flow_name, shared=len(own) > 1 or any(share.limits.any for share in own))


def _in_turn(batches: list[ClaimedBatch]) -> list[ClaimedBatch]:
    return sorted(batches, key=lambda batch: (batch.priority, batch.batch_id))


def claimed(row: Row) -> ClaimedBatch:
    """A row of the claim statements as a value."""
    return ClaimedBatch(*row)


def heartbeat(db: DatabaseManager, batches: Sequence[ClaimedBatch], ttl_s: float) -> list[int]:
    """Extend the leases, at most to their deadlines; returns the ids of batches that are not ours any more."""
    if not batches:
        return []
    with db.transaction() as conn:
        rows = run(conn, Q["batch_heartbeat"], {**_held(batches), "ttl_s": ttl_s})
    kept = {batch_id for (batch_id,) in rows}
    return [batch.batch_id for batch in batches if batch.batch_id not in kept]


def release(db: DatabaseManager, batches: Sequence[ClaimedBatch]) -> int:
    """Give leases back without counting the attempt; returns how many were still ours."""
    if not batches:
        return 0
    with db.transaction() as conn:
        return len(run(conn, Q["batch_release"], _held(batches)))


def still_ours(conn: psycopg.Connection[Any], batch: ClaimedBatch, application_name: str) -> bool:
    """The token check, without a lock; gives the transaction its name."""
    params = {"batch_id": batch.batch_id, "token": batch.token, "application_name": application_name}
    return bool(run(conn, Q["batch_check_token"], params))


def _held(batches: Sequence[ClaimedBatch]) -> dict[str, Any]:
    return {"batch_ids": [batch.batch_id for batch in batches], "tokens": [batch.token for batch in batches]}
