"""Compare packed records field by field into levels, and number the patterns of levels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from core.matching.kernels import (
    date_digits,
    date_parts,
    date_swapped,
    dice,
    jaro_winkler,
    jaro_winkler_bound,
    osa_within,
    same_suffix,
    unpack_digits,
)
from core.matching.layout import Layout, LayoutArrays
from core.matching.levels import MISSING
from core.matching.packing import NUMBER_MAX
from core.matching.vocabulary import Vocabulary, VocabularyArrays

_S32 = np.uint64(32)
_NUMBER = np.uint32(NUMBER_MAX)
NOT_COMPUTED = -1.0


class Scratch(NamedTuple):
    """Buffers of one kernel call."""

    flags: NDArray[np.uint8]
    rows: NDArray[np.int32]
    digits_a: NDArray[np.uint32]
    digits_b: NDArray[np.uint32]
    similarity: NDArray[np.float64]  # (1,) Jaro-Winkler of the pair at hand, or NOT_COMPUTED
    floats: NDArray[np.float32]  # (2,)


def scratch_for(vocabulary: Vocabulary) -> Scratch:
    """Buffers long enough for the longest string of a vocabulary."""
    longest = vocabulary.arrays.longest + 1
    return Scratch(
        flags=np.zeros(2 * longest, dtype=np.uint8),
        rows=np.zeros(3 * max(longest + 1, 18), dtype=np.int32),
        digits_a=np.zeros(16, dtype=np.uint32),
        digits_b=np.zeros(16, dtype=np.uint32),
        similarity=np.zeros(1, dtype=np.float64),
        floats=np.zeros(2, dtype=np.float32),
    )


@njit(nogil=True, cache=True)
def same_points(points: NDArray[np.uint32], start_a: int, start_b: int, count: int) -> bool:
    """Whether two spans of `count` code points are equal."""
    same = 0
    while same < count and points[start_a + same] == points[start_b + same]:
        same += 1
    return same == count


@njit(nogil=True, cache=True)
def names_alike(
    code_a: np.uint32, code_b: np.uint32, threshold: float, vocabulary: VocabularyArrays, scratch: Scratch
) -> bool:
    """Jaro-Winkler at least `threshold`; computed once per pair and field, and not at all where lengths forbid it."""
    start_a, stop_a = vocabulary.starts[code_a], vocabulary.starts[code_a + 1]
    start_b, stop_b = vocabulary.starts[code_b], vocabulary.starts[code_b + 1]
    if scratch.similarity[0] == NOT_COMPUTED:
        if jaro_winkler_bound(stop_a - start_a, stop_b - start_b) < threshold:
            return False
        a, b = vocabulary.points[start_a:stop_a], vocabulary.points[start_b:stop_b]
        scratch.similarity[0] = jaro_winkler(a, b, scratch.flags)
    return scratch.similarity[0] >= threshold


@njit(nogil=True, cache=True)
def coded_test(
    opcode: int, threshold: float, codes: tuple[np.uint32, np.uint32], vocabulary: VocabularyArrays, scratch: Scratch
) -> bool:
    """Whether two different coded values pass one test."""
    code_a, code_b = codes
    if opcode == 1:
        return vocabulary.class_hash[code_a] == vocabulary.class_hash[code_b]
    if opcode == 3:
        return names_alike(code_a, code_b, threshold, vocabulary, scratch)
    start_a, stop_a = vocabulary.starts[code_a], vocabulary.starts[code_a + 1]
    start_b, stop_b = vocabulary.starts[code_b], vocabulary.starts[code_b + 1]
    points = vocabulary.points
    if opcode == 4:
        return osa_within(points[start_a:stop_a], points[start_b:stop_b], np.int64(threshold), scratch.rows)
    if opcode == 15:
        n_first = np.int64(threshold)
        if stop_a - start_a < n_first or stop_b - start_b < n_first:
            return False
        return same_points(points, start_a, start_b, n_first)
    one_letter = stop_a - start_a == 1 or stop_b - start_b == 1
    return one_letter and points[start_a] == points[start_b]


@njit(nogil=True, cache=True)
def date_test(opcode: int, threshold: float, a: int, b: int) -> bool:
    """Whether two different dates pass one test."""
    if opcode == 7:
        return date_swapped(a, b)
    if opcode == 8:
        return date_digits(a, b) <= threshold
    if opcode == 9:
        return date_parts(a, b) >= 2
    return a // 10000 == b // 10000 and a // 10000 > 0


@njit(nogil=True, cache=True)
def digits_test(
    opcode: int, threshold: float, a: NDArray[np.uint32], b: NDArray[np.uint32], scratch: Scratch
) -> bool:
    """Whether two different digit strings (two words each) pass one test."""
    n_a = unpack_digits(a[0], a[1], scratch.digits_a)
    n_b = unpack_digits(b[0], b[1], scratch.digits_b)
    digits_a, digits_b = scratch.digits_a[:n_a], scratch.digits_b[:n_b]
    if opcode == 6:
        return same_suffix(digits_a, digits_b, np.int64(threshold))
    return osa_within(digits_a, digits_b, np.int64(threshold), scratch.rows)


@njit(nogil=True, cache=True)
def street_test(opcode: int, threshold: float, a: NDArray[np.uint32], b: NDArray[np.uint32]) -> bool:
    """Whether two different streets (four words each) pass one test; an absent number contradicts none."""
    number_a, number_b = a[0] & _NUMBER, b[0] & _NUMBER
    if opcode == 11:
        return a[1] == b[1] and number_a == number_b
    alike = a[1] == b[1]
    if not alike:
        signature_a = np.uint64(a[2]) | (np.uint64(a[3]) << _S32)
        signature_b = np.uint64(b[2]) | (np.uint64(b[3]) << _S32)
        alike = dice(signature_a, signature_b) >= threshold
    if opcode == 13:
        return alike
    return alike and (number_a == number_b or min(number_a, number_b) == 0)


@njit(nogil=True, cache=True)
def number_test(threshold: float, a: np.uint32, b: np.uint32, scratch: Scratch) -> bool:
    """Whether two numbers differ by at most `threshold` percent of the larger."""
    bits = scratch.floats.view(np.uint32)
    bits[0] = a
    bits[1] = b
    value_a, value_b = np.float64(scratch.floats[0]), np.float64(scratch.floats[1])
    return abs(value_a - value_b) * 100.0 <= threshold * max(abs(value_a), abs(value_b))


@njit(nogil=True, cache=True)
def swapped_test(a: NDArray[np.uint32], b: NDArray[np.uint32], at: int, partner: int) -> bool:
    """Whether each record has in this field what the other has in the partner field."""
    return a[at] == b[partner] and b[at] == a[partner]


@njit(nogil=True, cache=True)
def passes_test(
    place: tuple[int, int],
    a: NDArray[np.uint32],
    b: NDArray[np.uint32],
    layout: LayoutArrays,
    vocabulary: VocabularyArrays,
    scratch: Scratch,
) -> bool:
    """Whether two different values of a field pass one of its tests; place = (field, test)."""
    field, test = place
    opcode, threshold = layout.tests[field, test], layout.thresholds[field, test]
    at = layout.offset[field]
    if opcode == 2:
        return swapped_test(a, b, at, layout.partner[field])
    if opcode in (1, 3, 4, 15, 17):
        return coded_test(opcode, threshold, (a[at], b[at]), vocabulary, scratch)
    if 7 <= opcode <= 10:
        return date_test(opcode, threshold, np.int64(a[at]), np.int64(b[at]))
    if opcode in (5, 6):
        return digits_test(opcode, threshold, a[at : at + 2], b[at : at + 2], scratch)
    if 11 <= opcode <= 13:
        return street_test(opcode, threshold, a[at : at + 4], b[at : at + 4])
    if opcode == 14:
        return a[at + 1] == b[at + 1]
    return number_test(threshold, a[at], b[at], scratch)


@njit(nogil=True, cache=True)
def field_level(
    field: int,
    a: NDArray[np.uint32],
    b: NDArray[np.uint32],
    layout: LayoutArrays,
    vocabulary: VocabularyArrays,
    scratch: Scratch,
) -> int:
    """Level of one field of one pair: MISSING, 0 (differ) ... n_tests (exact)."""
    any_a, any_b, same = np.uint32(0), np.uint32(0), True
    for word in range(layout.offset[field], layout.offset[field] + layout.width[field]):
        any_a |= a[word]
        any_b |= b[word]
        same = same and a[word] == b[word]
    if any_a == 0 or any_b == 0:
        return MISSING
    n_tests = layout.n_tests[field]
    if same:
        return n_tests
    scratch.similarity[0] = NOT_COMPUTED
    for test in range(1, n_tests):
        if passes_test((field, test), a, b, layout, vocabulary, scratch):
            return n_tests - test
    return 0


@njit(nogil=True, cache=True)
def fill_levels(
    words: NDArray[np.uint32],
    pairs: tuple[NDArray[np.uint32], NDArray[np.uint32]],
    layout: LayoutArrays,
    vocabulary: VocabularyArrays,
    scratch: Scratch,
    out: NDArray[np.uint8],
) -> None:
    """Levels of many pairs: out (n_pairs, n_fields)."""
    left, right = pairs
    for pair in range(len(left)):
        for field in range(len(layout.offset)):
            out[pair, field] = field_level(field, words[left[pair]], words[right[pair]], layout, vocabulary, scratch)


def compare_pairs(
    words: NDArray[np.uint32],
    vocabulary: Vocabulary,
    layout: Layout,
    left: NDArray[np.uint32],
    right: NDArray[np.uint32],
) -> NDArray[np.uint8]:
    """Levels of pairs of records.

    Returns:
        (n_pairs, n_fields) uint8: 0 = differ ... number of tests = exact, MISSING (255) = one side has no value.
    Cost: about 0.3 us a pair of persons, half of it waiting for memory where rows lie far apart.
    """
    out = np.zeros((len(left), layout.n_fields), dtype=np.uint8)
    fill_levels(words, (left, right), layout.ops, vocabulary.arrays, scratch_for(vocabulary), out)
    return out


def patterns_of(levels: NDArray[np.uint8], layout: Layout) -> NDArray[np.uint64]:
    """Number each row of levels: mixed radix, per field 0 = missing and level + 1 otherwise."""
    digits = np.where(levels == MISSING, 0, levels.astype(np.uint64) + np.uint64(1))
    return (digits.astype(np.uint64) * layout.ops.place).sum(axis=1, dtype=np.uint64)


def levels_of(patterns: NDArray[np.uint64], layout: Layout) -> NDArray[np.uint8]:
    """Undo `patterns_of`."""
    digits = patterns[:, None] // layout.ops.place % layout.radix
    return np.where(digits == 0, MISSING, digits - np.uint64(1)).astype(np.uint8)
