"""Strings read where they lie are those that polars shows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.matching.text import distinct
from core.matching.text.distinct import numbered, sorted_distinct
from core.matching.text.string_views import bytes_in, is_tidy

# Around twelve bytes the way in which a string is kept changes; few letters make equal ones likely.
TEXT = st.one_of(
    st.text(alphabet="ab", min_size=11, max_size=14),
    st.text(alphabet="abé", max_size=30),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20),
)
COLUMNS = st.lists(st.lists(st.one_of(st.none(), TEXT), max_size=12), min_size=1, max_size=3)
SPACES = st.sampled_from([" ", "\t", "\u00a0", "\u2003", "\u3000", "\u1680", "\u205f"])


def column_of(parts: list[list[str | None]]) -> pl.Series:
    """One chunk a part."""
    return pl.concat([pl.Series(part, dtype=pl.String) for part in parts], rechunk=False)


@given(COLUMNS)
def test_numbered_gives_equal_strings_equal_numbers(parts):
    column = column_of(parts)
    numbers, firsts = numbered(column)
    first_of: dict[str, int] = {}
    for row, text in enumerate(column):
        if text:
            first_of.setdefault(text, row)
    assert firsts.tolist() == list(first_of.values())
    places = {text: place for place, text in enumerate(first_of, 1)}
    assert numbers.tolist() == [places.get(text, 0) for text in column]


@given(COLUMNS)
def test_sorted_distinct_ascends_and_places_every_row(parts):
    column = column_of(parts)
    ordered, places = sorted_distinct(column)
    expected = sorted({text for text in column if text})
    assert ordered.to_list() == expected
    assert places.tolist() == [expected.index(text) + 1 if text else 0 for text in column]


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_sorted_distinct_of_a_column_dealt_out_in_parts(threads, monkeypatch):
    monkeypatch.setattr(distinct, "PART_ROWS", 40)
    texts = [
        "",
        "a",
        "ab",
        "ab\0",
        "é",
        "日本",
        *(f"{number % 89} elm street {number % 211}" for number in range(1500)),
        None,
    ]
    column = column_of([texts, texts[::-1][:700]])
    rows, ends = distinct.by_head(column)
    assert len(ends) > 20
    assert sorted(rows.tolist()) == [row for row, text in enumerate(column) if text]
    with ThreadPoolExecutor(threads) as pool:
        ordered, places = sorted_distinct(column, pool.map)
    expected = sorted({text for text in texts if text})
    assert ordered.to_list() == expected
    of = {text: place for place, text in enumerate(expected, 1)}
    assert places.tolist() == [of.get(text, 0) for text in column]


@given(COLUMNS, st.integers(0, 12))
def test_numbered_reads_a_slice(parts, offset):
    column = column_of(parts).slice(offset)
    _, firsts = numbered(column)
    assert column.gather(firsts).to_list() == list(dict.fromkeys(text for text in column if text))


@given(COLUMNS)
def test_tidy_columns_need_no_trimming(parts):
    column = column_of(parts)
    known = column.drop_nulls()
    if is_tidy(column):
        assert known.str.strip_chars().equals(known)
        assert "" not in known.to_list()


@given(st.text(alphabet="abé", min_size=1, max_size=14), SPACES, st.booleans())
def test_white_space_at_an_end_is_untidy(text, space, before):
    assert not is_tidy(pl.Series(["ann", space + text if before else text + space]))


def test_plain_columns_are_tidy():
    assert is_tidy(pl.Series(["ann", None, "José", "12 main street north", "Édouard", "a b"]))
    assert not is_tidy(pl.Series(["ann", ""]))


@given(st.lists(st.none() | st.text(max_size=20), max_size=12), st.integers(0, 3))
def test_bytes_of_a_column_are_those_of_its_texts(texts: list[str | None], start: int) -> None:
    column = pl.Series(texts, dtype=pl.String)[start:]
    held = {byte for text in texts[start:] if text is not None for byte in text.encode()}
    assert set(bytes_in(column).nonzero()[0].tolist()) == held
