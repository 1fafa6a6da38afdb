"""The tests of comparison levels: each settles the pairs of a chunk that pass it and that no stronger one has settled.

The loops touch nothing but plain arrays; which test runs, and on which field, is decided outside, in `vectors`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.matching.compare.packed_similarity import is_packed, jaro_winkler_packed, osa_one_packed, packed_length
from core.matching.compare.similarity import (
    date_digits,
    date_parts,
    date_swapped,
    dice,
    digits_bound,
    edits_allowed,
    have_months,
    jaro_winkler,
    jaro_winkler_bound,
    osa_bound,
    osa_within,
    parts_differing,
    same_points,
    same_suffix,
    same_words,
    same_year,
    unpack_digits,
    whole_date,
)
from core.matching.jit import kernel
from core.matching.records.packing import NUMBER_MAX
from core.matching.records.pair_chunk import NOT_COMPUTED, UNDECIDED, Chunk, Scratch, Strings
from core.matching.records.vocabulary import VocabularyArrays
from core.matching.specs.levels import (
    DATE_DIGITS,
    DATE_PARTS,
    DATE_SWAPPED,
    DIGITS,
    MISSING,
    SAME_STREET,
    SAME_STREET_NAME,
    SAME_SUFFIX,
    SAME_YEAR,
)
from core.matching.standardise.names.traits import (
    BLANK_BIT,
    FAMILY,
    FORM_SHIFT,
    IDEOGRAPHS,
    WELL_KNOWN,
)

_S32 = np.uint64(32)
_NUMBER = np.uint32(NUMBER_MAX)
SIMILAR_LENGTH_MIN = 4
"""Jaro-Winkler says nothing of shorter strings: of three letters two are in common by chance."""


@kernel
def settle_names(
    chunk: Chunk, at: int, threshold: float, table: Strings, scratch: Scratch,
    settled: tuple[NDArray[np.uint8], int],
) -> None:  # fmt: skip
    """Jaro-Winkler at least `threshold`, of strings long enough; once per pair and field."""
    records, left, right, size = chunk
    packed, traits = table[3], table[4]
    levels, level = settled
    similarity = scratch.similarity
    for pair in range(size):
        if levels[pair] != UNDECIDED:
            continue
        if similarity[pair] == NOT_COMPUTED:
            # Jaro-Winkler is not the same both ways in rare cases: the codes decide, so that rows do not.
            one, two = records[left[pair], at], records[right[pair], at]
            code_a, code_b = min(one, two), max(one, two)
            low_a, low_b = packed[code_a, 0], packed[code_b, 0]
            shorter = min(length_of(table, code_a), length_of(table, code_b))
            if shorter < SIMILAR_LENGTH_MIN or (traits[code_a] | traits[code_b]) & IDEOGRAPHS != 0:
                similarity[pair] = 0.0
            elif is_packed(low_a) and is_packed(low_b):
                similarity[pair] = jaro_winkler_packed(low_a, packed[code_a, 1], low_b, packed[code_b, 1])
            else:
                similarity[pair] = long_similarity(table, (code_a, code_b), threshold, scratch)
        if similarity[pair] >= threshold:
            levels[pair] = level


@kernel
def long_similarity(table: Strings, codes: tuple[np.uint32, np.uint32], threshold: float, scratch: Scratch) -> float:
    """Jaro-Winkler of strings too long to be packed; NOT_COMPUTED where their letters forbid the threshold."""
    points, starts, letters, _, _ = table
    code_a, code_b = codes
    a, b = points[starts[code_a] : starts[code_a + 1]], points[starts[code_b] : starts[code_b + 1]]
    if jaro_winkler_bound(len(a), len(b), letters[code_a], letters[code_b]) < threshold:
        return NOT_COMPUTED
    return jaro_winkler(a, b, scratch.flags)


@kernel
def settle_spelling(
    chunk: Chunk, at: int, limit: int, table: Strings, scratch: Scratch,
    settled: tuple[NDArray[np.uint8], int],
) -> None:  # fmt: skip
    """OSA distance of two different strings at most `limit`, as far as their lengths allow.

    Two well-known names one slip apart are two names: a slip gives a rare spelling. An ideograph is no letter.
    """
    records, left, right, size = chunk
    packed, traits = table[3], table[4]
    levels, level = settled
    for pair in range(size):
        if levels[pair] != UNDECIDED:
            continue
        code_a, code_b = records[left[pair], at], records[right[pair], at]
        both, either = traits[code_a] & traits[code_b], traits[code_a] | traits[code_b]
        if both & WELL_KNOWN != 0 or either & IDEOGRAPHS != 0:
            continue
        low_a, low_b = packed[code_a, 0], packed[code_b, 0]
        edits = edits_allowed(max(length_of(table, code_a), length_of(table, code_b)), limit)
        if edits == 0:
            continue
        if edits == 1 and is_packed(low_a) and is_packed(low_b):
            alike = osa_one_packed(low_a, packed[code_a, 1], low_b, packed[code_b, 1])
        else:
            alike = long_within(table, (code_a, code_b), edits, scratch.rows)
        if alike:
            levels[pair] = level


@kernel
def length_of(table: Strings, code: np.uint32) -> int:
    """Characters of a string, without a look at where it starts if it is packed."""
    low, high = table[3][code, 0], table[3][code, 1]
    return packed_length(low, high) if is_packed(low) else int(table[1][code + 1] - table[1][code])


@kernel
def long_within(table: Strings, codes: tuple[np.uint32, np.uint32], limit: int, rows: NDArray[np.int32]) -> bool:
    """Whether the OSA distance of strings of any length is at most `limit`."""
    points, starts, letters, _, _ = table
    code_a, code_b = codes
    a, b = points[starts[code_a] : starts[code_a + 1]], points[starts[code_b] : starts[code_b + 1]]
    if osa_bound(len(a), len(b), letters[code_a], letters[code_b]) > limit:
        return False
    return osa_within(a, b, limit, rows)


@kernel
def settle_prefix(
    chunk: Chunk, at: int, n_first: int, table: Strings,
    settled: tuple[NDArray[np.uint8], int],
) -> None:  # fmt: skip
    """The first `n_first` code points equal; n_first = 0 asks for equal initials, one side being nothing more."""
    records, left, right, size = chunk
    points, starts, traits = table[0], table[1], table[4]
    levels, level = settled
    for pair in range(size):
        if levels[pair] != UNDECIDED:
            continue
        code_a, code_b = records[left[pair], at], records[right[pair], at]
        start_a, start_b = starts[code_a], starts[code_b]
        shortest = min(starts[code_a + 1] - start_a, starts[code_b + 1] - start_b)
        if n_first == 0:
            # One ideograph is a whole name.
            letters = (traits[code_a] | traits[code_b]) & IDEOGRAPHS == 0
            alike = shortest == 1 and letters and points[start_a] == points[start_b]
        else:
            alike = shortest >= n_first and same_points(points, start_a, start_b, n_first)
        if alike:
            levels[pair] = level


@kernel
def settle_class(
    chunk: Chunk, at: int, class_hash: NDArray[np.uint64], traits: NDArray[np.uint8],
    settled: tuple[NDArray[np.uint8], int],
) -> None:  # fmt: skip
    """Both strings belong to one nickname class, and are not two names that only share their short forms."""
    records, left, right, size = chunk
    levels, level = settled
    for pair in range(size):
        code_a, code_b = records[left[pair], at], records[right[pair], at]
        if class_hash[code_a] == class_hash[code_b] and levels[pair] == UNDECIDED:
            form_a, form_b = traits[code_a] >> FORM_SHIFT, traits[code_b] >> FORM_SHIFT
            if form_a * form_b == 0 or form_a == form_b:
                levels[pair] = level


@kernel
def settle_same_name(
    chunk: Chunk, at: int, table: Strings, class_hash: NDArray[np.uint64], settled: tuple[NDArray[np.uint8], int]
) -> None:
    """One name written in two ways: some of its words, written together, or by another system of spelling."""
    records, left, right, size = chunk
    points, starts, letters, _, traits = table
    levels, level = settled
    for pair in range(size):
        if levels[pair] != UNDECIDED:
            continue
        code_a, code_b = records[left[pair], at], records[right[pair], at]
        several = (traits[code_a] | traits[code_b]) & (FAMILY | IDEOGRAPHS) != 0
        spelt = several and class_hash[code_a] == class_hash[code_b]
        if not spelt and (letters[code_a] | letters[code_b]) & BLANK_BIT == 0:
            continue
        span_a, span_b = (starts[code_a], starts[code_a + 1]), (starts[code_b], starts[code_b + 1])
        if spelt or same_words(points, span_a, span_b):
            levels[pair] = level


@kernel
def undecide_scripts(chunk: Chunk, at: int, traits: NDArray[np.uint8], levels: NDArray[np.uint8]) -> None:
    """MISSING for a name in ideographs and one in letters: how the first is read, in which country, nobody knows."""
    records, left, right, size = chunk
    for pair in range(size):
        apart = (traits[records[left[pair], at]] ^ traits[records[right[pair], at]]) & IDEOGRAPHS
        if apart != 0 and levels[pair] == UNDECIDED:
            levels[pair] = np.uint8(MISSING)


@kernel
def settle_swapped(
    chunk: Chunk, at: int, partner: int, vocabulary: VocabularyArrays, settled: tuple[NDArray[np.uint8], int]
) -> None:
    """Each record has in this word what the other has in the partner's, marks aside."""
    records, left, right, size = chunk
    hashes, marked = vocabulary.hash, len(vocabulary.marks) > 0
    levels, level = settled
    for pair in range(size):
        a, b = left[pair], right[pair]
        crossed = records[a, at] == records[b, partner] and records[b, at] == records[a, partner]
        if marked and not crossed:
            crossed = (
                hashes[records[a, at]] == hashes[records[b, partner]]
                and hashes[records[b, at]] == hashes[records[a, partner]]
            )
        if crossed and levels[pair] == UNDECIDED:
            levels[pair] = level


@kernel
def undecide_part_dates(chunk: Chunk, at: int, levels: NDArray[np.uint8]) -> None:
    """UNDECIDED for equal dates that lack a part: of one year are many, so they are no equal birthdays."""
    records, left, _, size = chunk
    for pair in range(size):
        date = np.int64(records[left[pair], at])
        if levels[pair] not in (UNDECIDED, MISSING) and not whole_date(date):
            levels[pair] = UNDECIDED


@kernel
def settle_dates(chunk: Chunk, at: int, opcode: int, limit: float, settled: tuple[NDArray[np.uint8], int]) -> None:
    """One of the tests of dates, by opcode."""
    records, left, right, size = chunk
    levels, level = settled
    for pair in range(size):
        if levels[pair] != UNDECIDED:
            continue
        a, b = np.int64(records[left[pair], at]), np.int64(records[right[pair], at])
        if opcode == DATE_SWAPPED:
            alike = date_swapped(a, b)
        elif opcode == DATE_DIGITS:
            alike = have_months(a, b) and parts_differing(a, b) <= limit and date_digits(a, b) <= limit
        elif opcode == DATE_PARTS:
            alike = date_parts(a, b) >= 2 or a == b
        else:
            alike = opcode == SAME_YEAR and same_year(a, b)
        if alike:
            levels[pair] = level


@kernel
def settle_digits(
    chunk: Chunk, at: int, opcode: int, limit: int, scratch: Scratch, settled: tuple[NDArray[np.uint8], int]
) -> None:
    """Digits within an OSA distance, or (SAME_SUFFIX) with a common end, of `limit` digits."""
    records, left, right, size = chunk
    levels, level = settled
    digits_a, digits_b, rows, bound = scratch.digits_a, scratch.digits_b, scratch.rows, scratch.similarity
    for pair in range(size):
        if levels[pair] != UNDECIDED:
            continue
        a, b = left[pair], right[pair]
        if bound[pair] == NOT_COMPUTED:
            packed_a = np.uint64(records[a, at]) | (np.uint64(records[a, at + 1]) << _S32)
            packed_b = np.uint64(records[b, at]) | (np.uint64(records[b, at + 1]) << _S32)
            bound[pair] = digits_bound(packed_a, packed_b)
        if opcode == DIGITS and bound[pair] > limit:
            continue
        n_a = unpack_digits(records[a, at], records[a, at + 1], digits_a)
        n_b = unpack_digits(records[b, at], records[b, at + 1], digits_b)
        if opcode == SAME_SUFFIX:
            alike = same_suffix(digits_a[:n_a], digits_b[:n_b], limit)
        else:
            alike = osa_within(digits_a[:n_a], digits_b[:n_b], limit, rows)
        if alike:
            levels[pair] = level


@kernel
def settle_streets(
    chunk: Chunk, at: int, opcode: int, threshold: float, settled: tuple[NDArray[np.uint8], int]
) -> None:
    """Name and number equal, names alike and numbers not contradicting (STREET_SIMILAR), or just names alike."""
    records, left, right, size = chunk
    levels, level = settled
    for pair in range(size):
        if levels[pair] != UNDECIDED:
            continue
        a, b = left[pair], right[pair]
        number_a, number_b = records[a, at] & _NUMBER, records[b, at] & _NUMBER
        alike = records[a, at + 1] == records[b, at + 1]
        if opcode == SAME_STREET:
            alike = alike and number_a == number_b
        else:
            numbers_fit = opcode == SAME_STREET_NAME or number_a == number_b or min(number_a, number_b) == 0
            if numbers_fit and not alike:
                signature_a = np.uint64(records[a, at + 2]) | (np.uint64(records[a, at + 3]) << _S32)
                signature_b = np.uint64(records[b, at + 2]) | (np.uint64(records[b, at + 3]) << _S32)
                alike = dice(signature_a, signature_b) >= threshold
            alike = alike and numbers_fit
        if alike:
            levels[pair] = level


@kernel
def settle_words(chunk: Chunk, at: int, settled: tuple[NDArray[np.uint8], int]) -> None:
    """One word equal, such as the local part of an e-mail address."""
    records, left, right, size = chunk
    levels, level = settled
    for pair in range(size):
        if levels[pair] == UNDECIDED and records[left[pair], at] == records[right[pair], at]:
            levels[pair] = level


@kernel
def settle_numbers(
    chunk: Chunk, at: int, percent: float, scratch: Scratch, settled: tuple[NDArray[np.uint8], int]
) -> None:
    """Two numbers that differ by at most `percent` of the larger."""
    records, left, right, size = chunk
    levels, level = settled
    floats = scratch.floats
    bits = floats.view(np.uint32)
    for pair in range(size):
        bits[0], bits[1] = records[left[pair], at], records[right[pair], at]
        a, b = np.float64(floats[0]), np.float64(floats[1])
        if levels[pair] == UNDECIDED and abs(a - b) * 100.0 <= percent * max(abs(a), abs(b)):
            levels[pair] = level
