"""The unit of a house in a street: Apt 3, #5, 3rd floor, Whg. 3, 2.OG links. Kernels over the words of one street."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.standardise.streets import ANY, BEHIND, NUMBERED, SIDE, UNIT, VAGUE, StreetTables
from core.matching.text.hashing import hash_span, look_up

UNIT_BITS = 6
UNIT_MAX = (1 << UNIT_BITS) - 1
"""Units are numbered 1 to this; 0 for none. Neighbouring numbers differ, far ones may not."""
_LETTER_STEP, _SIDE_STEP = 31, 13
_NINE = 57


@kernel
def unit_number(units: NDArray[np.uint8], start: int, stop: int) -> int:
    """1 to UNIT_MAX for what stands beside "Apt": 3, 3b, 03, 3rd, b, penthouse."""
    number, at = 0, start
    while at < stop and units[at] <= _NINE:
        number = (number * 10 + int(np.int64(units[at])) - 48) % UNIT_MAX
        at += 1
    n_letters, letter = stop - at, 0
    if n_letters == 1:
        letter = int(np.int64(units[at])) - 96
    elif n_letters > 1 and not (at > start and is_ordinal(units, at, stop)):
        return int(np.int64(hash_span(units, start, stop) % np.uint64(UNIT_MAX))) + 1
    return (number + _LETTER_STEP * letter) % UNIT_MAX + 1


@kernel
def is_ordinal(units: NDArray[np.uint8], start: int, stop: int) -> bool:
    """Whether these are the letters of 1st, 2nd, 3rd or 4th."""
    if stop - start != 2:
        return False
    pair = np.int64(units[start]) << 8 | np.int64(units[start + 1])
    return pair in (0x7374, 0x6E64, 0x7264, 0x7468)


@kernel
def word_code(units: NDArray[np.uint8], start: int, stop: int, tables: StreetTables) -> int:
    """Class and number of a known word as `street_tables` gives them, else 0; no known word begins with a digit."""
    if start >= stop or units[start] <= _NINE:
        return 0
    return int(np.int64(look_up(tables.words.keys, tables.words.values, hash_span(units, start, stop))))


@kernel
def unit_flags(units: NDArray[np.uint8], start: int, stop: int, tables: StreetTables) -> int:
    """The flags of a word of units, 0 of any other."""
    code = word_code(units, start, stop, tables)
    return code & 0xFF if code >> 8 == UNIT else 0


@kernel
def unit_at(
    units: NDArray[np.uint8], spans: NDArray[np.int64], place: tuple[int, int], told: tuple[int, int],
    tables: StreetTables,
) -> tuple[int, int]:  # fmt: skip
    """How many words from one on tell a unit, 0 if that does not, and the unit that is known then.

    Args:
        place: the word, and how many there are. told: how many words of the name came before, and the unit so far.
    """
    token, n_tokens = place
    n_names, unit = told
    start, stop = spans[token, 0], spans[token, 1]
    first, cut = units[start] <= _NINE, start
    while cut < stop and (units[cut] <= _NINE) == first:
        cut += 1
    if first:
        return unit_behind(units, spans, place, (n_names, unit, cut), tables)
    if cut < stop:
        flags = unit_flags(units, start, cut, tables)
        known = flags & (ANY | NUMBERED) != 0
        return (1, chosen(unit, unit_number(units, cut, stop), flags)) if known else (0, unit)
    code = word_code(units, start, stop, tables)
    if code >> 8 == SIDE and unit > 0 and n_names > 0:
        return 1, (unit - 1 + _SIDE_STEP * (code & 0xFF)) % UNIT_MAX + 1
    if code >> 8 != UNIT or token + 1 == n_tokens:
        return 0, unit
    next_start, next_stop = spans[token + 1, 0], spans[token + 1, 1]
    if unit_flags(units, next_start, next_stop, tables) & (ANY | NUMBERED) != 0:
        # "Apt #5" has two words for it.
        return 1, unit
    numbered = code & NUMBERED != 0 and (units[next_start] <= _NINE or next_stop - next_start == 1)
    if code & ANY != 0 or numbered:
        return 2, chosen(unit, unit_number(units, next_start, next_stop), code)
    return 0, unit


@kernel
def unit_behind(
    units: NDArray[np.uint8], spans: NDArray[np.int64], place: tuple[int, int], told: tuple[int, int, int],
    tables: StreetTables,
) -> tuple[int, int]:  # fmt: skip
    """`unit_at` for a word that begins with digits, which end at told[2]: 3rd floor, 2og, 2 og."""
    token, n_tokens = place
    n_names, unit, cut = told
    start, stop = spans[token, 0], spans[token, 1]
    if n_names == 0:
        return 0, unit
    if unit_flags(units, cut, stop, tables) & BEHIND != 0:
        return 1, chosen(unit, unit_number(units, start, cut), VAGUE)
    if token + 1 == n_tokens or unit_flags(units, spans[token + 1, 0], spans[token + 1, 1], tables) & BEHIND == 0:
        return 0, unit
    # Of "Highway 7 Floor 2" the floor is the 2.
    if token + 2 < n_tokens and units[spans[token + 2, 0]] <= _NINE:
        return 0, unit
    return 2, chosen(unit, unit_number(units, start, stop), VAGUE)


@kernel
def chosen(unit: int, other: int, flags: int) -> int:
    """Of the unit so far and another one: the later, unless that is vague and there is one."""
    return unit if flags & VAGUE != 0 and unit > 0 else other
