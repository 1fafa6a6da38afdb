"""One record at a time gives what whole columns give, whatever people wrote."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given

from core.errors import InputError
from core.matching.cleaning import plain_words
from core.matching.layout import Layout
from core.matching.levels import CODED_KINDS
from core.matching.placeholders import null_values
from core.matching.records import pack_text
from core.matching.single import RecordPacker, coded_matrix, is_plain
from core.matching.spec import load_spec
from core.matching.views import text_chunks
from core.matching.vocabulary import Vocabulary, field_values
from core.workloads.identity.generator import generate_persons
from tests.property.matching.test_records import ASCII, COLUMN, GLUED, LAYOUT, SPEC


def check(texts: list[str | None]) -> None:
    packer = RecordPacker(LAYOUT, {}, {})
    frame = pl.DataFrame({name: pl.Series(texts, dtype=pl.String) for name in SPEC.columns})
    # As the reader of files hands them on: trimmed, empty as null.
    trimmed = frame.select(pl.when(pl.all().str.strip_chars() != "").then(pl.all().str.strip_chars()))
    words, vocabulary = pack_text(trimmed, LAYOUT)
    for row, text in enumerate(trimmed[SPEC.columns[0]].to_list()):
        try:
            found = packer.pack(dict.fromkeys(SPEC.columns, text))
        except InputError:
            continue
        for field in SPEC.fields:
            at = LAYOUT.words_of(field.name)
            if field.kind in CODED_KINDS:
                place = [each.name for each in LAYOUT.coded].index(field.name)
                assert found.texts[place] == vocabulary.strings[int(words[row, at.start])], field.name
            elif field.kind != "date":
                assert np.array_equal(found.words[at], words[row, at]), field.name


@given(COLUMN)
def test_packer_agrees_with_pack_text(texts):
    check(texts)


@given(COLUMN)
def test_is_plain_is_the_twin_of_plain_words(texts):
    column = pl.Series([text for text in texts if text], dtype=pl.String)
    out = np.zeros(len(column), dtype=np.bool_)
    with text_chunks(column) as chunks:
        for first, chunk in chunks:
            plain_words(chunk, out[first : first + len(chunk.views)])
    assert [is_plain(text) for text in column.to_list()] == out.tolist()


@pytest.mark.parametrize("text", ["1990-02-03", "03/02/1990", "25/12/1990", "12/25/1990", "3 Feb 1990", "1990", "soon"])
@pytest.mark.parametrize("day_first", [False, True])
def test_packer_reads_dates_in_the_order_of_the_data_set(text, day_first):
    found = RecordPacker(LAYOUT, {"a_date": day_first}, {}).pack({"a_date": text})
    words, _ = pack_text(pl.DataFrame({n: [text] for n in SPEC.columns}), LAYOUT, {"a_date": day_first})
    at = LAYOUT.words_of("a_date")
    assert np.array_equal(found.words[at], words[0, at])


@pytest.mark.parametrize("text", ["1990-02-30", "03/04/90"])
def test_packer_refuses_the_dates_that_a_file_may_not_have(text):
    with pytest.raises(InputError, match="a match refuses such a row") as error:
        RecordPacker(LAYOUT, {}, {}).pack({"a_date": text})
    assert text not in error.value.message


def test_packer_takes_placeholders_for_missing():
    frame = pl.DataFrame({name: ["202-555-0143", "202-555-0187"] for name in SPEC.columns})
    words, _ = pack_text(frame, LAYOUT)
    suspects = field_values(words, LAYOUT, "phone")[:1]
    null_values(words, LAYOUT, "phone", suspects)
    packer = RecordPacker(LAYOUT, {}, {"phone": suspects.tolist()})
    at = LAYOUT.words_of("phone")
    found = [packer.pack({"phone": text}).words[at] for text in frame["phone"]]
    assert np.array_equal(found, words[:, at])
    assert not found[0].any()
    assert found[1].any()


@given(GLUED, ASCII)
def test_vocabulary_of_strings_is_that_of_a_column(one, two):
    strings = ["", *sorted({one, two, "ann", "zoë", "😀"} - {""})]
    found, expected = Vocabulary.of_strings(strings), Vocabulary.of_sorted(pl.Series("string", strings))
    for name, array in expected.arrays._asdict().items():
        assert np.array_equal(getattr(found.arrays, name), array), name


def test_coded_matrix_is_what_pack_text_gives():
    persons = generate_persons(200, seed=4, duplicates=0.3)
    layout = Layout.of(load_spec("persons"))
    words, vocabulary = pack_text(persons, layout)
    packer = RecordPacker(layout, {}, {})
    records = [packer.pack({name: record[name] for name in layout.spec.columns}) for record in persons.to_dicts()]
    found, strings = coded_matrix(records, layout)
    assert np.array_equal(found, words)
    assert strings == vocabulary.strings.to_list()
