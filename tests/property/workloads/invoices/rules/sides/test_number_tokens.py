"""Numbers found in texts against a search piece by piece."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from core.workloads.invoices.rules.reference import digits_of, numbers_in, whole_of
from core.workloads.invoices.rules.sides.number_tokens import find_numbers, flatten, forms_of, index_of

# Few letters and digits, so that numbers contain each other and texts hold them by chance.
WORDS = st.one_of(st.sampled_from(["INV", "102", "1020", "0120"]), st.text(alphabet="10OIAB", min_size=1, max_size=4))
NUMBERS = st.lists(st.lists(WORDS, min_size=1, max_size=3).map("-".join), min_size=1, max_size=6)
GAPS = st.sampled_from([" ", "-", "/", "", " - ", "     "])


@st.composite
def numbers_and_texts(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    """Numbers, and texts that hold some of them, whole and in pieces."""
    numbers = draw(NUMBERS)
    parts = st.one_of(
        WORDS, st.sampled_from(numbers), st.sampled_from(numbers).map(lambda number: number.split("-")[-1])
    )
    texts = st.lists(st.tuples(parts, GAPS), max_size=6).map(lambda found: "".join(part + gap for part, gap in found))
    return numbers, draw(st.lists(texts, min_size=1, max_size=4))


@given(numbers_and_texts())
def test_find_numbers_finds_what_its_twin_finds(made: tuple[list[str], list[str]]) -> None:
    numbers, texts = made
    forms = forms_of(flatten(pl.Series(numbers)))
    index = index_of(np.concatenate([forms.whole, forms.digits]))
    names: dict[int, str] = {}
    for key, number in zip(forms.whole.tolist(), numbers, strict=True):
        names[key] = whole_of(number)
    for key, number in zip(forms.digits.tolist(), numbers, strict=True):
        names[key] = digits_of(number)
    found = find_numbers(flatten(pl.Series(texts)), index).hits
    told = {(text, names[int(index.keys[key])], first, last) for text, key, first, last, _ in found.tolist()}
    assert told == {(at, *hit) for at, text in enumerate(texts) for hit in numbers_in(text, numbers)}


def test_find_numbers_reads_null_and_accents_as_nothing() -> None:
    forms = forms_of(flatten(pl.Series(["INV-1234", None])))
    assert forms.whole[1] == 0
    index = index_of(np.concatenate([forms.whole, forms.digits]))
    hits = find_numbers(flatten(pl.Series([None, "für ÎNV 1234, danke"])), index).hits
    assert hits[:, 0].tolist() == [1]
