"""Pairs that share a nearly unique value, found by sorting a sample."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from core.matching.compare.patterns import compare_pairs
from core.matching.records.layout import Layout
from core.matching.records.sources import WITHIN_ONE, boundaries_of
from core.matching.records.vocabulary import pack
from core.matching.scoring import chance_agreement as module
from core.matching.scoring.chance_agreement import collisions
from core.matching.scoring.classes import T_CHANCE
from core.matching.scoring.histograms import pair_histogram
from core.matching.scoring.learning.em import train
from core.matching.scoring.random_pairs import random_pairs
from core.matching.specs.spec import load_spec
from core.matching.standardise.normalise import normalise
from tests.blocking import candidates


def _records(n: int, seed: int) -> tuple[Layout, np.ndarray, object]:
    draw = np.random.default_rng(seed)
    spec, _ = load_spec("persons").restrict(["first_name", "last_name", "dob", "phone", "street", "email", "zip"])
    street = [f"{a} oak {b}" for a, b in zip(draw.integers(1, 40, n), draw.choice(["st", "ave", "rd"], n), strict=True)]
    frame = pl.DataFrame(
        {
            "first_name": [f"a{x}" for x in draw.integers(0, 9, n)],
            "last_name": [f"b{x}" for x in draw.integers(0, 90, n)],
            "dob": [f"19{x}-01-02" for x in draw.integers(10, 99, n)],
            "phone": [f"41555{x:05}" if x % 5 else None for x in draw.integers(0, 900, n)],
            "street": [value if value[0] != "3" else None for value in street],
            "email": [f"m{a}@x{b}.org" for a, b in zip(draw.integers(0, 99, n), draw.integers(0, 3, n), strict=True)],
            "zip": [f"{x:05}" for x in draw.integers(10, 9999, n)],
        }
    )
    layout = Layout.of(spec)
    words, vocabulary = pack(normalise(frame, spec), layout)
    return layout, words, vocabulary


def _brute(layout, words, vocabulary, boundaries=WITHIN_ONE) -> tuple[np.ndarray, np.ndarray]:
    left, right = random_pairs(len(words), 10**9, 1, boundaries)
    return compare_pairs(words, vocabulary, layout, left, right), left


@pytest.mark.parametrize("sizes", [[400], [120, 280], [120, 60, 220]])
def test_collisions_are_all_pairs_at_the_levels_they_imply(sizes: list[int]) -> None:
    boundaries = boundaries_of(sizes)
    layout, words, vocabulary = _records(400, 3)
    levels, left = _brute(layout, words, vocabulary, boundaries)
    found = collisions(words, vocabulary, layout, float(len(left)), boundaries)
    assert [layout.names[each.field] for each in found] == ["phone", "street", "email"]
    assert [each.levels for each in found] == [(2,), (4, 3), (2, 1)]
    for collided in found:
        expected = int(np.isin(levels[:, collided.field], collided.levels).sum())
        assert expected > 0
        assert collided.counts.sum() == pytest.approx(expected)
        assert collided.pairs_per_sampled == 1.0


def test_collisions_of_a_sample_stand_for_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    layout, words, vocabulary = _records(3_000, 4)
    whole = collisions(words, vocabulary, layout, 3_000 * 2_999 / 2)
    monkeypatch.setattr(module, "ROWS_MAX", 1_500)
    monkeypatch.setattr(module, "PAIRS_MAX", 1_000)
    drawn = collisions(words, vocabulary, layout, 3_000 * 2_999 / 2)
    for one, all_ in zip(drawn, whole, strict=True):
        assert one.pairs_per_sampled > 3
        assert one.counts.sum() == pytest.approx(all_.counts.sum(), rel=0.15)


def test_collisions_of_nothing_are_none() -> None:
    layout, words, vocabulary = _records(50, 5)
    for each in collisions(np.zeros_like(words), vocabulary, layout, 1225.0):
        assert len(each.patterns) == 0
    assert collisions(words[:1], vocabulary, layout, 0.0) == ()


def test_train_learns_from_collisions_how_often_strangers_share_an_address() -> None:
    draw = np.random.default_rng(6)
    n_persons, n_doubles = 2_000, 400
    years, months = draw.integers(10, 99, n_persons), draw.integers(1, 13, n_persons)
    houses, streets = draw.integers(1, 300, n_persons), draw.integers(0, 20, n_persons)
    persons = pl.DataFrame(
        {
            "last_name": [f"b{x:03}q" for x in draw.integers(0, 900, n_persons)],
            "dob": [f"19{year}-{month:02}-11" for year, month in zip(years, months, strict=True)],
            "street": [f"{house} {chr(97 + street)}ak st" for house, street in zip(houses, streets, strict=True)],
            "zip": [f"{x:05}" for x in draw.integers(10_000, 99_999, n_persons)],
        }
    )
    frame = pl.concat([persons, persons.head(n_doubles)])
    spec, _ = load_spec("persons").restrict(frame.columns)
    layout = Layout.of(spec)
    words, vocabulary = pack(normalise(frame, spec), layout)
    total = len(words) * (len(words) - 1) / 2
    chance = pair_histogram(words, vocabulary, layout, *random_pairs(len(words), 5_000, 3))
    made = candidates(words, vocabulary, layout)
    learnt = train(made, chance, total, layout, collisions(words, vocabulary, layout, total))
    blind = train(made, chance, total, layout)

    numbers = persons["street"].value_counts()["count"].to_numpy().astype(np.int64)
    truth = float((numbers * (numbers - 1) // 2).sum()) / (n_persons * (n_persons - 1) / 2)
    at, exact = layout.names.index("street"), layout.n_levels[layout.names.index("street")] - 1
    assert learnt.tables[T_CHANCE, at, exact] == pytest.approx(truth, rel=0.25)
    assert abs(np.log2(blind.tables[T_CHANCE, at, exact] / truth)) > 0.5
    assert learnt.tables[T_CHANCE, at, : exact + 1].sum() == pytest.approx(1.0, rel=1e-6)
