"""Attempts that fail: single rows, whole batches; retried, halved, or dead."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

import psycopg

from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import LeaseLost
from core.queue.batches import ClaimedBatch, Cost, FlowPolicy, RowFailure
from core.queue.states import Fault, Outcome, Verdict, backoff_s, verdict
from core.queue.store import items
from core.queue.store.flows import policy_of

Q = load("queue")
log = logging.getLogger(__name__)

REASON_CHARS_MAX, CLASS_CHARS_MAX = 500, 200
BAD_BATCHES_MAX = 5


@dataclass(frozen=True, slots=True)
class Ended:
    """The figures of one finished attempt."""

    outcome: Outcome
    n_ok: int = 0
    n_failed: int = 0
    n_dead: int = 0
    n_rows: int = 0
    cost: Cost = field(default_factory=Cost)
    error_class: str | None = None
    reason: str | None = None


def storable(text: str, chars_max: int) -> str:
    """What a handler said, as PostgreSQL can store it: cut, without NUL, halves of surrogate pairs as `?`."""
    return text.replace("\0", "")[:chars_max].encode(errors="replace").decode()


def history(conn: psycopg.Connection[Any], batch: ClaimedBatch, ended: Ended) -> None:
    """Write the attempt's row, as long as the token holds; LeaseLost otherwise."""
    params = {
        "batch_id": batch.batch_id,
        "token": batch.token,
        "outcome": ended.outcome,
        "n_ok": ended.n_ok,
        "n_failed": ended.n_failed,
        "n_dead": ended.n_dead,
        "n_rows": ended.n_rows,
        "n_bytes": ended.cost.n_bytes,
        "cpu_ms": ended.cost.cpu_ms,
        "error_class": None if ended.error_class is None else storable(ended.error_class, CLASS_CHARS_MAX),
        "reason": None if ended.reason is None else storable(ended.reason, REASON_CHARS_MAX),
    }
    if not run(conn, Q["history_add"], params):
        raise lease_lost(batch)


def rows(
    conn: psycopg.Connection[Any],
    batch: ClaimedBatch,
    failed: Sequence[RowFailure],
    policy: FlowPolicy,
    jitter: Callable[[], float],
) -> int:
    """Send failed rows to the retries, or to the dead letters; returns how many died.

    A transient failure is retried while attempts are left; a permanent or poison one dies at once.
    """
    if not failed:
        return 0
    before = {row.seq: batch.attempt - 1 for row in failed}
    if batch.kind == "retry":
        params = {"origin": batch.origin_batch_id, "seqs": [row.seq for row in failed]}
        before = dict(run(conn, Q["retries_attempts"], params))
    again: list[RowFailure] = []
    dead: list[RowFailure] = []
    for row in failed:
        has_another = row.fault == "transient" and before[row.seq] + 1 < policy.max_attempts
        (again if has_another else dead).append(row)
    shared = {
        "origin": batch.origin_batch_id,
        "tenant_id": batch.tenant_id,
        "flow_name": batch.flow_name,
        "job_id": batch.job_id,
        "stage": batch.stage,
        "attempt": batch.attempt,
    }
    if again:
        pauses = [backoff_s(before[row.seq] + 1, policy.backoff_s, jitter()) for row in again]
        query = Q["retries_again"] if batch.kind == "retry" else Q["rows_retry"]
        run(conn, query, {**shared, **_columns(again), "pauses_s": pauses})
    if dead:
        query = Q["retries_dead"] if batch.kind == "retry" else Q["rows_dead"]
        run(conn, query, {**shared, **_columns(dead), "worker_id": batch.worker_id})
    return len(dead)


def _columns(failed: Sequence[RowFailure]) -> dict[str, Any]:
    return {
        "seqs": [row.seq for row in failed],
        "faults": [row.fault for row in failed],
        "classes": [storable(row.error_class, CLASS_CHARS_MAX) for row in failed],
        "reasons": [storable(row.reason, REASON_CHARS_MAX) for row in failed],
    }


def give_back_bad(conn: psycopg.Connection[Any], batch: ClaimedBatch, policy: FlowPolicy, jitter: float) -> None:
    """Too many rows failed: the batch runs again whole. After five such in a row the flow is paused."""
    reason = f"{BAD_BATCHES_MAX} batches in a row had too many failed rows"
    params = {
        "flow_name": batch.flow_name,
        "tenant_id": batch.tenant_id,
        "limit": BAD_BATCHES_MAX,
        "reason": reason,
    }
    ended = Ended("retried", n_rows=batch.n_items, error_class="TooManyFailures", reason="too many rows failed")
    history(conn, batch, ended)
    n_bad, paused = run(conn, Q["flow_bad_batch"], params)[0]
    _fence(conn, batch, "fence_retry", pause_s=backoff_s(batch.attempt, policy.backoff_s, jitter))
    if paused and n_bad == BAD_BATCHES_MAX:
        log.error(
            "flow %s is paused: %s; see `headrace queue dead`, then `headrace queue resume`", batch.flow_name, reason
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a whole attempt failed, for history and dead letters. `reason` must not hold row data.

    `divisible` False: no row is to blame, so the batch is not halved when its attempts are used up.
    """

    error_class: str
    reason: str
    retryable: bool = True
    outcome_if_retried: Outcome = "retried"
    fault: Fault | None = None
    cost: Cost = field(default_factory=Cost)
    divisible: bool = True


def fail(db: DatabaseManager, batch: ClaimedBatch, failure: Failure, jitter: float) -> Verdict:
    """End the attempt; LeaseLost if it was ended by somebody else."""
    with db.transaction() as conn:
        policy = policy_of(conn, batch.flow_name, batch.tenant_id)
        pause_s = backoff_s(batch.attempt, policy.backoff_s, jitter)
        return end(conn, batch, failure, policy, pause_s)


def end_lost(
    conn: psycopg.Connection[Any], batch: ClaimedBatch, failure: Failure, jitter: Callable[[], float]
) -> Verdict:
    """End an attempt whose worker is gone, within a transaction.

    The first time the batch is ready at once, then after a pause; out of attempts it is halved or dead.
    """
    policy = policy_of(conn, batch.flow_name, batch.tenant_id)
    pause_s = 0.0 if batch.attempt <= 1 else backoff_s(batch.attempt - 1, policy.backoff_s, jitter())
    return end(conn, batch, failure, policy, pause_s)


def end(
    conn: psycopg.Connection[Any], batch: ClaimedBatch, failure: Failure, policy: FlowPolicy, pause_s: float
) -> Verdict:
    """Decide and write within a transaction; the fence comes last."""
    fate = verdict(
        attempt=batch.attempt,
        max_attempts=policy.max_attempts,
        retryable=failure.retryable,
        splittable=batch.splittable and failure.divisible,
        n_items=batch.n_items,
    )
    match fate:
        case "retry":
            history(conn, batch, _ended(failure.outcome_if_retried, failure))
            _fence(conn, batch, "fence_retry", pause_s=pause_s)
        case "split":
            history(conn, batch, _ended("split", failure))
            _fence(conn, batch, "fence_split", attempt=policy.max_attempts - 1)
        case "dead":
            _bury(conn, batch, failure)
        case _:
            assert_never(fate)
    return fate


def marked_before(conn: psycopg.Connection[Any], batch: ClaimedBatch) -> tuple[int, int]:
    """(done, dead) rows of a batch whose records were marked one by one; (0, 0) for any other."""
    if not batch.partial:
        return 0, 0
    n_ok, n_dead = run(conn, Q["batch_marked_retry" if batch.kind == "retry" else "batch_marked"], items.span(batch))[0]
    return n_ok, n_dead


def _ended(outcome: Outcome, failure: Failure) -> Ended:
    return Ended(outcome, cost=failure.cost, error_class=failure.error_class, reason=failure.reason)


def _bury(conn: psycopg.Connection[Any], batch: ClaimedBatch, failure: Failure) -> None:
    """All that is left of the batch becomes dead letters; its stage fails with it if it could not be split."""
    n_ok, _ = marked_before(conn, batch)
    params = {
        **items.span(batch),
        "batch_id": batch.batch_id,
        "token": batch.token,
        "tenant_id": batch.tenant_id,
        "flow_name": batch.flow_name,
        "job_id": batch.job_id,
        "stage": batch.stage,
        "attempt": batch.attempt,
        "partial": batch.partial,
        "fault": failure.fault or ("transient" if failure.retryable else "permanent"),
        "error_class": storable(failure.error_class, CLASS_CHARS_MAX),
        "reason": storable(failure.reason, REASON_CHARS_MAX),
        "worker_id": batch.worker_id,
    }
    if batch.source is not None:
        run(conn, Q["batch_dead_source"], params)
    else:
        run(conn, Q["batch_dead_retries" if batch.kind == "retry" else "batch_dead_rows"], params)
    if batch.job_id is not None and not batch.splittable:
        run(conn, Q["stage_fail"], params)
    n_dead = batch.n_items - n_ok
    ended = replace(_ended("dead", failure), n_ok=n_ok, n_failed=n_dead, n_dead=n_dead)
    history(conn, batch, ended)
    _fence(conn, batch, "fence_delete")


def _fence(conn: psycopg.Connection[Any], batch: ClaimedBatch, query: str, **more: Any) -> None:
    params = {"batch_id": batch.batch_id, "token": batch.token, **more}
    if int(run(conn, Q[query], params)[0][0]) != 1:
        raise lease_lost(batch)


def lease_lost(batch: ClaimedBatch) -> LeaseLost:
    """The error for a token that does not hold any more."""
    return LeaseLost(
        f"the lease on batch {batch.batch_id} is lost; nothing was written, another worker has it or had it",
        batch_id=batch.batch_id,
    )
