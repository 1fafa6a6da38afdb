"""Bad rows on their way to the side file: read again many at a time, written in the order in which they were found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.intake.bad_rows import Fault, Quarantine

RawsOf = Callable[[int, Sequence[int], Sequence[int]], list[bytes]]
"""Reads rows of a part again, by offsets and sizes."""
# So many are in memory at once.
ROWS_AT_ONCE = 8_192
# More rows than these, or more of all rows, are not left out where the others are read: the others are copied.
# The numbers of rows left out go with the description of a job.
LEFT_OUT_MAX = 1 << 16
_LEFT_OUT_SHARE_MAX = 0.05


def too_many(n_left_out: int, n_rows: int) -> bool:
    """Whether rows are too many to be left out of so many in place."""
    return n_left_out > min(LEFT_OUT_MAX, _LEFT_OUT_SHARE_MAX * n_rows)


@dataclass(frozen=True, slots=True)
class BadRow:
    """What is wrong with a row, the number of its part, where its bytes are, and these where they are at hand."""

    fault: Fault
    part: int
    offset: int = 0
    size: int = 0
    raw: bytes | None = None


class SetAside:
    """Takes bad rows and writes them. count: of all that were taken, whether they are written or not.

    files: of the parts.
    """

    def __init__(self, quarantine: Quarantine, files: Sequence[Path], raws: RawsOf) -> None:
        self.count = 0
        self._quarantine, self._files, self._raws = quarantine, files, raws
        self._pending: list[BadRow] = []

    def take(self, rows: Iterable[BadRow]) -> None:
        """Take rows; nothing is written yet."""
        before = len(self._pending)
        self._pending += rows
        self.count += len(self._pending) - before

    def last(self, count: int) -> NDArray[np.int64]:
        """Offsets of the rows that were taken last and are not written yet, as they were taken."""
        return np.array([row.offset for row in self._pending[len(self._pending) - count :]], dtype=np.int64)

    def left_out(self) -> list[NDArray[np.int64]]:
        """For each part the offsets of its rows that are not written yet, ascending."""
        offsets: list[list[int]] = [[] for _ in self._files]
        for row in self._pending:
            offsets[row.part].append(row.offset)
        return [np.sort(np.array(each, dtype=np.int64)) for each in offsets]

    def write(self) -> None:
        """Write what was taken. Cost: some 15 us a row, and one reading of what lies between those of a part."""
        pending, self._pending = self._pending, []
        for lo in range(0, len(pending), ROWS_AT_ONCE):
            self._write(pending[lo : lo + ROWS_AT_ONCE])

    def _write(self, rows: Sequence[BadRow]) -> None:
        raws = [row.raw or b"" for row in rows]
        unread: dict[int, list[int]] = {}
        for at, row in enumerate(rows):
            if row.raw is None:
                unread.setdefault(row.part, []).append(at)
        for part, places in unread.items():
            read = self._raws(part, [rows[at].offset for at in places], [rows[at].size for at in places])
            for at, raw in zip(places, read, strict=True):
                raws[at] = raw
        for part, group in groupby(range(len(rows)), lambda at: rows[at].part):
            run = list(group)
            file = self._files[part] if len(self._files) > 1 else None
            self._quarantine.add([rows[at].fault for at in run], [raws[at] for at in run], file)
