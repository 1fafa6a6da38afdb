"""Slow, obvious twin of how the unit of a house is read from a street."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.matching.reference import hash_units
from core.matching.specs.levels import MISSING
from core.matching.standardise.streets import ANY, BEHIND, DIRECTIONS, NUMBERED, SIDES, TYPES, UNITS, VAGUE

FLAGS = {word: flags for flags, words in UNITS.items() for word in words.split()}
SIDE = {word: line for line, words in enumerate(SIDES.split("\n")) for word in words.split()}


def unit_number(word: str) -> int:
    """Twin of `street_units.unit_number`: 1 to 63 for 3, 3b, 03, 3rd, b, penthouse."""
    ordinal = re.fullmatch(r"(\d*)([a-z]?)|(\d+)(?:st|nd|rd|th)", word)
    if ordinal is None:
        return hash_units(word.encode()) % 63 + 1
    number, letter = ordinal[1] or ordinal[3] or "0", ordinal[2]
    return (int(number) + (31 * (ord(letter) - 96) if letter else 0)) % 63 + 1


def unit_at(words: Sequence[str], n_names: int, unit: int) -> tuple[int, int]:
    """Twin of `street_units.unit_at`, of the words from one on: how many of them tell a unit, and the unit then."""
    word, after, later = [*words, "", ""][:3]
    digits, rest = re.fullmatch(r"(\d*)(.*)", word).groups()  # type: ignore[union-attr]
    stem, behind = re.fullmatch(r"(\D*)(.*)", word).groups()  # type: ignore[union-attr]
    before = ANY | NUMBERED
    if digits and n_names and FLAGS.get(rest, 0) & BEHIND:
        return 1, unit or unit_number(digits)
    if digits and n_names and FLAGS.get(after, 0) & BEHIND and not later[:1].isdigit():
        return 2, unit or unit_number(word)
    if stem and behind and FLAGS.get(stem, 0) & before:
        return 1, _chosen(unit, behind, FLAGS[stem])
    if word in SIDE and unit and n_names:
        return 1, (unit - 1 + 13 * SIDE[word]) % 63 + 1
    if word not in FLAGS or not after:
        return 0, unit
    if FLAGS.get(after, 0) & before:
        return 1, unit
    if FLAGS[word] & ANY or (FLAGS[word] & NUMBERED and (after[0].isdigit() or len(after) == 1)):
        return 2, _chosen(unit, after, FLAGS[word])
    return 0, unit


def _chosen(unit: int, word: str, flags: int) -> int:
    return unit if unit and flags & VAGUE else unit_number(word)


def street_unit(words: Sequence[str]) -> int:
    """Twin of `packing.street_record`: the unit of a house in the words of a street, 0 for none."""
    unit, number, numbered, n_names, at = 0, 0, -1, 0, 0
    while at < len(words):
        taken, unit = unit_at(words[at:], n_names, unit)
        if taken:
            at += taken
            continue
        word = words[at]
        figure = re.fullmatch(r"(\d+)[a-z]?", word)
        if figure and (n_names == 0 or number == 0):
            unit = unit_number(words[numbered]) if numbered >= 0 else unit
            numbered, number = at, int(figure[1])
        elif figure and 0 < numbered == at - 1 == len(words) - 2:
            unit = unit_number(word)
        elif not (word in TYPES.split() and n_names) and not (word in DIRECTIONS.split() and len(words) > 2):
            n_names += 1
        at += 1
    return unit


def unit_level(a: tuple[int, str, int], b: tuple[int, str, int]) -> int:
    """Twin of `mark_tests.settle_units`: number, name and unit of two streets."""
    if a[:2] != b[:2] or not a[2] or not b[2]:
        return MISSING
    return int(a[2] == b[2])
