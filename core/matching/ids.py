"""Entity ids: a function of the namespace and the smallest record id, never of row numbers."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.jit import kernel

KEY_BYTES = 16
UUID_CHARACTERS = 36
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_SIP = tuple(
    np.uint64(word) for word in (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
)
_EE, _DD, _FF = np.uint64(0xEE), np.uint64(0xDD), np.uint64(0xFF)
PADDED_BYTES_MAX = 1 << 26


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


@kernel
def write_uuids(
    rows: NDArray[np.uint32],
    ids: tuple[NDArray[np.uint8], NDArray[np.int64], int],
    key: NDArray[np.uint64],
    out: NDArray[np.uint8],
) -> None:
    """UUIDv8 of each row's source-qualified id as text, out (n, 36); ids = (bytes, starts, boundary of the sources)."""
    text, starts, boundary = ids
    digits = np.empty(32, dtype=np.uint8)
    halves = np.empty(2, dtype=np.uint64)
    for at in range(len(rows)):
        row = np.int64(rows[at])
        # The second source's ids are hashed under another key, so that equal ids of two sources differ.
        second = boundary > 0 and row >= boundary
        mine = key[2:4] if second else key[0:2]
        halves[0], halves[1] = siphash(text, starts[row], starts[row + 1], mine)
        for half in range(2):
            for digit in range(16):
                digits[16 * half + digit] = _HEX[(halves[half] >> np.uint64(60 - 4 * digit)) & np.uint64(15)]
        # RFC 9562: version 8, variant 10.
        digits[12] = _HEX[8]
        digits[16] = _HEX[np.uint64(8) | ((halves[1] >> np.uint64(60)) & np.uint64(3))]
        place = 0
        for digit in range(32):
            if place in (8, 13, 18, 23):
                out[at, place] = 45
                place += 1
            out[at, place] = digits[digit]
            place += 1


def entity_ids(
    rows: NDArray[np.uint32], ids: tuple[NDArray[np.uint8], NDArray[np.int64]], namespace: str, boundary: int = 0
) -> pl.Series:
    """Name entities by their smallest source-qualified record id.

    Args:
        rows: per entity the row that names it.
        ids: bytes of all record ids, and where each begins.
        namespace: ids of two namespaces never meet.
        boundary: first row of the second source; 0 when there is one.
    Returns:
        String, UUIDv8 (RFC 9562) of a keyed 128-bit hash.
    Cost: about 0.1 us an id.
    """
    keys = b"".join(blake2b(f"{source}:{namespace}".encode(), digest_size=KEY_BYTES).digest() for source in (0, 1))
    out = np.empty((len(rows), UUID_CHARACTERS), dtype=np.uint8)
    write_uuids(rows, (*ids, boundary), np.frombuffer(keys, dtype=np.uint64).copy(), out)
    return _texts("entity_id", out)


def texts_at(name: str, rows: NDArray[np.uint32], flat: tuple[NDArray[np.uint8], NDArray[np.int64]]) -> pl.Series:
    """Strings of some rows out of flat UTF-8 bytes and starts; no string may hold NUL."""
    text, starts = flat
    pieces = [pl.Series(name, [], dtype=pl.String)]
    places = rows.astype(np.int64)
    longest = int((starts[places + 1] - starts[places]).max(initial=1))
    step = max(PADDED_BYTES_MAX // longest, 1)
    for lo in range(0, len(rows), step):
        some = rows[lo : lo + step]
        padded = np.zeros((len(some), longest), dtype=np.uint8)
        pad_spans(text, starts, some, padded)
        pieces.append(_texts(name, padded))
    return pl.concat(pieces)


@kernel
def pad_spans(
    text: NDArray[np.uint8], starts: NDArray[np.int64], rows: NDArray[np.uint32], out: NDArray[np.uint8]
) -> None:
    """Write the span of each row into a line of its own, out (n, longest)."""
    for at in range(len(rows)):
        start = starts[np.int64(rows[at])]
        for place in range(starts[np.int64(rows[at]) + 1] - start):
            out[at, place] = text[start + place]


def _texts(name: str, padded: NDArray[np.uint8]) -> pl.Series:
    """Strings out of lines of UTF-8 bytes that end in NULs."""
    lines = padded.view(f"S{padded.shape[1]}").ravel()
    return pl.Series(name, lines, dtype=pl.Binary).cast(pl.String)
