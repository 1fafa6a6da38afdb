"""Passes `top: k` against their twin: who is near, how many each meets, and that the order of rows changes nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.matching.blocking.nearest_texts import LIST_MAX, WordGrams, features_of, nearest_texts, texts_of
from core.matching.records.layout import Layout
from core.matching.records.vocabulary import pack
from core.matching.records.words.token_table import WordRules
from core.matching.reference import nearest as twin
from core.matching.specs.spec import MatchSpec
from core.matching.text.hashing import flat_points
from tests.profiles import scaled

WORDS = ("oak", "oaks", "mill", "miller", "river", "rivers", "stone", "ab", "x1")
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=5, unique=True), min_size=2, max_size=12)


def layout_of(top, of):
    passes = [{"name": "near", "top": top, "of": of}]
    return Layout.of(
        MatchSpec.model_validate({"name": "t", "fields": [{"name": "title", "kind": "words"}], "passes": passes})
    )


def packed(texts, layout, *, grams=True):
    """Records of the texts, and what their words are made of."""
    tables = []
    words, vocabulary = pack(pl.DataFrame({"title": [" ".join(each) for each in texts]}), layout, keeping(tables))
    hashes = tables[0].marks(vocabulary.arrays.tokens).hashes
    return words, WordGrams.of(hashes, flat_points(tables[0].words)) if grams else WordGrams.without(hashes)


def nearest(texts, top, *, grams=True, boundaries=()):
    layout = layout_of(top, "grams(title)" if grams else "words(title)")
    words, found = packed(texts, layout, grams=grams)
    with ThreadPoolExecutor(1) as pool:
        near = nearest_texts(words, layout, layout.spec.passes[0], found, np.array(boundaries, dtype=np.int64), pool)
    assert near.blocks.depth.tolist() == [0, 255] * (len(near.blocks.rows) // 2)
    return {tuple(pair) for pair in near.blocks.rows.reshape(-1, 2).tolist()}, near.n_cut


def keeping(tables):
    """Rules by which nothing stands for a word, and which keep the table of words."""

    def near(table):
        tables.append(table)
        return WordRules().near(table)

    return WordRules(near)


@settings(max_examples=scaled(1.0))
@given(TEXTS, st.integers(1, 3), st.booleans())
def test_each_text_meets_the_k_most_alike_as_the_twin_says(texts, top, grams):
    distinct = sorted({tuple(sorted(each)) for each in texts})
    alike = twin.likeness(distinct, grams=grams, list_max=LIST_MAX)
    made, n_cut = nearest(distinct, top, grams=grams)
    assert n_cut == sum(max(len(others) - top, 0) for others in alike)
    for text, others in enumerate(alike):
        kept = sorted(others.values(), reverse=True)[:top]
        # Of equally near ones any may be met, so what is asked is how near they are.
        mine = sorted((others[b if a == text else a] for a, b in made if text in (a, b)), reverse=True)
        assert mine[: len(kept)] == pytest.approx(kept, abs=1e-5)
    chosen = {(min(a, b), max(a, b)) for a, b in made}
    assert len(chosen) == len(made) <= top * len(distinct)


@settings(max_examples=scaled(0.5))
@given(TEXTS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(texts, random):
    order = list(range(len(texts)))
    random.shuffle(order)
    said = {frozenset((frozenset(texts[a]), frozenset(texts[b]))) for a, b in nearest(texts, 2)[0]}
    shuffled = [texts[at] for at in order]
    assert said == {frozenset((frozenset(shuffled[a]), frozenset(shuffled[b]))) for a, b in nearest(shuffled, 2)[0]}


def test_what_a_text_has_twice_is_one_feature_of_it():
    texts = [["oaks", "oak"], ["anananan"], ["miller", "mill", "milli"]]
    words, grams = packed(texts, layout_of(1, "grams(title)"))
    places, whole = np.array([layout_of(1, "grams(title)").offset["title"]]), np.array([], dtype=np.int64)
    found = features_of(words, places, texts_of(words, places, whole), grams)
    every = [twin.features_of(each, grams=True) for each in texts]
    assert len(found.list_starts) - 1 == len(set.union(*every))
    assert found.list_starts[-1] == sum(len(each) for each in every)


def test_copies_enter_once_and_take_no_places():
    made, n_cut = nearest([["oak", "mill"], *[["oak", "stone"]] * 5, ["oak", "river"]], 2)
    assert len(made) == 3
    assert n_cut == 0


def test_records_of_one_file_do_not_meet_where_files_are_linked():
    texts = [["oak", "mill"], ["oak", "miller"], ["oak", "mills"], ["oak", "stone"]]
    assert {(a < 2, b < 2) for a, b in nearest(texts, 3, boundaries=[2])[0]} == {(True, False)}


def test_what_too_many_texts_have_brings_nobody_together():
    assert nearest([["oak", f"{at}{at}q"] for at in range(LIST_MAX + 1)], 3, grams=False) == (set(), 0)
    assert nearest([["oak", f"{at}{at}q"] for at in range(LIST_MAX)], 1, grams=False)[0]
