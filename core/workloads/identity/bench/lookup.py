"""How long one lookup takes: answers made anew, out of the process's own memory, and out of Redis; and how right."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

Record = Mapping[str, Any]
Ask = Callable[[Record], Mapping[str, Any]]
OnDone = Callable[[str, int, int], None]
WARM = 200
TOLD_EVERY = 100


@dataclass(frozen=True, slots=True)
class Question:
    """A record to look up, and the ids of published records that are the same entity in truth."""

    record: Record
    same: frozenset[str]


@dataclass(frozen=True, slots=True)
class LookupFigures:
    """Milliseconds of one lookup after another, in one thread: at the median, and what 95 and 99 of 100 stay below.

    `cold`: no answer is kept anywhere; `cold_cpu`: what that took of the asking thread's processor time, which says
    more on a busy machine. `l1`: all are in the process. `l2`: all are in Redis; None without one.
    `cold_per_s`: lookups a second of one thread, and of `threads` together. `right`: of the lookups that named an
    entity, the share of those in which a record of it is the same in truth; `found`: of the records that have one, the
    share whose entity was named. `candidates`: records compared, on average.
    """

    rows: int
    asked: int
    publish_s: float
    stored_mb: float
    cold_p50_ms: float
    cold_p95_ms: float
    cold_p99_ms: float
    cold_cpu_p50_ms: float
    cold_cpu_p95_ms: float
    cold_cpu_p99_ms: float
    l1_p50_ms: float
    l1_p95_ms: float
    l1_p99_ms: float
    l2_p50_ms: float | None
    l2_p95_ms: float | None
    l2_p99_ms: float | None
    cold_per_s: float
    threads: int
    cold_threads_per_s: float
    candidates: float
    right: float
    found: float
    measured_at: str


def measure_lookup(
    questions: Sequence[Question], opened: Callable[[], Ask], facts: Mapping[str, Any], threads: int, on_done: OnDone
) -> LookupFigures:
    """Ask all questions cold, then again out of each level.

    Args:
        questions: the first `WARM` are asked once before anything is timed, and are not timed cold.
        opened: a way to ask whose own memory is empty; what is in Redis stays.
        facts: `rows`, `publish_s`, `stored_mb`, and `forget`, which empties Redis; None without one.
    """
    warm, timed = questions[:WARM], questions[WARM:]
    forget = facts["forget"]
    ask = opened()
    for question in warm:
        ask(question.record)
    answers: list[Mapping[str, Any]] = []
    cold, cpu = _milliseconds(ask, timed, answers, lambda n: on_done("cold", n, len(timed)))
    l1, _ = _milliseconds(ask, timed, [], lambda n: on_done("out of memory", n, len(timed)))
    l2 = None
    if forget is not None:
        l2, _ = _milliseconds(opened(), timed, [], lambda n: on_done("out of Redis", n, len(timed)))
        forget()
    together_s = _together_s(opened(), warm, timed, threads)
    named = [bool(answer["entity_id"]) for answer in answers]
    right = [_is_right(answer, question) for answer, question in zip(answers, timed, strict=True)]
    known = [bool(question.same) for question in timed]
    return LookupFigures(
        rows=facts["rows"],
        asked=len(timed),
        publish_s=round(facts["publish_s"], 1),
        stored_mb=round(facts["stored_mb"], 1),
        **_quantiles("cold", cold),
        **_quantiles("cold_cpu", cpu),
        **_quantiles("l1", l1),
        **_quantiles("l2", l2),
        cold_per_s=round(1e3 / float(np.mean(cold)), 1),
        threads=threads,
        cold_threads_per_s=round(len(timed) / together_s, 1),
        candidates=round(float(np.mean([answer["candidates"] for answer in answers])), 1),
        right=round(sum(right) / max(sum(named), 1), 4),
        found=round(sum(right) / max(sum(known), 1), 4),
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _milliseconds(
    ask: Ask, questions: Sequence[Question], answers: list[Mapping[str, Any]], told: Callable[[int], None]
) -> tuple[list[float], list[float]]:
    """By the clock, and by the thread's processor time."""
    took, used = [], []
    for at, question in enumerate(questions, start=1):
        started, began = time.perf_counter(), time.thread_time()
        answer = ask(question.record)
        took.append((time.perf_counter() - started) * 1e3)
        used.append((time.thread_time() - began) * 1e3)
        answers.append(answer)
        if at % TOLD_EVERY == 0:
            told(at)
    return took, used


def _together_s(ask: Ask, warm: Sequence[Question], timed: Sequence[Question], threads: int) -> float:
    """Seconds in which several threads ask all questions, each once."""
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda question: ask(question.record), warm))
        started = time.perf_counter()
        list(pool.map(lambda question: ask(question.record), timed))
        return time.perf_counter() - started


def _quantiles(name: str, took: Sequence[float] | None) -> dict[str, Any]:
    """Three figures by name; None where nothing was measured."""
    return {
        f"{name}_p{share}_ms": None if took is None else round(float(np.quantile(took, share / 100)), 3)
        for share in (50, 95, 99)
    }


def _is_right(answer: Mapping[str, Any], question: Question) -> bool:
    joined = {one["record_id"] for one in answer["matched"] if one["joined"]}
    return bool(answer["entity_id"]) and bool(joined & question.same)
