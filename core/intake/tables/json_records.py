# budget: nesting, a byte scanner is one state machine in a loop; a call a state would cost more than that
"""Finds the objects of a JSON text byte by byte, which keys they have, and which of these hold more than one value.

The values themselves are read by polars. In JSON lines a line feed ends the object, whatever is open, so that a broken
line costs one line. In an array, and where objects go over several lines, the first thing that is wrong ends the scan.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel

# What is wrong with an object
SOUND: Final = 0
CUT_SHORT: Final = 1
NO_OBJECT: Final = 2
# Bits of what the values of a key are, in `Keys.shapes`
OBJECTS: Final = 1
LISTS: Final = 2
NESTED_LISTS: Final = 4
# What may stand at the top, in `place`: an object, a comma or the end of the array, an object behind a comma, nothing.
OBJECT_OR_END: Final = 0
COMMA_OR_END: Final = 1
BEHIND_COMMA: Final = 2
CLOSED: Final = 3

KEYS_MAX: Final = 4_096
_SLOTS: Final = 4 * KEYS_MAX
_CUT: Final = -1
_BROKEN: Final = -2
_FEED, _QUOTE, _BACKSLASH, _COMMA = 10, 34, 92, 44
_OPEN_LIST, _CLOSE_LIST, _OPEN, _CLOSE = 91, 93, 123, 125

Bytes = NDArray[np.uint8]
Longs = NDArray[np.int64]
Hashes = NDArray[np.uint64]


class Keys(NamedTuple):
    """The keys seen so far, in the order of their first sight, as the kernels keep them.

    slots: (16,384, 2) u64, an open hash table: hash of a key's bytes, its number + 1. shapes: (4,096,) bits of its
    values. fresh: (4,096, 2) where in the data of the last scan the keys stand that are new in it. n_seen: (1,).
    """

    slots: Hashes
    shapes: Longs
    fresh: Longs
    n_seen: Longs


def no_keys() -> Keys:
    """None seen yet."""
    return Keys(
        np.zeros((_SLOTS, 2), dtype=np.uint64),
        np.zeros(KEYS_MAX, dtype=np.int64),
        np.zeros((KEYS_MAX, 2), dtype=np.int64),
        np.zeros(1, dtype=np.int64),
    )


@kernel
def _number_of_key(data: Bytes, start: int, end: int, keys: Keys) -> int:
    """Number of the key between two quotes, a new one if need be; -1 beyond the last number."""
    slots, fresh = keys.slots, keys.fresh
    code = np.uint64(14695981039346656037)
    for i in range(start, end):
        code = (code ^ np.uint64(data[i])) * np.uint64(1099511628211)
    slot = np.int64(code & np.uint64(_SLOTS - 1))
    while slots[slot, 1] != 0:
        if slots[slot, 0] == code:
            return int(slots[slot, 1]) - 1
        slot = (slot + 1) & (_SLOTS - 1)
    number = int(keys.n_seen[0])
    if number == KEYS_MAX:
        return -1
    slots[slot, 0] = code
    slots[slot, 1] = np.uint64(number + 1)
    fresh[number, 0] = start
    fresh[number, 1] = end
    keys.n_seen[0] = number + 1
    return number


@kernel
def _walk_object(data: Bytes, pos: int, by_line: bool, keys: Keys) -> tuple[int, int]:
    """Where the object that begins at `pos` ends (exclusive), or _CUT, or _BROKEN; and line feeds inside."""
    n = data.size
    i, depth, feeds, key = pos, 0, 0, -1
    awaits_key = False
    while i < n:
        c = data[i]
        if c == _QUOTE:
            start = i + 1
            i = start
            while i < n and data[i] != _QUOTE:
                if data[i] == _FEED:
                    return _BROKEN, feeds
                i += 2 if data[i] == _BACKSLASH else 1
            if i >= n:
                return _CUT, feeds
            if awaits_key:
                key = _number_of_key(data, start, i, keys)
                awaits_key = False
        elif c in (_OPEN, _OPEN_LIST):
            depth += 1
            if depth == 1:
                awaits_key = True
            elif key >= 0 and depth == 2:
                keys.shapes[key] |= OBJECTS if c == _OPEN else LISTS
            elif key >= 0:
                keys.shapes[key] |= NESTED_LISTS
        elif c in (_CLOSE, _CLOSE_LIST):
            depth -= 1
            if depth == 0:
                return (i + 1 if c == _CLOSE else _BROKEN), feeds
        elif c == _COMMA:
            awaits_key = depth == 1
        elif c == _FEED:
            if by_line:
                return _BROKEN, feeds
            feeds += 1
        i += 1
    return _CUT, feeds


@kernel
def scan_lines(data: Bytes, first_line: int, is_end: bool, keys: Keys, table: Longs) -> tuple[int, int, int]:
    """Walk over whole lines of JSON lines; blank ones are no records.

    Args:
        data: (n,) bytes, beginning at a line. first_line: its number. is_end: nothing follows `data`.
        keys: filled with those that are new.
        table: (capacity, 4), filled: first byte, end (exclusive, line end left out), line, what is wrong.
    Returns:
        records found, bytes consumed, number of the next line. A line that `data` cuts off is not consumed.
    Cost: about 1 ns a byte.
    """
    n = data.size
    pos, line, found = 0, first_line, 0
    while pos < n and found < table.shape[0]:
        i = pos
        while i < n and (data[i] == 32 or data[i] == 9 or data[i] == 13):
            i += 1
        if i < n and data[i] == _FEED:
            pos = i + 1
            line += 1
            continue
        start, fault = i, NO_OBJECT
        if i < n and data[i] == _OPEN:
            end, _ = _walk_object(data, i, True, keys)
            fault = CUT_SHORT
            if end >= 0:
                i, fault = end, SOUND
        while i < n and data[i] != _FEED:
            if fault == SOUND and data[i] != 32 and data[i] != 9 and data[i] != 13:
                fault = NO_OBJECT
            i += 1
        if i == n and not is_end:
            break
        if start < n:
            table[found, 0] = start
            table[found, 1] = i
            table[found, 2] = line
            table[found, 3] = fault
            found += 1
        pos = min(i + 1, n)
        line += 1
    return found, pos, line


@kernel
def scan_objects(data: Bytes, first_line: int, place: Longs, keys: Keys, table: Longs) -> tuple[int, int, int]:
    """Walk over whole objects of an array, or over objects behind each other; as `scan_lines` otherwise.

    Args:
        place: (2,) what may come next, kept from one call to the next; and whether it is an array (1) or not (0).
    Returns:
        as `scan_lines`. What is no object is the last record found, and nothing is consumed from there on.
    """
    n = data.size
    pos, line, found = 0, first_line, 0
    while pos < n and found < table.shape[0]:
        c = data[pos]
        if c in (32, 9, 13, _FEED):
            line += c == _FEED
            pos += 1
            continue
        if c == _OPEN and (place[0] == OBJECT_OR_END or place[0] == BEHIND_COMMA):
            end, feeds = _walk_object(data, pos, False, keys)
            if end == _CUT:
                break
            table[found, 0] = pos
            table[found, 1] = end
            table[found, 2] = line
            table[found, 3] = SOUND if end >= 0 else CUT_SHORT
            found += 1
            if end < 0:
                break
            pos = end
            line += feeds
            place[0] = COMMA_OR_END if place[1] == 1 else OBJECT_OR_END
            continue
        if c == _COMMA and place[0] == COMMA_OR_END:
            place[0] = BEHIND_COMMA
        elif c == _CLOSE_LIST and place[1] == 1 and (place[0] == OBJECT_OR_END or place[0] == COMMA_OR_END):
            place[0] = CLOSED
        else:
            table[found, 0] = pos
            table[found, 1] = pos + 1
            table[found, 2] = line
            table[found, 3] = NO_OBJECT
            found += 1
            break
        pos += 1
    return found, pos, line


@kernel
def write_lines(data: Bytes, table: Longs, out: Bytes) -> int:
    """Copy objects one a line: line ends inside become blanks. Returns bytes written; `out` has one more a record."""
    at = 0
    for row in range(table.shape[0]):
        for i in range(table[row, 0], table[row, 1]):
            c = data[i]
            out[at] = 32 if c in (_FEED, 13) else c
            at += 1
        out[at] = _FEED
        at += 1
    return at
