"""Intervals of Wilson, and bands of stated probability."""

import polars as pl
import pytest

from core.workloads.invoices.evaluation.shares import Share, calibration


def test_share_has_the_interval_of_wilson() -> None:
    low, high = Share(81, 263).interval or (0, 0)
    # Newcombe (1998), Statistics in Medicine 17:857, table I
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    assert Share(765, 765).interval == (pytest.approx(0.99500, abs=1e-5), 1.0)
    assert Share(0, 0).interval is None
    assert Share(0, 0).value is None


def explanations(posterior: float, n_right: int, n: int) -> pl.DataFrame:
    return pl.DataFrame({"posterior": [posterior] * n, "right": [True] * n_right + [False] * (n - n_right)})


def test_calibration_puts_each_probability_into_the_band_that_it_ends() -> None:
    frame = pl.DataFrame({"posterior": [0.0, 0.1, 0.10001, 0.995, 1.0], "right": [True] * 5})
    assert [(band["above"], band["upto"], band["n"]) for band in calibration(frame)] == [
        (0.0, 0.1, 2),
        (0.1, 0.3, 1),
        (0.99, 0.995, 1),
        (0.999, 1.0, 1),
    ]


@pytest.mark.parametrize(
    ("posterior", "n_right", "n", "fits"),
    [
        (0.6, 581, 1000, True),
        (0.6, 570, 1000, False),
        (0.6, 52, 100, True),
        (0.6, 48, 100, False),
        (0.97, 20, 20, True),
    ],
)
def test_calibration_allows_two_points_to_many_and_the_interval_to_few(
    posterior: float, n_right: int, n: int, fits: bool
) -> None:
    (band,) = calibration(explanations(posterior, n_right, n))
    assert band["fits"] is fits
