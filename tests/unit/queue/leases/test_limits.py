from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.queue.leases import limits
from core.queue.leases.limits import Limits

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
RATED = Limits(NOW, rows_per_s=100.0, bucket_rows=0.0, bucket_at=NOW)


def after(seconds: float, before: Limits = RATED) -> Limits:
    return replace(before, now=before.now + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("max_running", "n_running", "wanted", "left"),
    [
        (None, 1_000, 7, 7),
        (3, 0, 7, 3),
        (3, 1, 1, 1),
        (3, 3, 7, 0),
        # The cap was lowered while more ran.
        (3, 5, 7, 0),
    ],
)
def test_slots_are_what_the_cap_leaves(max_running: int | None, n_running: int, wanted: int, left: int) -> None:
    assert limits.slots(Limits(NOW, max_running=max_running, n_running=n_running), wanted) == left


@pytest.mark.parametrize(
    ("given_", "rows"),
    [
        (Limits(NOW), math.inf),
        # Nothing was handed out yet: a second's worth, or the burst.
        (Limits(NOW, rows_per_s=100.0), 100.0),
        (Limits(NOW, rows_per_s=100.0, burst_rows=250), 250.0),
        # A row each hundred seconds can still be handed out.
        (Limits(NOW, rows_per_s=0.01), 1.0),
        (RATED, 0.0),
        (after(0.5), 50.0),
        # It saves up to the burst, no more.
        (after(3600.0), 100.0),
        (replace(after(3600.0), burst_rows=5_000), 5_000.0),
        # Lent in advance: 300 rows are paid back in three seconds.
        (replace(after(2.0), bucket_rows=-300.0), 0.0),
        (replace(after(3.5), bucket_rows=-300.0), 50.0),
        # The clock was set back.
        (replace(after(-60.0), bucket_rows=40.0), 40.0),
        # The burst was made smaller than what was saved.
        (replace(RATED, bucket_rows=90.0, burst_rows=10), 10.0),
    ],
)
def test_room_is_the_level_of_the_bucket(given_: Limits, rows: float) -> None:
    assert limits.room(given_) == pytest.approx(rows)


@pytest.mark.parametrize(
    ("given_", "n_rows", "level"),
    [
        (Limits(NOW, max_running=2), 500, None),
        (Limits(NOW, rows_per_s=100.0), 30, 70.0),
        # The last batch may exceed the room; the debt is remembered.
        (Limits(NOW, rows_per_s=100.0), 5_000, -4_900.0),
        (replace(after(1.0), bucket_rows=-300.0), 10, -210.0),
        (after(0.25), 0, 25.0),
    ],
)
def test_spent_leaves_the_rest_or_a_debt(given_: Limits, n_rows: int, level: float | None) -> None:
    assert limits.spent(given_, n_rows) == pytest.approx(level)


@pytest.mark.parametrize(
    ("given_", "any_"),
    [(Limits(NOW), False), (Limits(NOW, max_running=1), True), (RATED, True), (Limits(NOW, burst_rows=5), False)],
)
def test_limits_without_cap_and_rate_need_no_count(given_: Limits, any_: bool) -> None:
    assert given_.any is any_


@given(
    rows_per_s=st.floats(0.5, 1e5),
    burst=st.none() | st.integers(1, 10_000),
    batches=st.lists(st.tuples(st.floats(0, 20), st.integers(1, 5_000)), min_size=1, max_size=60),
)
def test_in_no_window_more_than_burst_rate_and_one_batch_are_handed_out(
    rows_per_s: float, burst: int | None, batches: list[tuple[float, int]]
) -> None:
    bucket = Limits(NOW, rows_per_s=rows_per_s, burst_rows=burst)
    most_burst = max(1.0, rows_per_s) if burst is None else float(burst)
    taken: list[tuple[float, int]] = []
    at_s = 0.0
    for pause_s, n_rows in batches:
        at_s += pause_s
        bucket = replace(bucket, now=NOW + timedelta(seconds=at_s))
        if limits.room(bucket) > 0:
            taken.append((at_s, n_rows))
            bucket = replace(bucket, bucket_rows=limits.spent(bucket, n_rows), bucket_at=bucket.now)
    largest = max((n_rows for _, n_rows in taken), default=0)
    for first, (begin_s, _) in enumerate(taken):
        rows = 0
        for end_s, n_rows in taken[first:]:
            rows += n_rows
            # datetime counts microseconds.
            assert rows <= most_burst + (end_s - begin_s + 1e-5 * len(taken)) * rows_per_s + largest + 1e-6
