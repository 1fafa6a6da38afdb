"""One record at a time gives what whole columns give, whatever people wrote."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.errors import InputError
from core.made_records.persons.generator import generate_persons
from core.matching.lookup.single_record import REMEMBERED, RecordPacker, coded_matrix, is_plain
from core.matching.records.ascii_text import plain_words
from core.matching.records.layout import Layout
from core.matching.records.pack_text import pack_text
from core.matching.records.placeholders import null_values
from core.matching.records.value_places import field_values
from core.matching.records.vocabulary import Vocabulary, VocabularyArrays
from core.matching.specs.levels import CODED_KINDS
from core.matching.specs.spec import load_spec
from core.matching.standardise.full_names import PERSON_PARTS, WHOLE
from core.matching.standardise.latin import fold_latin, normalise_latin
from core.matching.standardise.normalise import fold, normalise_field
from core.matching.standardise.readings import ColumnReading, read_as
from core.matching.text.string_views import copy_text, one_text, text_chunks, text_length
from tests.property.matching.records.test_pack_text import ANYTHING, ASCII, COLUMN, GLUED
from tests.property.matching.records.test_pack_text import SPEC as EVERY_KIND

# By texts no record is looked up.
SPEC = EVERY_KIND.model_copy(update={"fields": tuple(each for each in EVERY_KIND.fields if each.kind != "words")})
LAYOUT = Layout.of(SPEC)

_LETTERS = [chr(point) for point in (*range(0xC0, 0x250), 0x2019) if point not in (0xD7, 0xF7)]
_WORDS = [
    "mr",
    "Dr.",
    "jr",
    "III",
    "Mrs",
    "R.",
    "Baby",
    "boy",
    "Twin",
    "A",
    "Filho",
    "van der",
    "de la",
    "Mc",
    "O'",
    "San",
    "saint",
    "Fort",
    "n/a",
    "94107-1234",
    "xxx",
    "test",
]
LATIN = st.lists(
    st.one_of(st.sampled_from(_WORDS), st.text(st.sampled_from([*_LETTERS, *map(chr, range(32, 127))]), max_size=8)),
    max_size=5,
).flatmap(lambda pieces: st.sampled_from([" ", "", "-", "'"]).map(lambda by: by.join(pieces)))  # fmt: skip


# One for all examples: what it remembers of the values that polars cleans, of which examples share many, is part of it.
PACKER = RecordPacker(LAYOUT, {}, {})
# Dates have tests of their own below; most texts are none, and a packer refuses some of them.
UNDATED = [column for column in SPEC.columns if column != "a_date"]


def check(texts: list[str | None]) -> None:
    frame = pl.DataFrame({name: pl.Series(texts, dtype=pl.String) for name in SPEC.columns})
    # As the reader of files hands them on: trimmed, empty as null.
    trimmed = frame.select(pl.when(pl.all().str.strip_chars() != "").then(pl.all().str.strip_chars()))
    words, vocabulary = pack_text(trimmed, LAYOUT)
    for row, text in enumerate(trimmed[SPEC.columns[0]].to_list()):
        found = PACKER.pack(dict.fromkeys(UNDATED, text))
        for field in SPEC.fields:
            at = LAYOUT.words_of(field.name)
            if field in LAYOUT.coded:
                place = [each.name for each in LAYOUT.coded].index(field.name)
                assert found.texts[place] == vocabulary.strings[int(words[row, at.start])], field.name
            elif field.kind != "date":
                assert np.array_equal(found.words[at], words[row, at]), field.name


@given(COLUMN)
@example(["0\x1f", "\x1cann", "\x850", "\u30000"])
def test_packer_agrees_with_pack_text(texts):
    check(texts)


@given(st.lists(LATIN, min_size=1, max_size=8))
def test_packer_agrees_with_pack_text_on_latin_letters(texts):
    check(texts)


@given(st.one_of(GLUED, ASCII, ANYTHING))
def test_packer_takes_or_refuses_any_text_for_a_date(text):
    with suppress(InputError):
        assert len(PACKER.pack({"a_date": text}).words) == LAYOUT.stride


@given(st.lists(LATIN, min_size=1, max_size=8))
def test_latin_values_are_normalised_as_columns_are(texts):
    column = pl.Series(texts, dtype=pl.String)
    assert [fold_latin(text) for text in texts] == fold(column).to_list()
    for field in SPEC.fields:
        if field.kind in CODED_KINDS and field.part is None and field.mark is None:
            expected = normalise_field(column, field).fill_null("").to_list()
            assert [normalise_latin(text, field.kind) for text in texts] == expected, field.name


def test_every_latin_letter_is_folded_as_columns_fold_it():
    letters = [chr(point) for point in (*range(32, 127), *range(0xC0, 0x250), 0x2019) if point not in (0xD7, 0xF7)]
    texts = [f"{left}{letter}{right}" for letter in letters for left in ("", "a", " ") for right in ("", "b", "'")]
    column = pl.Series(texts, dtype=pl.String)
    assert [fold_latin(text) for text in texts] == fold(column).to_list()
    for field in SPEC.fields:
        if field.kind in CODED_KINDS and field.part is None and field.mark is None:
            expected = normalise_field(column, field).fill_null("").to_list()
            assert [normalise_latin(text, field.kind) for text in texts] == expected, field.name


@pytest.mark.parametrize("text", ["иванов", "李", "a\u00a0b", "a\tb", "ﬁ", "a×b", "٣"])
def test_other_scripts_and_spaces_are_left_to_columns(text):
    assert fold_latin(text) is None
    assert normalise_latin(text, "surname") is None


@given(GLUED, ANYTHING)
def test_a_chunk_of_one_text_is_read_as_one_of_a_column(one, two):
    for text in (one, two, one + two, "", "a" * 12, "a" * 13):
        chunk = one_text(text)
        size = len(text.encode())
        assert text_length(chunk, 0) == size
        out = np.zeros(size, dtype=np.uint8)
        if size:
            copy_text(chunk, 0, size, out)
        assert out.tobytes() == text.encode()


def test_packer_keeps_no_numbers_dates_or_addresses():
    """What stays in memory is a bounded number of names and places that polars had to clean."""
    packer = RecordPacker(LAYOUT, {}, {})
    for text in ("415-555-0134", "12 Main St", "ann@x.org", "1990-02-03", "12/31/1999", "О'Нил", "Ann Lee"):
        packer.pack({field.column: text for field in SPEC.fields if field.kind not in CODED_KINDS})
    assert packer._by_column.cache_info().currsize == 0
    packer.pack(dict.fromkeys(SPEC.columns, "иванов"))
    assert 0 < packer._by_column.cache_info().currsize <= len(LAYOUT.coded)
    assert packer._by_column.cache_info().maxsize == REMEMBERED


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


@pytest.mark.parametrize("text", ["03/04/90", "4 mai 90"])
def test_packer_refuses_the_dates_that_a_file_may_not_have(text):
    with pytest.raises(InputError, match="a date whose year has two digits") as error:
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
    assert _leaves(found.arrays).keys() == _leaves(expected.arrays).keys()
    for name, array in _leaves(expected.arrays).items():
        assert np.array_equal(_leaves(found.arrays)[name], array), name


def _leaves(arrays: VocabularyArrays) -> dict[str, np.ndarray | int]:
    """Each array by name, those of the tokens too."""
    given = arrays._asdict()
    return {f"tokens.{name}": each for name, each in given.pop("tokens")._asdict().items()} | given


def test_coded_matrix_is_what_pack_text_gives():
    persons = generate_persons(200, seed=4, duplicates=0.3)
    layout = Layout.of(load_spec("persons"))
    words, vocabulary = pack_text(persons, layout)
    packer = RecordPacker(layout, {}, {})
    records = [packer.pack({name: record[name] for name in layout.spec.columns}) for record in persons.to_dicts()]
    found, strings = coded_matrix(records, layout)
    assert np.array_equal(found, words)
    assert strings == vocabulary.strings.to_list()


@given(st.text(st.sampled_from("AnBo-,. 李é'dev"), max_size=14), st.booleans())
def test_packer_takes_a_whole_name_apart_as_a_column_of_them_is(text: str, surname_first: bool) -> None:
    layout = Layout.of(load_spec("persons"))
    readings = {name: ColumnReading(name_part=part, surname_first=surname_first) for name, part in PERSON_PARTS.items()}
    texts = pl.Series([text.strip() or None], dtype=pl.String)
    parts = {name: read_as(texts, reading)[0] for name, reading in readings.items()}
    packer = RecordPacker(layout, {}, {}, readings)
    assert packer.pack({WHOLE: text}).texts == packer.pack(parts).texts


def test_packer_does_not_take_a_first_name_for_a_whole_one() -> None:
    readings = {name: ColumnReading(name_part=part) for name, part in PERSON_PARTS.items()}
    packer = RecordPacker(Layout.of(load_spec("persons")), {}, {}, readings)
    assert packer.pack({"first_name": "Ruth", "last_name": "Oak", WHOLE: "Ann Elm"}).texts[:2] == ("ruth", "oak")
    assert packer.pack({WHOLE: "Ann Elm"}).texts[:2] == ("ann", "elm")
