from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from core.errors import QueueError
from core.queue import record_id, split_record_id, states
from core.queue.states import TRANSITIONS, after, backoff_s, check_job_transition, job_is_open, verdict

MIGRATION = (Path(__file__).parents[3] / "sql/migrations/0002_queue.sql").read_text()
PICTURE = (Path(__file__).parents[3] / "docs/explain/queue-states.md").read_text()


@pytest.mark.parametrize(
    ("column", "literal"),
    [
        ("state", states.BatchState),
        ("kind", states.BatchKind),
        ("outcome", states.Outcome),
        ("fault", states.Fault),
        ("status", states.JobStatus),
        ("status", states.StageStatus),
    ],
)
def test_closed_sets_are_those_of_the_schema(column: str, literal: object) -> None:
    sets = re.findall(rf"CHECK \({column} IN \(([^)]*)\)", MIGRATION)
    assert set(get_args(literal)) in [set(re.findall(r"'(\w+)'", one)) for one in sets]


def test_transitions_are_total_over_the_states() -> None:
    assert set(TRANSITIONS) == set(get_args(states.BatchState))
    events = {event for legal in TRANSITIONS.values() for event in legal}
    assert events == set(get_args(states.BatchEvent))
    assert after("running", "complete") == "gone"


def test_transitions_are_those_that_are_drawn() -> None:
    drawn = set(re.findall(r"^\s+(\w+|\[\*\]) --> (\w+|\[\*\]): (\w+)", PICTURE, re.MULTILINE))
    named = {(a, "[*]" if b == "gone" else b, event) for a, legal in TRANSITIONS.items() for event, b in legal.items()}
    born = {("[*]", "ready", event) for event in ("enqueue", "split", "redrive")} | {("[*]", "scheduled", "delay")}
    assert drawn - born == named
    assert born < drawn


def test_a_held_batch_waits_for_its_job_wherever_it_would_wait() -> None:
    for event in ("retry_later", "retry_now", "expire", "release"):
        assert after("running", event, held=True) == "paused"
    for event in ("complete", "split", "dead", "cancel"):
        assert after("running", event, held=True) == "gone"
    assert after("paused", "resume", held=True) == "ready"


def test_an_illegal_event_names_the_legal_ones() -> None:
    with pytest.raises(QueueError, match="a ready batch cannot complete; it can cancel, claim, pause"):
        after("ready", "complete")


def test_jobs_move_along_their_table() -> None:
    assert set(states.JOB_TRANSITIONS) == set(get_args(states.JobStatus))
    check_job_transition("completed", "completed")
    check_job_transition("blocked", "running")
    with pytest.raises(QueueError, match="completed cannot become running; it can become nothing else"):
        check_job_transition("completed", "running")
    assert [status for status in states.JOB_TRANSITIONS if not job_is_open(status)] == [
        status for status in states.JOB_TRANSITIONS if status in states.FINISHED
    ]


@pytest.mark.parametrize(
    ("attempt", "retryable", "splittable", "n_items", "expected"),
    [
        (1, True, False, 10, "retry"),
        (2, True, True, 1, "retry"),
        (3, True, True, 10, "split"),
        (3, True, False, 10, "dead"),
        (3, True, True, 1, "dead"),
        (1, False, True, 2, "split"),
        (1, False, False, 10, "dead"),
    ],
)
def test_verdict(attempt: int, retryable: bool, splittable: bool, n_items: int, expected: str) -> None:
    fate = verdict(attempt=attempt, max_attempts=3, retryable=retryable, splittable=splittable, n_items=n_items)
    assert fate == expected


def test_backoff_doubles_within_bounds() -> None:
    assert [backoff_s(n, 2.0, 0.5) for n in (0, 1, 2, 3, 4)] == [2, 2, 4, 8, 16]
    assert backoff_s(10_000, 2.0, 0.999) < 1.5 * states.BACKOFF_MAX_S
    assert backoff_s(1, 2.0, 0.0) == 1.0
    assert backoff_s(5, 0.0, 0.9) == 0.0


def test_record_id_names_origin_and_place() -> None:
    assert record_id(7, 3) == 7 * 2**20 + 3
    assert split_record_id(record_id(2**40, 2**20 - 1)) == (2**40, 2**20 - 1)
