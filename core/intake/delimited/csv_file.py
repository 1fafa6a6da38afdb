"""A CSV file as a stream of checked blocks: never more than some blocks of it in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.errors import InputError
from core.intake.bad_rows import FIELD_BYTES_MAX, Fault, FaultKind
from core.intake.columns import check_header
from core.intake.delimited.csv_records import (
    NUL_BYTE,
    SOUND,
    TEXT_BEHIND_QUOTE,
    TOO_LONG,
    UNCLOSED_QUOTE,
    Bytes,
    Longs,
    bytes_present,
    rewrite_records,
    scan_records,
)

BLOCK_BYTES = 24 << 20
RECORDS_MAX = 250_000
# One record may be that long before the file is given up as not being lines of text.
RECORD_BYTES_MAX = 64 << 20
DELIMITERS = ",;\t|"
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_KINDS: dict[int, FaultKind] = {
    NUL_BYTE: "nul_byte",
    TOO_LONG: "too_long",
    UNCLOSED_QUOTE: "unclosed_quote",
    TEXT_BEHIND_QUOTE: "text_behind_quote",
}


@dataclass(frozen=True, slots=True)
class Block:
    """Some records in file order.

    frame: the wanted columns of the sound ones, String, trimmed, empty as null. lines, offsets, sizes: (n,) line where
    each starts, its first byte in the file and its bytes. faults: the others, with their raw bytes.
    """

    frame: pl.DataFrame
    lines: Longs
    offsets: Longs
    sizes: Longs
    faults: list[tuple[Fault, bytes]]


class CsvFile:
    """An opened CSV: header read, delimiter known.

    Raises:
        InputError: the file is empty, not text, or no lines; SchemaError: doubled columns.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self._file = file
        self._digest = hashlib.sha256()
        self._rest = b""
        self._ended = False
        self._read()
        self._offset = 0
        self._line = 1
        if not self._rest:
            raise InputError(f"{path} is empty", path=str(path), line=1)
        if self._rest[:2] in _UTF16_MARKS:
            raise InputError(
                f"{path}, line 1: the file is UTF-16; convert it to UTF-8 first (iconv -f UTF-16 -t UTF-8)",
                path=str(path),
                line=1,
            )
        if self._rest.startswith(_UTF8_MARK):
            self._drop(len(_UTF8_MARK))
        self.columns, self.delimiter = self._header()

    @property
    def digest(self) -> str:
        """SHA-256 of the whole file; of what was read so far before the last block."""
        return self._digest.hexdigest()

    def blocks(self, wanted: set[str]) -> Iterator[Block]:
        """Every record behind the header, once. Cost: about 5 ns a byte."""
        table = np.empty((RECORDS_MAX, 6), dtype=np.int64)
        consumed = 0
        while self._rest or not self._ended:
            if consumed == 0 or len(self._rest) < BLOCK_BYTES // 2:
                self._read()
            array = np.frombuffer(self._rest, dtype=np.uint8)
            found, consumed, line = scan_records(
                array, ord(self.delimiter), self._line, self._ended, FIELD_BYTES_MAX, table
            )
            if consumed == 0 and len(self._rest) > RECORD_BYTES_MAX:
                raise InputError(
                    f"{self.path}, line {self._line}: no end within {RECORD_BYTES_MAX >> 20} MiB; is this a CSV file?",
                    path=str(self.path),
                    line=self._line,
                )
            if found:
                yield self._block(array[:consumed], table[:found], wanted)
            self._line = line
            self._drop(consumed)

    def raw(self, offset: int, size: int) -> bytes:
        """Bytes of a record, read again from the file."""
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(size)

    def _read(self) -> None:
        if self._ended:
            return
        data = self._file.read(BLOCK_BYTES)
        self._digest.update(data)
        self._ended = len(data) < BLOCK_BYTES
        self._rest += data

    def _drop(self, size: int) -> None:
        self._rest = self._rest[size:]
        self._offset += size

    def _header(self) -> tuple[list[str], str]:
        """Find the first line that is not empty, the delimiter in it, and the names."""
        start = len(self._rest) - len(self._rest.lstrip(b"\r\n"))
        self._line += self._rest[:start].count(b"\n")
        self._drop(start)
        head = self._rest[: FIELD_BYTES_MAX + 1]
        if b"\n" not in head and b"\r" in head:
            raise InputError(
                f"{self.path}: lines end in CR alone; convert them to LF first", path=str(self.path), line=1
            )
        table = np.empty((1, 6), dtype=np.int64)
        best: tuple[int, str] = (0, DELIMITERS[0])
        array = np.frombuffer(self._rest, dtype=np.uint8)
        for delimiter in DELIMITERS:
            found, _, _ = scan_records(array, ord(delimiter), self._line, True, FIELD_BYTES_MAX, table)
            if found and table[0, 3] > best[0]:
                best = (int(table[0, 3]), delimiter)
        found, consumed, line = scan_records(array, ord(best[1]), self._line, True, FIELD_BYTES_MAX, table)
        if not found:
            raise InputError(f"{self.path} is empty", path=str(self.path), line=1)
        fault = self._fault(table[0], array, ["header"] * int(table[0, 3]))
        raw = self._rest[int(table[0, 0]) : int(table[0, 1])]
        if fault is None and not _is_utf8(raw):
            fault = Fault("not_utf8", self._line)
        if fault is not None:
            raise fault.error(self.path)
        names = _fields(array, table, best[1])
        self._drop(consumed)
        self._line = line
        return check_header(names, self.path), best[1]

    def _block(self, array: Bytes, table: Longs, wanted: set[str]) -> Block:
        sound = (table[:, 4] == SOUND) & (table[:, 3] == len(self.columns))
        if not _is_utf8(array.tobytes()):
            sound &= np.array([_is_utf8(array[row[0] : row[1]].tobytes()) for row in table], dtype=bool)
        faults = []
        for row in table[~sound]:
            raw = array[row[0] : row[1]].tobytes()
            fault = self._fault(row, array, self.columns) or self._encoding_fault(row, raw)
            faults.append((fault, raw))
        good = table[sound]
        flags = np.array([column in wanted for column in self.columns])
        frame = _to_frame(array, good, flags, self.delimiter)
        frame.columns = [column for column in self.columns if column in wanted]
        return Block(frame, good[:, 2], good[:, 0] + self._offset, good[:, 1] - good[:, 0], faults)

    def _fault(self, row: Longs, array: Bytes, columns: list[str]) -> Fault | None:
        """The fault of structure of one record, if it has one."""
        line, fields, code, at = (int(value) for value in row[2:])
        if code != SOUND:
            return Fault(_KINDS[code], line, columns[at] if at < len(columns) else None)
        if fields != len(columns):
            return Fault("ragged", line, expected=len(columns), got=fields)
        return None

    def _encoding_fault(self, row: Longs, raw: bytes) -> Fault:
        """Where in a record the first byte is that is not UTF-8: its own line, and its column."""
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError as error:
            before = np.frombuffer(raw[: error.start] + b".", dtype=np.uint8)
            table = np.empty((1, 6), dtype=np.int64)
            scan_records(before, ord(self.delimiter), 1, True, FIELD_BYTES_MAX, table)
            # Cut off inside quotes, the record looks unclosed, but its fields are counted up to here.
            column = self.columns[min(int(table[0, 3]), len(self.columns)) - 1]
            return Fault("not_utf8", int(row[2]) + raw[: error.start].count(b"\n"), column)
        raise AssertionError("only called for bytes that do not decode")


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _marks(array: Bytes) -> tuple[int, int] | None:
    """Two control characters that do not occur, or None."""
    present = bytes_present(array)
    free = [code for code in (31, 30, 29, 28, *range(1, 9), *range(14, 28)) if not present[code]]
    return (free[0], free[1]) if len(free) > 1 else None


def _to_frame(array: Bytes, table: Longs, wanted: NDArray[np.bool_], delimiter: str) -> pl.DataFrame:
    names = [f"column_{number}" for number in range(int(wanted.sum()))]
    schema = dict.fromkeys(names, pl.String)
    if not len(table):
        return pl.DataFrame(schema=schema)
    marks = _marks(array)
    if marks is None:
        halves = np.array_split(table, 2)
        if len(table) == 1:
            raise InputError("a record has every control character there is; this is no text")
        parts = [_to_frame(array[half[0, 0] : half[-1, 1]], _shifted(half), wanted, delimiter) for half in halves]
        return pl.concat(parts)
    room = int((table[:, 1] - table[:, 0]).sum()) + len(table) * (len(names) + 1)
    out = np.empty(room, dtype=np.uint8)
    size = rewrite_records(array, table, wanted, (ord(delimiter), *marks), out)
    # Each field is followed by a mark, so there is an empty last column: it keeps a record of one empty field visible.
    frame = pl.read_csv(
        out[:size].tobytes(),
        has_header=False,
        separator=chr(marks[0]),
        eol_char=chr(marks[1]),
        quote_char=None,
        schema={**schema, "end": pl.String},
    )
    frame = frame.drop("end")
    # ASCII blanks are gone already; other alphabets have blanks of their own.
    return frame if array.max() < 128 else frame.select(_trimmed(name) for name in names)


def _trimmed(name: str) -> pl.Expr:
    text = pl.col(name).str.strip_chars()
    return pl.when(text != "").then(text).alias(name)


def _shifted(table: Longs) -> Longs:
    moved = table.copy()
    moved[:, :2] -= table[0, 0]
    return moved


def _fields(array: Bytes, table: Longs, delimiter: str) -> list[str]:
    """The fields of the first record, as text."""
    frame = _to_frame(array, table[:1], np.ones(int(table[0, 3]), dtype=bool), delimiter)
    return [value or "" for value in frame.row(0)]
