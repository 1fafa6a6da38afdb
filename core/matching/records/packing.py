"""Kernels that put digits, streets and e-mail addresses into the words of a record."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.records.street_units import UNIT_BITS, unit_at, unit_number, word_code
from core.matching.standardise.streets import DIRECTION, TYPE, StreetTables
from core.matching.text.hashing import combine, hash_span, splitmix

NUMBER_BITS = 20
NUMBER_MAX = (1 << NUMBER_BITS) - 1
FORM_BITS = 32 - NUMBER_BITS - UNIT_BITS
UNIT_SHIFT = NUMBER_BITS + FORM_BITS
"""Where the unit of a house lies in the first word of a street, if it is kept; its form then has fewer bits."""
_FORM_MAX = (1 << FORM_BITS) - 1
# Streets that differ in their type alone, or in their direction alone, never have one form: 33 and 63 see to that.
_DIRECTION_STEP = 33
DIGITS_MAX = 16
TOKENS_MAX = 32
_LOW = np.uint64(0xFFFFFFFF)
_S8, _S32, _S56 = np.uint64(8), np.uint64(32), np.uint64(56)
_ZERO, _ONE = np.uint64(0), np.uint64(1)


@kernel
def low_word(value: np.uint64) -> np.uint32:
    """Lower half of a hash, never 0 unless the hash is."""
    word = value & _LOW
    if word == _ZERO and value != _ZERO:
        word = _ONE
    return np.uint32(word)


@kernel
def pack_digits(units: NDArray[np.uint8], starts: NDArray[np.int64], out: NDArray[np.uint32]) -> None:
    """Digits as nibbles of two words, first digit lowest, each stored as digit + 1 so that zeros and length survive.

    Only the last 16 digits of a span fit; other characters are skipped.
    """
    for row in range(len(starts) - 1):
        packed, n_digits = _ZERO, 0
        for at in range(starts[row + 1] - 1, starts[row] - 1, -1):
            digit = np.int64(units[at]) - 48
            if 0 <= digit <= 9 and n_digits < DIGITS_MAX:
                packed = (packed << np.uint64(4)) | np.uint64(digit + 1)
                n_digits += 1
        out[row, 0] = np.uint32(packed & _LOW)
        out[row, 1] = np.uint32(packed >> _S32)


@kernel
def pack_emails(units: NDArray[np.uint8], starts: NDArray[np.int64], out: NDArray[np.uint32]) -> None:
    """Hash of the whole address, and of what stands before the @."""
    for row in range(len(starts) - 1):
        stop = starts[row + 1]
        at_sign = starts[row]
        while at_sign < stop and units[at_sign] != 64:
            at_sign += 1
        out[row, 0] = low_word(hash_span(units, starts[row], stop))
        out[row, 1] = low_word(hash_span(units, starts[row], at_sign))


@kernel
def find_tokens(units: NDArray[np.uint8], start: int, stop: int, spans: NDArray[np.int64]) -> int:
    """Split at blanks into spans[i] = (start, stop); returns how many, at most len(spans)."""
    n_tokens, at = 0, start
    while at < stop and n_tokens < len(spans):
        while at < stop and units[at] == 32:
            at += 1
        begin = at
        while at < stop and units[at] != 32:
            at += 1
        if at > begin:
            spans[n_tokens, 0] = begin
            spans[n_tokens, 1] = at
            n_tokens += 1
    return n_tokens


@kernel
def house_number(units: NDArray[np.uint8], start: int, stop: int) -> int:
    """Number of a token of digits with at most one letter after them (12, 12a); -1 for any other token."""
    number, at = 0, start
    while at < stop and 48 <= units[at] <= 57:
        number = min(number * 10 + int(np.int64(units[at])) - 48, NUMBER_MAX)
        at += 1
    if at == start or stop - at > 1:
        return -1
    return number


@kernel
def street_record(
    units: NDArray[np.uint8],
    spans: NDArray[np.int64],
    n_tokens: int,
    tables: StreetTables,
    out: NDArray[np.uint32],
) -> None:
    """Pack one tokenised street: number, form and unit, name hash, 64-bit signature of the name's letter pairs."""
    pair_bits = tables.pair_bits
    number, name, signature = 0, _ZERO, _ZERO
    form, steps, unit = _ZERO, 0, 0
    pair, n_names, token, numbered = 0, 0, 0, -1
    while token < n_tokens:
        taken, unit = unit_at(units, spans, (token, n_tokens), (n_names, unit), tables)
        if taken > 0:
            token += taken
            continue
        start, stop = spans[token, 0], spans[token, 1]
        figure, code = house_number(units, start, stop), word_code(units, start, stop, tables)
        class_ = code >> 8
        if figure >= 0 and (n_names == 0 or number == 0):
            # Of "3/12 Main Street" the first is the unit.
            unit = unit_number(units, spans[numbered, 0], spans[numbered, 1]) if numbered >= 0 else unit
            numbered, number = token, figure
        elif figure >= 0 and numbered > 0 and token == numbered + 1 == n_tokens - 1:
            # Of "Hauptstrasse 12/3" the last is.
            unit = unit_number(units, start, stop)
        elif (class_ == TYPE and n_names > 0) or (class_ == DIRECTION and n_tokens > 2):
            form ^= splitmix(np.uint64(code))
            steps += (code & 0xFF) * (1 if class_ == TYPE else _DIRECTION_STEP)
        else:
            n_names += 1
            name = combine(name, hash_span(units, start, stop))
            for at in range(start, stop):
                pair = (pair << 8 | int(np.int64(units[at]))) & 0xFFFF
                signature |= pair_bits[pair] if pair > 255 else _ZERO
        token += 1
    if name == _ZERO and n_tokens > 0:
        name = _ONE
    if tables.with_unit:
        high = np.uint64(unit << FORM_BITS | (1 + steps % _FORM_MAX if steps > 0 else 0))
    else:
        high = form >> np.uint64(32 + NUMBER_BITS)
    out[0] = np.uint32(np.uint64(number) | high << np.uint64(NUMBER_BITS))
    out[1] = low_word(name)
    out[2] = np.uint32(signature & _LOW)
    out[3] = np.uint32(signature >> _S32)


@kernel
def pack_streets(
    units: NDArray[np.uint8],
    starts: NDArray[np.int64],
    tables: StreetTables,
    out: NDArray[np.uint32],
) -> None:
    """Pack every street of a flat table."""
    spans = np.empty((TOKENS_MAX, 2), dtype=np.int64)
    for row in range(len(starts) - 1):
        n_tokens = find_tokens(units, starts[row], starts[row + 1], spans)
        street_record(units, spans, n_tokens, tables, out[row])


PACKED_MAX = 16


@kernel
def pack_points(points: NDArray[np.uint32], starts: NDArray[np.int64], out: NDArray[np.uint64]) -> None:
    """Pack strings: out (V, 2), the first character in the lowest byte; 0 for what does not fit."""
    for row in range(len(out)):
        start, stop = starts[row], starts[row + 1]
        low, high = _ZERO, _ZERO
        fits = stop - start <= PACKED_MAX
        if fits:
            for at in range(stop - 1, start - 1, -1):
                point = np.uint64(points[at])
                fits = fits and _ZERO < point < np.uint64(256)
                high = (high << _S8) | (low >> _S56)
                low = (low << _S8) | point
        out[row, 0] = low if fits else _ZERO
        out[row, 1] = high if fits else _ZERO
