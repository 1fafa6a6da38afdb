"""Stable 64-bit hashes of strings and integers. Keys and ids of every run depend on them: never change one.

FNV-1a (Fowler, Noll, Vo) over code points or bytes, finished with splitmix64 (Steele, Lea, Flood 2014). 0 means
"no value" everywhere, so a hash that happens to be 0 becomes 1.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.jit import kernel

FNV_BASIS = np.uint64(0xCBF29CE484222325)
FNV_PRIME = np.uint64(0x100000001B3)
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_A = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B = np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31 = np.uint64(27), np.uint64(30), np.uint64(31)
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


@kernel
def hash_spans(units: NDArray[np.uint32], starts: NDArray[np.int64], out: NDArray[np.uint64]) -> None:
    """Hash every span of a flat table: out[i] = hash_span(units, starts[i], starts[i + 1])."""
    for row in range(len(starts) - 1):
        out[row] = hash_span(units, starts[row], starts[row + 1])


def hash_text(text: str) -> int:
    """Hash one string by its code points; the same value the kernels give."""
    points = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    return int(hash_span(points, 0, len(points)))


def flat_points(strings: pl.Series) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Lay the code points of all strings in one array; null counts as empty.

    Returns:
        points uint32 and starts int64 of length n + 1.
    """
    filled = strings.fill_null("")
    text = "".join(filled.to_list())
    return np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32), _starts(filled.str.len_chars())


def flat_bytes(strings: pl.Series) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Lay the UTF-8 bytes of all strings in one array; null counts as empty. Twin of `flat_points`."""
    filled = strings.fill_null("")
    text = str(filled.str.join("").item()) if len(filled) else ""
    return np.frombuffer(text.encode("utf-8"), dtype=np.uint8), _starts(filled.str.len_bytes())


def _starts(lengths: pl.Series) -> NDArray[np.int64]:
    starts = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths.to_numpy(), out=starts[1:])
    return starts
