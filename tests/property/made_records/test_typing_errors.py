"""Edits on byte matrices agree with edits on strings."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from core.made_records.draws import Draws
from core.made_records.typing_errors import (
    delete_at,
    insert_at,
    lengths,
    slip,
    slip_digit,
    swap_at,
    to_bytes,
    to_texts,
)

WIDTH = 16
WORD = st.text("abcdefgXYZ -019", min_size=2, max_size=WIDTH - 1)
WORDS_AND_PLACES = st.lists(
    st.tuples(WORD, st.integers(0, WIDTH)).map(lambda pair: (pair[0], pair[1] % (len(pair[0]) - 1))),
    min_size=1,
    max_size=20,
)


def _split(drawn: list[tuple[str, int]]) -> tuple[list[str], np.ndarray, np.ndarray]:
    words = [word for word, _ in drawn]
    return words, to_bytes(pl.Series(words), WIDTH), np.array([place for _, place in drawn])


@given(st.lists(st.none() | st.text("abc XY-", max_size=WIDTH), max_size=20))
def test_to_texts_is_the_inverse_of_to_bytes(texts: list[str | None]) -> None:
    series = pl.Series(texts, dtype=pl.String)
    assert to_texts(to_bytes(series, WIDTH)).to_list() == [text or None for text in texts]
    assert lengths(to_bytes(series, WIDTH)).tolist() == [len(text or "") for text in texts]


@given(WORDS_AND_PLACES)
def test_edits_agree_with_strings(drawn: list[tuple[str, int]]) -> None:
    words, matrix, places = _split(drawn)
    letters = np.full(len(words), ord("q"), dtype=np.uint8)
    assert to_texts(delete_at(matrix, places)).to_list() == [word[:at] + word[at + 1 :] for word, at in drawn]
    assert to_texts(insert_at(matrix, places, letters)).to_list() == [word[:at] + "q" + word[at:] for word, at in drawn]
    swapped = [word[:at] + word[at + 1] + word[at] + word[at + 2 :] for word, at in drawn]
    assert to_texts(swap_at(matrix, places)).to_list() == swapped


@given(WORDS_AND_PLACES, st.integers(0, 2**32))
def test_slip_is_one_edit_and_repeatable(drawn: list[tuple[str, int]], seed: int) -> None:
    words, matrix, _ = _split(drawn)
    keys = np.arange(len(words))
    once, again = (to_texts(slip(matrix, keys, Draws(seed), "slip")).to_list() for _ in range(2))
    assert once == again
    for before, after in zip(words, once, strict=True):
        assert abs(len(after) - len(before)) <= 1
        # One edit leaves all but two letters in place, seen from one end or the other.
        head = next((at for at, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), len(after))
        tail = next(
            (at for at, (a, b) in enumerate(zip(before[::-1], after[::-1], strict=False)) if a != b), len(after)
        )
        assert head + tail >= min(len(before), len(after)) - 2


@given(st.lists(st.from_regex(r"\A[0-9]{3}-[0-9]{2}-[0-9]{4}\Z"), min_size=1, max_size=20), st.integers(0, 2**32))
def test_slip_digit_keeps_the_form_and_changes_it(numbers: list[str], seed: int) -> None:
    matrix = to_bytes(pl.Series(numbers), WIDTH)
    slipped = to_texts(slip_digit(matrix, np.arange(len(numbers)), Draws(seed), "digit")).to_list()
    for before, after in zip(numbers, slipped, strict=True):
        assert [at for at, letter in enumerate(after) if letter == "-"] == [3, 6]
        assert 1 <= sum(a != b for a, b in zip(before, after, strict=True)) <= 2
