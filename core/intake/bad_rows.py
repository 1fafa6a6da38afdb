"""What can be wrong with a row, in words; and the side file that takes such rows.

Words name line and column and never what stands in the cell. The side file is the user's own data: mode 0600.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal, get_args

from core.errors import RowError

FaultKind = Literal[
    "not_utf8",
    "nul_byte",
    "too_long",
    "unclosed_quote",
    "text_behind_quote",
    "ragged",
    "broken_json",
    "unreadable_date",
    "empty_id",
    "repeated_id",
]
FIELD_BYTES_MAX = 1 << 20
SET_ASIDE = "`bad_rows` quarantine sets such rows aside"
CORRECT = "correct the file: here no row is left out"

_WORDS: dict[FaultKind, str] = {
    "not_utf8": "is not UTF-8; save the file as UTF-8",
    "nul_byte": "has a NUL byte",
    "too_long": "has more than 1 MiB",
    "unclosed_quote": "opens a quote that is never closed",
    "text_behind_quote": "has text behind its closing quote",
    "ragged": "expected {expected} fields, got {got}",
    "broken_json": "is no whole JSON object",
    "unreadable_date": "has a date that does not exist or cannot be read",
    "empty_id": "is empty, but every row needs an id",
    "repeated_id": "repeats the id {id!r} of line {first_line}",
}
assert set(_WORDS) == set(get_args(FaultKind))


@dataclass(frozen=True, slots=True)
class Fault:
    """One bad row. `line` is the physical line (1-based) where the row starts, in Parquet its row number (1-based)."""

    kind: FaultKind
    line: int
    column: str | None = None
    expected: int | None = None
    got: int | None = None
    id: str | None = None
    first_line: int | None = None
    first_file: str | None = None

    @property
    def reason(self) -> str:
        """In words, without the place."""
        words = _WORDS[self.kind].format(expected=self.expected, got=self.got, id=self.id, first_line=self.first_line)
        return words if self.first_file is None else f"{words} of {self.first_file}"

    def error(self, path: Path, unit: str = "line", advice: str = SET_ASIDE) -> RowError:
        """As the error that ends the run, with what can be done about it."""
        where = f"{path}, {unit} {self.line}" + (f", column {self.column!r}" if self.column is not None else "")
        return RowError(
            f"{where}: {self.reason} ({advice})",
            path=str(path),
            line=self.line,
            column=self.column,
            reason=self.kind,
            fields=("bad_rows",) if advice == SET_ASIDE else (),
        )


class Quarantine:
    """The side file: columns line, reason, column, raw. It appears under its name when the block ends without error.

    Where the input has several files, it has the column file as well, in front.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._partial = path.with_name(f".{path.name}.partial")

    def __enter__(self) -> Quarantine:
        return self

    def add(self, faults: Sequence[Fault], raws: Sequence[bytes], file: Path | None = None) -> None:
        """Set rows of one file aside; bytes that are not UTF-8 are written as \\xNN. file: where there are several."""
        name = () if file is None else (str(file),)
        if faults and self.count == 0:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._partial.unlink(missing_ok=True)
            handle = os.open(self._partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            self._file = os.fdopen(handle, "w", encoding="utf-8", newline="")
            self._rows = csv.writer(self._file)
            self._rows.writerow((*(["file"] if name else []), "line", "reason", "column", "raw"))
        self._rows.writerows(
            (*name, fault.line, fault.reason, fault.column or "", raw.decode("utf-8", "backslashreplace"))
            for fault, raw in zip(faults, raws, strict=True)
        )
        self.count += len(faults)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.count == 0:
            return
        self._file.close()
        if kind is None:
            self._partial.replace(self.path)
        else:
            self._partial.unlink(missing_ok=True)
