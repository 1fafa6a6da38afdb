"""Rows, persons and copies: exact counts and a random order without a table."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from core.errors import ConfigError
from core.made_records.draws import Draws
from core.made_records.persons.population import plan_population


@pytest.mark.parametrize("size", [1, 2, 3, 5, 16, 99, 100, 101, 4096, 12_345])
def test_shuffled_is_an_order_of_all(size: int) -> None:
    order = Draws(3).shuffled("order", np.arange(size), size)
    assert np.array_equal(np.sort(order), np.arange(size))
    assert np.array_equal(Draws(3).shuffled("order", np.arange(size)[::-1], size), order[::-1])


def test_shuffled_looks_random() -> None:
    size = 40_000
    order = Draws(3).shuffled("order", np.arange(size), size)
    assert abs(np.corrcoef(np.arange(size), order)[0, 1]) < 0.02
    assert abs(np.corrcoef(order[1:], order[:-1])[0, 1]) < 0.02
    # A random order leaves one number in its place, and one behind the number before it, on average.
    assert (order == np.arange(size)).sum() < 8
    assert (np.diff(order) == 1).sum() < 8
    # Numbers of one stretch spread evenly over the file: chi squared over 100 drawers, 99 degrees of freedom.
    drawers = np.bincount(np.flatnonzero(order < 4000) * 100 // size, minlength=100)
    assert ((drawers - 40) ** 2 / 40).sum() < 160
    assert (Draws(4).shuffled("order", np.arange(size), size) == order).sum() < 8


@pytest.mark.parametrize("duplicates", [0.0, 0.05, 0.3, 0.5, 0.7, 0.8])
@pytest.mark.parametrize("rows", [1, 2, 7, 1000, 9999])
def test_population_has_every_record_once(rows: int, duplicates: float) -> None:
    population = plan_population(rows, 5, duplicates)
    person, copy = population.records_at(np.arange(rows))
    assert population.n_copies == (copy > 0).sum() == min(round(rows * duplicates), rows * 5 // 6)
    assert np.array_equal(np.sort(person[copy == 0]), np.arange(population.n_persons))
    sizes = np.bincount(person)
    assert np.array_equal(np.bincount(sizes - 1, minlength=6), population.having)
    # The copies of a person are numbered from 1 without a gap.
    last = np.zeros(population.n_persons, dtype=np.int64)
    np.maximum.at(last, person, copy)
    assert np.array_equal(last, sizes - 1)
    assert len(np.unique(person * 10 + copy)) == rows


def test_population_copies_have_the_promised_shares() -> None:
    having = plan_population(100_000, 5, 0.3).having
    assert np.allclose(having[1:] / having[1:].sum(), [0.75, 0.15, 0.06, 0.03, 0.01], atol=0.001)
    assert (np.diff(plan_population(100_000, 5, 0.8).having[2:]) > 0).all()


def test_population_duplicates_stand_anywhere() -> None:
    rows = 50_000
    person, copy = plan_population(rows, 5, 0.3).records_at(np.arange(rows))
    place = np.empty(rows, dtype=np.int64)
    place[person[copy == 0]] = np.flatnonzero(copy == 0)
    distance = np.abs(np.flatnonzero(copy > 0) - place[person[copy > 0]]) / rows
    # Two random places of a line of length 1 are a third apart.
    assert 0.32 < distance.mean() < 0.347
    assert (distance > 0.5).mean() > 0.23


def test_plan_population_needs_no_memory_for_rows() -> None:
    def peak_of(rows: int) -> int:
        tracemalloc.start()
        population = plan_population(rows, 5, 0.3)
        population.records_at(np.arange(rows - 1000, rows))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    # The words grow with the 0.7th power of the rows: 100 times the rows, 25 times the words.
    assert peak_of(5_000_000) < 40e6
    assert peak_of(5_000_000) < 40 * peak_of(50_000)


@pytest.mark.parametrize(("rows", "duplicates"), [(0, 0.3), (600_000_000, 0.3), (10, -0.1), (10, 0.9)])
def test_plan_population_refuses_what_cannot_be(rows: int, duplicates: float) -> None:
    with pytest.raises(ConfigError, match="must be"):
        plan_population(rows, 1, duplicates)
