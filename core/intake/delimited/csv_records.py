# budget: nesting, a byte scanner is one state machine in a loop; a call a state would cost more than the scan
"""Finds the records of a CSV text byte by byte, and rewrites the good ones in a form that no reader can mistake.

Rules (RFC 4180, and what spreadsheets make of it): a quote (" or ') counts at the start of a field only, blanks before
it allowed; inside, a doubled quote is a quote and a line feed is text; behind the closing quote only blanks may stand.
An empty line is no record. Line numbers count line feeds.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.matching.jit import kernel

# Faults of a record, in `scan_records`
SOUND: Final = 0
NUL_BYTE: Final = 1
TOO_LONG: Final = 2
UNCLOSED_QUOTE: Final = 3
TEXT_BEHIND_QUOTE: Final = 4

_LINE_FEED = 10
_AT_START = 0
_PLAIN = 1
_QUOTED = 2
_CLOSED = 3

Bytes = NDArray[np.uint8]
Longs = NDArray[np.int64]


@kernel
def _walk_record(data: Bytes, pos: int, signs: tuple[int, int], field_max: int) -> tuple[int, int, int, int, int, bool]:
    """Walk over one record, which begins at `pos`.

    Returns:
        where it ends (its line feed, the end of `data`, or where its quoting cannot be understood), line feeds inside,
        fields, fault, number of the field at fault, and whether its quoting cannot be understood.
    """
    n = data.size
    delimiter, quote = signs
    state, fields, fault, at_fault = _AT_START, 1, SOUND, 0
    i, field_start, n_feeds = pos, pos, 0
    broken = False
    while i < n:
        c = data[i]
        if state == _QUOTED:
            if c == quote:
                if i + 1 < n and data[i + 1] == quote:
                    i += 1
                else:
                    state = _CLOSED
            elif c == _LINE_FEED:
                n_feeds += 1
            if i - field_start > field_max:
                fault, at_fault, broken = TOO_LONG, fields - 1, True
                break
        elif c == _LINE_FEED:
            break
        elif c == delimiter:
            if i - field_start > field_max and fault == SOUND:
                fault, at_fault = TOO_LONG, fields - 1
            fields += 1
            field_start = i + 1
            state = _AT_START
        elif c in (32, 9, 13):
            pass
        elif state == _CLOSED:
            fault, at_fault, broken = TEXT_BEHIND_QUOTE, fields - 1, True
            break
        elif c == quote and state == _AT_START:
            state = _QUOTED
        else:
            state = _PLAIN
        if c == 0 and fault == SOUND:
            fault, at_fault = NUL_BYTE, fields - 1
        i += 1
    if i == n and state == _QUOTED:
        fault, at_fault, broken = UNCLOSED_QUOTE, fields - 1, True
    elif not broken and i - field_start > field_max and fault == SOUND:
        fault, at_fault = TOO_LONG, fields - 1
    return i, n_feeds, fields, fault, at_fault, broken


@kernel
def scan_records(
    data: Bytes, signs: tuple[int, int], first_line: int, is_end: bool, field_max: int, table: Longs
) -> tuple[int, int, int]:
    """Walk over whole records.

    Args:
        data: (n,) bytes, beginning at a record.
        signs: the byte between fields, and the one around quoted ones.
        first_line: number of the first line. is_end: nothing follows `data`.
        field_max: bytes a field may have.
        table: (capacity, 6) int64, filled: first byte, end (exclusive, line end excluded), line, fields, fault, and the
            number of the field at fault.
    Returns:
        records found, bytes consumed, number of the next line. A record that `data` cuts off is not consumed.
    A record whose quoting cannot be understood (never closed, text behind the closing quote, too long inside quotes)
    ends at its first line feed, so that one stray quote costs one line.
    """
    n = data.size
    pos, line, found = 0, first_line, 0
    while pos < n and found < table.shape[0]:
        i, n_feeds, fields, fault, at_fault, broken = _walk_record(data, pos, signs, field_max)
        # A quote that is the last byte may be the first of a doubled one: wait for more then as well.
        if i == n and not is_end:
            return found, pos, line
        if broken:
            i, n_feeds = pos, 0
            while i < n and data[i] != _LINE_FEED:
                i += 1
            if i == n and not is_end:
                return found, pos, line
        end = i
        if end > pos and data[end - 1] == 13:
            end -= 1
        if end > pos:
            table[found, 0] = pos
            table[found, 1] = end
            table[found, 2] = line
            table[found, 3] = fields
            table[found, 4] = fault
            table[found, 5] = at_fault
            found += 1
        pos = i + 1
        line += n_feeds + 1
    return found, min(pos, n), line


@kernel
def rewrite_records(
    data: Bytes, table: Longs, wanted: NDArray[np.bool_], marks: tuple[int, int, int, int], out: Bytes
) -> int:
    """Write the wanted fields of sound records, trimmed and without quotes, each followed by a mark.

    Args:
        data: the bytes that `table` (k, 6) of `scan_records` describes; all k records are sound and have one field for
            each element of `wanted`.
        marks: the delimiter of `data` and its quote; the byte behind each field and the byte behind each record in
            `out`, neither of which occurs in `data`.
        out: large enough: the records' bytes and a byte for each wanted field and each record.
    Returns:
        bytes written.
    """
    delimiter, quote, field_mark, record_mark = marks
    size = 0
    for record in range(table.shape[0]):
        i, end = table[record, 0], table[record, 1]
        for field in range(wanted.size):
            start = size
            state = _AT_START
            while i < end:
                c = data[i]
                if state == _QUOTED:
                    if c == quote:
                        if i + 1 < end and data[i + 1] == quote:
                            i += 1
                        else:
                            state = _CLOSED
                            i += 1
                            continue
                elif c == delimiter:
                    break
                elif state == _AT_START:
                    if c == quote:
                        state = _QUOTED
                        i += 1
                        continue
                    if c not in (32, 9, 13):
                        state = _PLAIN
                if wanted[field] and (size > start or not (c == 32 or 9 <= c <= 13)):
                    out[size] = c
                    size += 1
                i += 1
            i += 1
            if wanted[field]:
                while size > start and (out[size - 1] == 32 or 9 <= out[size - 1] <= 13):
                    size -= 1
                out[size] = field_mark
                size += 1
        out[size] = record_mark
        size += 1
    return size


@kernel
def bytes_present(data: Bytes) -> NDArray[np.bool_]:
    """(256,) which byte values occur."""
    present = np.zeros(256, dtype=np.bool_)
    for i in range(data.size):
        present[data[i]] = True
    return present
