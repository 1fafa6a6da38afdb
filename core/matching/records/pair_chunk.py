"""A chunk of pairs on its way through the comparison kernels, and the buffers they share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.records.vocabulary import Vocabulary

CHUNK_PAIRS = 1024
VALUE_WORDS_MAX = 2
# Levels of a pair on its way: no test has been passed yet.
UNDECIDED = 254
NOT_COMPUTED = -1.0


class Chunk(NamedTuple):
    """Some pairs of a matrix of records: positions of both sides, and how many of them count."""

    records: NDArray[np.uint32]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    size: int


class ValuePairs(NamedTuple):
    """Room for the values of a chunk's pairs, one value of each side, as a chunk of their own."""

    values: NDArray[np.uint32]  # (2 * CHUNK_PAIRS, VALUE_WORDS_MAX) left sides, and behind them right ones
    left: NDArray[np.int64]  # (CHUNK_PAIRS,) places in `values`
    right: NDArray[np.int64]
    pairs: NDArray[np.int64]  # (CHUNK_PAIRS,) which pair of the chunk it is


@kernel
def room_for_values() -> ValuePairs:
    """Uninitialised."""
    left, right, pairs = (
        np.empty(CHUNK_PAIRS, dtype=np.int64),
        np.empty(CHUNK_PAIRS, dtype=np.int64),
        np.empty(CHUNK_PAIRS, dtype=np.int64),
    )
    return ValuePairs(np.empty((2 * CHUNK_PAIRS, VALUE_WORDS_MAX), dtype=np.uint32), left, right, pairs)


@kernel
def list_values(chunk: Chunk, places: tuple[int, int], width: int, room: ValuePairs) -> Chunk:
    """The pairs that have a value in both places, as a chunk of these values alone; their words begin at 0."""
    records, left, right, size = chunk
    at_a, at_b = places
    n_there = 0
    for pair in range(size):
        a, b = left[pair], right[pair]
        any_a, any_b = np.uint32(0), np.uint32(0)
        for word in range(width):
            any_a |= records[a, at_a + word]
            any_b |= records[b, at_b + word]
            room.values[n_there, word] = records[a, at_a + word]
            room.values[CHUNK_PAIRS + n_there, word] = records[b, at_b + word]
        room.left[n_there], room.right[n_there] = n_there, CHUNK_PAIRS + n_there
        room.pairs[n_there] = pair
        # Written always and counted sometimes, as in `list_open`.
        n_there += int(any_a != 0 and any_b != 0)
    return Chunk(room.values, room.left, room.right, n_there)


Strings = tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.uint64], NDArray[np.uint64], NDArray[np.uint8]]
"""Code points, where each string starts, its letter set, short strings packed, and what is known of it as a name."""


class Scratch(NamedTuple):
    """Buffers of one kernel call."""

    flags: NDArray[np.uint8]
    rows: NDArray[np.int32]
    digits_a: NDArray[np.uint32]
    digits_b: NDArray[np.uint32]
    similarity: NDArray[np.float64]  # (CHUNK_PAIRS,) of the field at hand, or NOT_COMPUTED: Jaro-Winkler, digits bound
    floats: NDArray[np.float32]  # (2,)
    open: NDArray[np.int64]  # (CHUNK_PAIRS,) pairs of a chunk whose field is not settled by equality
    left: NDArray[np.int64]  # (CHUNK_PAIRS,) their sides
    right: NDArray[np.int64]
    levels: NDArray[np.uint8]  # (CHUNK_PAIRS,) their levels


def scratch_for(vocabulary: Vocabulary) -> Scratch:
    """Buffers long enough for the longest string of a vocabulary."""
    longest = vocabulary.arrays.longest + 1
    return Scratch(
        flags=np.zeros(2 * longest, dtype=np.uint8),
        rows=np.zeros(3 * max(longest + 1, 18), dtype=np.int32),
        digits_a=np.zeros(16, dtype=np.uint32),
        digits_b=np.zeros(16, dtype=np.uint32),
        similarity=np.zeros(CHUNK_PAIRS, dtype=np.float64),
        floats=np.zeros(2, dtype=np.float32),
        open=np.zeros(CHUNK_PAIRS, dtype=np.int64),
        left=np.zeros(CHUNK_PAIRS, dtype=np.int64),
        right=np.zeros(CHUNK_PAIRS, dtype=np.int64),
        levels=np.zeros(CHUNK_PAIRS, dtype=np.uint8),
    )
