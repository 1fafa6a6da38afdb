"""From text as people wrote it straight to the words of a record, for the values that are plain ASCII.

Each kernel does in one walk over the bytes what `normalise` and `packing` do with whole columns, and marks the values
it leaves to them: those with other letters than ASCII, and long ones. Tests hold the two ways against each other.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.records.packing import DIGITS_MAX, TOKENS_MAX, find_tokens, low_word, street_record
from core.matching.standardise.normalise import PLACEHOLDER_DIGITS, PLACEHOLDER_MAILS
from core.matching.standardise.streets import StreetTables
from core.matching.standardise.unknown_words import UNKNOWN_WORDS
from core.matching.text.hashing import FNV_BASIS, FNV_PRIME, hash_span, hash_text, splitmix
from core.matching.text.string_views import TextChunk, byte_at, copy_text, text_address, text_length

TEXT_MAX = 256
_UNIT_MARK = np.frombuffer(b" unit ", dtype=np.uint8)
_ZERO, _ONE, _FOUR = np.uint64(0), np.uint64(1), np.uint64(4)
_LOW, _S32 = np.uint64(0xFFFFFFFF), np.uint64(32)
_NIBBLES = np.uint64(0x1111111111111111)
_BLANK, _HASH, _PLUS, _AT, _DOT = 32, 35, 43, 64, 46


class Refused(NamedTuple):
    """Values that mean "unknown", as kernels compare them."""

    digits: NDArray[np.uint64]  # packed as `packing.pack_digits` does
    mails: NDArray[np.uint64]  # hashes of what stands before the @
    mail_longest: int
    words: NDArray[np.uint64]  # hashes
    word_longest: int


@cache
def refused() -> Refused:
    """The placeholders of `normalise`."""
    digits = [sum((int(digit) + 1) << (4 * place) for place, digit in enumerate(text)) for text in PLACEHOLDER_DIGITS]
    return Refused(
        np.array(digits, dtype=np.uint64),
        np.array([hash_text(text) for text in PLACEHOLDER_MAILS], dtype=np.uint64),
        max(map(len, PLACEHOLDER_MAILS)),
        np.array([hash_text(text) for text in UNKNOWN_WORDS], dtype=np.uint64),
        max(map(len, UNKNOWN_WORDS)),
    )


@kernel
def contains(values: NDArray[np.uint64], wanted: np.uint64) -> bool:
    """Whether a short array has a value."""
    for value in values:
        if value == wanted:
            return True
    return False


@kernel
def is_space(byte: int) -> bool:
    """ASCII white space as regular expressions have it."""
    return byte == _BLANK or 9 <= byte <= 13


@kernel
def lower_word_byte(byte: int) -> int:
    """An ASCII letter in lower case, or a digit, as it is; 0 for any other byte."""
    if 65 <= byte <= 90:
        return byte + 32
    return byte if 97 <= byte <= 122 or 48 <= byte <= 57 else 0


@kernel
def fill_digits(
    chunk: TextChunk, keep: int, refuse: Refused, words: NDArray[np.uint32], at: int, slow: NDArray[np.bool_]
) -> None:
    """The last `keep` digits of each value into words[:, at : at + 2]; placeholders and short numbers stay 0."""
    for row in range(len(chunk.views)):
        length = text_length(chunk, row)
        if length == 0:
            continue
        address = text_address(chunk, row)
        packed, n_digits, seen, lettered = _ZERO, 0, np.uint8(0), False
        for place in range(address + length - 1, address - 1, -1):
            byte = byte_at(place)
            seen |= byte
            if byte >= 64 or byte == _HASH:
                lettered = True
            if 48 <= byte <= 57 and n_digits < keep:
                packed = (packed << _FOUR) | np.uint64(byte - 47)
                n_digits += 1
        # A telephone number with a letter or # behind it may have an extension, which patterns find.
        slow[row] = seen > 127 or (lettered and keep < DIGITS_MAX)
        if n_digits < 3 or slow[row]:
            continue
        repeated = (_NIBBLES >> np.uint64(64 - 4 * n_digits)) * (packed & np.uint64(15)) == packed
        if not (repeated and n_digits > 3) and not contains(refuse.digits, packed):
            words[row, at] = np.uint32(packed & _LOW)
            words[row, at + 1] = np.uint32(packed >> _S32)


@kernel
def clean_words(text: NDArray[np.uint8], length: int, units: bool, out: NDArray[np.uint8]) -> int:
    """Words in lower case with single blanks between; returns how many bytes, -1 if not all is ASCII.

    Args:
        units: whether `#` is written as "unit", so that there may be more bytes than before.
    """
    n_out, gap = 0, False
    for at in range(length):
        byte = np.int64(text[at])
        if byte > 127:
            return -1
        letter = lower_word_byte(byte)
        if letter != 0:
            if gap and n_out > 0:
                out[n_out] = _BLANK
                n_out += 1
            out[n_out] = letter
            n_out += 1
            gap = False
        elif units and byte == _HASH:
            begin = 1 if n_out == 0 else 0
            for mark in range(begin, 5):
                out[n_out] = _UNIT_MARK[mark]
                n_out += 1
            gap = True
        elif byte not in (39, 46, 96):
            # Apostrophes and full stops vanish; all else separates.
            gap = True
    return n_out


@kernel
def fill_streets(
    chunk: TextChunk,
    tables: StreetTables,
    refuse: Refused,
    words: NDArray[np.uint32],
    at: int,
    slow: NDArray[np.bool_],
) -> None:
    """Each address into words[:, at : at + 4]."""
    text, clean = np.empty(TEXT_MAX, dtype=np.uint8), np.empty(TEXT_MAX * 6, dtype=np.uint8)
    spans = np.empty((TOKENS_MAX, 2), dtype=np.int64)
    for row in range(len(chunk.views)):
        length = text_length(chunk, row)
        if length == 0:
            continue
        if length > TEXT_MAX:
            slow[row] = True
            continue
        copy_text(chunk, row, length, text)
        size = clean_words(text, length, True, clean)
        slow[row] = size < 0
        if size <= 0 or (size <= refuse.word_longest and contains(refuse.words, hash_span(clean, 0, size))):
            continue
        n_tokens = find_tokens(clean, 0, size, spans)
        street_record(clean, spans, n_tokens, tables, words[row, at : at + 4])


@kernel
def clean_texts(
    chunk: TextChunk,
    refuse: Refused,
    units: NDArray[np.uint8],
    starts: NDArray[np.int64],
    done: NDArray[np.bool_],
    n_done: int,
) -> int:
    """Write the words of each value behind those of `n_done` others; a placeholder becomes an empty string.

    Args:
        units: room for all bytes of the column. starts: (n + 1,), where the value after the last done begins.
        done: set where a value was written.
    Returns:
        How many values are done now.
    """
    text = np.empty(TEXT_MAX, dtype=np.uint8)
    for row in range(len(chunk.views)):
        length = text_length(chunk, row)
        if length > TEXT_MAX:
            continue
        if length > 0:
            copy_text(chunk, row, length, text)
        start = starts[n_done]
        size = clean_words(text, length, False, units[start:])
        if size < 0:
            continue
        done[row] = True
        n_done += 1
        known = size > refuse.word_longest or not contains(refuse.words, hash_span(units, start, start + size))
        starts[n_done] = start + size if known else start
    return n_done


@kernel
def clean_mail(text: NDArray[np.uint8], length: int, out: NDArray[np.uint8]) -> tuple[int, int]:
    """Lower case without white space and tag.

    Returns:
        Bytes, and the place of the @; -1, -1 if not all is ASCII; 0, 0 if this is no address.
    """
    n_out, at_sign, n_signs, tagged, dotted = 0, -1, 0, False, -1
    for at in range(length):
        byte = np.int64(text[at])
        if byte > 127:
            return -1, -1
        if is_space(byte):
            continue
        if byte == _AT:
            n_signs += 1
            at_sign = n_out
            tagged = False
        elif byte == _PLUS and n_signs == 0:
            tagged = True
        if tagged:
            continue
        # A dot of the domain counts when a byte stands before it; whether one follows is seen at the end.
        if byte == _DOT and n_signs > 0 and n_out > at_sign + 1 and dotted < 0:
            dotted = n_out
        out[n_out] = byte + 32 if 65 <= byte <= 90 else byte
        n_out += 1
    whole = n_signs == 1 and at_sign > 0 and 0 < dotted < n_out - 1
    return (n_out, at_sign) if whole else (0, 0)


@kernel
def hash_mail(text: NDArray[np.uint8], size: int, at_sign: int) -> tuple[np.uint64, np.uint64]:
    """`hash_span` of all, and of what stands before the @, in one walk."""
    state, local = FNV_BASIS, FNV_BASIS
    for at in range(size):
        if at == at_sign:
            local = state
        state = (state ^ np.uint64(text[at])) * FNV_PRIME
    return max(splitmix(state), _ONE), max(splitmix(local), _ONE)


@kernel
def fill_emails(chunk: TextChunk, refuse: Refused, words: NDArray[np.uint32], at: int, slow: NDArray[np.bool_]) -> None:
    """Hash of each address into words[:, at], and of what stands before its @ into the next."""
    text, clean = np.empty(TEXT_MAX, dtype=np.uint8), np.empty(TEXT_MAX, dtype=np.uint8)
    for row in range(len(chunk.views)):
        length = text_length(chunk, row)
        if length == 0:
            continue
        if length > TEXT_MAX:
            slow[row] = True
            continue
        copy_text(chunk, row, length, text)
        size, at_sign = clean_mail(text, length, clean)
        slow[row] = size < 0
        if size <= 0:
            continue
        whole, local = hash_mail(clean, size, at_sign)
        if at_sign > refuse.mail_longest or not contains(refuse.mails, local):
            words[row, at] = low_word(whole)
            words[row, at + 1] = low_word(local)


@kernel
def plain_words(chunk: TextChunk, out: NDArray[np.bool_]) -> None:
    """Whether a value is one word of ASCII letters and digits: then lower case is all it needs.

    Not marked are nine digits and one character repeated: as codes they may be more, or less, than they look.
    """
    for row in range(len(chunk.views)):
        length = text_length(chunk, row)
        if length == 0:
            continue
        address = text_address(chunk, row)
        first = lower_word_byte(np.int64(byte_at(address)))
        plain, varied, lettered = True, length == 1, False
        for place in range(address, address + length):
            letter = lower_word_byte(np.int64(byte_at(place)))
            plain = plain and letter != 0
            varied = varied or letter != first
            lettered = lettered or letter > 57
        out[row] = plain and varied and (lettered or length != 9)
