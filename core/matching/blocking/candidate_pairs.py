"""Walking sorted keys: which records share a block, chunk by chunk of pairs, and their records gathered side by side.

What runs once a key or once a pair touches scalars and its own arrays only. An array handed to another kernel there,
or a slice taken, would count references, which costs more than the walk itself and stalls threads that share an array.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.records.pair_chunk import CHUNK_PAIRS

# As many records as a chunk of pairs has in blocks of two: 128 kB of persons, which a second-level cache holds.
CHUNK_RECORDS = 2 * CHUNK_PAIRS
# Places in `Walk.state`.
_START, _END, _FIRST, _SECOND, _N_HELD, _N_GATHERED = range(6)
_BETWEEN_BLOCKS = -1


class Walk(NamedTuple):
    """Where a walk stands, and the chunk it has just made."""

    records: NDArray[np.uint32]  # (room, stride) gathered records
    rows: NDArray[np.uint32]  # (room,) their rows
    left: NDArray[np.int64]  # (CHUNK_PAIRS,) places in `records`; the smaller row is left
    right: NDArray[np.int64]
    state: NDArray[np.int64]  # (6,) block at hand, next pair in it, records held, records gathered


@kernel
def largest_block(keys: NDArray[np.uint64]) -> int:
    """Records of the largest block."""
    largest, size = 0, 0
    for at in range(len(keys)):
        size = size + 1 if at > 0 and keys[at] == keys[at - 1] else 1
        largest = max(largest, size)
    return largest


@kernel
def start_walk(keys: NDArray[np.uint64], stride: int) -> Walk:
    """Stand before the first block; every block fits the room for records."""
    n_room = max(CHUNK_RECORDS, largest_block(keys))
    state = np.zeros(6, dtype=np.int64)
    state[_FIRST] = _BETWEEN_BLOCKS
    return Walk(
        np.empty((n_room, stride), dtype=np.uint32),
        np.empty(n_room, dtype=np.uint32),
        np.empty(CHUNK_PAIRS, dtype=np.int64),
        np.empty(CHUNK_PAIRS, dtype=np.int64),
        state,
    )


@kernel
def next_pairs(
    walk: Walk, keys: NDArray[np.uint64], rows: NDArray[np.uint32], sources: NDArray[np.uint8], window: int, since: int
) -> int:
    """List the next pairs, at most CHUNK_PAIRS; returns how many. There may be none before the end.

    Args:
        keys: ascending; rows: in the same order; sources: theirs, as `linked_sources` gives them.
        window: in a larger block a record meets only the next `window` - 1 ones.
        since: pairs of two rows before it are left out.
    """
    held, left, right, state = walk.rows, walk.left, walk.right, walk.state
    start, end, i, j, n_held = state[_START], state[_END], state[_FIRST], state[_SECOND], state[_N_HELD]
    if i == _BETWEEN_BLOCKS:
        n_held, state[_N_GATHERED] = 0, 0
    size, one_source = 0, len(sources) == 0
    while start < len(keys) and size < CHUNK_PAIRS:
        if i == _BETWEEN_BLOCKS:
            end = start + 1
            while end < len(keys) and keys[end] == keys[start]:
                end += 1
            if end - start == 1:
                start = end
                continue
            if n_held + end - start > len(held):
                break
            i, j = n_held, n_held + 1
            for at in range(start, end):
                held[n_held] = rows[at]
                n_held += 1
        # The block's records are the last ones held.
        shift = end - n_held
        reach = end - start if end - start <= window else window
        while i < n_held and size < CHUNK_PAIRS:
            last = min(i + reach, n_held)
            while j < last and size < CHUNK_PAIRS:
                row_i, row_j = held[i], held[j]
                left[size], right[size] = (i, j) if row_i < row_j else (j, i)
                across = one_source or sources[i + shift] != sources[j + shift]
                size += int(across and (row_i >= since or row_j >= since))
                j += 1
            if j >= last:
                i += 1
                j = i + 1
        if i >= n_held:
            i, start = _BETWEEN_BLOCKS, end
    state[_START], state[_END], state[_FIRST], state[_SECOND], state[_N_HELD] = start, end, i, j, n_held
    return size


@kernel
def at_end(walk: Walk, keys: NDArray[np.uint64]) -> bool:
    """Whether every pair has been listed."""
    return bool(walk.state[_START] >= len(keys))


@kernel
def gather(walk: Walk, words: NDArray[np.uint32]) -> None:
    """Fetch the records of the pairs just listed, those of a block in two chunks once.

    One loop that does nothing else: the processor fetches many records at once.
    """
    records, held, state = walk.records, walk.rows, walk.state
    for at in range(state[_N_GATHERED], state[_N_HELD]):
        row = held[at]
        for word in range(words.shape[1]):
            records[at, word] = words[row, word]
    state[_N_GATHERED] = state[_N_HELD]
