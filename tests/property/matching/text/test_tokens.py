"""The words of a text against their twin, and what a person would call one word."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.matching.reference.words import kind_of, words_of
from core.matching.standardise.normalise import fold
from core.matching.text.hashing import flat_points
from core.matching.text.tokens import read_entities, spaced_words, token_kind

PIECES = st.sampled_from("a b s g ab ii vi ix sony changer mbh cdp ce375 7 007 16gb x1 3 500 000 \u00e9 \u0436".split())
GAPS = st.sampled_from([" ", " ", "-", ".", ",", "/", "_", ". ", " - ", "'", "&", "&&", "(", "`", ", "])
TEXTS = st.lists(st.tuples(PIECES, GAPS), max_size=8).map(lambda parts: "".join(map("".join, parts)))
ASCII = st.text(alphabet=st.characters(max_codepoint=127), max_size=30).map(str.lower)


def words(*texts: str) -> list[str]:
    return spaced_words(fold(read_entities(pl.Series(texts, dtype=pl.String)))).to_list()


@settings(max_examples=40)
@given(st.lists(TEXTS.map(str.lower) | ASCII, min_size=1, max_size=12))
def test_words_agree_with_their_twin(texts):
    found = spaced_words(pl.Series(texts, dtype=pl.String)).to_list()
    assert found == [" ".join(words_of(text)) for text in texts]


@settings(max_examples=40)
@given(TEXTS | st.text(max_size=20))
def test_words_stay_words_when_they_are_read_again(text):
    once = words(text)
    assert words(*once)[0].replace(" ", "") == once[0].replace(" ", "")
    assert "  " not in once[0]
    assert once[0] == once[0].strip()


@settings(max_examples=30)
@given(TEXTS)
def test_kind_of_a_word_agrees_with_its_twin(text):
    for word in words_of(text.lower()):
        points, _ = flat_points(pl.Series([word]))
        assert ("word", "number", "code")[token_kind(points, 0, len(points))] == kind_of(word)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CDP-CE375 &amp; Sons, G.m.b.H.", "cdpce375 and sons gmbh"),
        ("S A R L Dupont", "sarl dupont"),
        ("M&#252;ller S. A.", "muller sa"),
        ("O'Brien’s caf\u00e9", "obriens cafe"),
        ("J R Smith", "j r smith"),
        ('3.5" disk, 1,299 USD', "3.5 disk 1299 usd"),
        ("F-150 18-inch wi-fi", "f150 18 inch wi fi"),
        ("Version 10.5.8 II", "version 10.5.8 2"),
        ("007 and 3.05", "7 and 3.05"),
        ("mp3-player X100-200/B", "mp3 player x100200b"),
        ("华为 Co®", "华 为 co"),
        ("...", ""),
        ("", ""),
    ],
)
def test_words_are_what_a_person_reads(text, expected):
    assert words(text) == [expected]
