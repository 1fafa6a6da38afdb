"""What stands behind names and houses: equal bare strings, marks and units that agree or differ."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.records.packing import NUMBER_MAX, UNIT_SHIFT
from core.matching.records.pair_chunk import UNDECIDED, Chunk
from core.matching.specs.levels import MISSING

_ZERO = np.uint64(0)
_NUMBER, _UNIT_SHIFT = np.uint32(NUMBER_MAX), np.uint32(UNIT_SHIFT)
_HOUSE = np.uint32((1 << UNIT_SHIFT) - 1)


@kernel
def settle_bare(chunk: Chunk, at: int, hashes: NDArray[np.uint64], n_tests: int, levels: NDArray[np.uint8]) -> None:
    """Levels of equal codes, once more by the strings without marks: one that is empty is MISSING."""
    records, left, right, size = chunk
    for pair in range(size):
        if levels[pair] == MISSING:
            continue
        a, b = hashes[records[left[pair], at]], hashes[records[right[pair], at]]
        if (a == _ZERO) | (b == _ZERO):
            levels[pair] = MISSING
        else:
            levels[pair] = n_tests if a == b else UNDECIDED


@kernel
def marks_at(records: NDArray[np.uint32], row: int, words: NDArray[np.int32], marks: NDArray[np.uint64]) -> np.uint64:
    """All marks of a record that stand behind the strings of some of its words."""
    found = _ZERO
    for word in words:
        if word >= 0:
            found |= marks[records[row, word]]
    return found


@kernel
def settle_marks(
    chunk: Chunk, bits: NDArray[np.uint64], words: NDArray[np.int32], marks: NDArray[np.uint64],
    levels: NDArray[np.uint8],
) -> None:  # fmt: skip
    """1 where both records have a mark and one in common, 0 where they have none in common, else MISSING.

    Args:
        bits: the bits of the mark, and those of which one side must have some, if it is not 0.
        words: those whose strings may have it, -1 for none. marks: as of `VocabularyArrays`.
    """
    records, left, right, size = chunk
    mask, counted = bits[0], bits[1]
    levels[:size] = np.uint8(MISSING)
    if len(marks) == 0 or marks[len(marks) - 1] & mask == _ZERO:
        return
    for pair in range(size):
        a, b = marks_at(records, left[pair], words, marks), marks_at(records, right[pair], words, marks)
        if a & mask != _ZERO and b & mask != _ZERO and (counted == _ZERO or (a | b) & counted != _ZERO):
            levels[pair] = np.uint8(a & b & mask != _ZERO)


@kernel
def settle_but_unit(chunk: Chunk, at: int, n_tests: int, levels: NDArray[np.uint8]) -> None:
    """Streets that differ in nothing but the unit are equal: what the unit says is a field of its own."""
    records, left, right, size = chunk
    for pair in range(size):
        a, b = left[pair], right[pair]
        if levels[pair] == UNDECIDED and (records[a, at] ^ records[b, at]) & _HOUSE == 0:
            rest = records[a, at + 1] ^ records[b, at + 1] | records[a, at + 2] ^ records[b, at + 2]
            if rest | records[a, at + 3] ^ records[b, at + 3] == 0:
                levels[pair] = np.uint8(n_tests)


@kernel
def settle_units(chunk: Chunk, at: int, levels: NDArray[np.uint8]) -> None:
    """1 where two records are of one unit of a house, 0 where they are of two, MISSING where not both tell one.

    Only within one house, for flats of two houses say nothing; at: the first word of the street.
    """
    records, left, right, size = chunk
    for pair in range(size):
        a, b = left[pair], right[pair]
        unit_a, unit_b = records[a, at] >> _UNIT_SHIFT, records[b, at] >> _UNIT_SHIFT
        one_house = records[a, at] & _NUMBER == records[b, at] & _NUMBER and records[a, at + 1] == records[b, at + 1]
        levels[pair] = np.uint8(MISSING)
        if unit_a > 0 and unit_b > 0 and one_house:
            levels[pair] = np.uint8(unit_a == unit_b)
