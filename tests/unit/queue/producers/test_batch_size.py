from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.queue.producers.batch_size import Bounds, rows_per_batch, rows_within, too_long

BOUNDS = Bounds(default=5_000, most=50_000)


@pytest.mark.parametrize(
    ("row_ms", "n_rows", "n_workers", "rows"),
    [
        # About three seconds of work.
        (1.0, 10_000_000, 2, 3_000),
        (1_000.0, 10_000, 2, 3),
        # A row that takes long is a batch of its own.
        (60_000.0, 100, 2, 1),
        # Never above the cap.
        (0.001, 70_000_000, 2, 50_000),
        # At least twenty batches a worker.
        (1.0, 40_000, 4, 500),
        # Not where they would take next to nothing: a tenth of a second then.
        (0.01, 40_000, 4, 10_000),
        # Nothing measured: the default, or twenty batches a worker.
        (None, 10_000_000, 2, 5_000),
        (None, 4_000, 2, 100),
        (None, 3, 2, 1),
        (1.0, 0, 1, 100),
    ],
)
def test_rows_per_batch(row_ms: float | None, n_rows: int, n_workers: int, rows: int) -> None:
    assert rows_per_batch(row_ms, n_rows, n_workers, BOUNDS) == rows


@given(
    st.none() | st.floats(0, 1e7, allow_nan=False), st.integers(0, 10**9), st.integers(1, 1_000), st.integers(1, 50_000)
)
def test_rows_per_batch_stays_within_bounds(row_ms: float | None, n_rows: int, n_workers: int, most: int) -> None:
    assert 1 <= rows_per_batch(row_ms, n_rows, n_workers, Bounds(5_000, most)) <= most


@pytest.mark.parametrize(
    ("row_ms", "n_rows", "rows"),
    [(1.0, 5_000, 5_000), (4.0, 50_000, 5_000), (60_000.0, 10, 1), (None, 5_000, 5_000), (0.0, 7, 7)],
)
def test_rows_within_take_no_longer_than_they_may(row_ms: float | None, n_rows: int, rows: int) -> None:
    assert rows_within(row_ms, 20, n_rows) == rows


def test_too_long_names_the_rows_that_would_fit() -> None:
    assert too_long(5_000, 19.9, 20) is None
    assert too_long(5_000, 1e6, None) is None
    said = "5000 rows took 40.0 s, and HEADRACE_QUEUE__BATCH_S_MAX is 20: batches of 2500 rows would fit"
    assert too_long(5_000, 40, 20) == said
    assert str(too_long(1, 40, 20)).endswith("a batch cannot be smaller")
