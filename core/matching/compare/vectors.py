"""Compare packed records field by field into levels, and number the patterns of levels.

Kernels work on chunks of pairs, one field and one test at a time: the opcode is looked up once per chunk, and the loops
inside touch nothing but plain arrays. A chunk's levels stay in the cache.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.matching.compare.level_tests import (
    settle_class,
    settle_dates,
    settle_digits,
    settle_names,
    settle_numbers,
    settle_prefix,
    settle_same_name,
    settle_spelling,
    settle_streets,
    settle_swapped,
    settle_words,
    undecide_part_dates,
    undecide_scripts,
)
from core.matching.compare.mark_tests import settle_bare, settle_but_unit, settle_marks, settle_units
from core.matching.compare.words.overlap import settle_overlap, settle_parts
from core.matching.jit import kernel
from core.matching.records.layout import LayoutArrays
from core.matching.records.pair_chunk import (
    CHUNK_PAIRS,
    NOT_COMPUTED,
    UNDECIDED,
    Chunk,
    Scratch,
    list_values,
    room_for_values,
)
from core.matching.records.vocabulary import VocabularyArrays
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
    SAME_NAME,
    SAME_STREET,
    SAME_STREET_NAME,
    SAME_SUFFIX,
    SAME_YEAR,
    SHARED_CODES,
    SHARED_NUMBERS,
    STREET_SIMILAR,
    SWAPPED,
    WITHIN_PERCENT,
    WORDS,
)


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
def run_test(
    chunk: Chunk, place: tuple[int, int, int], layout: LayoutArrays, vocabulary: VocabularyArrays, scratch: Scratch,
    out: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Run one test over a chunk and settle the pairs that pass it; place = (field, test, first word of the value)."""
    field, test, at = place
    opcode, threshold = layout.tests[field, test], layout.thresholds[field, test]
    settled = (out, layout.n_tests[field] - test)
    table = (vocabulary.points, vocabulary.starts, vocabulary.letters, vocabulary.packed, vocabulary.traits)
    if opcode == NICKNAME:
        settle_class(chunk, at, vocabulary.class_hash, vocabulary.traits, settled)
    elif opcode == SAME_NAME:
        settle_same_name(chunk, at, table, vocabulary.class_hash, settled)
    elif opcode == SWAPPED:
        settle_swapped(chunk, at, np.int64(layout.partner[field]), vocabulary, settled)
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
    elif opcode == WORDS:
        settle_overlap(chunk, at, threshold, vocabulary.tokens, (scratch.similarity, scratch.floats), settled)


@kernel
def compare_chunk(
    chunk: Chunk, layout: LayoutArrays, vocabulary: VocabularyArrays, scratch: Scratch, out: NDArray[np.uint8]
) -> None:
    """Levels of a chunk of at most CHUNK_PAIRS pairs: out (n_fields, >= chunk.size)."""
    for field in range(len(layout.offset)):
        if layout.unit_of[field] >= 0:
            settle_units(chunk, np.int64(layout.unit_of[field]), out[field])
        elif layout.marks[field, 0] != 0:
            settle_marks(chunk, layout.marks[field], layout.mark_words[field], vocabulary.marks, out[field])
        elif layout.tests[field, 0] in (SHARED_CODES, SHARED_NUMBERS):
            opcode = np.int64(layout.tests[field, 0])
            settle_parts(chunk, np.int64(layout.offset[field]), opcode, vocabulary.tokens, out[field])
        elif layout.values[field] > 1:
            compare_values(chunk, field, layout, vocabulary, scratch, out[field])
        else:
            compare_field(chunk, (field, np.int64(layout.offset[field])), layout, vocabulary, scratch, out[field])


@kernel
def compare_field(
    chunk: Chunk, place: tuple[int, int], layout: LayoutArrays, vocabulary: VocabularyArrays, scratch: Scratch,
    levels: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Levels of one field; place = (field, first word of its value)."""
    field, at = place
    n_tests = layout.n_tests[field]
    settle_equal(chunk, at, np.int64(layout.width[field]), n_tests, levels)
    if layout.named[field] and len(vocabulary.marks) > 0:
        settle_bare(chunk, at, vocabulary.hash, n_tests, levels)
    if layout.has_unit[field]:
        settle_but_unit(chunk, at, n_tests, levels)
    for test in range(n_tests):
        if layout.tests[field, test] == DATE_PARTS:
            undecide_part_dates(chunk, at, levels)
    rest = list_open(chunk, levels, scratch)
    for test in range(1, n_tests):
        run_test(rest, (field, test, at), layout, vocabulary, scratch, scratch.levels)
        if vocabulary.ideographs and layout.tests[field, test] == SAME_NAME:
            undecide_scripts(rest, at, vocabulary.traits, scratch.levels)
    for open_ in range(rest.size):
        level = scratch.levels[open_]
        levels[scratch.open[open_]] = level if level != UNDECIDED else 0


@kernel
def compare_values(
    chunk: Chunk, field: int, layout: LayoutArrays, vocabulary: VocabularyArrays, scratch: Scratch,
    levels: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Levels of a field with room for several values: the best of any two; MISSING where a side has none."""
    at, width, n_values = np.int64(layout.offset[field]), np.int64(layout.width[field]), np.int64(layout.values[field])
    room = room_for_values()
    found = np.empty(CHUNK_PAIRS, dtype=np.uint8)
    levels[: chunk.size] = np.uint8(MISSING)
    for choice in range(n_values * n_values):
        places = (at + choice // n_values * width, at + choice % n_values * width)
        some = list_values(chunk, places, width, room)
        compare_field(some, (field, np.int64(0)), layout, vocabulary, scratch, found)
        for listed in range(some.size):
            pair = room.pairs[listed]
            if levels[pair] == MISSING or found[listed] > levels[pair]:
                levels[pair] = found[listed]
