"""What training counts and adds up agrees with its slow twins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.matching import reference
from core.matching.records import placeholders
from core.matching.scoring.histograms import Histogram, merge_histograms
from core.matching.scoring.learning.em_kernels import add_levels, fill_class_shares
from core.matching.specs.levels import MISSING

N_FIELDS, N_LEVELS, N_CLASSES = 3, 4, 5
PATTERNS = st.lists(
    st.lists(st.one_of(st.integers(0, N_LEVELS - 1), st.just(MISSING)), min_size=N_FIELDS, max_size=N_FIELDS),
    max_size=20,
)
SEEDS = st.integers(0, 2**32 - 1)


def levels_of(patterns: list[list[int]]) -> np.ndarray:
    return np.array(patterns, dtype=np.uint8).reshape(-1, N_FIELDS)


@given(PATTERNS, SEEDS)
def test_fill_class_shares_agrees_with_twin(patterns: list[list[int]], seed: int) -> None:
    draw = np.random.default_rng(seed)
    logs = -40.0 * draw.random((N_CLASSES, N_FIELDS, N_LEVELS))
    log_shares = -60.0 * draw.random(N_CLASSES)
    out = np.zeros((len(patterns), N_CLASSES))
    fill_class_shares(levels_of(patterns), logs, log_shares, out)
    assert out == pytest.approx(
        np.array(reference.class_shares(patterns, logs.tolist(), log_shares.tolist())).reshape(-1, N_CLASSES)
    )
    assert out.sum(axis=1) == pytest.approx(np.ones(len(patterns)))


@given(PATTERNS, SEEDS)
def test_add_levels_agrees_with_twin(patterns: list[list[int]], seed: int) -> None:
    weights = np.random.default_rng(seed).random((len(patterns), N_CLASSES))
    out = np.zeros((N_CLASSES, N_FIELDS, N_LEVELS))
    add_levels(levels_of(patterns), weights, out)
    expected = np.zeros_like(out)
    for place, weight in reference.level_sums(patterns, weights.tolist()).items():
        expected[place] = weight
    # The same numbers added in the same order: equal to the last bit.
    assert np.array_equal(out, expected)


def _histogram(part: list[tuple[int, int]]) -> Histogram:
    patterns, counts = ([each[side] for each in part] for side in (0, 1))
    return Histogram.of(np.array(patterns, dtype=np.uint64), np.array(counts, dtype=np.float64))


@given(st.lists(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 99)), max_size=9), max_size=5))
def test_merge_histograms_adds_up_what_stands_for_one_pattern(parts: list[list[tuple[int, int]]]) -> None:
    expected: dict[int, float] = {}
    for pattern, count in (each for part in parts for each in part):
        expected[pattern] = expected.get(pattern, 0.0) + count
    merged = merge_histograms([_histogram(part) for part in parts])
    assert dict(zip(merged.patterns.tolist(), merged.counts.tolist(), strict=True)) == expected
    assert merged.patterns.tolist() == sorted(expected)


@st.composite
def frequent_values(draw: st.DrawFn) -> list[int]:
    """Values of which some occur far more often than the rest; 0 is missing."""
    n_values = draw(st.integers(0, 300))
    times = [draw(st.integers(1, 4))] * n_values
    for _ in range(draw(st.integers(0, 4))):
        times.append(draw(st.integers(1, 120)))
    found = [value + 1 for value, count in enumerate(times) for _ in range(count)] + [0] * draw(st.integers(0, 40))
    return draw(st.permutations(found)) if len(found) < 40 else found[::-1]


@given(frequent_values(), st.integers(1, 60), st.floats(0.5, 8.0))
def test_suspects_agree_with_twin(values: list[int], floor_count: int, ratio: float) -> None:
    found = placeholders.suspects(np.array(values, dtype=np.uint64), floor_count, ratio)
    assert found.tolist() == reference.suspects(values, floor_count, ratio, placeholders.USUAL_QUANTILE)
    assert found.dtype == np.uint64


@given(frequent_values(), st.integers(1, 60), st.floats(0.5, 8.0))
def test_suspects_are_those_of_the_distinct_values_and_their_counts(
    values: list[int], floor_count: int, ratio: float
) -> None:
    """The formula in numpy's words, with the quantile as numpy defines it."""
    array = np.array(values, dtype=np.uint64)
    distinct, counts = np.unique(array[array != 0], return_counts=True)
    expected: list[int] = []
    if len(distinct):
        usual = float(np.quantile(counts, placeholders.USUAL_QUANTILE, method="lower"))
        usual = min(usual, 10.0 * float(counts.mean())) if len(distinct) > 1 else 0.0
        expected = distinct[counts > max(floor_count, ratio * usual)].tolist()
    assert placeholders.suspects(array, floor_count, ratio).tolist() == expected


def test_suspects_tells_counts_apart_up_to_a_bound_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placeholders, "COUNTED_MAX", 8)
    values = np.repeat(np.arange(1, 40, dtype=np.uint64), 2)
    many = np.concatenate([values, np.full(100, 77, dtype=np.uint64)])
    assert placeholders.suspects(many, 15, 4.0).tolist() == [77]
