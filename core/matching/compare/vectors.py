"""Compare packed records field by field into levels, and number the patterns of levels.

Kernels work on chunks of pairs, one field and one test at a time: the opcode is looked up once per chunk, and the loops
inside touch nothing but plain arrays. A chunk's levels stay in the cache.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.matching.compare.packed_similarity import is_packed, jaro_winkler_packed, osa_one_packed
from core.matching.compare.similarity import (
    date_digits,
    date_parts,
    date_swapped,
    dice,
    digits_bound,
    jaro_winkler,
    jaro_winkler_bound,
    osa_bound,
    osa_within,
    parts_differing,
    same_points,
    same_suffix,
    same_year,
    unpack_digits,
)
from core.matching.jit import kernel
from core.matching.records.layout import Layout, LayoutArrays
from core.matching.records.packing import NUMBER_MAX
from core.matching.records.pair_chunk import (
    CHUNK_PAIRS,
    NOT_COMPUTED,
    UNDECIDED,
    Chunk,
    Scratch,
    Strings,
    scratch_for,
)
from core.matching.records.vocabulary import Vocabulary, VocabularyArrays
from core.matching.specs.levels import (
    DAMERAU,
    DATE_DIGITS,
    DATE_PARTS,
    DATE_SWAPPED,
    DIGITS,
    INITIAL,
    JARO_WINKLER,
    MISSING,
    NICKNAME,
    PREFIX,
    SAME_LOCAL_PART,
    SAME_STREET,
    SAME_STREET_NAME,
    SAME_SUFFIX,
    SAME_YEAR,
    STREET_SIMILAR,
    SWAPPED,
    WITHIN_PERCENT,
)

_S32 = np.uint64(32)
_NUMBER = np.uint32(NUMBER_MAX)


@kernel
def settle_equal(chunk: Chunk, at: int, width: int, n_tests: int, out: NDArray[np.uint8]) -> None:
    """MISSING where a side has no value, n_tests where both are equal, else UNDECIDED."""
    records, left, right, size = chunk
    for pair in range(size):
        a, b = left[pair], right[pair]
        any_a, any_b = records[a, at], records[b, at]
        differ = any_a ^ any_b
        for word in range(at + 1, at + width):
            any_a |= records[a, word]
            any_b |= records[b, word]
            differ |= records[a, word] ^ records[b, word]
        level = np.uint8(n_tests) if differ == 0 else np.uint8(UNDECIDED)
        out[pair] = np.uint8(MISSING) if any_a == 0 or any_b == 0 else level


@kernel
def list_open(chunk: Chunk, levels: NDArray[np.uint8], scratch: Scratch) -> Chunk:
    """The pairs that are UNDECIDED, as a chunk of their own: most tests then see a small part of the pairs."""
    n_open = 0
    for pair in range(chunk.size):
        # Written always and counted sometimes: no branch to guess wrong.
        scratch.open[n_open] = pair
        n_open += int(levels[pair] == UNDECIDED)
    for at in range(n_open):
        pair = scratch.open[at]
        scratch.left[at], scratch.right[at] = chunk.left[pair], chunk.right[pair]
    scratch.levels[:n_open] = UNDECIDED
    scratch.similarity[:n_open] = NOT_COMPUTED
    return Chunk(chunk.records, scratch.left, scratch.right, n_open)


@kernel
def settle_names(
    chunk: Chunk, at: int, threshold: float, table: Strings, scratch: Scratch,
    settled: tuple[NDArray[np.uint8], int],
) -> None:  # fmt: skip
    """Jaro-Winkler at least `threshold`; once per pair and field."""
    records, left, right, size = chunk
    packed = table[3]
    levels, level = settled
    similarity = scratch.similarity
    for pair in range(size):
        if levels[pair] != UNDECIDED:
            continue
        if similarity[pair] == NOT_COMPUTED:
            code_a, code_b = records[left[pair], at], records[right[pair], at]
            low_a, low_b = packed[code_a, 0], packed[code_b, 0]
            if is_packed(low_a) and is_packed(low_b):
                similarity[pair] = jaro_winkler_packed(low_a, packed[code_a, 1], low_b, packed[code_b, 1])
            else:
                similarity[pair] = long_similarity(table, (code_a, code_b), threshold, scratch)
        if similarity[pair] >= threshold:
            levels[pair] = level


@kernel
def long_similarity(table: Strings, codes: tuple[np.uint32, np.uint32], threshold: float, scratch: Scratch) -> float:
    """Jaro-Winkler of strings too long to be packed; NOT_COMPUTED where their letters forbid the threshold."""
    points, starts, letters, _ = table
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
    """OSA distance of two different strings at most `limit`."""
    records, left, right, size = chunk
    packed = table[3]
    levels, level = settled
    for pair in range(size):
        if levels[pair] != UNDECIDED:
            continue
        code_a, code_b = records[left[pair], at], records[right[pair], at]
        low_a, low_b = packed[code_a, 0], packed[code_b, 0]
        if limit == 1 and is_packed(low_a) and is_packed(low_b):
            alike = osa_one_packed(low_a, packed[code_a, 1], low_b, packed[code_b, 1])
        else:
            alike = long_within(table, (code_a, code_b), limit, scratch.rows)
        if alike:
            levels[pair] = level


@kernel
def long_within(table: Strings, codes: tuple[np.uint32, np.uint32], limit: int, rows: NDArray[np.int32]) -> bool:
    """Whether the OSA distance of strings of any length is at most `limit`."""
    points, starts, letters, _ = table
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
    points, starts, _, _ = table
    levels, level = settled
    for pair in range(size):
        if levels[pair] != UNDECIDED:
            continue
        code_a, code_b = records[left[pair], at], records[right[pair], at]
        start_a, start_b = starts[code_a], starts[code_b]
        shortest = min(starts[code_a + 1] - start_a, starts[code_b + 1] - start_b)
        if n_first == 0:
            alike = shortest == 1 and points[start_a] == points[start_b]
        else:
            alike = shortest >= n_first and same_points(points, start_a, start_b, n_first)
        if alike:
            levels[pair] = level


@kernel
def settle_class(chunk: Chunk, at: int, class_hash: NDArray[np.uint64], settled: tuple[NDArray[np.uint8], int]) -> None:
    """Both strings belong to one nickname class."""
    records, left, right, size = chunk
    levels, level = settled
    for pair in range(size):
        same = class_hash[records[left[pair], at]] == class_hash[records[right[pair], at]]
        if same and levels[pair] == UNDECIDED:
            levels[pair] = level


@kernel
def settle_swapped(chunk: Chunk, at: int, partner: int, settled: tuple[NDArray[np.uint8], int]) -> None:
    """Each record has in this word what the other has in the partner's."""
    records, left, right, size = chunk
    levels, level = settled
    for pair in range(size):
        a, b = left[pair], right[pair]
        crossed = records[a, at] == records[b, partner] and records[b, at] == records[a, partner]
        if crossed and levels[pair] == UNDECIDED:
            levels[pair] = level


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
            alike = parts_differing(a, b) <= limit and date_digits(a, b) <= limit
        elif opcode == DATE_PARTS:
            alike = date_parts(a, b) >= 2
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


@kernel
def run_test(
    chunk: Chunk, place: tuple[int, int], layout: LayoutArrays, vocabulary: VocabularyArrays, scratch: Scratch,
    out: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Run one test over a chunk and settle the pairs that pass it; place = (field, test)."""
    field, test = place
    opcode, threshold = layout.tests[field, test], layout.thresholds[field, test]
    at = np.int64(layout.offset[field])
    settled = (out, layout.n_tests[field] - test)
    table = (vocabulary.points, vocabulary.starts, vocabulary.letters, vocabulary.packed)
    if opcode == NICKNAME:
        settle_class(chunk, at, vocabulary.class_hash, settled)
    elif opcode == SWAPPED:
        settle_swapped(chunk, at, np.int64(layout.partner[field]), settled)
    elif opcode == JARO_WINKLER:
        settle_names(chunk, at, threshold, table, scratch, settled)
    elif opcode == DAMERAU:
        settle_spelling(chunk, at, np.int64(threshold), table, scratch, settled)
    elif opcode in (DIGITS, SAME_SUFFIX):
        settle_digits(chunk, at, opcode, np.int64(threshold), scratch, settled)
    elif opcode in (DATE_SWAPPED, DATE_DIGITS, DATE_PARTS, SAME_YEAR):
        settle_dates(chunk, at, opcode, threshold, settled)
    elif opcode in (SAME_STREET, STREET_SIMILAR, SAME_STREET_NAME):
        settle_streets(chunk, at, opcode, threshold, settled)
    elif opcode == SAME_LOCAL_PART:
        settle_words(chunk, at + 1, settled)
    elif opcode in (PREFIX, INITIAL):
        settle_prefix(chunk, at, np.int64(threshold), table, settled)
    elif opcode == WITHIN_PERCENT:
        settle_numbers(chunk, at, threshold, scratch, settled)


@kernel
def compare_chunk(
    chunk: Chunk, layout: LayoutArrays, vocabulary: VocabularyArrays, scratch: Scratch, out: NDArray[np.uint8]
) -> None:
    """Levels of a chunk of at most CHUNK_PAIRS pairs: out (n_fields, >= chunk.size)."""
    for field in range(len(layout.offset)):
        n_tests = layout.n_tests[field]
        levels = out[field]
        settle_equal(chunk, np.int64(layout.offset[field]), np.int64(layout.width[field]), n_tests, levels)
        rest = list_open(chunk, levels, scratch)
        for test in range(1, n_tests):
            run_test(rest, (field, test), layout, vocabulary, scratch, scratch.levels)
        for at in range(rest.size):
            level = scratch.levels[at]
            levels[scratch.open[at]] = level if level != UNDECIDED else 0


@kernel
def fill_levels(
    words: NDArray[np.uint32],
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
    layout: LayoutArrays,
    vocabulary: VocabularyArrays,
    scratch: Scratch,
    out: NDArray[np.uint8],
) -> None:
    """Levels of many pairs, chunk by chunk: out (n_pairs, n_fields)."""
    left, right = pairs
    levels = np.empty((len(layout.offset), CHUNK_PAIRS), dtype=np.uint8)
    for start in range(0, len(left), CHUNK_PAIRS):
        stop = min(start + CHUNK_PAIRS, len(left))
        chunk = Chunk(words, left[start:stop], right[start:stop], stop - start)
        compare_chunk(chunk, layout, vocabulary, scratch, levels)
        out[start:stop] = levels[:, : stop - start].T


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
    Cost: about 0.5 us a pair of persons, much of it waiting for memory where rows lie far apart.
    """
    out = np.zeros((len(left), layout.n_fields), dtype=np.uint8)
    pairs = (left.astype(np.int64), right.astype(np.int64))
    fill_levels(words, pairs, layout.ops, vocabulary.arrays, scratch_for(vocabulary), out)
    return out
