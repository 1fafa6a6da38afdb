"""Texts compared by their words, against the twin: records, what stands for what, how much is covered."""

from itertools import product

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from core.matching.compare.words.neighbours import near_words
from core.matching.compare.words.overlap import settle_overlap, settle_parts
from core.matching.records.pair_chunk import NOT_COMPUTED, UNDECIDED, Chunk
from core.matching.records.words.text_records import SIGNATURE_WORD, text_records
from core.matching.records.words.texts import number_texts
from core.matching.records.words.token_table import COMMON_SHARE, code_words
from core.matching.reference import words as twin
from core.matching.specs.levels import MISSING, SHARED_CODES, SHARED_NUMBERS
from core.matching.standardise.organisation_names import COMMON_WORDS

WORDS = [
    "face", "book", "facebook", "regional", "regionall", "reginal", "mgmt", "management", "mgmnt", "corp",
    "corporation", "sony", "sonny", "sons", "16gb", "16", "gb", "ce375", "ce375b", "xce375", "ce376", "ce3751", "7",
    "8", "3.5", "ltd", "limited", "and", "intl", "international", "mfg", "manufacturing", "x", "ab", "abc", "abcd",
]  # fmt: skip
TEXT = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)
TEXTS = st.lists(TEXT, min_size=2, max_size=6)


def packed(texts):
    """Records of texts, row by row, with their words."""
    numbers, found = number_texts(pl.Series(texts, dtype=pl.String))
    table, ((codes,),) = code_words([[found]])
    tokens = near_words(table)
    return text_records(found.starts, found.members, codes, table.marks(tokens))[numbers], table, tokens


def similarity(records, tokens, a, b):
    """What the kernel finds of one pair."""
    found, level = np.full(1, NOT_COMPUTED), np.full(1, UNDECIDED, dtype=np.uint8)
    chunk = Chunk(records, np.array([a]), np.array([b]), 1)
    settle_overlap(chunk, 0, 2.0, tokens, (found, np.zeros(2, dtype=np.float32)), (level, 1))
    return float(found[0])


@settings(max_examples=60)
@given(TEXTS)
def test_overlap_agrees_with_its_twin_both_ways(texts):
    records, table, tokens = packed(texts)
    weights = dict(zip(table.words[1:], table.weights[1:].astype(float).tolist(), strict=True))
    expected = twin.weights_of([text.split() for text in texts], COMMON_WORDS, COMMON_SHARE)
    assert list(expected) == list(weights)
    np.testing.assert_allclose(list(expected.values()), list(weights.values()), rtol=1e-6)
    joints = {"facebook": [("face", "book")], "16gb": [("16", "gb")], "ce375": [], "abc": []}
    joints = {whole: [pair for pair in pairs if set(pair) <= set(weights)] for whole, pairs in joints.items()}
    signatures = [int(row[SIGNATURE_WORD]) | int(row[SIGNATURE_WORD + 1]) << 32 for row in records]
    for a in range(len(texts)):
        for b in range(a):
            one, two = texts[a].split(), texts[b].split()
            slow = twin.overlap(one, two, weights, joints, (signatures[a], signatures[b]))
            assert abs(similarity(records, tokens, a, b) - slow) < 1e-6
            assert similarity(records, tokens, a, b) == similarity(records, tokens, b, a)


@settings(max_examples=30)
@given(st.lists(st.text("abem3", min_size=1, max_size=9), min_size=2, max_size=30, unique=True))
def test_what_stands_for_a_word_agrees_with_its_twin(words):
    _, table, tokens = packed(words)
    code = {word: at for at, word in enumerate(table.words)}
    found = {
        (a, int(tokens.others[at])): float(tokens.similarities[at])
        for a in range(1, len(table))
        for at in range(tokens.starts[a], tokens.starts[a + 1])
        if tokens.seconds[at] == 0
    }
    for (a, b), likeness in found.items():
        assert abs(likeness - twin.stands_for(table.words[a], table.words[b])) < 1e-6
        assert found[b, a] == likeness
    for first, second in product(words, words):
        keys = [(word[:3], word[-3:], word[0] + word[-2:], word[:2] + word[-1]) for word in (first, second)]
        meets = min(len(first), len(second)) >= 3 and any(a == b for a, b in zip(*keys, strict=True))
        if meets and twin.stands_for(first, second):
            assert (code[first], code[second]) in found


@settings(max_examples=30)
@given(TEXTS)
def test_codes_and_numbers_agree_with_their_twin(texts):
    records, table, tokens = packed(texts)
    weights = dict(zip(table.words[1:], table.weights[1:].astype(float).tolist(), strict=True))
    joints = {"facebook": [("face", "book")], "16gb": [("16", "gb")]}
    rows = np.arange(len(texts), dtype=np.int64)
    levels = np.zeros(len(texts), dtype=np.uint8)
    for kind, opcode in (("code", SHARED_CODES), ("number", SHARED_NUMBERS)):
        chunk = Chunk(records, rows * 0, rows, len(texts))
        settle_parts(chunk, 0, opcode, tokens, levels)
        for b, text in enumerate(texts):
            sides = [set(texts[0].split()), set(text.split())]
            have = [{word for word in side if twin.kind_of(word) == kind} for side in sides]
            _, left, right, _ = twin.covered(*sides, weights, joints)
            lacking = [len(have[0] & left), len(have[1] & right)]
            apart = lacking == [len(each) for each in have] if kind == "code" else min(lacking) > 0
            assert levels[b] == (MISSING if not all(have) else int(not apart)), (texts[0], text, kind)


@settings(max_examples=30)
@given(TEXTS, st.randoms(use_true_random=False), st.integers(1, 3))
def test_order_copies_and_ranges_change_no_record(texts, random, n_parts):
    records, table, _ = packed(texts)
    shuffled = texts * 2
    random.shuffle(shuffled)
    cuts = [shuffled[at::n_parts] for at in range(n_parts)]
    parts = [number_texts(pl.Series(cut, dtype=pl.String)) for cut in cuts]
    other, (codes,) = code_words([[found for _, found in parts]])
    marks = other.marks(near_words(other))
    again = {}
    for cut, (numbers, found), of_part in zip(cuts, parts, codes, strict=True):
        again |= zip(cut, text_records(found.starts, found.members, of_part, marks)[numbers].tolist(), strict=True)
    assert other.to_frame().equals(table.to_frame())
    assert again == dict(zip(texts, records.tolist(), strict=True))
