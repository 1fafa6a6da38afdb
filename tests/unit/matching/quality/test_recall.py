import numpy as np
import pytest

from core.matching.quality.recall import Expected, RecallEstimate, pairs_inside
from core.matching.records.sources import WITHIN_ONE


def test_recall_is_the_share_of_what_was_found_and_its_bounds_hold_chance() -> None:
    expected = Expected(90.0, 6.0, 4.0)
    assert expected.recall == pytest.approx(0.9)
    assert expected.bound(2.0) < expected.recall < expected.bound(-2.0) < 1.0
    nothing = Expected(20.0, 0.0, 0.0)
    # Of nothing lost, one pair may be.
    assert nothing.bound(2.0) == pytest.approx(20 / 21)
    assert nothing.bound(-2.0) == nothing.recall == 1.0
    assert Expected(0.0, 0.0, 0.0).recall == 1.0


def test_pairs_inside_entities_are_those_that_are_wanted() -> None:
    labels = np.array([0, 0, 2, 0, 2], dtype=np.uint32)
    assert pairs_inside(labels, WITHIN_ONE) == 3 + 1
    # Of two files, rows 0 to 1 and 2 to 4.
    assert pairs_inside(labels, np.array([2])) == 2


def test_without_an_accepted_pair_no_recall_is_claimed() -> None:
    told = RecallEstimate(0, Expected(0.0, 0.0, 0.0), 1.0, 1.0, ()).to_dict()
    assert (told["recall_estimate"], told["recall_low"], told["recall_high"]) == (None, None, None)
    told = RecallEstimate(3, Expected(3.0, 1.0, 0.0), 0.5, 0.9, ()).to_dict()
    assert (told["recall_estimate"], told["rejected_estimate"]) == (0.75, 1.0)
