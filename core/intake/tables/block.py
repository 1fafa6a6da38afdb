"""Some records of a table as text, and where they stand: what every kind of table is read as that is staged."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.intake.bad_rows import Fault

Longs = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Block:
    """Some records in file order.

    frame: the wanted columns of the sound ones, String, trimmed, empty as null. lines, offsets, sizes: (n,) line where
    each starts, its first byte in the file and its bytes. faults: the others, with their raw bytes.
    is_ascii: whether all bytes are.
    """

    frame: pl.DataFrame
    lines: Longs
    offsets: Longs
    sizes: Longs
    faults: list[tuple[Fault, bytes]]
    is_ascii: bool = False


class RowFile(Protocol):
    """An opened file of rows. columns: their names, trimmed."""

    path: Path
    columns: list[str]

    @property
    def proposal(self) -> str | None:
        """Which line looks like the header, where this one looks like a title."""

    def blocks(self, wanted: set[str]) -> Iterator[Block]:
        """Every record, once."""

    def raws(self, offsets: Sequence[int], sizes: Sequence[int]) -> list[bytes]:
        """Records, read again in the order given."""

    def detected(self) -> dict[str, str]:
        """What was found of its form, in words for a person."""

    def notices(self) -> list[str]:
        """What else the user should know of it, after the last block."""


def read_spans(file: BinaryIO, offsets: Sequence[int], sizes: Sequence[int]) -> list[bytes]:
    """Bytes of an open file: of each span. Cost: about 1 us each."""
    spans = []
    for offset, size in zip(offsets, sizes, strict=True):
        file.seek(offset)
        spans.append(file.read(size))
    return spans


def rows_as_json(frame: pl.DataFrame) -> list[bytes]:
    """Each row as a JSON object. As `objects_as_json`."""
    return objects_as_json(frame.iter_rows(named=True))


def objects_as_json(objects: Iterable[Mapping[str, Any]]) -> list[bytes]:
    """Each as a JSON object, its values as text where JSON has no type for them. Cost: about 1 us a value."""
    encode = json.JSONEncoder(default=str, ensure_ascii=False).encode
    return [encode(each).encode() for each in objects]
