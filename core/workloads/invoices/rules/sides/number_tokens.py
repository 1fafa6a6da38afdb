"""Numbers of items found in texts that people and banks wrote: pieces joined, look-alike letters folded.

A text is cut into *pieces*, runs of digits or of letters. Up to six neighbours, joined where no mark of lists stands
between them, are looked up in an index of what numbers look like: *whole*, all letters and digits, and *digits*,
without letters and leading zeros. A hit that lies inside a longer one is none: numbers contain other numbers.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.jit import kernel

PIECES_MOST: Final = 96
JOINED_MOST, JOINED_BYTES_MOST = 6, 32
GAP_MOST: Final = 3
"""Bytes between two pieces that may belong to one number: ` - `."""
DIGITS_MOST: Final = 18
WHOLE_BYTES_MIN, DIGITS_MIN = 3, 3
TOKEN_DIGITS_MIN, TOKEN_PIECES_MOST = 3, 3
_FILTER_BITS: Final = 20
_WHOLE, _DIGITS = np.uint64(0xCBF29CE484222325), np.uint64(0x9E3779B97F4A7C15)
_PRIME, _MIX = np.uint64(0x100000001B3), np.uint64(0xD6E8FEB86659FD93)
_SHIFT, _FILTER_SHIFT = np.uint64(32), np.uint64(64 - _FILTER_BITS)

_CLASSES = np.zeros(256, dtype=np.uint8)
_CLASSES[48:58] = 1
_CLASSES[65:91] = 2
_CLASSES[97:123] = 2
_LISTING = np.zeros(256, dtype=np.bool_)
_LISTING[list(b"+&,;|")] = True
_FOLDED = np.arange(256, dtype=np.uint8)
_FOLDED[97:123] -= 32
for _letter, _digit in zip(b"OQILSBZ", b"0011582", strict=True):
    _FOLDED[[_letter, _letter + 32]] = _digit


class Texts(NamedTuple):
    """Texts end to end: `data` (bytes,) uint8 of ASCII, `starts` (n + 1,) int64."""

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]


class NumberIndex(NamedTuple):
    """keys: (n,) uint64 ascending, of all forms. seen: (2**20,) bool, whether any key begins so."""

    keys: NDArray[np.uint64]
    seen: NDArray[np.bool_]


class Found(NamedTuple):
    """What a scan fills.

    hits: (room, 5) int64: text, place of the key, first piece, piece behind the last, digits. tokens: (room, 6) int64:
    text, value, digits as written, first piece, piece behind the last, whether another hit has any of it.
    n: (2,) int64, how many there are of each, also where there is no room for them.
    """

    hits: NDArray[np.int64]
    tokens: NDArray[np.int64]
    n: NDArray[np.int64]


class Forms(NamedTuple):
    """(n,) of each number: keys of its whole and of its digits (0: too short), the digits' value, and how many."""

    whole: NDArray[np.uint64]
    digits: NDArray[np.uint64]
    value: NDArray[np.int64]
    n_digits: NDArray[np.int64]


def flatten(texts: pl.Series) -> Texts:
    """Texts without accents, other letters left out; null as empty."""
    if not texts.is_null().all() and texts.str.contains(r"[^\x00-\x7f]").any():
        texts = texts.str.normalize("NFKD").str.replace_all(r"[^\x00-\x7f]+", "")
    texts = texts.fill_null("")
    starts = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum(texts.str.len_bytes().to_numpy(), out=starts[1:])
    return Texts(np.frombuffer("".join(texts.to_list()).encode(), dtype=np.uint8), starts)


def index_of(keys: NDArray[np.uint64]) -> NumberIndex:
    """An index of keys; 0 is none."""
    keys = np.unique(keys)
    keys = keys[keys != 0]
    seen = np.zeros(1 << _FILTER_BITS, dtype=np.bool_)
    seen[(keys >> _FILTER_SHIFT).astype(np.int64)] = True
    return NumberIndex(keys, seen)


def find_numbers(texts: Texts, index: NumberIndex) -> Found:
    """Every hit and every number token of all texts, in their order. Cost: some 2 us a text."""
    n = len(texts.starts) - 1
    hits, tokens = 3 * n + 64, 12 * n + 64
    while True:
        found = Found(np.empty((hits, 5), np.int64), np.empty((tokens, 6), np.int64), np.zeros(2, np.int64))
        scan_texts(texts, index, found)
        if found.n[0] <= hits and found.n[1] <= tokens:
            return Found(found.hits[: found.n[0]], found.tokens[: found.n[1]], found.n)
        hits, tokens = max(hits, int(found.n[0])), max(tokens, int(found.n[1]))


def forms_of(numbers: Texts) -> Forms:
    """What the numbers of items look like."""
    n = len(numbers.starts) - 1
    forms = Forms(np.zeros(n, np.uint64), np.zeros(n, np.uint64), np.zeros(n, np.int64), np.zeros(n, np.int64))
    fill_forms(numbers, forms)
    return forms


@kernel
def fill_forms(numbers: Texts, forms: Forms) -> None:
    """Fill the forms of each number."""
    pieces = np.zeros((PIECES_MOST, 3), dtype=np.int64)
    for at in range(len(numbers.starts) - 1):
        n = _cut(numbers, at, pieces)
        whole, size = _WHOLE, 0
        digits, value, n_digits = _DIGITS, 0, 0
        for piece in range(n):
            whole = _hash_whole(numbers.data, pieces[piece], whole)
            size += pieces[piece, 1] - pieces[piece, 0]
            if pieces[piece, 2] == 1:
                digits, value, n_digits = _hash_digits(numbers.data, pieces[piece], (digits, value, n_digits))
        if size >= WHOLE_BYTES_MIN and n_digits > 0:
            forms.whole[at] = _ended(whole)
        if DIGITS_MIN <= n_digits <= DIGITS_MOST:
            forms.digits[at], forms.value[at], forms.n_digits[at] = _ended(digits), value, n_digits


@kernel
def scan_texts(texts: Texts, index: NumberIndex, found: Found) -> None:
    """Look up joined pieces of each text."""
    pieces = np.zeros((PIECES_MOST, 3), dtype=np.int64)
    for at in range(len(texts.starts) - 1):
        first_hit, first_token = found.n[0], found.n[1]
        n = _cut(texts, at, pieces)
        for first in range(n):
            _look_up_wholes(texts.data, pieces[first:n], index, (at, first), found)
            if pieces[first, 2] == 1:
                _look_up_digits(texts.data, pieces[first:n], index, (at, first), found)
        _drop_contained(found, first_hit)
        _mark_covered(found, first_hit, first_token)


@kernel
def _cut(texts: Texts, at: int, pieces: NDArray[np.int64]) -> int:
    """Fill start, end and class of each piece of a text; returns how many."""
    n, before = 0, 0
    for place in range(texts.starts[at], texts.starts[at + 1]):
        kind = _CLASSES[texts.data[place]]
        if kind != 0 and kind == before:
            pieces[n - 1, 1] = place + 1
        elif kind != 0:
            if n == len(pieces):
                return n
            pieces[n, 0], pieces[n, 1], pieces[n, 2] = place, place + 1, kind
            n += 1
        before = kind
    return n


@kernel
def _hash_whole(data: NDArray[np.uint8], piece: NDArray[np.int64], key: np.uint64) -> np.uint64:
    for place in range(piece[0], piece[1]):
        key = (key ^ np.uint64(_FOLDED[data[place]])) * _PRIME
    return key


@kernel
def _hash_digits(
    data: NDArray[np.uint8], piece: NDArray[np.int64], state: tuple[np.uint64, int, int]
) -> tuple[np.uint64, int, int]:
    """Go on with key, value and count of digits; zeros before the first other digit count for nothing."""
    key, value, n_digits = state
    for place in range(piece[0], piece[1]):
        digit = data[place] - np.uint8(48)
        if n_digits == 0 and digit == 0:
            continue
        key = (key ^ np.uint64(digit)) * _PRIME
        n_digits += 1
        if n_digits <= DIGITS_MOST:
            value = value * 10 + int(digit)
    return key, value, n_digits


@kernel
def _ended(key: np.uint64) -> np.uint64:
    key = (key ^ (key >> _SHIFT)) * _MIX
    return key ^ (key >> _SHIFT)


@kernel
def _place_of(index: NumberIndex, key: np.uint64) -> int:
    """Place of a key, or -1."""
    if not index.seen[np.int64(key >> _FILTER_SHIFT)]:
        return -1
    place = np.searchsorted(index.keys, key)
    return int(place) if place < len(index.keys) and index.keys[place] == key else -1


@kernel
def _is_apart(data: NDArray[np.uint8], end: int, start: int) -> bool:
    """Whether two pieces are not of one number: too far from each other, or items of a list."""
    apart = start - end > GAP_MOST
    for place in range(end, min(start, end + GAP_MOST)):
        apart |= _LISTING[data[place]]
    return apart


@kernel
def _look_up_wholes(
    data: NDArray[np.uint8], pieces: NDArray[np.int64], index: NumberIndex, at: tuple[int, int], found: Found
) -> None:
    """Look up what begins with the first of the pieces, letters and digits."""
    key, digits = _WHOLE, np.int64(0)
    for last in range(min(JOINED_MOST, len(pieces))):
        if last > 0 and _is_apart(data, pieces[last - 1, 1], pieces[last, 0]):
            return
        if pieces[last, 1] - pieces[0, 0] > JOINED_BYTES_MOST:
            return
        key = _hash_whole(data, pieces[last], key)
        if pieces[last, 2] == 1:
            digits += pieces[last, 1] - pieces[last, 0]
        if pieces[last, 1] - pieces[0, 0] >= WHOLE_BYTES_MIN:
            _add_hit(found, at, _place_of(index, _ended(key)), (last + 1, digits))


@kernel
def _look_up_digits(
    data: NDArray[np.uint8], pieces: NDArray[np.int64], index: NumberIndex, at: tuple[int, int], found: Found
) -> None:
    """Look up what begins with the first of the pieces, digits only; each is a token, too."""
    key, value, n_digits, written = _DIGITS, 0, 0, 0
    for last in range(min(JOINED_MOST, len(pieces))):
        if last > 0 and (pieces[last, 2] != 1 or _is_apart(data, pieces[last - 1, 1], pieces[last, 0])):
            return
        key, value, n_digits = _hash_digits(data, pieces[last], (key, value, n_digits))
        written += pieces[last, 1] - pieces[last, 0]
        if written > DIGITS_MOST:
            return
        if n_digits >= DIGITS_MIN:
            _add_hit(found, at, _place_of(index, _ended(key)), (last + 1, n_digits))
        if written >= TOKEN_DIGITS_MIN and last < TOKEN_PIECES_MOST:
            _add_token(found, at, value, (last + 1, written))


@kernel
def _add_hit(found: Found, at: tuple[int, int], key: int, size: tuple[int, int]) -> None:
    if key < 0:
        return
    row = found.n[0]
    if row < len(found.hits):
        found.hits[row, 0], found.hits[row, 1] = at[0], key
        found.hits[row, 2], found.hits[row, 3], found.hits[row, 4] = at[1], at[1] + size[0], size[1]
    found.n[0] += 1


@kernel
def _add_token(found: Found, at: tuple[int, int], value: int, size: tuple[int, int]) -> None:
    row = found.n[1]
    if row < len(found.tokens):
        found.tokens[row, 0], found.tokens[row, 1], found.tokens[row, 2] = at[0], value, size[1]
        found.tokens[row, 3], found.tokens[row, 4], found.tokens[row, 5] = at[1], at[1] + size[0], 0
    found.n[1] += 1


@kernel
def _drop_contained(found: Found, first: int) -> None:
    """Leave out hits from row `first` on that lie inside a longer one.

    Where there is no room all stay: it is tried again.
    """
    if found.n[0] > len(found.hits):
        return
    spans = found.hits[first : found.n[0], 2:4].copy()
    kept = first
    for row in range(len(spans)):
        inside = False
        for other in range(len(spans)):
            longer = spans[other, 1] - spans[other, 0] > spans[row, 1] - spans[row, 0]
            inside |= longer and spans[other, 0] <= spans[row, 0] and spans[other, 1] >= spans[row, 1]
        if not inside:
            found.hits[kept] = found.hits[first + row]
            kept += 1
    found.n[0] = kept


@kernel
def _mark_covered(found: Found, first_hit: int, first_token: int) -> None:
    if found.n[0] > len(found.hits) or found.n[1] > len(found.tokens):
        return
    for token in range(first_token, found.n[1]):
        for hit in range(first_hit, found.n[0]):
            overlap = found.hits[hit, 2] < found.tokens[token, 4] and found.tokens[token, 3] < found.hits[hit, 3]
            same = found.hits[hit, 2] == found.tokens[token, 3] and found.tokens[token, 4] == found.hits[hit, 3]
            # What is a number by itself may be the end of another customer's, too.
            if overlap and not same:
                found.tokens[token, 5] = 1
