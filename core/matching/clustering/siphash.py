"""SipHash-2-4 with 128 bits: a keyed hash of which two texts never share one by chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel

_SIP = tuple(
    np.uint64(word) for word in (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
)
_EE, _DD = np.uint64(0xEE), np.uint64(0xDD)


@kernel
def _turn(value: np.uint64, left: int) -> np.uint64:
    return (value << np.uint64(left)) | (value >> np.uint64(64 - left))


@kernel
def _round(a: np.uint64, b: np.uint64, c: np.uint64, d: np.uint64) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    a, c = a + b, c + d
    b, d = _turn(b, 13) ^ a, _turn(d, 16) ^ c
    a = _turn(a, 32)
    c, a = c + b, a + d
    b, d = _turn(b, 17) ^ c, _turn(d, 21) ^ a
    return a, b, _turn(c, 32), d


@kernel
def siphash(text: NDArray[np.uint8], start: int, stop: int, key: NDArray[np.uint64]) -> tuple[np.uint64, np.uint64]:
    """SipHash-2-4 with 128 bits of text[start:stop]; key (2,).

    Source: Aumasson & Bernstein (2012), SipHash; the 128-bit form of their reference code.
    """
    a, b, c, d = _SIP[0] ^ key[0], _SIP[1] ^ key[1] ^ _EE, _SIP[2] ^ key[0], _SIP[3] ^ key[1]
    word, filled = np.uint64(0), 0
    for at in range(start, stop):
        word |= np.uint64(text[at]) << np.uint64(8 * filled)
        filled += 1
        if filled == 8:
            d ^= word
            a, b, c, d = _round(a, b, c, d)
            a, b, c, d = _round(a, b, c, d)
            a ^= word
            word, filled = np.uint64(0), 0
    word |= np.uint64((stop - start) & 255) << np.uint64(56)
    d ^= word
    a, b, c, d = _round(a, b, c, d)
    a, b, c, d = _round(a, b, c, d)
    a ^= word
    c ^= _EE
    for _ in range(4):
        a, b, c, d = _round(a, b, c, d)
    low = a ^ b ^ c ^ d
    b ^= _DD
    for _ in range(4):
        a, b, c, d = _round(a, b, c, d)
    return low, a ^ b ^ c ^ d
