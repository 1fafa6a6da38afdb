"""Blocks of one pass: the records that share a key, in one order, and how a large block is cut finer.

A pass is sorted as one array of u64: the upper bits of the key, the row number below. So a sort moves eight bytes a
record and ties fall into row order. Two keys that differ only in the bits that make room for the row number (none in a
thousand passes at a million records, some thousand at seventy million) share a block: a few pairs more to compare.

Where a block is large, the refinements of its pass order it further: `depth` says where each begins, so that a plan may
cut at any of them without sorting anew.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.matching.blocking.block_keys import WINDOW_DEFAULT, fill_keys
from core.matching.jit import kernel
from core.matching.records.layout import Layout
from core.matching.records.record_hashes import record_hashes
from core.matching.records.vocabulary import Vocabulary

SAME = 255
"""Depth of a record that stands in one block with the record before it, whatever the refinement."""
REFINE_ABOVE = 10
"""Smaller blocks are never cut, so they need no order of their own: ten records make 45 pairs."""
SLICE_ROWS = 1 << 20


@dataclass(frozen=True, eq=False)
class Blocks:
    """Blocks of two records or more.

    rows: (n,) u32, block by block, ascending within the finest part. depth: (n,) u8: 0 where a block begins, k where
    the k-th refinement first tells a record from the one before it, else SAME.
    """

    rows: NDArray[np.uint32]
    depth: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Cut:
    """Blocks as they are compared: positions into `Blocks.rows`, two records or more each, ascending."""

    starts: NDArray[np.uint32]
    sizes: NDArray[np.uint32]


@kernel
def mix_rows(keys: NDArray[np.uint64], row_bits: int) -> int:
    """Replace the low bits of each key by its row number, and move what has a key to the front; returns how many."""
    kept, shift = 0, np.uint64(row_bits)
    for row in range(len(keys)):
        if keys[row] != np.uint64(0):
            keys[kept] = ((keys[row] >> shift) << shift) | np.uint64(row)
            kept += 1
    return kept


@kernel
def collect(mixed: NDArray[np.uint64], row_bits: int, rows: NDArray[np.uint32], depth: NDArray[np.uint8]) -> int:
    """Write the records of blocks of two or more behind each other; returns how many."""
    shift = np.uint64(row_bits)
    low = (np.uint64(1) << shift) - np.uint64(1)
    kept, start = 0, 0
    while start < len(mixed):
        key, end = mixed[start] >> shift, start + 1
        while end < len(mixed) and mixed[end] >> shift == key:
            end += 1
        if end - start > 1:
            for at in range(start, end):
                rows[kept] = np.uint32(mixed[at] & low)
                depth[kept] = SAME if at > start else 0
                kept += 1
        start = end
    return kept


def sort_keys(keys: NDArray[np.uint64]) -> Blocks:
    """Blocks of equal keys; 0 is none. The keys are overwritten."""
    row_bits = row_bits_of(len(keys))
    return _blocks_of(keys[: mix_rows(keys, row_bits)], row_bits)


def row_bits_of(n_rows: int) -> int:
    """Low bits of a key that number so many rows."""
    return max(n_rows - 1, 1).bit_length()


def _blocks_of(mixed: NDArray[np.uint64], row_bits: int) -> Blocks:
    mixed.sort()
    rows, depth = np.empty(len(mixed), dtype=np.uint32), np.empty(len(mixed), dtype=np.uint8)
    n_kept = collect(mixed, row_bits, rows, depth)
    return Blocks(rows[:n_kept].copy(), depth[:n_kept].copy())


def sort_pass(words: NDArray[np.uint32], vocabulary: Vocabulary, layout: Layout, number: int) -> Blocks:
    """Bring the records of one pass into block order.

    Args:
        words: all records, or a memory map of them: they are read in order, and once more where blocks are refined.
    Cost: about 0.1 us and 21 bytes a record.
    """
    mixed = mixed_keys(words, vocabulary, layout, number)
    blocks = _blocks_of(mixed, row_bits_of(len(words)))
    del mixed
    refine_blocks(blocks, words, vocabulary, layout, number)
    return blocks


def mixed_keys(words: NDArray[np.uint32], vocabulary: Vocabulary, layout: Layout, number: int) -> NDArray[np.uint64]:
    """The keys of one pass with their rows below, as `mix_rows` has them, in no order.

    A record with several values has an entry for each of its keys, and one only where two values make the same.
    """
    row_bits = row_bits_of(len(words))
    found = []
    for parts in layout.key_choices[number]:
        keys = np.empty(len(words), dtype=np.uint64)
        for lo in range(0, len(words), SLICE_ROWS):
            fill_keys(words[lo : lo + SLICE_ROWS], parts, vocabulary.arrays, keys[lo : lo + SLICE_ROWS])
        n_kept = mix_rows(keys, row_bits)
        found.append(keys[:n_kept] if len(layout.key_choices[number]) == 1 else keys[:n_kept].copy())
    return found[0] if len(found) == 1 else np.unique(np.concatenate(found))


def refine_blocks(
    blocks: Blocks, words: NDArray[np.uint32], vocabulary: Vocabulary, layout: Layout, number: int
) -> None:
    """Order large blocks of a pass by its refinements, in place."""
    rows, depth = blocks.rows, blocks.depth
    for step, parts in enumerate(layout.refinements[number], start=1):
        places = large_places(depth, step)
        refining = np.empty(len(places), dtype=np.uint64)
        for lo in range(0, len(places), SLICE_ROWS):
            some = words[rows[places[lo : lo + SLICE_ROWS]]]
            fill_keys(some, parts, vocabulary.arrays, refining[lo : lo + SLICE_ROWS])
        refine(rows, depth, places, refining, step)


@kernel
def part_end(depth: NDArray[np.uint8], start: int, level: int) -> int:
    """First position after `start` where a part of this level, or a coarser one, begins."""
    end = start + 1
    while end < len(depth) and depth[end] > level:
        end += 1
    return end


@kernel
def large_places(depth: NDArray[np.uint8], step: int) -> NDArray[np.int64]:
    """Positions of all records in parts that the `step`-th refinement is to order."""
    places = np.empty(len(depth), dtype=np.int64)
    found, start = 0, 0
    while start < len(depth):
        end = part_end(depth, start, step - 1)
        if end - start > REFINE_ABOVE:
            for at in range(start, end):
                places[found] = at
                found += 1
        start = end
    return places[:found].copy()


@kernel
def refine(
    rows: NDArray[np.uint32], depth: NDArray[np.uint8], places: NDArray[np.int64], keys: NDArray[np.uint64], step: int
) -> None:
    """Order each large part by its refining keys, ties by row, and mark where another key begins."""
    at = 0
    while at < len(places):
        start = places[at]
        end = part_end(depth, start, step - 1)
        size = end - start
        mine = keys[at : at + size]
        order = np.argsort(mine, kind="mergesort")
        members = rows[start:end].copy()
        for k in range(size):
            rows[start + k] = members[order[k]]
            if k > 0 and mine[order[k]] != mine[order[k - 1]]:
                depth[start + k] = step
        at += size


@kernel
def fill_cut(
    depth: NDArray[np.uint8], limit: int, deepest: int, starts: NDArray[np.uint32], sizes: NDArray[np.uint32]
) -> int:
    """The parts that `cut` makes; returns how many."""
    found, start = 0, 0
    while start < len(depth):
        level = np.int64(depth[start])
        end = part_end(depth, start, level)
        while end - start > limit and level < deepest:
            level += 1
            end = part_end(depth, start, level)
        if end - start > 1:
            starts[found] = start
            sizes[found] = end - start
            found += 1
        start = end
    return found


def cut(blocks: Blocks, limit: int, deepest: int) -> Cut:
    """Cut blocks of more than `limit` records at their refinements, no deeper than needed.

    Args:
        deepest: number of refinements the pass has.
    Returns:
        Parts of two records or more; what no refinement could make small enough stays as large as it is.
    """
    # No part that counts has fewer than two records.
    starts, sizes = (np.empty(len(blocks.depth) // 2, dtype=np.uint32) for _ in range(2))
    n_parts = fill_cut(blocks.depth, limit, deepest, starts, sizes)
    return Cut(starts[:n_parts].copy(), sizes[:n_parts].copy())


def pairs_of(sizes: NDArray[np.integer], window: int = WINDOW_DEFAULT) -> NDArray[np.int64]:
    """Exact number of pairs each block makes: all of them up to `window` records, else those within the window."""
    records = sizes.astype(np.int64)
    return np.where(records <= window, records * (records - 1) // 2, window_pairs(records, window))


def window_pairs(sizes: NDArray[np.int64], window: int) -> NDArray[np.int64]:
    """Pairs at most `window` - 1 places apart in a block of more than `window` records."""
    reach = window - 1
    return (sizes - reach) * reach + reach * (reach - 1) // 2


def split(pairs: NDArray[np.int64], pairs_per_batch: int) -> list[tuple[int, int, int]]:
    """Put neighbouring blocks together into batches of about equal pair counts.

    Args:
        pairs: of each block.
    Returns:
        (first block, block after the last, pairs) per batch.
    """
    if len(pairs) == 0:
        return []
    before = np.cumsum(pairs) - pairs
    group = before // max(pairs_per_batch, 1)
    first = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]]))
    ends = np.append(first[1:], len(pairs))
    totals = np.add.reduceat(pairs, first)
    return [(int(lo), int(hi), int(n)) for lo, hi, n in zip(first, ends, totals, strict=True)]


def members_of(blocks: Blocks, starts: NDArray[np.uint32], sizes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Rows of some blocks of a cut, one block after the other."""
    before = np.cumsum(sizes, dtype=np.int64) - sizes
    return np.asarray(blocks.rows[np.repeat(starts - before, sizes) + np.arange(int(sizes.sum()))])


def windowed_order(
    words: NDArray[np.uint32], rows: NDArray[np.uint32], keys: NDArray[np.uint64], window: int
) -> NDArray[np.uint32]:
    """Sort the records of oversize blocks by their first words, so that a window meets the likeliest pairs.

    Codes ascend with their strings, so records whose first fields are spelt alike lie side by side. Ties are settled by
    the hash of the whole record, never by its row.
    """
    if len(keys) <= window:
        return rows
    borders = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1], [True]]))
    large = np.flatnonzero(np.diff(borders) > window)
    if len(large) == 0:
        return rows
    ordered = rows.copy()
    for block in large:
        inside = rows[borders[block] : borders[block + 1]]
        records = words[inside]
        order = np.lexsort((record_hashes(records), *records[:, : min(4, words.shape[1])].T[::-1]))
        ordered[borders[block] : borders[block + 1]] = inside[order]
    return ordered
