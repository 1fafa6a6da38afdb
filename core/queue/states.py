"""Closed sets of the queue, their legal transitions, and the pure decisions about a failed attempt.

The same sets stand as CHECK constraints in sql/migrations/0002_queue.sql; docs/explain/queue-states.md draws them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, assert_never

from core.errors import QueueError

BatchState = Literal["scheduled", "ready", "running", "paused"]
BatchKind = Literal["new", "retry"]
# Why a header changed hands or ended. `gone` stands for the deleted header.
BatchEvent = Literal[
    "claim",
    "promote",
    "complete",
    "retry_later",
    "retry_now",
    "split",
    "dead",
    "expire",
    "release",
    "pause",
    "resume",
    "resume_later",
    "cancel",
]
AfterEvent = Literal["scheduled", "ready", "running", "paused", "gone"]
# How one attempt ended, one row of queue_history each. `rejected`: refused at the door, never an item.
Outcome = Literal["completed", "retried", "split", "dead", "expired", "released", "cancelled", "rejected"]
# transient: may work later; permanent: this row never will; poison: it takes its worker down with it.
Fault = Literal["transient", "permanent", "poison"]
JobStatus = Literal["running", "paused", "blocked", "completed", "completed_with_errors", "failed", "cancelled"]
StageStatus = Literal["open", "failed", "closed"]
Verdict = Literal["retry", "split", "dead"]

TRANSITIONS: Mapping[BatchState, Mapping[BatchEvent, AfterEvent]] = {
    "scheduled": {"promote": "ready", "pause": "paused", "cancel": "gone"},
    "ready": {"claim": "running", "pause": "paused", "cancel": "gone"},
    "running": {
        "complete": "gone",
        "retry_later": "scheduled",
        "retry_now": "ready",
        "split": "gone",
        "dead": "gone",
        "expire": "ready",
        "release": "ready",
        "cancel": "gone",
    },
    "paused": {"resume": "ready", "resume_later": "scheduled", "cancel": "gone"},
}

# A running batch of a paused job is held: where it would wait for its next attempt, it waits for the job.
WAITING: frozenset[AfterEvent] = frozenset({"scheduled", "ready"})

JOB_TRANSITIONS: Mapping[JobStatus, frozenset[JobStatus]] = {
    "running": frozenset({"paused", "blocked", "completed", "completed_with_errors", "failed", "cancelled"}),
    "paused": frozenset({"running", "blocked", "failed", "cancelled"}),
    "blocked": frozenset({"running", "completed_with_errors", "failed", "cancelled"}),
    "completed": frozenset(),
    # Redriven dead letters give a finished job work again.
    "completed_with_errors": frozenset({"running"}),
    "failed": frozenset({"running"}),
    "cancelled": frozenset(),
}

FINISHED: frozenset[JobStatus] = frozenset({"completed", "completed_with_errors", "failed", "cancelled"})

BACKOFF_MAX_S = 300.0


def after(state: BatchState, event: BatchEvent, *, held: bool = False) -> AfterEvent:
    """The state that follows; `held`: the batch runs for a paused job. QueueError if the event cannot happen there."""
    try:
        following = TRANSITIONS[state][event]
    except KeyError:
        legal = ", ".join(sorted(TRANSITIONS[state]))
        raise QueueError(f"a {state} batch cannot {event}; it can {legal}", state=state, event=event) from None
    return "paused" if held and state == "running" and following in WAITING else following


def check_job_transition(old: JobStatus, new: JobStatus) -> None:
    """QueueError unless a job may go from `old` to `new`; staying is always legal."""
    if new != old and new not in JOB_TRANSITIONS[old]:
        legal = ", ".join(sorted(JOB_TRANSITIONS[old])) or "nothing else"
        raise QueueError(f"a job that is {old} cannot become {new}; it can become {legal}", old=old, new=new)


def job_is_open(status: JobStatus) -> bool:
    """True while the job may still get or have work."""
    match status:
        case "running" | "paused" | "blocked":
            return True
        case "completed" | "completed_with_errors" | "failed" | "cancelled":
            return False
        case _:
            assert_never(status)


def verdict(*, attempt: int, max_attempts: int, retryable: bool, splittable: bool, n_items: int) -> Verdict:
    """What becomes of a batch whose attempt failed as a whole.

    Before `max_attempts` a retryable failure runs again. Then a splittable batch is halved to corner the row that
    does it; one row, or a batch that may not be halved, is dead.
    """
    if retryable and attempt < max_attempts:
        return "retry"
    return "split" if splittable and n_items > 1 else "dead"


def backoff_s(attempt: int, base_s: float, jitter: float) -> float:
    """Pause before the next try: base * 2^(attempt - 1), at most 300 s, times 0.5 to 1.5 by `jitter` in [0, 1)."""
    return min(base_s * 2.0 ** min(max(attempt - 1, 0), 30), BACKOFF_MAX_S) * (0.5 + jitter)
