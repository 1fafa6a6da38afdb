"""A CSV file as a stream of checked blocks: never more than some blocks of it in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.errors import InputError
from core.intake.bad_rows import FIELD_BYTES_MAX, Fault, FaultKind
from core.intake.columns import check_header
from core.intake.delimited.cells import cells, texts_of
from core.intake.delimited.csv_records import (
    NUL_BYTE,
    SOUND,
    TEXT_BEHIND_QUOTE,
    TOO_LONG,
    UNCLOSED_QUOTE,
    Bytes,
    Longs,
    scan_records,
)
from core.intake.delimited.dialect import find_dialect
from core.intake.reading import NOTHING_SAID, Reading
from core.intake.tables.block import Block, read_spans

BLOCK_BYTES = 24 << 20
RECORDS_MAX = 250_000
# One record may be that long before the file is given up as not being lines of text.
RECORD_BYTES_MAX = 64 << 20
_UTF8_MARK = b"\xef\xbb\xbf"
_KINDS: dict[int, FaultKind] = {
    NUL_BYTE: "nul_byte",
    TOO_LONG: "too_long",
    UNCLOSED_QUOTE: "unclosed_quote",
    TEXT_BEHIND_QUOTE: "text_behind_quote",
}


class CsvFile:
    """An opened CSV: header read, delimiter known.

    Raises:
        InputError: the file is empty, not text, or no lines; SchemaError: doubled columns.
    """

    def __init__(self, path: Path, file: BinaryIO, reading: Reading = NOTHING_SAID) -> None:
        self.path = path
        self._file = file
        self._digest = hashlib.sha256()
        self._rest = b""
        self.n_longer = 0
        self._ended = False
        self._read()
        self._offset = 0
        self._line = 1
        if not self._rest:
            raise InputError(f"{path} is empty", path=str(path), line=1)
        if self._rest.startswith(_UTF8_MARK):
            self._drop(len(_UTF8_MARK))
        self.dialect = find_dialect(self._rest, path, reading, is_end=self._ended)
        self._signs = self.dialect.signs
        self.columns = self._numbered() if reading.headless else self._header()

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
            found, consumed, line = scan_records(array, self._signs, self._line, self._ended, FIELD_BYTES_MAX, table)
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

    @property
    def proposal(self) -> str | None:
        """Which line looks like the header, where this one looks like a title."""
        return self.dialect.proposal

    def detected(self) -> dict[str, str]:
        """How it is written, in words for a person."""
        dialect = self.dialect
        found = {"format": "csv", "delimiter": "tab" if dialect.delimiter == "\t" else dialect.delimiter}
        if dialect.quote != '"':
            found["quote"] = dialect.quote
        if dialect.line > 1:
            found["header_line"] = str(dialect.line)
        return found

    def notices(self) -> list[str]:
        """What the user should know of how it is written; after the last block."""
        dialect, found = self.dialect, []
        if self.n_longer:
            found.append(f"{self.n_longer} rows end in {dialect.n_behind} empty fields more than the header; left out")
        if dialect.n_nameless:
            found.append(f"the header ends in {dialect.n_nameless} empty names more than rows have fields; left out")
        return [f"{self.path.name}: {text}" for text in found]

    def raws(self, offsets: Sequence[int], sizes: Sequence[int]) -> list[bytes]:
        """Bytes of records, read again from the file, which is opened once."""
        with Path(self._file.name).open("rb") as file:
            return read_spans(file, offsets, sizes)

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

    def _numbered(self) -> list[str]:
        """Names for as many fields as the first record has, which is a row."""
        self._line = self.dialect.line
        self._drop(self.dialect.start)
        return [f"column_{number}" for number in range(1, self.dialect.n_fields + 1)]

    def _header(self) -> list[str]:
        """The names, without those that no row has a field for."""
        dialect, self._line = self.dialect, self.dialect.line
        self._drop(dialect.start)
        table = np.empty((1, 6), dtype=np.int64)
        array = np.frombuffer(self._rest, dtype=np.uint8)
        _, consumed, line = scan_records(array, self._signs, self._line, True, FIELD_BYTES_MAX, table)
        fault = self._fault(table[0], array, ["header"] * int(table[0, 3]))
        raw = self._rest[int(table[0, 0]) : int(table[0, 1])]
        if fault is None and not _is_utf8(raw):
            fault = Fault("not_utf8", self._line)
        if fault is not None:
            raise fault.error(self.path)
        names = texts_of(array, table, self._signs)[: dialect.n_fields]
        self._drop(consumed)
        self._line = line
        return check_header(names, self.path)

    def _block(self, array: Bytes, table: Longs, wanted: set[str]) -> Block:
        sound = (table[:, 4] == SOUND) & ((table[:, 3] == len(self.columns)) | self._is_longer(array, table))
        if not _is_utf8(array.tobytes()):
            sound &= _in_utf8(array, table)
        faults = []
        for row in table[~sound]:
            raw = array[row[0] : row[1]].tobytes()
            fault = self._fault(row, array, self.columns) or self._encoding_fault(row, raw)
            faults.append((fault, raw))
        good = table[sound]
        flags = np.array([column in wanted for column in self.columns])
        frame = cells(array, good, flags, self._signs)
        frame.columns = [column for column in self.columns if column in wanted]
        return Block(
            frame, good[:, 2], good[:, 0] + self._offset, good[:, 1] - good[:, 0], faults, bool(array.max() < 128)
        )

    def _is_longer(self, array: Bytes, table: Longs) -> NDArray[np.bool_]:
        """(n,) which records have, as the first ones have, further fields, all of them empty."""
        n_fields, n_behind = len(self.columns), self.dialect.n_behind
        longer = (table[:, 4] == SOUND) & (table[:, 3] == n_fields + n_behind) & (n_behind > 0)
        if longer.any():
            flags = np.arange(n_fields + n_behind) >= n_fields
            behind = cells(array, table[longer], flags, self._signs)
            longer[longer] = behind.select(pl.all_horizontal(pl.all().is_null())).to_series().to_numpy()
            self.n_longer += int(longer.sum())
        return np.asarray(longer, dtype=np.bool_)

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
            scan_records(before, self._signs, 1, True, FIELD_BYTES_MAX, table)
            # Cut off inside quotes, the record looks unclosed, but its fields are counted up to here.
            column = self.columns[min(int(table[0, 3]), len(self.columns)) - 1]
            return Fault("not_utf8", int(row[2]) + raw[: error.start].count(b"\n"), column)
        raise AssertionError("only called for bytes that do not decode")


def _in_utf8(array: Bytes, table: Longs) -> NDArray[np.bool_]:
    """(n,) which records are UTF-8. Cost: few bad ones are found by halving, at about 1 ns a byte."""
    if not len(table) or _is_utf8(array[table[0, 0] : table[-1, 1]].tobytes()):
        return np.ones(len(table), dtype=np.bool_)
    if len(table) == 1:
        return np.zeros(1, dtype=np.bool_)
    half = len(table) // 2
    return np.concatenate([_in_utf8(array, table[:half]), _in_utf8(array, table[half:])])


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
