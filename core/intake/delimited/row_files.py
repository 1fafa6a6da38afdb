"""Opens what is read row by row: text of fields, JSON, a sheet; one file or the parts of one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import polars as pl

from core.intake.decoding.plain_text import plain_text, unpacked
from core.intake.delimited.csv_file import CsvFile
from core.intake.file_kind import Kind, kind_of, one_kind
from core.intake.reading import Reading
from core.intake.tables.block import Block, RowFile
from core.intake.tables.json_file import JsonFile
from core.intake.tables.part_files import PartFile, refuse_others
from core.intake.tables.sheet_file import SheetFile


@dataclass(frozen=True, slots=True)
class OpenedRows:
    """A file of rows that is open. kind: of what is in it, unpacked. detected, notices: of its packing and encoding.

    digest: SHA-256 of the file, found on the way through it, where its own bytes are read.
    """

    rows: RowFile
    kind: Kind
    detected: dict[str, str]
    notices: tuple[str, ...] = ()
    digest: Callable[[], str | None] = lambda: None


@contextmanager
def open_rows(path: Path, reading: Reading, folder: Path | None) -> Iterator[OpenedRows]:
    """Open a file of rows by what it is. Private copies are made below `folder`. Raises as each kind."""
    if kind_of(path) == "sheet":
        yield OpenedRows(SheetFile(path, reading.sheet, reading.skip_lines), "sheet", {})
        return
    with unpacked(path, folder) as (where, packing):
        if kind_of(where) == "json":
            yield OpenedRows(JsonFile(path, partial(_bytes_of, where)), "json", packing)
            return
        with plain_text(path, where, reading, folder) as text, text.where.open("rb") as file:
            csv = CsvFile(path, file, reading)
            digest = partial(getattr, csv, "digest") if text.is_file and where == path else _unknown
            yield OpenedRows(csv, "text", {**packing, **text.detected}, text.notices, digest)


def _unknown() -> None:
    return None


def _bytes_of(path: Path) -> BinaryIO:
    return path.open("rb")


class RowParts:
    """The parts of one table, opened one after the other; the first one is open from the start, of JSON all are.

    columns: those of the first part, with what its folders say; of JSON those of all, as objects may lack any.
    Raises:
        as `open_rows`.
    """

    def __init__(self, parts: Sequence[PartFile], reading: Reading, folder: Path | None) -> None:
        self.parts = parts
        self._reading, self._folder = reading, folder
        one_kind(parts)
        self._kept: dict[int, OpenedRows] = {}
        self._current: tuple[int, OpenedRows] | None = None
        self.notices: list[str] = []
        columns: dict[str, None] = {}
        with ExitStack() as stack:
            for number, part in enumerate(parts):
                if number and self._kept[0].kind != "json":
                    break
                self._kept[number] = stack.enter_context(open_rows(part.path, reading, folder))
                columns |= dict.fromkeys([*self._kept[number].rows.columns, *part.values])
            self._stack = stack.pop_all()
        first = self._kept[0]
        self.kind, self.proposal = first.kind, first.rows.proposal
        self.columns = list(columns)
        self.detected = {**first.rows.detected(), **first.detected}

    def __enter__(self) -> RowParts:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def blocks(self, wanted: set[str]) -> Iterator[tuple[int, RowFile, Block]]:
        """Every record of every part, with the number of the part and its file.

        Raises:
            SchemaError: a part has other columns than the first.
        """
        for number, part in enumerate(self.parts):
            with self._opened(number) as opened:
                self._current, file = (number, opened), opened.rows
                if self.kind != "json":
                    refuse_others(part.path, {*file.columns, *part.values}, self.parts[0].path, set(self.columns))
                for block in file.blocks(wanted & set(file.columns)):
                    yield number, file, self._with_all(block, part, wanted)
                self.notices += [*opened.notices, *file.notices()]
            self._current = None

    def raws(self, number: int, offsets: Sequence[int], sizes: Sequence[int]) -> list[bytes]:
        """Records of a part, read again in the order given; the part is opened once."""
        if self._current is not None and self._current[0] == number:
            return self._current[1].rows.raws(offsets, sizes)
        with self._opened(number) as opened:
            return opened.rows.raws(offsets, sizes)

    @property
    def digest(self) -> str | None:
        """SHA-256 of a single file of text, found on the way through it."""
        return self._kept[0].digest() if len(self.parts) == 1 else None

    def _opened(self, number: int) -> AbstractContextManager[OpenedRows]:
        if number in self._kept:
            return nullcontext(self._kept[number])
        return open_rows(self.parts[number].path, self._reading, self._folder)

    def _with_all(self, block: Block, part: PartFile, wanted: set[str]) -> Block:
        lacking = wanted - set(block.frame.columns)
        if not lacking:
            return block
        values = {column: pl.lit(part.values.get(column), dtype=pl.String) for column in lacking}
        frame = block.frame.with_columns(**values)
        return Block(frame, block.lines, block.offsets, block.sizes, block.faults, block.is_ascii)
