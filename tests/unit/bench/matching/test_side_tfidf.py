"""The floor of TF-IDF against a slow twin, and which pairs it names."""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import product

import numpy as np
import polars as pl
import pytest

from core.bench.matching.side_tfidf import above, best, found_pairs, weights
from core.made_records.kinds import make_records

TEXTS = ["Dover Steel Ltd", "DOVER STEEL", "Kemp & Sons", "kemp sons", "Kemp", "", "ab", "Dover Stel Ltd."]


def slow_cosines(texts: list[str]) -> list[list[float]]:
    """Half the cosine of words and half that of 4-grams, text by text."""
    plain = [re.sub(r"[^a-z0-9]+", " ", text.lower()).strip() for text in texts]
    words = [text.split(" ") for text in plain]
    grams = [[text[at : at + 4] for at in range(max(len(text) - 3, 1))] for text in plain]
    return [
        [sum(cosine(table, left, right) for table in (words, grams)) / 2 for right in range(len(texts))]
        for left in range(len(texts))
    ]


def cosine(table: list[list[str]], left: int, right: int) -> float:
    df = Counter(feature for features in table for feature in set(features))
    sides = []
    for features in (table[left], table[right]):
        weight = {feature: n * math.log(1 + len(table) / df[feature]) for feature, n in Counter(features).items()}
        length = math.sqrt(sum(value**2 for value in weight.values()))
        sides.append({feature: value / length for feature, value in weight.items()})
    return sum(value * sides[1].get(feature, 0.0) for feature, value in sides[0].items())


def test_weights_give_the_cosines_of_the_slow_twin() -> None:
    features = weights(pl.Series(TEXTS))
    assert np.allclose((features @ features.T).toarray(), slow_cosines(TEXTS))


def test_above_names_each_pair_once() -> None:
    slow = slow_cosines(TEXTS)
    expected = {(a, b) for a, b in product(range(len(TEXTS)), repeat=2) if a < b and slow[a][b] > 0.4}
    found = [tuple(pair) for pair in above(weights(pl.Series(TEXTS)), 0.4).tolist()]
    assert set(found) == expected
    assert len(found) == len(expected)
    assert (0, 1) in expected


@pytest.mark.parametrize(
    ("shared", "expected"),
    [
        ((False, False), [[0, 0], [1, 2]]),
        ((False, True), [[0, 0], [0, 1], [1, 2]]),
        ((True, False), [[0, 0], [1, 2], [2, 0]]),
    ],
)
def test_best_is_mutual_unless_a_file_is_shared(shared: tuple[bool, bool], expected: list[list[int]]) -> None:
    left = ["dover steel works", "kemp and sons", "dover steel", "zzzz"]
    right = ["dover steel works", "dover steel works east", "kemp sons"]
    features = weights(pl.Series(left + right))
    assert sorted(best(features[:4], features[4:], 0.3, shared).tolist()) == expected


def test_found_pairs_are_mostly_true_and_lie_across_the_files() -> None:
    files = make_records("papers-clean", 200, 1)
    pairs = found_pairs([frame.drop("entity_id") for frame in files], ["title", "authors"], [])
    entity = pl.concat([frame["entity_id"] for frame in files]).to_numpy()
    assert (pairs[:, 0] < len(files[0])).all()
    assert (pairs[:, 1] >= len(files[0])).all()
    assert (entity[pairs[:, 0]] == entity[pairs[:, 1]]).mean() > 0.8
