"""Short strings packed into two 64-bit words, one byte a character, and their similarities word by word.

Nearly all strings of a vocabulary have at most 16 characters, all of them below 256: such a pair is compared in
registers, eight characters at a time. Every other string packs to zero and is compared by its code points. Results
equal those of `kernels` bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
from numba.cpython.unsafe import numbers
from numpy.typing import NDArray

from core.matching.compare.similarity import (
    WINKLER_BOOST_ABOVE,
    WINKLER_PREFIX,
    WINKLER_WEIGHT,
    jaro_winkler,
    n_bits,
    osa_within,
)
from core.matching.jit import kernel

# One instruction each; numba types them for kernels only.
leading_zeros = cast("Callable[[np.uint64], int]", numbers.leading_zeros)
trailing_zeros = cast("Callable[[np.uint64], int]", numbers.trailing_zeros)

_ZERO, _ONE, _BYTE = np.uint64(0), np.uint64(1), np.uint64(255)
_S3, _S7, _S8, _S56 = np.uint64(3), np.uint64(7), np.uint64(8), np.uint64(56)
_LOWS, _SEVENS, _HIGHS = (np.uint64(int(byte * 8, 16)) for byte in ("01", "7f", "80"))


@kernel
def is_packed(low: np.uint64) -> bool:
    """Whether a string is packed, by its lower word."""
    return bool(low != _ZERO)


@kernel
def packed_length(low: np.uint64, high: np.uint64) -> int:
    """Characters of a packed string; 0 for one that is not packed."""
    if high != _ZERO:
        return 16 - int(leading_zeros(high)) // 8
    return 8 - int(leading_zeros(low)) // 8 if low != _ZERO else 0


@kernel
def equal_bytes(word: np.uint64, letter: np.uint64) -> np.uint64:
    """The highest bit of every byte that is `letter`. Source: Warren, Hacker's Delight, 6-1."""
    differ = word ^ (letter * _LOWS)
    return ~(((differ & _SEVENS) + _SEVENS) | differ | _SEVENS)


@kernel
def byte_at(low: np.uint64, high: np.uint64, place: int) -> np.uint64:
    """One character."""
    word = low if place < 8 else high
    return (word >> np.uint64(8 * (place & 7))) & _BYTE


@kernel
def jaro_winkler_packed(a_low: np.uint64, a_high: np.uint64, b_low: np.uint64, b_high: np.uint64) -> float:
    """Jaro-Winkler of two packed strings, neither of them empty."""
    n_a, n_b = packed_length(a_low, a_high), packed_length(b_low, b_high)
    if n_a <= 8 and n_b <= 8:
        common, moved = matches_of_eight(a_low, b_low, n_a, n_b)
    else:
        common, moved = matches_of_sixteen(a_low, a_high, b_low, b_high)
    if common == 0:
        return 0.0
    # The order of these sums is rapidfuzz's: another one differs in the last bit.
    total = common / n_a
    total += common / n_b
    total += (common - moved // 2) / common
    similarity = total / 3.0
    if similarity <= WINKLER_BOOST_ABOVE:
        return similarity
    differ = a_low ^ b_low
    same = 8 if differ == _ZERO else int(trailing_zeros(differ)) // 8
    prefix = min(WINKLER_PREFIX, same, n_a, n_b)
    return min(similarity + prefix * WINKLER_WEIGHT * (1.0 - similarity), 1.0)


@kernel
def matches_of_eight(a: np.uint64, b: np.uint64, n_a: int, n_b: int) -> tuple[int, int]:
    """Characters in common within reach, and how many of them stand in another order; at most eight each side."""
    reach = max(max(n_a, n_b) // 2 - 1, 0)
    window = (_ONE << np.uint64(8 * (reach + 1))) - _ONE
    used, met, rest, place = _ZERO, _ZERO, b, np.uint64(0x80)
    for j in range(n_b):
        found = equal_bytes(a, rest & _BYTE) & window & ~used
        used |= found & (~found + _ONE)
        met |= place if found != _ZERO else _ZERO
        rest, place = rest >> _S8, place << _S8
        window = (window << _S8) | (_BYTE if j < reach else _ZERO)
    common, moved = n_bits(used), 0
    while used != _ZERO:
        letter_a = (a >> (np.uint64(trailing_zeros(used)) - _S7)) & _BYTE
        letter_b = (b >> (np.uint64(trailing_zeros(met)) - _S7)) & _BYTE
        moved += int(letter_a != letter_b)
        used, met = used & (used - _ONE), met & (met - _ONE)
    return common, moved


@kernel
def matches_of_sixteen(a_low: np.uint64, a_high: np.uint64, b_low: np.uint64, b_high: np.uint64) -> tuple[int, int]:
    """As `matches_of_eight`, for at most sixteen characters each side."""
    n_a, n_b = packed_length(a_low, a_high), packed_length(b_low, b_high)
    reach = max(n_a, n_b) // 2 - 1
    # At most eight: the window begins inside the lower word.
    window_low = (_ONE << np.uint64(8 * (reach + 1))) - _ONE if reach < 7 else ~_ZERO
    window_high = _ZERO
    used_low, used_high, met = _ZERO, _ZERO, 0
    for j in range(n_b):
        letter = byte_at(b_low, b_high, j)
        found_low = equal_bytes(a_low, letter) & window_low & ~used_low
        found_high = equal_bytes(a_high, letter) & window_high & ~used_high
        if found_low != _ZERO:
            used_low |= found_low & (~found_low + _ONE)
            met |= 1 << j
        elif found_high != _ZERO:
            used_high |= found_high & (~found_high + _ONE)
            met |= 1 << j
        window_high = (window_high << _S8) | (window_low >> _S56)
        window_low = (window_low << _S8) | (_BYTE if j < reach else _ZERO)
    common, moved = n_bits(used_low) + n_bits(used_high), 0
    for j in range(n_b):
        if met >> j & 1 == 0:
            continue
        if used_low != _ZERO:
            letter = (a_low >> (np.uint64(trailing_zeros(used_low)) - _S7)) & _BYTE
            used_low &= used_low - _ONE
        else:
            letter = (a_high >> (np.uint64(trailing_zeros(used_high)) - _S7)) & _BYTE
            used_high &= used_high - _ONE
        moved += int(letter != byte_at(b_low, b_high, j))
    return common, moved


@kernel
def osa_one_packed(a_low: np.uint64, a_high: np.uint64, b_low: np.uint64, b_high: np.uint64) -> bool:
    """Whether the OSA distance of two packed strings that differ is 1."""
    n_a, n_b = packed_length(a_low, a_high), packed_length(b_low, b_high)
    if n_a - n_b > 1 or n_b - n_a > 1:
        return False
    low, high = a_low ^ b_low, a_high ^ b_high
    first = int(trailing_zeros(low)) // 8 if low != _ZERO else 8 + int(trailing_zeros(high)) // 8
    if n_a > n_b:
        return without(a_low, a_high, first) == (b_low, b_high)
    if n_b > n_a:
        return without(b_low, b_high, first) == (a_low, a_high)
    last = 15 - int(leading_zeros(high)) // 8 if high != _ZERO else 7 - int(leading_zeros(low)) // 8
    if first == last:
        return True
    crossed = byte_at(a_low, a_high, first) == byte_at(b_low, b_high, last)
    crossed = crossed and byte_at(a_low, a_high, last) == byte_at(b_low, b_high, first)
    return crossed and last == first + 1


@kernel
def without(low: np.uint64, high: np.uint64, place: int) -> tuple[np.uint64, np.uint64]:
    """A packed string with one character taken out."""
    if place >= 8:
        keep = (_ONE << np.uint64(8 * (place - 8))) - _ONE
        return low, (high & keep) | ((high >> _S8) & ~keep)
    keep = (_ONE << np.uint64(8 * place)) - _ONE
    return (low & keep) | (((low >> _S8) | (high << _S56)) & ~keep), high >> _S8


@kernel
def jaro_winkler_codes(
    table: tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.uint64]], code_a: int, code_b: int,
    flags: NDArray[np.uint8],
) -> float:  # fmt: skip
    """Jaro-Winkler of two strings of any length; table = (points, starts, packed strings)."""
    points, starts, packed = table
    if is_packed(packed[code_a, 0]) and is_packed(packed[code_b, 0]):
        return jaro_winkler_packed(packed[code_a, 0], packed[code_a, 1], packed[code_b, 0], packed[code_b, 1])
    a, b = points[starts[code_a] : starts[code_a + 1]], points[starts[code_b] : starts[code_b + 1]]
    return jaro_winkler(a, b, flags)


@kernel
def jaro_winkler_pairs(
    table: tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.uint64]],
    codes: tuple[NDArray[np.uint32], NDArray[np.uint32]],
    flags: NDArray[np.uint8],
    out: NDArray[np.float64],
) -> None:
    """Jaro-Winkler of many pairs of codes, into out (n,); `flags` as for `similarity.jaro_winkler`."""
    packed, left, right = table[2], codes[0], codes[1]
    for pair in range(len(out)):
        a, b = left[pair], right[pair]
        low_a, low_b = packed[a, 0], packed[b, 0]
        if is_packed(low_a) and is_packed(low_b):
            out[pair] = jaro_winkler_packed(low_a, packed[a, 1], low_b, packed[b, 1])
        else:
            out[pair] = jaro_winkler_codes(table, a, b, flags)


@kernel
def osa_one_pairs(
    table: tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.uint64]],
    codes: tuple[NDArray[np.uint32], NDArray[np.uint32]],
    rows: NDArray[np.int32],
    out: NDArray[np.bool_],
) -> None:
    """Whether the OSA distance of many pairs of codes is at most 1; `rows` as for `similarity.osa_within`."""
    points, starts, packed = table
    left, right = codes
    for pair in range(len(out)):
        a, b = left[pair], right[pair]
        low_a, low_b = packed[a, 0], packed[b, 0]
        if a == b:
            out[pair] = True
        elif is_packed(low_a) and is_packed(low_b):
            out[pair] = osa_one_packed(low_a, packed[a, 1], low_b, packed[b, 1])
        else:
            span_a, span_b = points[starts[a] : starts[a + 1]], points[starts[b] : starts[b + 1]]
            out[pair] = osa_within(span_a, span_b, 1, rows)
