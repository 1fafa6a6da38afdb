"""Which blocking passes make a pair, told from its two records.

A true pair is met in many passes. Where a pass is known to make every pair of its blocks, a later one need not score
such a pair again, and an edge gets the bits of all passes whose key its records share at once, whether or not it was
compared there. Only equality that implies equal keys counts: a pass whose key functions are not known here is simply
not relied upon, nor is one that compares a block in part.
"""

from __future__ import annotations

from collections.abc import Collection
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.matching.blocking.block_keys import affix, date_part, digits_part
from core.matching.jit import kernel
from core.matching.records.layout import PART_WORDS, Layout, LayoutArrays
from core.matching.records.packing import NUMBER_MAX
from core.matching.records.pair_chunk import CHUNK_PAIRS, Chunk, list_values, room_for_values
from core.matching.records.vocabulary import Vocabulary, VocabularyArrays
from core.matching.records.words.text_records import WORDS_KEPT
from core.matching.records.words.token_table import FLAG_BITS
from core.matching.specs.key_expressions import (
    CHOICES_MAX,
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

PARTS_MAX = 64
_S32 = np.uint64(32)
_ZERO, _ONE = np.uint64(0), np.uint64(1)
ALL_PARTS = np.uint64(2**64 - 1)
_NUMBER_MASK = np.uint32(NUMBER_MAX)
# Those that `mark_parts` has a branch for.
KNOWN_OPCODES = frozenset(
    {
        WHOLE, SOUND, NICK, INITIAL, PREFIX, YEAR, MONTH_DAY, PARTS, HOUSE, NUMBER, FIRST, LAST, UNORDERED, LOCAL,
        STREET, WHOLE_DATE, SUFFIX, RARE,
    }
)  # fmt: skip


class KeyParts(NamedTuple):
    """The distinct key parts of all passes. D parts, P passes."""

    parts: NDArray[np.int32]  # (D, PART_WORDS) as in LayoutArrays.keys
    needed: NDArray[np.uint64]  # (P,) bit d: the pass needs part d to be equal; 0: not to be relied upon


def key_parts(layout: LayoutArrays, in_use: Collection[int] | None = None) -> KeyParts:
    """List the parts of all passes once each; of those `in_use` only, where a job leaves some out."""
    number: dict[tuple[int, ...], int] = {}
    needed = np.zeros(len(layout.keys), dtype=np.uint64)
    for pass_, rows in enumerate(layout.keys):
        if in_use is not None and pass_ not in in_use:
            continue
        parts = [tuple(int(value) for value in row) for row in rows if row[0] >= 0]
        known = all(part[0] in KNOWN_OPCODES for part in parts)
        # Of more choices than a record has keys, some make none though they are equal.
        known = known and prod(max(part[5], 1) for part in parts) <= CHOICES_MAX
        if not known or len(number.keys() | set(parts)) > PARTS_MAX:
            continue
        for part in parts:
            needed[pass_] |= _ONE << np.uint64(number.setdefault(part, len(number)))
    return KeyParts(np.array(list(number), dtype=np.int32).reshape(-1, PART_WORDS), needed)


@kernel
def mark_codes(chunk: Chunk, at: int, table: NDArray[np.uint64], bit: np.uint64, out: NDArray[np.uint64]) -> None:
    """Set `bit` where both records have codes of the same entry in `table`, which is 0 for empty strings only."""
    records, left, right, size = chunk
    for pair in range(size):
        a, b = records[left[pair], at], records[right[pair], at]
        out[pair] |= bit if (table[a] == table[b]) & (table[a] != _ZERO) else _ZERO


@kernel
def mark_affix(
    chunk: Chunk, at: int, count: int, vocabulary: VocabularyArrays, bit: np.uint64, out: NDArray[np.uint64]
) -> None:
    """Set `bit` where an `affix` of both is the same."""
    records, left, right, size = chunk
    points, starts = vocabulary.points, vocabulary.starts
    for pair in range(size):
        a, b = records[left[pair], at], records[right[pair], at]
        if starts[a] == starts[a + 1] or starts[b] == starts[b + 1]:
            continue
        alike = a == b
        if not alike:
            start_a, stop_a = affix(starts, np.int64(a), count)
            start_b, stop_b = affix(starts, np.int64(b), count)
            n_a, n_b, same = stop_a - start_a, stop_b - start_b, 0
            while same < min(n_a, n_b) and points[start_a + same] == points[start_b + same]:
                same += 1
            alike = n_a == n_b == same
        if alike:
            out[pair] |= bit


@kernel
def mark_unordered(
    chunk: Chunk, at: int, other: int, table: NDArray[np.uint64], bit: np.uint64, out: NDArray[np.uint64]
) -> None:
    """Set `bit` where two words hold strings of the same two hashes, in either order; none of them is empty."""
    records, left, right, size = chunk
    for pair in range(size):
        a, b = left[pair], right[pair]
        one_a, two_a, one_b, two_b = records[a, at], records[a, other], records[b, at], records[b, other]
        alike = ((one_a == one_b) & (two_a == two_b)) | ((one_a == two_b) & (two_a == one_b))
        hash_one, hash_two = table[one_a], table[two_a]
        if not alike:
            alike = ((hash_one == table[one_b]) & (hash_two == table[two_b])) | (
                (hash_one == table[two_b]) & (hash_two == table[one_b])
            )
        out[pair] |= bit if alike & (hash_one != _ZERO) & (hash_two != _ZERO) else _ZERO


@kernel
def mark_dates(chunk: Chunk, at: int, opcode: int, bit: np.uint64, out: NDArray[np.uint64]) -> None:
    """Set `bit` where two dates have the same key."""
    records, left, right, size = chunk
    for pair in range(size):
        a, b = records[left[pair], at], records[right[pair], at]
        if a == 0 or b == 0:
            continue
        key = date_part(opcode, np.int64(a))
        if key != 0 and (a == b or key == date_part(opcode, np.int64(b))):
            out[pair] |= bit


@kernel
def mark_digits(chunk: Chunk, at: int, opcode: int, count: int, bit: np.uint64, out: NDArray[np.uint64]) -> None:
    """Set `bit` where the first or last `count` digits are the same."""
    records, left, right, size = chunk
    for pair in range(size):
        low_a, high_a = records[left[pair], at], records[left[pair], at + 1]
        low_b, high_b = records[right[pair], at], records[right[pair], at + 1]
        same = low_a == low_b and high_a == high_b
        if not same and (low_a == 0 or low_b == 0):
            continue
        key = digits_part(opcode, low_a, high_a, count)
        if key != 0 and (same or key == digits_part(opcode, low_b, high_b, count)):
            out[pair] |= bit


@kernel
def mark_words(
    chunk: Chunk, span: tuple[int, int], first_mask: np.uint32, bit: np.uint64, out: NDArray[np.uint64]
) -> None:
    """Set `bit` where the words of a span are the same and not all 0; of the first one, the bits of a mask."""
    records, left, right, size = chunk
    for pair in range(size):
        a, b = left[pair], right[pair]
        any_a = records[a, span[0]] & first_mask
        differ = any_a ^ (records[b, span[0]] & first_mask)
        for word in range(span[0] + 1, span[1]):
            any_a |= records[a, word]
            differ |= records[a, word] ^ records[b, word]
        out[pair] |= bit if (differ == 0) & (any_a != 0) else _ZERO


@kernel
def mark_houses(chunk: Chunk, at: int, bit: np.uint64, out: NDArray[np.uint64]) -> None:
    """Set `bit` where number and name of two streets are the same and there is a number."""
    records, left, right, size = chunk
    for pair in range(size):
        a, b = left[pair], right[pair]
        number = records[a, at] & _NUMBER_MASK
        same = (number == (records[b, at] & _NUMBER_MASK)) & (records[a, at + 1] == records[b, at + 1])
        out[pair] |= bit if same & (number != 0) else _ZERO


@kernel
def share_rare(
    records: NDArray[np.uint32], rows: tuple[int, int], at: int, count: int, table: NDArray[np.uint64]
) -> bool:
    """Whether two texts share one of the `count` rarest words of each that make a key; codes ascend in both."""
    one, two, n_one, n_two = at, at, 0, 0
    end = at + WORDS_KEPT
    while one < end and two < end and n_one < count and n_two < count:
        a, b = records[rows[0], one] >> np.uint32(FLAG_BITS), records[rows[1], two] >> np.uint32(FLAG_BITS)
        if a == 0 or b == 0:
            return False
        if a == b and table[a] != _ZERO:
            return True
        if a <= b:
            one += 1
            n_one += int(table[a] != _ZERO)
        if b <= a:
            two += 1
            n_two += int(table[b] != _ZERO)
    return False


@kernel
def mark_rare(
    chunk: Chunk, at: int, count: int, table: NDArray[np.uint64], bit: np.uint64, out: NDArray[np.uint64]
) -> None:
    """Set `bit` where two texts share a key of their `count` rarest words."""
    records, left, right, size = chunk
    for pair in range(size):
        out[pair] |= bit if share_rare(records, (left[pair], right[pair]), at, count, table) else _ZERO


@kernel
def mark_part(
    chunk: Chunk, part: NDArray[np.int32], vocabulary: VocabularyArrays, bit: np.uint64,
    out: NDArray[np.uint64],
) -> None:  # fmt: skip
    """Set `bit` where one key part is the same; part as `LayoutArrays.keys` has it, of its first value."""
    opcode, at, count = np.int64(part[0]), np.int64(part[1]), np.int64(part[2])
    other, width = np.int64(part[3]), np.int64(part[4])
    every = np.uint32(0xFFFFFFFF)
    if opcode == WHOLE and width == 0 and len(vocabulary.marks) > 0:
        # Several codes may be of one bare string.
        mark_codes(chunk, at, vocabulary.hash, bit, out)
    elif opcode == WHOLE:
        mark_words(chunk, (at, at + (width if width > 0 else 1)), every, bit, out)
    elif opcode == SOUND:
        mark_codes(chunk, at, vocabulary.sound, bit, out)
    elif opcode == NICK:
        mark_codes(chunk, at, vocabulary.class_hash, bit, out)
    elif opcode in (INITIAL, PREFIX):
        mark_affix(chunk, at, 1 if opcode == INITIAL else count, vocabulary, bit, out)
    elif opcode == SUFFIX:
        mark_affix(chunk, at, -count, vocabulary, bit, out)
    elif opcode == UNORDERED:
        mark_unordered(chunk, at, other, vocabulary.hash, bit, out)
    elif opcode in (YEAR, MONTH_DAY, PARTS, WHOLE_DATE):
        mark_dates(chunk, at, opcode, bit, out)
    elif opcode in (FIRST, LAST):
        mark_digits(chunk, at, opcode, count, bit, out)
    elif opcode == HOUSE:
        mark_houses(chunk, at, bit, out)
    elif opcode == NUMBER:
        mark_words(chunk, (at, at + 1), _NUMBER_MASK, bit, out)
    elif opcode in (LOCAL, STREET):
        mark_words(chunk, (at + 1, at + 2), every, bit, out)


@kernel
def mark_values(
    chunk: Chunk, part: NDArray[np.int32], vocabulary: VocabularyArrays, bit: np.uint64, out: NDArray[np.uint64]
) -> None:
    """Set `bit` where one key part is the same for any two values of the field that it reads."""
    at, width, n_values = np.int64(part[1]), np.int64(part[4]), np.int64(part[5])
    room = room_for_values()
    found = np.empty(CHUNK_PAIRS, dtype=np.uint64)
    alone = part.copy()
    alone[1] = 0
    for a in range(n_values):
        for b in range(n_values):
            some = list_values(chunk, (at + a * width, at + b * width), width, room)
            found[: some.size] = _ZERO
            mark_part(some, alone, vocabulary, bit, found)
            for pair in range(some.size):
                out[room.pairs[pair]] |= found[pair]


@kernel
def mark_parts(
    chunk: Chunk, keys: KeyParts, vocabulary: VocabularyArrays, wanted: np.uint64, out: NDArray[np.uint64]
) -> None:
    """Set bit d of `out` where part d is the same, for the parts of a mask."""
    parts = keys.parts
    for row in range(len(parts)):
        bit = _ONE << np.uint64(row)
        if wanted & bit == 0:
            continue
        if parts[row, 0] == RARE:
            at, count = np.int64(parts[row, 1]), np.int64(parts[row, 2])
            mark_rare(chunk, at, count, vocabulary.tokens.rare_keys, bit, out)
        elif parts[row, 5] > 1:
            mark_values(chunk, parts[row], vocabulary, bit, out)
        else:
            mark_part(chunk, parts[row], vocabulary, bit, out)


@kernel
def drop_made_earlier(
    chunk: Chunk, keys: KeyParts, vocabulary: VocabularyArrays, earlier: np.uint32, masks: NDArray[np.uint64]
) -> tuple[int, np.uint64]:
    """Close up the pairs of a chunk that none of the `earlier` passes makes.

    Pass by pass, so that the pairs every pass makes, which are most, are gone before the dearer parts are looked at.

    Returns:
        How many pairs remain, and the parts that `masks` holds of them.
    """
    left, right, needed = chunk.left, chunk.right, keys.needed
    size, known = chunk.size, _ZERO
    for pair in range(size):
        masks[pair] = 0
    for pass_ in range(len(needed)):
        need = needed[pass_]
        if earlier & (np.uint32(1) << np.uint32(pass_)) == 0:
            continue
        mark_parts(Chunk(chunk.records, left, right, size), keys, vocabulary, need & ~known, masks)
        known |= need
        n_left = 0
        for pair in range(size):
            left[n_left], right[n_left], masks[n_left] = left[pair], right[pair], masks[pair]
            n_left += int((masks[pair] & need) != need)
        size = n_left
    return size, known


@kernel
def passes_of(masks: NDArray[np.uint64], size: int, needed: NDArray[np.uint64], out: NDArray[np.uint32]) -> None:
    """Bits of the passes that make each pair, from its equal parts; both (>= size)."""
    for pair in range(size):
        out[pair] = 0
    for pass_ in range(len(needed)):
        need, bit = needed[pass_], np.uint32(1) << np.uint32(pass_)
        for pair in range(size):
            out[pair] |= bit if (need != 0) & ((masks[pair] & need) == need) else np.uint32(0)


@kernel
def fill_passes(
    words: NDArray[np.uint32],
    ends: tuple[NDArray[np.uint32], NDArray[np.uint32]],
    tables: tuple[KeyParts, VocabularyArrays],
    out: NDArray[np.uint32],
) -> None:
    """Bits of the passes that make each pair of rows, chunk by chunk."""
    keys, vocabulary = tables
    left, right = np.empty(CHUNK_PAIRS, dtype=np.int64), np.empty(CHUNK_PAIRS, dtype=np.int64)
    masks = np.empty(CHUNK_PAIRS, dtype=np.uint64)
    for start in range(0, len(out), CHUNK_PAIRS):
        size = min(CHUNK_PAIRS, len(out) - start)
        # One by one: for slices numba compiles what words its errors.
        for at in range(size):
            left[at], right[at], masks[at] = ends[0][start + at], ends[1][start + at], 0
        mark_parts(Chunk(words, left, right, size), keys, vocabulary, ALL_PARTS, masks)
        passes_of(masks, size, keys.needed, out[start : start + size])


def shared_passes(
    words: NDArray[np.uint32],
    ends: tuple[NDArray[np.uint32], NDArray[np.uint32]],
    vocabulary: Vocabulary,
    layout: Layout,
    parts: KeyParts | None = None,
) -> NDArray[np.uint32]:
    """Bits of the passes whose key each pair shares, whether or not it was compared there.

    Args:
        ends: (n,) rows of both sides. parts: of `key_parts`, where only some passes are asked for.
    Returns:
        (n,) bit p for pass p; passes with key functions that are not known here have none.
    Cost: about 0.3 us a pair.
    """
    out = np.zeros(len(ends[0]), dtype=np.uint32)
    fill_passes(words, ends, (key_parts(layout.ops) if parts is None else parts, vocabulary.arrays), out)
    return out
