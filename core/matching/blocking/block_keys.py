"""Blocking: one uint64 key per record and pass, of several values one each, blocks of equal keys, and their pairs.

Keys are made from hashes of strings, never from codes, so every range and machine makes the same ones. 0 means the
record has no key in the pass, for some part of it is missing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel
from core.matching.records.layout import Layout
from core.matching.records.packing import NUMBER_MAX
from core.matching.records.vocabulary import Vocabulary, VocabularyArrays
from core.matching.records.words.text_records import WORDS_KEPT
from core.matching.records.words.token_table import FLAG_BITS
from core.matching.specs.key_expressions import (
    FIRST,
    HOUSE,
    INITIAL,
    LAST,
    LOCAL,
    MONTH_DAY,
    NICK,
    NUMBER,
    PARTS,
    PREFIX,
    RARE,
    SOUND,
    STREET,
    SUFFIX,
    UNORDERED,
    WHOLE,
    WHOLE_DATE,
    YEAR,
)
from core.matching.text.hashing import combine, hash_span, splitmix

NO_KEY = np.uint64(0)
_ZERO, _ONE, _NIBBLE = np.uint64(0), np.uint64(1), np.uint64(15)
_S32 = np.uint64(32)
WINDOW_DEFAULT = 200


@kernel
def mix_whole(words: NDArray[np.uint32], at: int, table: NDArray[np.uint64], keys: NDArray[np.uint64]) -> None:
    """Fold a hash that the vocabulary holds per code into the keys; a record without the value loses its key."""
    for row in range(len(words)):
        # 0 for an empty string: a value that is missing, or has nothing but marks.
        hashed = table[words[row, at]]
        keys[row] = combine(keys[row], hashed) if hashed != _ZERO and keys[row] != _ZERO else _ZERO


@kernel
def affix(starts: NDArray[np.int64], code: int, count: int) -> tuple[int, int]:
    """Where the first `count` code points of a string begin and stop, or its last `-count`; all where it has fewer."""
    start, stop = starts[code], starts[code + 1]
    if count < 0:
        return max(stop + count, start), stop
    return start, min(start + count, stop)


@kernel
def mix_affix(
    words: NDArray[np.uint32], at: int, count: int, vocabulary: VocabularyArrays, keys: NDArray[np.uint64]
) -> None:
    """Fold the hash of an `affix` into the keys."""
    points, starts = vocabulary.points, vocabulary.starts
    for row in range(len(words)):
        start, stop = affix(starts, np.int64(words[row, at]), count)
        if start == stop or keys[row] == _ZERO:
            keys[row] = _ZERO
        else:
            keys[row] = combine(keys[row], hash_span(points, start, stop))


@kernel
def mix_unordered(
    words: NDArray[np.uint32], at: int, other: int, table: NDArray[np.uint64], keys: NDArray[np.uint64]
) -> None:
    """Fold the hashes of two values into the keys, whichever stands first."""
    for row in range(len(words)):
        one, two = table[words[row, at]], table[words[row, other]]
        if (one == _ZERO) | (two == _ZERO) | (keys[row] == _ZERO):
            keys[row] = _ZERO
        else:
            # Addition does not care for order; splitmix before it keeps a+b apart from c+d.
            keys[row] = combine(keys[row], splitmix(one) + splitmix(two))


@kernel
def mix_wide(words: NDArray[np.uint32], part: NDArray[np.int32], keys: NDArray[np.uint64]) -> None:
    """Fold one key part over a field that is no code into the keys."""
    opcode, at, count, width = part[0], part[1], part[2], part[4]
    for row in range(len(words)):
        hashed = _ZERO
        if keys[row] != _ZERO:
            hashed = wide_part(opcode, count, wide_words(words, row, at, width))
        keys[row] = combine(keys[row], hashed) if hashed != _ZERO else _ZERO


@kernel
def rare_key(words: NDArray[np.uint32], row: int, at: int, number: int, table: NDArray[np.uint64]) -> np.uint64:
    """Key of the rarest word of a text that makes one, or with `number` > 0 of a later one; 0 where it has too few."""
    n_before = 0
    for place in range(at, at + WORDS_KEPT):
        code = words[row, place] >> np.uint32(FLAG_BITS)
        if code == 0:
            break
        if table[code] != _ZERO:
            if n_before == number:
                return np.uint64(table[code])
            n_before += 1
    return _ZERO


@kernel
def mix_rare(
    words: NDArray[np.uint32], at: int, number: int, table: NDArray[np.uint64], keys: NDArray[np.uint64]
) -> None:
    """Fold the `rare_key` of a text into the keys."""
    for row in range(len(words)):
        hashed = rare_key(words, row, at, number, table)
        keys[row] = combine(keys[row], hashed) if hashed != _ZERO and keys[row] != _ZERO else _ZERO


@kernel
def wide_words(
    words: NDArray[np.uint32], row: int, at: int, width: int
) -> tuple[np.uint32, np.uint32, np.uint32, np.uint32]:
    """The one to four words of a field, with zeros behind: numbers pass through calls faster than arrays."""
    second = words[row, at + 1] if width > 1 else np.uint32(0)
    third, fourth = (words[row, at + 2], words[row, at + 3]) if width > 2 else (np.uint32(0), np.uint32(0))
    return words[row, at], second, third, fourth


@kernel
def date_part(opcode: int, date: int) -> np.uint64:
    """Hash of one key part over a date; 0 when a part it needs is absent."""
    year, month, day = date // 10000, date // 100 % 100, date % 100
    if opcode == YEAR:
        return np.uint64(year)
    if month == 0 or day == 0 or (year == 0 and opcode != MONTH_DAY):
        return _ZERO
    if opcode == MONTH_DAY:
        return np.uint64(month * 100 + day)
    if opcode == PARTS:
        return np.uint64(year * 10000 + max(month, day) * 100 + min(month, day))
    return np.uint64(date) if opcode == WHOLE_DATE else _ZERO


@kernel
def digits_part(opcode: int, low: np.uint32, high: np.uint32, count: int) -> np.uint64:
    """The first or last `count` digits, as packed nibbles; 0 when there are fewer."""
    packed = np.uint64(low) | (np.uint64(high) << _S32)
    n_digits, rest = 0, packed
    while rest != _ZERO:
        rest = rest >> np.uint64(4)
        n_digits += 1
    if n_digits < count:
        return _ZERO
    if opcode == LAST:
        return packed >> np.uint64(4 * (n_digits - count))
    return packed if count >= 16 else packed & ((_ONE << np.uint64(4 * count)) - _ONE)


@kernel
def wide_part(opcode: int, count: int, field: tuple[np.uint32, np.uint32, np.uint32, np.uint32]) -> np.uint64:
    """Hash of one key part over a field that is no code: date, digits, street, e-mail or number; 0 when missing."""
    first, second, third, fourth = field
    if first | second | third | fourth == 0:
        return _ZERO
    if opcode in (YEAR, MONTH_DAY, PARTS, WHOLE_DATE):
        return date_part(np.int64(opcode), np.int64(first))
    if opcode in (FIRST, LAST):
        return digits_part(np.int64(opcode), first, second, np.int64(count))
    number = np.uint64(first) & np.uint64(NUMBER_MAX)
    if opcode == HOUSE:
        return combine(number, np.uint64(second)) if number != _ZERO else _ZERO
    if opcode == NUMBER:
        return number
    if opcode in (LOCAL, STREET):
        return np.uint64(second)
    if opcode == WHOLE:
        return combine(combine(combine(np.uint64(first), np.uint64(second)), np.uint64(third)), np.uint64(fourth))
    return _ZERO


@kernel
def mix_part(
    words: NDArray[np.uint32], part: NDArray[np.int32], vocabulary: VocabularyArrays, keys: NDArray[np.uint64]
) -> None:
    """Fold one key part into the keys of all records; part as `LayoutArrays.keys` has it."""
    opcode, at, count, other = part[0], part[1], part[2], part[3]
    if opcode == RARE:
        mix_rare(words, np.int64(other), np.int64(at - other), vocabulary.tokens.rare_keys, keys)
    elif part[4] > 0:
        mix_wide(words, part, keys)
    elif opcode == WHOLE:
        mix_whole(words, at, vocabulary.hash, keys)
    elif opcode == SOUND:
        mix_whole(words, at, vocabulary.sound, keys)
    elif opcode == NICK:
        mix_whole(words, at, vocabulary.class_hash, keys)
    elif opcode == UNORDERED:
        mix_unordered(words, at, other, vocabulary.hash, keys)
    elif opcode in (INITIAL, PREFIX):
        mix_affix(words, at, np.int64(1 if opcode == INITIAL else count), vocabulary, keys)
    elif opcode == SUFFIX:
        mix_affix(words, at, -np.int64(count), vocabulary, keys)
    else:
        # What has no branch makes no key, rather than another function's.
        keys[:] = _ZERO


@kernel
def fill_keys(
    words: NDArray[np.uint32], parts: NDArray[np.int32], vocabulary: VocabularyArrays, keys: NDArray[np.uint64]
) -> None:
    """Keys of all records in one pass, part by part: keys (n,), 0 where any part is missing, or the pass has none."""
    keys[:] = _ONE if parts[0, 0] >= 0 else _ZERO
    for row in range(len(parts)):
        if parts[row, 0] >= 0:
            mix_part(words, parts[row], vocabulary, keys)


def pass_keys(words: NDArray[np.uint32], vocabulary: Vocabulary, layout: Layout) -> NDArray[np.uint64]:
    """Keys of records.

    Returns:
        (n, len(layout.key_passes)) uint64, Fortran order: a column a pass, in the order of the spec's passes, and one a
        choice where its keys read several values or several words of a field; 0 where a record has no such key.
    Cost: about 100 ns per key.
    """
    return keys_by_choice(words, vocabulary, np.concatenate(layout.key_choices))


def keys_by_choice(words: NDArray[np.uint32], vocabulary: Vocabulary, choices: NDArray[np.int32]) -> NDArray[np.uint64]:
    """(n, c) keys of records, Fortran order; choices (c, K, PART_WORDS) as of `Layout.key_choices`."""
    out = np.zeros((len(words), len(choices)), dtype=np.uint64, order="F")
    for column, parts in enumerate(choices):
        fill_keys(words, parts, vocabulary.arrays, out[:, column])
    return out


def shared_keys(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The keys of one pass that pairs of records share.

    Args:
        left, right: (n, c) each side's keys by choice; 0 for none.
    Returns:
        (n, c) those of the left side that the right side has too, each once, else 0.
    """
    found = np.where((left[:, :, None] == right[:, None, :]).any(axis=2), left, NO_KEY)
    for column in range(1, found.shape[1]):
        again = (found[:, :column] == found[:, column, None]).any(axis=1)
        found[again, column] = NO_KEY
    return found
