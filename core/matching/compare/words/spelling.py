"""Whether one word may stand for another, and how well: slips, beginnings, what is left when letters are left out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.matching.compare.similarity import osa_bound, osa_within, same_points
from core.matching.jit import kernel
from core.matching.text.tokens import CODE, NUMBER, WORD

SHORTENED = 0.85
"""Similarity of a word and a shorter form of it."""
SAME_CODE = 0.9
"""Similarity of two codes of which one has up to CODE_SIGNS more at an end."""
CODE_SIGNS = 3
BEGINNING_MIN = 3
SLIP_MIN, SLIPS_MIN = 4, 8
"""Letters of the shorter word that allow one slip, and two."""
CONSONANTS_MIN, CONSONANTS_MAX = 3, 6
LEFT_OUT_MIN = 2
CONSONANTS_SHARE = 3
"""A shorter form has at least one of so many consonants of the longer."""


class Words(NamedTuple):
    """Words by code as these kernels read them; the first is empty."""

    points: NDArray[np.uint32]
    starts: NDArray[np.int64]
    fields: NDArray[np.uint8]
    kinds: NDArray[np.uint8]
    letters: NDArray[np.uint64]  # bit c % 64 set for each code point c: tells most pairs apart unread


@kernel
def similarity_of(words: Words, a: int, b: int, rows: NDArray[np.int32]) -> float:
    """How well one word stands for another by its letters, in (0, 1); 0 where it does not.

    Args:
        a, b: codes. rows: scratch of `osa_within`.
    """
    points, starts = words.points, words.starts
    kind = words.kinds[a]
    if kind != words.kinds[b] or kind == NUMBER:
        return 0.0
    if starts[a + 1] - starts[a] > starts[b + 1] - starts[b]:
        a, b = b, a
    short, long = (starts[a], starts[a + 1]), (starts[b], starts[b + 1])
    if kind == CODE:
        return SAME_CODE if same_code(points, short, long) else 0.0
    best, n_short, n_long = 0.0, short[1] - short[0], long[1] - long[0]
    if n_long > n_short >= BEGINNING_MIN and same_points(points, short[0], long[0], n_short):
        best = SHORTENED
    edits = 0 if n_short < SLIP_MIN else (1 if n_short < SLIPS_MIN else 2)
    if edits == 0 or osa_bound(n_short, n_long, words.letters[a], words.letters[b]) > edits:
        return best
    one, two = points[short[0] : short[1]], points[long[0] : long[1]]
    for slips in range(1, edits + 1):
        if osa_within(one, two, slips, rows):
            return float(max(best, 1.0 - slips / n_long))
    return best


@kernel
def same_code(points: NDArray[np.uint32], short: tuple[int, int], long: tuple[int, int]) -> bool:
    """Whether a code begins or ends with the other, with few signs more, and no number goes on where the other ends."""
    size = short[1] - short[0]
    more = long[1] - long[0] - size
    if more == 0 or more > CODE_SIGNS:
        return False
    cut = long[0] + size
    if same_points(points, short[0], long[0], size) and not (is_digit(points[cut - 1]) and is_digit(points[cut])):
        return True
    cut = long[1] - size
    return same_points(points, short[0], cut, size) and not (is_digit(points[cut - 1]) and is_digit(points[cut]))


@kernel
def is_digit(point: np.uint32) -> bool:
    """Whether a code point is one of 0 to 9."""
    return bool(48 <= point <= 57)


@kernel
def short_form(words: Words, a: int, b: int) -> float:
    """SHORTENED where one word is the other without vowels, in order, from the first letter to the last; else 0."""
    starts = words.starts
    if words.kinds[a] != WORD or words.kinds[b] != WORD:
        return 0.0
    if starts[a + 1] - starts[a] > starts[b + 1] - starts[b]:
        a, b = b, a
    short, long = (starts[a], starts[a + 1]), (starts[b], starts[b + 1])
    n_short = short[1] - short[0]
    if not CONSONANTS_MIN <= n_short <= CONSONANTS_MAX or long[1] - long[0] < n_short + LEFT_OUT_MIN:
        return 0.0
    if count_vowels(words.points, short[0] + 1, short[1]) > 0:
        return 0.0
    n_consonants = long[1] - long[0] - count_vowels(words.points, long[0] + 1, long[1])
    if n_short * CONSONANTS_SHARE < n_consonants or words.points[short[1] - 1] != words.points[long[1] - 1]:
        return 0.0
    return SHORTENED if left_out(words.points, short, long) else 0.0


@kernel
def count_vowels(points: NDArray[np.uint32], begin: int, end: int) -> int:
    """How many of some letters are a, e, i, o or u."""
    found = 0
    for at in range(begin, end):
        point = points[at]
        found += int(point in (97, 101, 105, 111, 117))
    return found


@kernel
def left_out(points: NDArray[np.uint32], short: tuple[int, int], long: tuple[int, int]) -> bool:
    """Whether the shorter word begins as the longer and has its letters in their order, some left out."""
    if points[short[0]] != points[long[0]]:
        return False
    at = short[0]
    for place in range(long[0], long[1]):
        if at < short[1] and points[place] == points[at]:
            at += 1
    return bool(at == short[1])
