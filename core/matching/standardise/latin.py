"""One value of Latin letters, normalised without polars: what `normalise_field` gives, in microseconds.

Only for letters whose properties have not changed in any version of Unicode that is in use; everything else is left to
the columns. Tests hold the two ways against each other.
"""

from __future__ import annotations

import re
import unicodedata

from core.matching.standardise.names.marks import split_name
from core.matching.standardise.normalise import (
    CITY_WORDS,
    GIVEN_PARTICLES,
    LETTERS,
    PARTICLES,
    PARTICLES_OF_TWO,
    PLACEHOLDER_DIGITS,
    REPEATED_CODE,
    REPEATED_ID,
    SUFFIXES,
    TITLES,
)
from core.matching.standardise.unknown_words import GIVEN_UNKNOWN_WORDS, NAME_UNKNOWN_WORDS, UNKNOWN_WORDS

# Printable ASCII, the letters of Latin-1 and of Latin Extended A and B, and the typographic apostrophe.
_LATIN = re.compile(r"[ -~\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u2019]*")
_COMBINING = re.compile(r"[\u0300-\u036f]+")
_PLAIN_LETTERS = str.maketrans(LETTERS)
_VANISHING = re.compile(r"['’`´.]")
# \w is letters, numbers and the underscore.
_BETWEEN_WORDS = re.compile(r"[\W_]+")
_TITLES, _SUFFIXES = re.compile(TITLES), re.compile(SUFFIXES)
_PARTICLES = {"given_name": re.compile(GIVEN_PARTICLES), "surname": re.compile(PARTICLES)}
_OF_TWO, _REPEATED_CODE = re.compile(PARTICLES_OF_TWO), re.compile(REPEATED_CODE)
_REPEATED_ID, _IDENTIFIER_MIN = re.compile(REPEATED_ID), 3
_LONG_CODE_DIGITS, _SHORT_CODE_DIGITS = 9, 5
_UNKNOWN = frozenset(UNKNOWN_WORDS)
_UNKNOWN_NAMES = {"given_name": frozenset(GIVEN_UNKNOWN_WORDS), "surname": frozenset(NAME_UNKNOWN_WORDS)}


def fold_latin(text: str) -> str | None:
    """Twin of `normalise.fold` for one value; None where it has other characters than those above."""
    if _LATIN.fullmatch(text) is None:
        return None
    lower = text.strip().lower()
    if lower.isascii():
        return lower
    plain = _COMBINING.sub("", unicodedata.normalize("NFKD", lower)).translate(_PLAIN_LETTERS)
    return unicodedata.normalize("NFKC", plain).strip()


def normalise_latin(text: str, kind: str) -> str | None:
    """The normalised string of a coded kind, "" where the value means "unknown"; None where it is left to columns."""
    folded = fold_latin(text)
    if folded is None:
        return None
    if kind == "code":
        return _code(folded)
    if kind == "identifier":
        return _identifier(folded)
    words = _BETWEEN_WORDS.sub(" ", _VANISHING.sub("", folded)).strip()
    if kind in _UNKNOWN_NAMES:
        return _name(words, kind)
    if kind == "city":
        for long, short in CITY_WORDS:
            words = f"{short} {words[len(long) + 1 :]}" if words.startswith(f"{long} ") else words
    elif kind not in ("text", "category"):
        return None
    return "" if words in _UNKNOWN else words


def _name(words: str, kind: str) -> str:
    split, marks = split_name(words, kind)
    bare = _SUFFIXES.sub("", _TITLES.sub("", split, count=1), count=1)
    bare = _OF_TWO.sub(r"\1\2", _PARTICLES[kind].sub(r"\1", bare))
    return marks if bare in _UNKNOWN_NAMES[kind] else bare + marks


def _identifier(folded: str) -> str:
    dense = _BETWEEN_WORDS.sub("", folded)
    useless = dense in PLACEHOLDER_DIGITS or _REPEATED_ID.search(dense) or len(dense) < _IDENTIFIER_MIN
    return "" if dense in _UNKNOWN or useless else dense


def _code(folded: str) -> str:
    dense = _BETWEEN_WORDS.sub("", folded)
    if len(dense) == _LONG_CODE_DIGITS and dense.isdecimal():
        dense = dense[:_SHORT_CODE_DIGITS]
    return "" if dense in _UNKNOWN or _REPEATED_CODE.search(dense) else dense
