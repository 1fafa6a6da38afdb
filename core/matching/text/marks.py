"""Marks: what stands beside a name for no other purpose than to tell people apart, kept behind a separator.

The normalised string `lindqvist<SEPARATOR>s2` is the bare string "lindqvist" of a Junior. All that compares or keys
strings sees the bare one; the marks are numbers beside it. Several of one string stand in a fixed order, so equal
values give equal strings, and strings of one bare string are neighbours in ascending order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

SEPARATOR = "\x1d"
"""Below every character that a normalised string has."""


class MarkBits(NamedTuple):
    """Where a mark lies in a number of 64 bits: bit `first` is set for the value 1, the next one for 2, and so on.

    tag: its letter in a string. counted: a bit that one side at least must have for the mark to say anything, or 0.
    """

    tag: str
    first: int
    size: int
    counted: int = 0

    @property
    def mask(self) -> int:
        """All bits of its values."""
        return ((1 << self.size) - 1) << self.first


# The initials of words that stay in the name are compared with the name: alone they say nothing more.
EXPLICIT = 1 << 30
MARK_BITS: Mapping[str, MarkBits] = {
    "suffix": MarkBits("s", 0, 16),
    "birth_order": MarkBits("o", 16, 12),
    "sex": MarkBits("x", 28, 2),
    "middle": MarkBits("m", 32, 32, EXPLICIT),
}
_IMPLIED_TAG, _LETTERS = "n", 26
_NUMBERED: Mapping[str, MarkBits] = {each.tag: each for each in MARK_BITS.values() if not each.counted}


def with_marks(bare: str, marks: Mapping[str, str]) -> str:
    """A bare string with its marks behind it: by tag a number, or for `m` and `n` ascending letters."""
    if not marks:
        return bare
    return bare + SEPARATOR + " ".join(tag + marks[tag] for tag in sorted(marks))


def bare_of(text: str) -> str:
    """A string without its marks."""
    return text.partition(SEPARATOR)[0]


def marks_of(text: str) -> int:
    """The marks of one string as bits; 0 for none, and for what is no mark."""
    found = 0
    for part in text.partition(SEPARATOR)[2].split():
        tag, value = part[0], part[1:]
        if tag in (MARK_BITS["middle"].tag, _IMPLIED_TAG):
            found |= EXPLICIT if tag != _IMPLIED_TAG else 0
            for letter in value:
                found |= 1 << (MARK_BITS["middle"].first + _letter_place(letter))
        elif tag in _NUMBERED and value.isascii() and value.isdigit():
            place = _NUMBERED[tag]
            found |= 1 << (place.first + min(max(int(value), 1), place.size) - 1)
    return found


def _letter_place(letter: str) -> int:
    """The letters a to z have a bit each; those of other scripts share the few behind them."""
    number = ord(letter) - ord("a")
    return number if 0 <= number < _LETTERS else _LETTERS + ord(letter) % (MARK_BITS["middle"].size - _LETTERS)


def mark_texts(text: str) -> dict[str, str]:
    """The marks of a string by name, as they are written in it; initials that a name implies are left out."""
    names = {each.tag: name for name, each in MARK_BITS.items()}
    parts = text.partition(SEPARATOR)[2].split()
    return {names[part[0]]: part[1:] for part in parts if part[0] in names}


def split_marks(strings: pl.Series) -> tuple[pl.Series, NDArray[np.uint64]]:
    """Bare strings, and the marks of each.

    Returns:
        The strings, which are those given where none has a mark; and (n + 1,) u64, the last of them all that occur, or
        (0,) where none has any.
    """
    marked = strings.str.contains(SEPARATOR, literal=True).fill_null(value=False)
    if not marked.any():
        return strings, np.zeros(0, dtype=np.uint64)
    cut = strings.filter(marked).str.splitn(SEPARATOR, 2)
    behind = cut.struct.field("field_1")
    distinct = behind.unique()
    numbers = pl.Series([marks_of(SEPARATOR + text) for text in distinct], dtype=pl.UInt64)
    places = marked.arg_true()
    found = np.zeros(len(strings) + 1, dtype=np.uint64)
    found[places.to_numpy()] = behind.replace_strict(distinct, numbers, return_dtype=pl.UInt64).to_numpy()
    found[-1] = np.bitwise_or.reduce(found)
    return strings.clone().scatter(places, cut.struct.field("field_0")), found
