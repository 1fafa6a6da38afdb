"""Packing from text gives what normalising and packing whole columns gives, whatever people wrote."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.matching.records.layout import Layout
from core.matching.records.pack_text import pack_text
from core.matching.records.vocabulary import pack
from core.matching.specs.levels import KINDS
from core.matching.specs.spec import MatchSpec
from core.matching.standardise.normalise import normalise
from core.matching.standardise.unknown_words import UNKNOWN_WORDS

FIELDS = [{"name": f"a_{kind}", "kind": kind} for kind in KINDS if kind != "mark"] + [
    {"name": "sex", "kind": "mark", "mark": "sex", "read_from": ["a_given_name", "a_surname"]},
    {"name": "middle", "kind": "mark", "mark": "middle", "values": 1},
    {"name": "suffix", "kind": "mark", "mark": "suffix", "values": 1},
    {"name": "phone", "kind": "digits", "keep_last": 10},
    {"name": "short", "kind": "digits", "keep_last": 4},
    {"name": "given", "kind": "given_name", "part_of": "full_name", "part": "given"},
    {"name": "family", "kind": "surname", "part_of": "full_name", "part": "surname"},
]
SPEC = MatchSpec.model_validate({"name": "all", "fields": FIELDS, "passes": [{"name": "p", "keys": ["a_surname"]}]})
LAYOUT = Layout.of(SPEC)

PIECES = st.sampled_from(
    [
        *UNKNOWN_WORDS, "R", "Mrs.", "Baby", "girl", "Twin", "A", "2", "Neto", "d.Ä.", "Robert", "mr", "Dr.", "jr",
        "III", "van der", "de la", "Mc", "O'", "saint", "North", "12", "7a", "#",
        "# 4",
        "apt", "main", "St.", "Ave", "@", "@x.org", "ann", "+news", ".", "..", "-", ",", "0", "000", "00-00", "999999",
        "123-45-6789", "078051120", "94107-1234", "941071234", "xxx", "XXXX", "(415) 555-0134", "1", "\t", "\n", "\x0b",
        "\x00", "\x1c", "\u00a0", "\u2009", "é", "ß", "İ", "ﬁ", "Ａ", "１", "٣", "’", "`", "´", "\u0301", "иванов",
        "李",
        "😀", "1990-02-28", "1990-02-30", "0000-00-00", "1900-01-01", "2000-00-00", "12/31/1999", "19991231",
    ]
)  # fmt: skip
ANYTHING = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=24)
ASCII = st.text(alphabet=st.characters(max_codepoint=127), max_size=40)
GLUED = st.lists(PIECES, max_size=6).flatmap(
    lambda pieces: st.sampled_from([" ", "", "-"]).map(lambda by: by.join(pieces))
)
LONG = st.builds(lambda text, times: text * times, GLUED, st.integers(1, 80))
COLUMN = st.lists(st.one_of(st.none(), GLUED, ASCII, ANYTHING, LONG), min_size=1, max_size=8)


def check(texts: list[str | None], chunks: int = 1) -> None:
    column = pl.Series(texts, dtype=pl.String)
    for _ in range(chunks - 1):
        column = column.append(pl.Series(texts, dtype=pl.String))
    frame = pl.DataFrame([column.alias(name) for name in SPEC.columns])
    words, vocabulary = pack_text(frame, LAYOUT)
    expected, strings = pack(normalise(frame, SPEC), LAYOUT)
    assert vocabulary.strings.to_list() == strings.strings.to_list()
    for field in SPEC.fields:
        at = LAYOUT.words_of(field.name)
        assert np.array_equal(words[:, at], expected[:, at]), field.name


@given(COLUMN, st.integers(1, 3))
def test_pack_text_agrees_with_normalise_and_pack(texts, chunks):
    check(texts, chunks)


@pytest.mark.parametrize("day_first", [False, True])
def test_pack_text_keeps_the_order_of_dates(day_first):
    frame = pl.DataFrame({name: ["03/04/1990", "1990-04-03", None] for name in SPEC.columns})
    words, _ = pack_text(frame, LAYOUT, {"a_date": day_first})
    expected, _ = pack(normalise(frame, SPEC, {"a_date": day_first}), LAYOUT)
    assert np.array_equal(words, expected)


def test_pack_text_reads_a_slice_of_a_longer_frame():
    texts = ["Ann Marie van der Berg", None, "12 Main Street #4", "bob", "", "x" * 13] * 20
    frame = pl.DataFrame(dict.fromkeys(SPEC.columns, texts))
    words, vocabulary = pack_text(frame.slice(7, 30), LAYOUT)
    expected, strings = pack(normalise(frame.slice(7, 30), SPEC), LAYOUT)
    assert np.array_equal(words, expected)
    assert vocabulary.strings.equals(strings.strings)


def test_pack_text_of_no_rows_is_empty():
    frame = pl.DataFrame(schema=dict.fromkeys(SPEC.columns, pl.String))
    words, vocabulary = pack_text(frame, LAYOUT)
    assert words.shape == (0, LAYOUT.stride)
    assert len(vocabulary) == 1
