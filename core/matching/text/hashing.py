"""Stable 64-bit hashes of strings and integers. Keys and ids of every run depend on them: never change one.

FNV-1a (Fowler, Noll, Vo) over code points or bytes, finished with splitmix64 (Steele, Lea, Flood 2014). 0 means
"no value" everywhere, so a hash that happens to be 0 becomes 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.text.string_views import Spread, TextChunk, byte_at, copy_text, text_address, text_chunks

FNV_BASIS = np.uint64(0xCBF29CE484222325)
FNV_PRIME = np.uint64(0x100000001B3)
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_A = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B = np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S32 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(32)
_ZERO, _ONE = np.uint64(0), np.uint64(1)


@kernel
def splitmix(value: np.uint64) -> np.uint64:
    """Mix 64 bits so that every input bit reaches every output bit; a bijection."""
    mixed = np.uint64(value) + _GAMMA
    mixed = (mixed ^ (mixed >> _S30)) * _MIX_A
    mixed = (mixed ^ (mixed >> _S27)) * _MIX_B
    return mixed ^ (mixed >> _S31)


@kernel
def combine(left: np.uint64, right: np.uint64) -> np.uint64:
    """Hash an ordered pair of hashes; never 0."""
    mixed = splitmix(np.uint64(left) ^ splitmix(right))
    return mixed if mixed != _ZERO else _ONE


@kernel
def hash_span(units: NDArray[np.uint32], start: int, stop: int) -> np.uint64:
    """Hash units[start:stop], code points or bytes; 0 for an empty span and never otherwise."""
    if stop <= start:
        return _ZERO
    state = FNV_BASIS
    for at in range(start, stop):
        state = (state ^ np.uint64(units[at])) * FNV_PRIME
    state = splitmix(state)
    return state if state != _ZERO else _ONE


def hash_text(text: str) -> int:
    """Hash one string by its code points; the same value the kernels give."""
    # Writable, as the arrays are that kernels hash: another type would be compiled once more.
    points = np.frombuffer(bytearray(text, "utf-32-le"), dtype=np.uint32)
    return int(hash_span(points, 0, len(points)))


class Lookup(NamedTuple):
    """A small table from hashes to numbers, as kernels read it, so wide that most probes are the first.

    S is a power of two.
    """

    keys: NDArray[np.uint64]  # (S,) at the slot of the key's highest bits, or after; 0: free
    values: NDArray[np.uint64]  # (S,) never 0 where there is a key


def lookup(values: Mapping[int, int]) -> Lookup:
    """Lay out a table; neither hashes nor values may be 0."""
    bits = max(len(values) * 8, 2).bit_length()
    keys, found = np.zeros(1 << bits, dtype=np.uint64), np.zeros(1 << bits, dtype=np.uint64)
    for key, value in values.items():
        slot = key >> (64 - bits)
        while keys[slot]:
            slot = (slot + 1) % len(keys)
        keys[slot], found[slot] = key, value
    return Lookup(keys, found)


@kernel
def look_up(keys: NDArray[np.uint64], values: NDArray[np.uint64], key: np.uint64) -> np.uint64:
    """The value of a hash in the arrays of a `Lookup`; 0 when it has none.

    The arrays come one by one: taking them out of a tuple counts references, which costs more than the search.
    """
    # The highest bits of a hash, as many as number the slots.
    slot = np.int64((key >> _S32) * np.uint64(len(keys)) >> _S32)
    while keys[slot] != _ZERO:
        if keys[slot] == key:
            return np.uint64(values[slot])
        slot = (slot + 1) & (len(keys) - 1)
    return _ZERO


def flat_points(strings: pl.Series, spread: Spread = map) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Lay the code points of all strings in one array; null counts as empty.

    Args:
        spread: calls a function on the chunks of the column; which one changes nothing.
    Returns:
        points uint32 and starts int64 of length n + 1.
    """
    starts = np.zeros(len(strings) + 1, dtype=np.int64)
    lengths = [*spread(lambda piece: piece.str.len_chars().fill_null(0).to_numpy(), strings.get_chunks())]
    np.cumsum(np.concatenate(lengths), out=starts[1:])
    points = np.empty(starts[-1], dtype=np.uint32)
    with text_chunks(strings) as chunks:
        for _ in spread(lambda each: decode_texts(each[1], starts[each[0] :], points), chunks):
            pass
    return points, starts


def flat_bytes(strings: pl.Series) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Lay the UTF-8 bytes of all strings in one array; null counts as empty.

    Cost: 10 ns a string, without the GIL.
    """
    starts = np.zeros(len(strings) + 1, dtype=np.int64)
    np.cumsum(strings.str.len_bytes().fill_null(0).to_numpy(), out=starts[1:])
    units = np.empty(starts[-1], dtype=np.uint8)
    with text_chunks(strings) as chunks:
        for first, chunk in chunks:
            copy_texts(chunk, starts[first:], units)
    return units, starts


@kernel
def copy_texts(chunk: TextChunk, starts: NDArray[np.int64], out: NDArray[np.uint8]) -> None:
    """Copy all strings of a chunk, string i to out[starts[i] : starts[i + 1]]."""
    for row in range(len(chunk.views)):
        length = starts[row + 1] - starts[row]
        if length > 0:
            copy_text(chunk, row, length, out[starts[row] : starts[row + 1]])


@kernel
def decode_texts(chunk: TextChunk, starts: NDArray[np.int64], out: NDArray[np.uint32]) -> None:
    """Code points of all strings of a chunk, well-formed UTF-8: string i to out[starts[i] : starts[i + 1]]."""
    for row in range(len(chunk.views)):
        n_points = starts[row]
        if starts[row + 1] == n_points:
            continue
        address = text_address(chunk, row)
        for at in range(address, address + np.int64(chunk.views[row, 0])):
            unit = np.uint32(byte_at(at))
            if unit < 0x80:
                out[n_points] = unit
                n_points += 1
            elif unit >= 0xC0:
                # The first byte of two, three or four tells by its high bits how many low ones it gives.
                out[n_points] = unit & np.uint32(0x1F if unit < 0xE0 else 0x0F if unit < 0xF0 else 0x07)
                n_points += 1
            else:
                out[n_points - 1] = out[n_points - 1] << np.uint32(6) | unit & np.uint32(0x3F)
