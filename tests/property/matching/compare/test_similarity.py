"""The string, date and digit kernels agree with their slow twins, and with rapidfuzz to the last bit."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA, JaroWinkler

from core.matching import reference
from core.matching.compare import similarity
from core.matching.records.vocabulary import letter_set

# A small alphabet makes matches, swaps and common ends likely; the wide one covers all planes of Unicode.
NEAR = st.text(alphabet="abcx", max_size=12)
ANY = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40)
LONG = st.text(alphabet="ab", min_size=60, max_size=140)
STRINGS = st.one_of(NEAR, ANY, LONG)


@st.composite
def slips(draw: st.DrawFn) -> tuple[str, str]:
    """A word and the same word with up to four slips: letters swapped, lost, doubled or replaced."""
    word = draw(st.text(alphabet="abcdefgh", min_size=3, max_size=14))
    spoilt = list(word)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(len(spoilt) - 2, 0)))
        kind = draw(st.sampled_from(["swap", "lose", "double", "replace"]))
        here = spoilt[at : at + 2]
        slip = {"swap": here[::-1], "lose": here[1:], "double": here[:1] + here, "replace": ["x", *here[1:]]}
        spoilt[at : at + 2] = slip[kind]
    return word, "".join(spoilt)


PAIRS = st.one_of(slips(), st.tuples(NEAR, NEAR), st.tuples(STRINGS, STRINGS))
DATES = st.tuples(st.integers(0, 2099), st.integers(0, 12), st.integers(0, 31)).map(
    lambda parts: parts[0] * 10000 + parts[1] * 100 + parts[2]
)
DIGITS = st.text(alphabet="0123456789", min_size=1, max_size=16)


def points(text: str) -> np.ndarray:
    return np.array([ord(letter) for letter in text], dtype=np.uint32)


def letters(text: str) -> np.uint64:
    return np.uint64(letter_set(points(text), 0, len(text)))


def packed(digits: str) -> np.uint64:
    return np.uint64(sum((int(digit) + 1) << (4 * at) for at, digit in enumerate(digits)))


@given(PAIRS)
def test_jaro_winkler_is_bit_equal_to_twin_and_rapidfuzz(pair):
    a, b = pair
    found = similarity.jaro_winkler(points(a), points(b), np.zeros(len(a) + len(b) + 1, dtype=np.uint8))
    assert found == reference.jaro_winkler(a, b)
    assert found == JaroWinkler.similarity(a, b)


@given(PAIRS)
def test_jaro_winkler_bound_is_never_below_the_similarity(pair):
    a, b = pair
    bound = similarity.jaro_winkler_bound(len(a), len(b), letters(a), letters(b))
    assert bound >= JaroWinkler.similarity(a, b)


@given(PAIRS, st.integers(0, 4))
def test_osa_within_agrees_with_twin_and_rapidfuzz(pair, limit):
    a, b = pair
    rows = np.zeros(3 * (len(b) + 1), dtype=np.int32)
    distance = OSA.distance(a, b)
    assert similarity.osa_within(points(a), points(b), limit, rows) == (distance <= limit)
    if len(a) * len(b) < 400:
        assert reference.osa_distance(a, b) == distance


@given(PAIRS)
def test_osa_bound_is_never_above_the_distance(pair):
    a, b = pair
    assert similarity.osa_bound(len(a), len(b), letters(a), letters(b)) <= OSA.distance(a, b)


@given(DIGITS, DIGITS)
def test_digits_bound_is_never_above_the_distance(a, b):
    bound = similarity.digits_bound(packed(a), packed(b))
    assert bound <= OSA.distance(a, b)
    surplus = max((Counter(a) - Counter(b)).total(), (Counter(b) - Counter(a)).total())
    assert bound == (surplus if max(len(a), len(b)) < 16 else 0)


@given(DIGITS)
def test_unpack_digits_gives_back_what_was_packed(digits):
    out = np.zeros(16, dtype=np.uint32)
    value = int(packed(digits))
    n_digits = similarity.unpack_digits(np.uint32(value & 0xFFFFFFFF), np.uint32(value >> 32), out)
    assert "".join(str(digit - 1) for digit in out[:n_digits]) == digits


@given(DATES, DATES)
def test_date_digits_agrees_with_twin(a, b):
    assert similarity.date_digits(a, b) == reference.date_errors(a, b)


@given(DATES, st.integers(0, 7), st.integers(0, 9))
def test_date_digits_counts_one_keying_error_once(date, place, digit):
    spoilt = date - date // 10**place % 10 * 10**place + digit * 10**place
    assert similarity.date_digits(date, spoilt) == (0 if spoilt == date else 1)


@pytest.mark.parametrize(
    ("a", "b", "errors"),
    [
        (19800512, 19800521, 1),
        (19800512, 19080512, 1),
        (19800512, 19801205, 4),
        (19812, 19822, 1),
        (19860512, 19860512, 0),
    ],
)
def test_date_digits_of_swaps(a, b, errors):
    assert similarity.date_digits(a, b) == errors


@given(DATES, DATES)
def test_parts_differing_is_never_above_date_digits(a, b):
    assert similarity.parts_differing(a, b) <= similarity.date_digits(a, b)


@given(DATES, DATES)
def test_date_parts_counts_present_parts_that_agree(a, b):
    split = [(date // 10000, date // 100 % 100, date % 100) for date in (a, b)]
    assert similarity.date_parts(a, b) == sum(x == y and x > 0 for x, y in zip(*split, strict=True))


@given(DATES)
def test_date_swapped_exchanges_day_and_month_of_complete_dates(date):
    year, month, day = date // 10000, date // 100 % 100, date % 100
    swapped = year * 10000 + day * 100 + month
    assert similarity.date_swapped(date, swapped) == (month > 0 and day > 0)
    assert not similarity.date_swapped(date, (year + 1) * 10000 + day * 100 + month)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_bits_and_dice_agree_with_python(a, b):
    both, total = (a & b).bit_count(), a.bit_count() + b.bit_count()
    assert similarity.n_bits(np.uint64(a)) == a.bit_count()
    assert similarity.dice(np.uint64(a), np.uint64(b)) == (2.0 * both / total if a and b else 0.0)


@given(DIGITS, DIGITS, st.integers(1, 10))
def test_same_suffix_agrees_with_slices(a, b, n_last):
    expected = len(a) >= n_last and len(b) >= n_last and a[-n_last:] == b[-n_last:]
    assert similarity.same_suffix(points(a), points(b), n_last) == expected


@given(NEAR, NEAR, st.integers(1, 6))
def test_same_points_agrees_with_slices(a, b, count):
    if len(a) >= count and len(b) >= count:
        flat = points(a + b)
        assert similarity.same_points(flat, 0, len(a), count) == (a[:count] == b[:count])


@pytest.mark.parametrize(
    ("a", "b", "distance"), [("abcd", "badc", 2), ("abxcd", "baxdc", 2), ("ca", "abc", 3), ("abcdef", "bacdfe", 2)]
)
def test_osa_within_counts_a_swap_once_and_touches_no_letter_twice(a, b, distance):
    rows = np.zeros(3 * (len(b) + 1), dtype=np.int32)
    assert similarity.osa_within(points(a), points(b), distance, rows)
    assert not similarity.osa_within(points(a), points(b), distance - 1, rows)
    assert reference.osa_distance(a, b) == distance


WORDS = st.lists(st.text(alphabet="abc", min_size=1, max_size=4), min_size=1, max_size=4).map(" ".join)


@given(WORDS, WORDS)
def test_same_words_agrees_with_twin(a, b):
    both = points(a + b)
    spans = (0, len(a)), (len(a), len(a) + len(b))
    assert similarity.same_words(both, *spans) == reference.same_words(a, b)


@given(WORDS.map(lambda text: " ".join(dict.fromkeys(text.split()))), st.data())
def test_some_words_of_a_name_in_any_order_are_the_same_name(name, data):
    words = data.draw(st.permutations(name.split()))
    some = " ".join(words[: data.draw(st.integers(1, len(words)))])
    both = points(name + some)
    expected = len(some.replace(" ", "")) >= 3 or name.replace(" ", "") == some.replace(" ", "")
    assert similarity.same_words(both, (0, len(name)), (len(name), len(both))) == expected


@given(NEAR, NEAR, st.integers(0, 4))
def test_edits_allowed_agrees_with_twin(a, b, limit):
    assert similarity.edits_allowed(max(len(a), len(b)), limit) == reference.edits_allowed(a, b, limit)
