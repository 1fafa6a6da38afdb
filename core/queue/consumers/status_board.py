"""What a worker process shows the process that watches it: a few numbers in shared memory.

Nothing is sent, so neither side ever waits for the other, and what a killed process had done can still be read.
"""

from __future__ import annotations

import mmap
import time
from dataclasses import dataclass
from typing import BinaryIO

FIELDS = ("ready", "batch_id", "deadline", "batches", "rows", "rows_failed", "loaded", "asks_since")
SIZE = len(FIELDS) * 8


@dataclass(frozen=True, slots=True)
class Shown:
    """A look at the board: `deadline` by the machine's monotonic clock, in seconds; no batch: None.

    `asks_since`: by that clock, from when on the database has been asked without an answer; 0: nothing is asked.
    """

    ready: bool
    batch_id: int | None
    deadline: float
    batches: int
    rows: int
    rows_failed: int
    loaded: bool = False
    asks_since: float = 0.0


class Board:
    """One writer, one reader; `file` is shared by both. Each number is eight aligned bytes, written at once."""

    def __init__(self, file: BinaryIO) -> None:
        file.truncate(SIZE)
        self._memory = mmap.mmap(file.fileno(), SIZE)
        self._numbers = memoryview(self._memory).cast("d")

    def loaded(self) -> None:
        """The handler is imported; what follows is bounded by itself."""
        self._numbers[6] = 1.0

    def ready(self) -> None:
        """The handler is loaded and the database answers."""
        self._numbers[0] = 1.0

    def begin(self, batch_id: int, deadline: float) -> None:
        """The deadline before the batch: whoever sees the batch sees its deadline."""
        self._numbers[2] = deadline
        self._numbers[1] = float(batch_id)

    def asks(self) -> None:
        """The database is asked; what is not answered keeps the moment when it was asked first."""
        self._numbers[7] = self._numbers[7] or time.monotonic()

    def answered(self) -> None:
        """It has answered."""
        self._numbers[7] = 0.0

    def end(self, batches: int, rows: int, rows_failed: int) -> None:
        """The batch ended; totals of this process so far."""
        self._numbers[1] = 0.0
        self._numbers[3], self._numbers[4], self._numbers[5] = float(batches), float(rows), float(rows_failed)

    def look(self) -> Shown:
        """What the writer shows now."""
        ready, batch_id, deadline, batches, rows, rows_failed, loaded, since = self._numbers
        done = int(batches), int(rows), int(rows_failed)
        return Shown(bool(ready), int(batch_id) or None, deadline, *done, bool(loaded), since)

    def close(self) -> None:
        """Let go of the memory."""
        self._numbers.release()
        self._memory.close()
