"""Backfill: the whole range, once, in order, no faster than allowed; stopped anywhere, it goes on from there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DuplicateJob, QueueError, UnknownFlow
from core.queue import BatchQueue, ClaimedBatch, FlowPolicy, Job, views
from core.queue.producers import backfill, jobs
from core.queue.producers.backfill import Hands, Seen, Span, Throttle, run_backfill


class Consumer:
    """Clock and consumer in one: while the backfill waits, time passes and up to `speed` batches complete."""

    def __init__(self, queue: BatchQueue, flow: str, speed: int = 1) -> None:
        self.queue, self.flow, self.speed = queue, flow, speed
        self.now = 0.0
        self.done: list[ClaimedBatch] = []
        self.live: list[int] = []
        self.seen: list[Seen] = []
        self.stop_after = 10_000

    def hands(self) -> Hands:
        return Hands(self.seen.append, lambda: self.now, self.wait)

    def wait(self, pause_s: float) -> None:
        assert pause_s > 0
        self.now += pause_s
        self.live.append(views.now(self.queue.db, self.flow).ready_batches)
        for batch in self.queue.claim(self.flow, self.speed):
            self.queue.complete(batch)
            self.done.append(batch)
        if len(self.live) >= self.stop_after:
            raise KeyboardInterrupt


@pytest.fixture
def span(flow: str) -> Span:
    return Span(flow, "table", "answers", 100, 1130, 50)


def ranges(batches: list[ClaimedBatch]) -> list[tuple[int, int]]:
    return [(batch.source["lo"], batch.source["hi"]) for batch in batches if batch.source]


def whole(span: Span) -> list[tuple[int, int]]:
    return [(lo, min(lo + span.batch_rows, span.hi)) for lo in range(span.lo, span.hi, span.batch_rows)]


def test_the_whole_range_once_and_few_batches_ahead(queue: BatchQueue, flow: str, span: Span) -> None:
    consumer = Consumer(queue, flow)
    seen = run_backfill(queue.db, span, Throttle(ahead_batches=4), consumer.hands())
    assert (seen.job.status, seen.issued, seen.ended) == ("completed", 1030, 1030)
    assert ranges(consumer.done) == whole(span)
    assert max(consumer.live) == 4
    assert [one.ended for one in consumer.seen] == sorted(one.ended for one in consumer.seen)
    first = consumer.done[0]
    assert (first.stage, first.source) == ("backfill", {"table": "answers", "lo": 100, "hi": 150})
    again = run_backfill(queue.db, span, Throttle(), consumer.hands())
    assert (again.job.job_id, again.job.status, len(consumer.done)) == (seen.job.job_id, "completed", 21)
    anew = run_backfill(queue.db, span, Throttle(), consumer.hands(), rerun=True)
    assert anew.job.job_id != seen.job.job_id
    assert len(consumer.done) == 42


def test_the_rate_is_kept(queue: BatchQueue, flow: str, span: Span) -> None:
    consumer = Consumer(queue, flow, speed=99)
    run_backfill(queue.db, span, Throttle(ahead_batches=99, rows_per_s=100), consumer.hands())
    # 1,030 rows, of which the first batch and the last go without a wait.
    assert 9.5 <= consumer.now <= 11.0
    assert max(consumer.live) == 1


@pytest.mark.parametrize("stop_after", [1, 3, 21])
def test_stopped_it_goes_on_from_there(queue: BatchQueue, flow: str, span: Span, stop_after: int) -> None:
    first = Consumer(queue, flow)
    first.stop_after = stop_after
    with pytest.raises(KeyboardInterrupt):
        run_backfill(queue.db, span, Throttle(3), first.hands())
    second = Consumer(queue, flow)
    seen = run_backfill(queue.db, span, Throttle(5, rows_per_s=10_000), second.hands())
    assert seen.job.job_id == first.seen[0].job.job_id
    assert ranges(first.done + second.done) == whole(span)


def test_a_wave_is_added_by_one_of_two_processes(queue: BatchQueue, flow: str, span: Span) -> None:
    job = queue.submit_job(flow, span.key(), {}, "d")
    queue.open_stage(job.job_id, "backfill", [])
    pace = backfill._Pace(Throttle(2), 0.0)
    wave = backfill.wave(span, Seen(job, 0, 0, 0), pace, 0.0, splittable=False)
    from core.queue.producers import stages

    assert stages.grow(queue.db, job, "backfill", wave, 0)
    assert not stages.grow(queue.db, job, "backfill", wave, 0)
    assert views.now(queue.db, flow).ready_items == 100


def test_a_paused_job_gets_nothing_and_a_cancelled_one_ends_it(queue: BatchQueue, flow: str, span: Span) -> None:
    consumer = Consumer(queue, flow)
    issued: list[int] = []

    def look(seen: Seen) -> None:
        issued.append(seen.issued)
        step = len(consumer.live)
        if step == 2:
            jobs.pause(queue.db, seen.job.job_id)
        elif step == 6:
            jobs.cancel(queue.db, seen.job.job_id)

    seen = run_backfill(queue.db, span, Throttle(4), replace(consumer.hands(), look=look))
    assert seen.job.status == "cancelled"
    assert issued[-1] == issued[-4] < 1030
    assert views.now(queue.db, flow).ready_batches == 0


def test_batches_are_split_as_the_flow_says(queue: BatchQueue, flow: str, span: Span) -> None:
    queue.register_flow(FlowPolicy(flow, splittable=True, max_attempts=1))
    consumer = Consumer(queue, flow)
    consumer.stop_after = 1
    with pytest.raises(KeyboardInterrupt):
        run_backfill(queue.db, span, Throttle(2), consumer.hands())
    queue.fail(queue.claim(flow)[0], "E", "why")
    assert sorted(ranges(queue.claim(flow, 9))) == [(150, 175), (175, 200)]


@pytest.mark.parametrize(
    ("change", "throttle", "message"),
    [
        ({"hi": 100}, Throttle(), r"the range \[100, 100\) is empty"),
        ({"batch_rows": 0}, Throttle(), "batches of 0 rows"),
        ({"batch_rows": 2**20 + 1}, Throttle(), "batches of 1048577 rows"),
        ({"hi": 2**40, "batch_rows": 1}, Throttle(), "more than 2147483647 batches"),
        ({}, Throttle(0), "0 batches ahead"),
        ({}, Throttle(rows_per_s=0), "0 rows a second never ends"),
        ({}, Throttle(rows_per_s=float("nan")), "nan rows a second"),
    ],
)
def test_what_cannot_be_is_refused(
    queue: BatchQueue, flow: str, span: Span, change: dict[str, Any], throttle: Throttle, message: str
) -> None:
    with pytest.raises(QueueError, match=message):
        run_backfill(queue.db, replace(span, **change), throttle, Consumer(queue, flow).hands())


def test_a_key_belongs_to_one_range(queue: BatchQueue, flow: str, span: Span) -> None:
    consumer = Consumer(queue, flow, speed=99)
    run_backfill(queue.db, span, Throttle(99), consumer.hands(), job_key=f"key-{flow}")
    with pytest.raises(DuplicateJob):
        run_backfill(queue.db, replace(span, hi=2000), Throttle(), consumer.hands(), job_key=f"key-{flow}")
    with pytest.raises(UnknownFlow):
        run_backfill(queue.db, replace(span, flow_name=flow + "x"), Throttle(), consumer.hands())


@given(
    lo=st.integers(-1000, 1000),
    n_rows=st.integers(1, 500),
    batch_rows=st.integers(1, 100),
    ahead=st.integers(1, 9),
    rate=st.none() | st.floats(1, 10_000),
)
def test_waves_cover_the_range_whatever_the_throttle(
    lo: int, n_rows: int, batch_rows: int, ahead: int, rate: float | None
) -> None:
    span = Span("f", "uri", "u", lo, lo + n_rows, batch_rows)
    pace = backfill._Pace(Throttle(ahead, rate), 0.0)
    job: Job = None  # type: ignore[assignment]
    now, issued = 0.0, 0
    found: list[tuple[int, int]] = []
    while issued < n_rows:
        wave = backfill.wave(span, Seen(job, issued, issued, 0), pace, now, splittable=False)
        assert len(wave) <= ahead
        found += [(batch.source["lo"], batch.source["hi"]) for batch in wave]
        issued += sum(batch.n_items for batch in wave)
        if rate is not None:
            assert issued <= rate * (now + backfill.CATCH_UP_S) + batch_rows
        now = max(now, pace.next_at)
    assert found == whole(span)
