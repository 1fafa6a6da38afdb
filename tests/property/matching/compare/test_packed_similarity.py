"""Packed strings compare as rapidfuzz and the kernels over code points do, to the last bit."""

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA, JaroWinkler

from core.matching.compare import packed_similarity
from core.matching.records.pair_chunk import scratch_for
from core.matching.records.vocabulary import Vocabulary
from core.matching.text.marks import SEPARATOR

# Few letters, so that matches, swaps and repeats abound; some that do not fit a byte, and strings that are too long.
TEXT = st.one_of(
    st.text(alphabet="ab", min_size=1, max_size=18),
    st.text(alphabet="abcdeé", min_size=1, max_size=18),
    st.text(alphabet="abłя字😀", min_size=1, max_size=9),
    st.text(alphabet=st.characters(exclude_characters=[SEPARATOR], exclude_categories=["Cs"]), min_size=1, max_size=20),
)


@st.composite
def edited(draw):
    """A string, and the same after some typing errors."""
    before = draw(TEXT)
    letters = list(before)
    for kind, place in draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 17)), max_size=3)):
        at = place % len(letters)
        if kind == 0:
            letters.insert(at, "a")
        elif kind == 1 and len(letters) > 1:
            del letters[at]
        elif kind == 2:
            letters[at] = "b"
        elif at + 1 < len(letters):
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return before, "".join(letters)


def compared(a: str, b: str) -> tuple[float, bool]:
    vocabulary = Vocabulary.build(pl.Series([a, b], dtype=pl.String))
    arrays, scratch = vocabulary.arrays, scratch_for(vocabulary)
    codes = tuple(vocabulary.codes(pl.Series([text], dtype=pl.String)) for text in (a, b))
    table = (arrays.points, arrays.starts, arrays.packed)
    similar, within = np.zeros(1), np.zeros(1, dtype=np.bool_)
    packed_similarity.jaro_winkler_pairs(table, codes, scratch.flags, similar)
    packed_similarity.osa_one_pairs(table, codes, scratch.rows, within)
    return float(similar[0]), bool(within[0])


@given(st.one_of(edited(), st.tuples(TEXT, TEXT)))
@example(("abcdefgh", "abcdefghi"))
@example(("abcdefghijklmnop", "abcdefgihjklmnop"))
@example(("abcdefgh" * 2, "bcdefgha" * 2))
@example(("a" * 16, "a" * 17))
def test_packed_kernels_equal_rapidfuzz(texts):
    assert compared(*texts) == (JaroWinkler.similarity(*texts), OSA.distance(*texts) <= 1)


@pytest.mark.parametrize(
    ("text", "length"), [("a", 1), ("ab" * 4, 8), ("ab" * 4 + "c", 9), ("ÿ" * 16, 16), ("a" * 17, 0), ("ał", 0)]
)
def test_packed_length_is_that_of_the_string_or_zero(text, length):
    vocabulary = Vocabulary.build(pl.Series([text]))
    low, high = vocabulary.arrays.packed[1]
    assert packed_similarity.packed_length(low, high) == length
    letters = [chr(int(packed_similarity.byte_at(low, high, at))) for at in range(length)]
    assert "".join(letters) == (text if length else "")
