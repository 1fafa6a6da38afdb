"""The distinct strings of a column: numbered as they come, or in ascending order.

A long column is first dealt out by the first two bytes of its strings into parts that follow each other: each is small
enough for its table to stay in the cache, and several can be worked on at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.text.string_views import (
    INLINE_MAX,
    Spread,
    TextChunk,
    eight_bytes_at,
    text_address,
    text_chunks,
    text_length,
)

Sorted = tuple[pl.Series, NDArray[np.uint32]]
PART_ROWS = 1 << 15
_HEADS = 1 << 16
_ODD, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
_S29, _S32 = np.uint64(29), np.uint64(32)
_BYTE, _S8 = np.uint32(255), np.uint32(8)


class Distinct(NamedTuple):
    """Room for the distinct strings of a column of n rows: S = a power of two, at least 2n."""

    slots: NDArray[np.uint32]  # (S,) number of a string, from 1 on; 0: free
    firsts: NDArray[np.int64]  # (n + 1,) row where string number i was met first
    heads: NDArray[np.uint64]  # (n + 1, 2) its view
    addresses: NDArray[np.int64]  # (n + 1,) where its bytes lie


@kernel
def hash_long(address: int, length: int) -> np.uint64:
    """Hash more than eight bytes, eight by eight; the last eight may overlap those before."""
    state = np.uint64(length)
    for at in range(0, length - 8, 8):
        state = (state ^ eight_bytes_at(address + at)) * _ODD
        state ^= state >> _S29
    return (state ^ eight_bytes_at(address + length - 8)) * _ODD


@kernel
def same_bytes(left: int, right: int, length: int) -> bool:
    """Whether two strings of more than eight bytes are equal."""
    for at in range(0, length - 8, 8):
        if eight_bytes_at(left + at) != eight_bytes_at(right + at):
            return False
    return bool(eight_bytes_at(left + length - 8) == eight_bytes_at(right + length - 8))


@kernel
def number_texts(chunk: TextChunk, first_row: int, n_known: int, room: Distinct, out: NDArray[np.uint32]) -> int:
    """Number equal strings alike, from 1 on as they come; 0 for empty ones and nulls.

    Returns:
        How many distinct strings there are now.
    """
    mask = np.int64(len(room.slots) - 1)
    for row in range(len(chunk.views)):
        length = text_length(chunk, row)
        if length == 0:
            continue
        view = chunk.views[row]
        low = np.uint64(view[0]) | np.uint64(view[1]) << _S32
        high = np.uint64(view[2]) | np.uint64(view[3]) << _S32
        address = text_address(chunk, row)
        short = length <= INLINE_MAX
        hashed = low ^ high * _ODD if short else hash_long(address, length)
        # The highest bits of the product depend on every bit before it.
        slot = np.int64((hashed ^ hashed >> _S32) * _MIX >> _S32) & mask
        number = room.slots[slot]
        while number != 0:
            head = room.heads[number]
            if head[0] == low and (
                (short and head[1] == high) or (not short and same_bytes(room.addresses[number], address, length))
            ):
                break
            slot = (slot + 1) & mask
            number = room.slots[slot]
        if number == 0:
            n_known += 1
            number = np.uint32(n_known)
            room.slots[slot] = number
            room.firsts[number] = first_row + row
            room.heads[number, 0] = low
            room.heads[number, 1] = high
            room.addresses[number] = address
        out[row] = number
    return n_known


def numbered(column: pl.Series) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Find the distinct strings of a column.

    Returns:
        (n,) number of each string, 0 for null and empty; and, by number - 1, the row where each was met first.
    Cost: 10 to 70 ns and up to 20 bytes a row, and 32 bytes a distinct string.
    """
    room = _room(len(column))
    with text_chunks(column) as chunks:
        numbers, n_known = _number(chunks, len(column), 0, room)
    return numbers, room.firsts[1 : n_known + 1]


def sorted_distinct(column: pl.Series, spread: Spread = map) -> Sorted:
    """The distinct strings of a column in ascending order, and for each row the place of its own, counted from 1.

    Empty strings and nulls are left out; their place is 0.

    Args:
        spread: calls a function on parts of the column, in their order; which one changes nothing.
    Cost: 150 to 400 ns a string, most of it spread; 40 bytes a string.
    """
    column = column.cast(pl.String)
    if len(column) <= PART_ROWS:
        return _sorted_part(column)
    rows, ends = by_head(column)
    # Of one piece, each string is found at once; each part is gathered where it is worked on.
    column = column.rechunk()
    parts = [rows[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    ordered, places, n_before, start = [pl.Series([], dtype=pl.String)], np.zeros(len(column), dtype=np.uint32), 0, 0
    for strings, found in spread(lambda part: _sorted_part(column.gather(part)), parts):
        places[rows[start : start + len(found)]] = found + np.uint32(n_before)
        ordered.append(strings)
        n_before, start = n_before + len(strings), start + len(found)
    return pl.concat(ordered), places


def _sorted_part(column: pl.Series) -> Sorted:
    room = _room(len(column))
    with text_chunks(column) as chunks:
        numbers, n_known = _number(chunks, len(column), 0, room)
        ordered = column.gather(room.firsts[1 : n_known + 1]).sort()
        # Sorting strings is cheap and finding out where each went is not; but they have numbers already.
        with text_chunks(ordered) as sorted_chunks:
            order, _ = _number(sorted_chunks, n_known, n_known, room)
    places = np.zeros(n_known + 1, dtype=np.uint32)
    places[order] = np.arange(1, n_known + 1, dtype=np.uint32)
    return ordered, places[numbers]


def by_head(column: pl.Series) -> tuple[NDArray[np.uint32], list[int]]:
    """Rows of a column that hold a string, in parts by the first two bytes of it, and where each part ends.

    Every string of a part is less than all strings of the next; within a part rows ascend.
    """
    counts = np.zeros(_HEADS, dtype=np.int64)
    with text_chunks(column) as chunks:
        for _, chunk in chunks:
            count_heads(chunk, counts)
        n_strings = int(counts.sum())
        n_parts = -(-n_strings // PART_ROWS)
        part_of = (np.cumsum(counts) - counts) * n_parts // max(n_strings, 1)
        ends = np.cumsum(np.bincount(part_of, weights=counts, minlength=n_parts)).astype(np.int64)
        places = np.concatenate([[0], ends[:-1]]).astype(np.int64)
        rows = np.empty(n_strings, dtype=np.uint32)
        for first, chunk in chunks:
            deal_rows(chunk, first, part_of, places, rows)
    return rows, ends.tolist()


@kernel
def head_of(chunk: TextChunk, row: int) -> np.uint32:
    """The first two bytes of a string as a number that ascends with it."""
    view = chunk.views[row, 1]
    return np.uint32((view & _BYTE) << _S8 | (view >> _S8) & _BYTE)


@kernel
def count_heads(chunk: TextChunk, counts: NDArray[np.int64]) -> None:
    """Add up how many strings have each head."""
    for row in range(len(chunk.views)):
        if text_length(chunk, row) > 0:
            counts[head_of(chunk, row)] += 1


@kernel
def deal_rows(
    chunk: TextChunk, first_row: int, part_of: NDArray[np.int64], places: NDArray[np.int64], rows: NDArray[np.uint32]
) -> None:
    """Write each row at the next place of its part."""
    for row in range(len(chunk.views)):
        if text_length(chunk, row) > 0:
            part = part_of[head_of(chunk, row)]
            rows[places[part]] = first_row + row
            places[part] += 1


def _room(n_rows: int) -> Distinct:
    return Distinct(
        np.zeros(1 << max(int(2 * n_rows - 1).bit_length(), 4), dtype=np.uint32),
        np.empty(n_rows + 1, dtype=np.int64),
        np.empty((n_rows + 1, 2), dtype=np.uint64),
        np.empty(n_rows + 1, dtype=np.int64),
    )


def _number(
    chunks: list[tuple[int, TextChunk]], n_rows: int, n_known: int, room: Distinct
) -> tuple[NDArray[np.uint32], int]:
    out = np.zeros(n_rows, dtype=np.uint32)
    for first, chunk in chunks:
        n_known = number_texts(chunk, first, n_known, room, out[first : first + len(chunk.views)])
    return out, n_known
