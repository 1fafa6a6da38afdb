"""Keys of the rarest words of a text, against their twin: keys, blocks, and what two records tell of them."""

from __future__ import annotations

from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.matching.blocking.block_keys import pass_keys
from core.matching.blocking.blocks import cut, sort_pass
from core.matching.blocking.shared_passes import shared_passes
from core.matching.records.layout import Layout
from core.matching.records.vocabulary import pack
from core.matching.records.words.token_table import RARE_TEXTS_MAX, KnownWords, WordRules
from core.matching.reference.words import rarest_words
from core.matching.scoring.random_pairs import random_pairs
from core.matching.specs.spec import MatchSpec
from tests.profiles import scaled

N_RARE = (1, 2, 3)
FIELDS = [{"name": "maker", "kind": "text"}, {"name": "title", "kind": "words"}]
PASSES = [
    *({"name": f"rare{number}", "keys": [f"rare(title, {number})"]} for number in N_RARE),
    {"name": "both", "keys": ["maker", "rare(title, 2)"]},
]
LAYOUT = Layout.of(MatchSpec.model_validate({"name": "t", "fields": FIELDS, "passes": PASSES}))
# Some words of every text, and more than a record keeps.
TEXT = st.lists(st.sampled_from([f"w{at}" for at in range(24)]), max_size=20).map(" ".join)
RECORDS = st.lists(st.tuples(st.sampled_from(["acme", "oak", None]), TEXT), min_size=2, max_size=10)


def packed(records, known=None):
    frame = pl.DataFrame(records, schema={"maker": pl.String, "title": pl.String}, orient="row")
    frame = frame.with_columns(pl.col("title").replace("", None))
    return pack(frame, LAYOUT, WordRules(known=known))


def expected_sets(records):
    """By pass the keys of each record, named by their words."""
    texts = [text.split() for _, text in records]
    found = [[set(words) for words in rarest_words(texts, number, RARE_TEXTS_MAX)] for number in N_RARE]
    both = [{(maker, word) for word in words if maker} for (maker, _), words in zip(records, found[1], strict=True)]
    return [*found, both]


@settings(max_examples=scaled(1.0))
@given(RECORDS)
def test_records_meet_by_their_rarest_words_as_the_twin_says(records):
    words, vocabulary = packed(records)
    sets, keys = expected_sets(records), pass_keys(words, vocabulary, LAYOUT)
    left, right = random_pairs(len(records), 1000, 0)
    found = shared_passes(words, (left, right), vocabulary, LAYOUT)
    for number, of_pass in enumerate(sets):
        mine = [set(row.tolist()) - {0} for row in keys[:, LAYOUT.key_passes == number]]
        assert [len(each) for each in mine] == [len(each) for each in of_pass]
        rows = range(len(records))
        meet = {(a, b) for a, b in product(rows, rows) if a < b and of_pass[a] & of_pass[b]}
        assert {(a, b) for a, b in product(rows, rows) if a < b and mine[a] & mine[b]} == meet
        pairs = zip(left.tolist(), right.tolist(), strict=True)
        assert (found >> number & 1).tolist() == [(a, b) in meet for a, b in pairs]
        blocks = sort_pass(words, vocabulary, LAYOUT, number)
        whole = cut(blocks, len(records), 0)
        made = set()
        for start, size in zip(whole.starts, whole.sizes, strict=True):
            block = blocks.rows[start : start + size].tolist()
            made |= {(a, b) for a in block for b in block if a < b}
        assert made == meet


@pytest.mark.parametrize(("n_texts", "makes_key"), [(2, True), (RARE_TEXTS_MAX, True), (RARE_TEXTS_MAX + 1, False)])
def test_a_word_of_many_texts_makes_no_key(n_texts, makes_key):
    words, vocabulary = packed([("acme", f"oak n{at}") for at in range(n_texts)])
    assert (pass_keys(words, vocabulary, LAYOUT)[:, 0] != 0).tolist() == [makes_key] * n_texts


def test_a_word_of_one_text_takes_no_place_of_a_rare_one_and_copies_make_none():
    words, vocabulary = packed([("acme", "oak alone"), ("acme", "oak single"), ("acme", "pine"), ("oak", "pine")])
    keys = pass_keys(words, vocabulary, LAYOUT)[:, 0]
    assert keys[0] == keys[1] != 0
    assert keys[2:].tolist() == [0, 0]


def test_words_of_a_finished_run_keep_their_frequencies_and_new_ones_make_no_key():
    frame = pl.DataFrame({"word": ["oak", "pine"], "field": [0, 0], "texts": [2, 1000]})
    known = KnownWords(frame.with_columns(pl.col("field").cast(pl.UInt8), pl.col("texts").cast(pl.UInt32)), (1000,))
    words, vocabulary = packed([("acme", "oak"), ("acme", "pine new"), ("acme", "new pine oak")], known)
    keys = pass_keys(words, vocabulary, LAYOUT)[:, 0]
    assert keys[0] == keys[2] != 0
    assert keys[1] == 0


def test_keys_of_ranges_are_those_of_the_whole_under_its_frequencies():
    records = [("acme", f"{'oak' if at % 2 else 'elm'} n{at % 5} x{at}") for at in range(20)]
    words, vocabulary = packed(records)
    counts = {}
    for text in {frozenset(text.split()) for _, text in records}:
        for word in text:
            counts[word] = counts.get(word, 0) + 1
    frame = pl.DataFrame(
        {"word": list(counts), "field": [0] * len(counts), "texts": list(counts.values())},
        schema={"word": pl.String, "field": pl.UInt8, "texts": pl.UInt32},
    )
    known = KnownWords(frame, (len(records),))
    parts = [pass_keys(*packed(some, known), LAYOUT) for some in (records[:7], records[7:])]
    assert np.array_equal(np.concatenate(parts), pass_keys(words, vocabulary, LAYOUT))
