"""The words of a text: titles, names of firms, lists of authors. Written behind each other with single blanks.

    "CDP-CE375 &amp; Sons, G.m.b.H."   cdpce375 and sons gmbh

A token is a NUMBER (digits, perhaps with decimal points), a CODE (letters and digits, four or more together: a model,
a part) or a WORD. What is written in pieces and meant as one is one: codes with dashes, initials with full stops or
blanks between. Bytes above ASCII count as letters: what is neither letter nor number is taken away before.
"""

from __future__ import annotations

from html import unescape

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.text.flat_strings import flat_strings
from core.matching.text.hashing import flat_bytes

WORD, NUMBER, CODE = range(3)
CODE_LENGTH_MIN = 4
# What a piece of a text is: letters, one letter or initials, digits, digits with points, letters and digits.
LETTERS, INITIALS, DIGITS, POINTED, MIXED = range(1, 6)
# Letters before a dash are part of a code up to this many, and behind it up to that many.
BEFORE_MAX, BEHIND_MAX = 4, 2
_BLANK, _AND, _APOSTROPHE, _COMMA, _DASH, _POINT, _SLASH, _LINE, _GRAVE = 32, 38, 39, 44, 45, 46, 47, 95, 96
_AND_WORD = np.frombuffer(b" and ", dtype=np.uint8)
SHORT_FORMS = ("sa", "ag", "nv", "bv", "ab", "as", "oy", "kg", "kk", "lp", "se", "co")
"""Of two single letters in a row only these are one word: forms of firms, spelt "S. A."."""
_FORM_BYTES = np.frombuffer("".join(SHORT_FORMS).encode(), dtype=np.uint8).reshape(-1, 2)
ROMAN = ("ii", "iii", "iv", "vi", "vii", "viii", "ix")
ROMAN_DIGITS = "2346789"
_ROMAN_BYTES = np.frombuffer("".join(word.ljust(4) for word in ROMAN).encode(), dtype=np.uint8).reshape(-1, 4)
_ROMAN_DIGIT_BYTES = np.frombuffer(ROMAN_DIGITS.encode(), dtype=np.uint8)
_ENTITY = r"&#?\w+;"
_FOREIGN_STEPS = (
    ("[\u2019\u00b4\u02bc\u00b7]", ""),
    # An ideograph is a word.
    (r"(\p{Han})", " $1 "),
    (r"[^\p{L}\p{N}\x00-\x7F]", " "),
)


def read_entities(column: pl.Series) -> pl.Series:
    """What a web page writes as `&amp;` or `&#228;`, as the characters that are meant."""
    coded = column.str.contains(_ENTITY).fill_null(False)
    if not coded.any():
        return column
    read = [unescape(text) for text in column.filter(coded)]
    return column.scatter(coded.arg_true(), pl.Series(read, dtype=pl.String))


def spaced_words(folded: pl.Series) -> pl.Series:
    """The words of each value, single blanks between; empty where there is none, and for null.

    Args:
        folded: as `normalise.fold` leaves it.
    Cost: 0.4 us a value of 50 characters.
    """
    foreign = (folded.str.len_bytes() != folded.str.len_chars()).fill_null(False)
    if foreign.any():
        plain = folded.filter(foreign)
        for pattern, written in _FOREIGN_STEPS:
            plain = plain.str.replace_all(pattern, written)
        folded = folded.scatter(foreign.arg_true(), plain)
    units, starts = flat_bytes(folded)
    out, ends = np.empty(len(units) * 5 + 1, dtype=np.uint8), np.zeros(len(folded) + 1, dtype=np.int64)
    write_all(units, starts, out, ends)
    return flat_strings(folded.name, out[: ends[-1]].copy(), ends)


@kernel
def write_all(
    units: NDArray[np.uint8], starts: NDArray[np.int64], out: NDArray[np.uint8], ends: NDArray[np.int64]
) -> None:
    """Write the words of each text of a flat table behind those of the one before; ends (n + 1,) as starts."""
    longest = np.int64(0)
    for row in range(len(starts) - 1):
        longest = max(longest, starts[row + 1] - starts[row])
    plain = np.empty(longest * 5, dtype=np.uint8)
    for row in range(len(starts) - 1):
        size = without_apostrophes(units[starts[row] : starts[row + 1]], plain)
        found = out[ends[row] :]
        ends[row + 1] = ends[row] + join_letters(found, write_words(plain, size, found))


@kernel
def without_apostrophes(text: NDArray[np.uint8], out: NDArray[np.uint8]) -> int:
    """Copy a text; apostrophes vanish, and `&` is a word."""
    size = 0
    for unit in text:
        if unit == _AND:
            for letter in _AND_WORD:
                out[size] = letter
                size += 1
        elif unit not in (_APOSTROPHE, _GRAVE):
            out[size] = unit
            size += 1
    return size


@kernel
def is_letter(unit: int) -> bool:
    """Whether a byte of a folded text is of a letter."""
    return 97 <= unit <= 122 or unit > 127


@kernel
def is_digit(unit: int) -> bool:
    """Whether a byte is a digit."""
    return 48 <= unit <= 57


@kernel
def piece_kind(text: NDArray[np.uint8], begin: int, end: int) -> int:
    """What letters and digits without anything between are."""
    n_digits = 0
    for at in range(begin, end):
        n_digits += int(is_digit(text[at]))
    if n_digits == 0:
        return INITIALS if end - begin == 1 else LETTERS
    return DIGITS if n_digits == end - begin else MIXED


@kernel
def joint_of(before: tuple[int, int], separator: int, behind: tuple[int, int], first: int) -> int:
    """How two pieces belong together: 0 they do not, 1 as one word, 2 with a decimal point between.

    Args:
        before, behind: kind and length of each. separator: the single byte between, 0 for more than one.
        first: the first byte behind.
    """
    kind, length = before
    next_kind, next_length = behind
    if separator == _POINT and kind == INITIALS and next_kind == INITIALS:
        return 1
    if separator == _COMMA and kind == DIGITS and next_kind == DIGITS and next_length == 3:
        return 1
    if separator in (_POINT, _COMMA) and kind in (DIGITS, POINTED) and is_digit(first):
        return 2
    if separator in (_DASH, _SLASH, _LINE):
        if kind in (LETTERS, INITIALS) and length <= BEFORE_MAX and next_kind in (DIGITS, MIXED):
            return 1
        if kind == MIXED and (next_kind in (DIGITS, MIXED) or next_length <= BEHIND_MAX):
            return 1
    return 0


@kernel
def joined_kind(kind: int, joint: int, next_kind: int) -> int:
    """What two pieces that belong together are."""
    if joint == 2:
        return POINTED if next_kind == DIGITS else MIXED
    return kind if kind == next_kind and kind != MIXED else MIXED


@kernel
def write_words(text: NDArray[np.uint8], size: int, out: NDArray[np.uint8]) -> int:
    """Write the words of a text with single blanks between; returns how many bytes."""
    n_out, begin_out, kind, at = 0, 0, 0, 0
    while at < size:
        gap = at
        while at < size and not (is_letter(text[at]) or is_digit(text[at])):
            at += 1
        if at == size:
            break
        separator = np.int64(text[gap]) if at == gap + 1 else 0
        begin = at
        while at < size and (is_letter(text[at]) or is_digit(text[at])):
            at += 1
        next_kind = piece_kind(text, begin, at)
        joint = joint_of((kind, n_out - begin_out), separator, (next_kind, at - begin), np.int64(text[begin]))
        if joint == 0:
            n_out = end_word(out, begin_out, n_out, kind)
            if n_out > 0:
                out[n_out] = _BLANK
                n_out += 1
            begin_out, kind = n_out, next_kind
        else:
            kind = joined_kind(kind, joint, next_kind)
        if joint == 2:
            out[n_out] = _POINT
            n_out += 1
        for place in range(begin, at):
            out[n_out] = text[place]
            n_out += 1
    return end_word(out, begin_out, n_out, kind)


@kernel
def end_word(out: NDArray[np.uint8], begin: int, end: int, kind: int) -> int:
    """Take zeros before a number away, and write II to IX as digits; returns where the word ends then."""
    if kind in (DIGITS, POINTED):
        zeros = 0
        while begin + zeros + 1 < end and out[begin + zeros] == 48 and is_digit(out[begin + zeros + 1]):
            zeros += 1
        for at in range(begin, end - zeros):
            out[at] = out[at + zeros]
        return end - zeros
    if kind == LETTERS and end - begin <= 4:
        for number in range(len(_ROMAN_BYTES)):
            same = 0
            while same < 4 and _ROMAN_BYTES[number, same] == (out[begin + same] if begin + same < end else _BLANK):
                same += 1
            if same == 4:
                out[begin] = _ROMAN_DIGIT_BYTES[number]
                return begin + 1
    return end


@kernel
def join_letters(text: NDArray[np.uint8], size: int) -> int:
    """Single letters in a row become one word, in place: three and more, or two that are a form of a firm."""
    n_out, at = 0, 0
    while at < size:
        n_single = 0
        while is_single(text, at + 2 * n_single, size):
            n_single += 1
        if n_single > 2 or (n_single == 2 and is_form(text[at], text[at + 2])):
            for letter in range(n_single):
                text[n_out] = text[at + 2 * letter]
                n_out += 1
            at += 2 * n_single - 1
        else:
            # Two that are no form stay words; past the first the second might begin another row, of one.
            stop = at
            for _ in range(max(n_single, 1)):
                stop = word_stop(text, stop, size) + 1
            stop -= 1
            for place in range(at, stop):
                text[n_out] = text[place]
                n_out += 1
            at = stop
        if at < size:
            text[n_out] = _BLANK
            n_out += 1
            at += 1
    return n_out


@kernel
def is_single(text: NDArray[np.uint8], at: int, size: int) -> bool:
    """Whether a word of one Latin letter begins here."""
    return at < size and 97 <= text[at] <= 122 and (at + 1 == size or text[at + 1] == _BLANK)


@kernel
def is_form(first: int, second: int) -> bool:
    """Whether two letters are one of SHORT_FORMS."""
    for number in range(len(_FORM_BYTES)):
        if _FORM_BYTES[number, 0] == first and _FORM_BYTES[number, 1] == second:
            return True
    return False


@kernel
def word_stop(text: NDArray[np.uint8], at: int, size: int) -> int:
    """Where the word that begins at `at` ends."""
    while at < size and text[at] != _BLANK:
        at += 1
    return at


@kernel
def token_kind(points: NDArray[np.uint32], start: int, stop: int) -> int:
    """WORD, NUMBER or CODE, by the code points of a token."""
    n_digits, n_points = 0, 0
    for at in range(start, stop):
        n_digits += int(48 <= points[at] <= 57)
        n_points += int(points[at] == _POINT)
    if n_digits > 0 and n_digits + n_points == stop - start:
        return NUMBER
    return CODE if n_digits > 0 and stop - start >= CODE_LENGTH_MIN else WORD
