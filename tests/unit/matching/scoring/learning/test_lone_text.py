"""A text alone: strangers who have much in common make the same cover worth less; no level is worth more than usual."""

from __future__ import annotations

import numpy as np
import pytest

from core.matching.records.layout import Layout
from core.matching.scoring.classes import SAME
from core.matching.scoring.evidence import evidence
from core.matching.scoring.learning.em import LevelCounts
from core.matching.scoring.learning.lone_text import USUAL_BITS, lone_text, weigh_lone_text
from core.matching.specs.levels import MISSING
from core.matching.specs.spec import load_spec

NAMES = Layout.of(load_spec("names"))
TOTAL = 4e6
# By level, from 0.3 upwards: pairs of one entity, and of strangers with little and with much in common.
TRUE = np.array([60.0, 80, 80, 80, 100, 130, 150, 110, 60, 150])
FAR = np.array([3000.0, 2000, 500, 60, 5, 0, 0, 0, 0, 0])
NEAR = np.array([20.0, 300, 600, 1200, 1300, 350, 10, 0, 0, 0])


def posterior(counts: np.ndarray) -> np.ndarray:
    """(10,) log-odds in bits by level above `differ`, numbers missing."""
    levels = np.full((len(counts), 2), MISSING, dtype=np.uint8)
    levels[:, 0] = np.arange(1, len(counts) + 1)
    random = LevelCounts(np.zeros((1, 2), dtype=np.uint8), np.array([1000.0]))
    found = weigh_lone_text(LevelCounts(levels, counts), random, TOTAL, NAMES, 0)
    assert found.tables.sum(axis=2) == pytest.approx(1.0)
    bits = evidence(found, NAMES)
    return np.asarray(bits[SAME, 0, 1:] - bits[-1, 0, 1:] + np.log2(found.shares[SAME] / found.shares[-1]))


def test_strangers_with_much_in_common_raise_what_is_asked() -> None:
    far, near = posterior(TRUE + FAR), posterior(TRUE + NEAR)
    # At 0.66 most pairs of the first are of one entity, and few of the second.
    assert far[4] > 0.0 > near[4]
    assert near[-3] > 0.0


def test_no_level_is_worth_more_than_is_usual_and_more_in_common_is_never_less() -> None:
    for counts in (TRUE + FAR, TRUE + NEAR, TRUE, FAR, np.zeros(10), np.full(10, 5.0)):
        bits = posterior(counts)
        assert (np.diff(bits) > -1e-6).all()
        assert bits.max() <= max(USUAL_BITS) + 0.1
        assert bits[0] < -6.0


def test_a_text_is_alone_with_its_marks_only() -> None:
    assert lone_text(NAMES) == 0
    assert lone_text(Layout.of(load_spec("products"))) is None
    assert lone_text(Layout.of(load_spec("persons"))) is None
