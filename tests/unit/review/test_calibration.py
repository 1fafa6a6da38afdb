"""What verdicts say of stated probabilities, and of each other."""

from __future__ import annotations

import pytest

from core.review.calibration import VERDICTS_MIN, agreement, calibration, wilson


def test_wilson_holds_a_share_that_is_certain_within_its_bounds() -> None:
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)


def test_calibration_says_nothing_below_fifty_verdicts() -> None:
    assert calibration([(0.8, True)] * (VERDICTS_MIN - 1)) == []


def test_calibration_tells_bands_that_are_stated_too_high_and_too_low() -> None:
    stated = [(0.8, n % 5 != 0) for n in range(40)] + [(0.6, False)] * 20 + [(0.05, True)] * 20 + [(1.0, True)] * 2
    bands = calibration(stated)
    assert [(band.lo, band.n_cases, band.says) for band in bands] == [
        (0.0, 20, "stated too low"),
        (0.5, 20, "stated too high"),
        (0.75, 40, "as stated"),
        (0.9, 2, "too few"),
    ]
    assert sum(band.n_cases for band in bands) == len(stated)


def test_agreement_counts_words_that_are_alike() -> None:
    assert agreement([]) is None
    found = agreement([("match", "match")] * 9 + [("match", "differ")])
    assert found is not None
    assert (found.n_looks, found.n_same) == (10, 9)
    assert found.low < 0.9 < found.high
