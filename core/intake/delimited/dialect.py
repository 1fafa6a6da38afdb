"""How a CSV is written: where its header is, what stands between fields, around them and behind the last one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from core.errors import InputError
from core.intake.bad_rows import FIELD_BYTES_MAX
from core.intake.delimited.cells import cells, texts_of
from core.intake.delimited.csv_records import SOUND, Bytes, Longs, scan_records
from core.intake.reading import NOTHING_SAID, Reading
from core.intake.tables.headings import TITLE_SHARE, proposed_header

DELIMITERS = ",;\t|"
# Where none of the usual ones is in the header; a colon may well stand in text, so rows have to agree.
RARE_DELIMITERS = ":^~\x1f\x01"
SAMPLE_RECORDS = 200
SAMPLE_BYTES = 4 << 20
_HIGH_BYTES_PLAIN = bytes(range(128)) + b"?" * 128
_SAYS_DELIMITER = re.compile(rb'"?sep=(.)"?[ \t\r]*\n', re.IGNORECASE)
AGREEING_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Dialect:
    """Found in the first rows of a file.

    start, line: where the header's record begins, in bytes and as a physical line. n_fields: names to be read of it.
    n_behind: further fields of rows, empty so far. proposal: what is said when the header has not what is wanted.
    """

    delimiter: str
    quote: str
    start: int
    line: int
    n_fields: int
    n_behind: int = 0
    n_nameless: int = 0
    proposal: str | None = None

    @property
    def signs(self) -> tuple[int, int]:
        """The bytes for delimiter and quote."""
        return ord(self.delimiter), ord(self.quote)


@dataclass(frozen=True, slots=True)
class _Sample:
    """The first records under one delimiter; the first of them is the header."""

    delimiter: str
    array: Bytes
    table: Longs
    quote: str = '"'

    @property
    def n_header(self) -> int:
        return int(self.table[0, 3])

    @property
    def counts(self) -> Counter[int]:
        """How many of the sound rows have so many fields."""
        rows = self.table[1:]
        return Counter(rows[rows[:, 4] == SOUND, 3].tolist())

    @property
    def usual(self) -> tuple[int, float]:
        """The most frequent number of fields of a row, and its share."""
        if not self.counts:
            return self.n_header, 0.0
        n_fields, times = max(self.counts.items(), key=lambda pair: (pair[1], pair[0]))
        return n_fields, times / (len(self.table) - 1)

    def fit(self) -> float:
        """Share of the rows that have as many fields as the header."""
        return self.counts[self.n_header] / max(len(self.table) - 1, 1)

    @property
    def signs(self) -> tuple[int, int]:
        """The bytes for delimiter and quote."""
        return ord(self.delimiter), ord(self.quote)

    def names(self) -> list[str]:
        """Fields of the header."""
        return texts_of(self.array, self.table[:1], self.signs)

    def rows(self) -> tuple[Longs, pl.DataFrame]:
        """The sound rows that have the usual number of fields: where they are, and their texts."""
        n_usual = self.usual[0]
        rows = self.table[1:][(self.table[1:, 4] == SOUND) & (self.table[1:, 3] == n_usual)]
        return rows, cells(self.array, rows, np.ones(n_usual, dtype=bool), self.signs)


def find_dialect(data: bytes, path: Path, reading: Reading = NOTHING_SAID, *, is_end: bool = True) -> Dialect:
    """Look at the first records of a text.

    Args:
        data: the beginning of the file, some MiB. is_end: nothing follows it.
        reading: what the user says about delimiter and lines above the header.
    Raises:
        InputError: nothing is there to read.
    Cost: some milliseconds.
    """
    start, line = _below(data, reading.skip_lines, path)
    start, line, said = _past_blanks(data, start, line)
    if start >= len(data):
        raise InputError(f"{path} is empty", path=str(path), line=1)
    wanted = reading.delimiter or said
    # Only the form counts here, and bytes that are no text must not stop it.
    array = np.frombuffer(data[start : start + SAMPLE_BYTES].translate(_HIGH_BYTES_PLAIN), dtype=np.uint8)
    is_end &= len(data) - start <= SAMPLE_BYTES

    def under(delimiters: str) -> list[_Sample]:
        return [_sample(array, each, line, is_end) for each in delimiters]

    chosen = under(wanted)[0] if wanted else _chosen(under)
    if chosen.table[0, 4] != SOUND:
        return Dialect(chosen.delimiter, chosen.quote, start, line, chosen.n_header)
    if _is_single_quoted(chosen):
        chosen = _sample(array, chosen.delimiter, line, is_end, "'")
    n_fields, n_behind, n_nameless = _widths(chosen)
    proposal = _proposal(chosen, line)
    return Dialect(chosen.delimiter, chosen.quote, start, line, n_fields, n_behind, n_nameless, proposal)


def _below(data: bytes, skip_lines: int, path: Path) -> tuple[int, int]:
    """Where the line behind the skipped ones begins, and its number."""
    start = 0
    for skipped in range(skip_lines):
        feed = data.find(b"\n", start)
        if feed < 0:
            raise InputError(
                f"{path}: `skip_lines` {skip_lines} leaves nothing to read; the first part of the file has "
                f"{skipped + 1} lines",
                path=str(path),
                fields=("skip_lines",),
            )
        start = feed + 1
    return start, skip_lines + 1


def _past_blanks(data: bytes, start: int, line: int) -> tuple[int, int, str | None]:
    """Skip empty lines, and the line in which a spreadsheet says its delimiter."""
    said = _SAYS_DELIMITER.match(data, start)
    if said is not None:
        start, line = said.end(), line + 1
    while start < len(data) and data[start : start + 1] in (b"\r", b"\n"):
        line += data[start : start + 1] == b"\n"
        start += 1
    return start, line, None if said is None else said[1].decode("latin-1")


def _sample(array: Bytes, delimiter: str, line: int, is_end: bool, quote: str = '"') -> _Sample:
    table = np.empty((SAMPLE_RECORDS + 1, 6), dtype=np.int64)
    signs = (ord(delimiter), ord(quote))
    found, _, _ = scan_records(array, signs, line, is_end, FIELD_BYTES_MAX, table)
    if not found:
        found, _, _ = scan_records(array, signs, line, True, FIELD_BYTES_MAX, table)
    return _Sample(delimiter, array, table[:found], quote)


def _chosen(under: Callable[[str], list[_Sample]]) -> _Sample:
    """The delimiter by which the header has most fields, unless rows tell of another."""
    usual = under(DELIMITERS)
    best = max(usual, key=lambda sample: sample.n_header)
    if len(best.table) == 1 or (best.n_header > 1 and best.fit() >= 0.5):
        return best
    agreeing = [
        sample for sample in (*usual, *under(RARE_DELIMITERS)) if sample.n_header > 1 and sample.fit() >= AGREEING_SHARE
    ]
    if agreeing:
        return max(agreeing, key=lambda sample: (sample.fit(), sample.n_header))
    regular = [sample for sample in usual if sample.usual[0] > sample.n_header and sample.usual[1] > 0.5]
    return max(regular, key=lambda sample: (sample.usual[1], sample.usual[0]), default=best)


def _is_single_quoted(sample: _Sample) -> bool:
    """Whether all values of a column stand in single quotes, and no double one is to be seen."""
    raw = sample.array.tobytes()
    if raw.count(b"'") < 4 or b'"' in raw:
        return False
    _, texts = sample.rows()
    begun, closed = texts.select(pl.all().str.starts_with("'")), texts.select(pl.all().str.contains("(?s)^'.*'$"))
    # A delimiter inside quotes has cut some: most, but not all, are closed where they should be.
    return any(begun[name].sum() > 1 and begun[name].all() for name in texts.columns) and (
        closed.sum().sum_horizontal()[0] >= AGREEING_SHARE * begun.sum().sum_horizontal()[0]
    )


def _widths(sample: _Sample) -> tuple[int, int, int]:
    """How many names count, how many empty fields rows have behind them, how many nameless ones the header has."""
    n_header, (n_row, share) = sample.n_header, sample.usual
    if n_row == n_header or share <= 0.5:
        return n_header, 0, 0
    if n_row > n_header:
        _, texts = sample.rows()
        behind = texts[:, n_header:]
        empty = behind.select(pl.all_horizontal(pl.all().is_null()).mean()).item()
        return n_header, n_row - n_header if empty * share > 0.5 else 0, 0
    return (n_row, 0, n_header - n_row) if not any(sample.names()[n_row:]) else (n_header, 0, 0)


def _proposal(sample: _Sample, line: int) -> str | None:
    """Which later line looks like the header, where the first one looks like a title."""
    n_usual = sample.usual[0]
    n_filled = sum(1 for name in sample.names() if name)
    if n_usual < 2 or n_filled > TITLE_SHARE * n_usual:
        return None
    rows, texts = sample.rows()
    filled = texts.select(pl.sum_horizontal(pl.all().is_not_null())).to_series()
    like_header = (filled > TITLE_SHARE * n_usual).arg_true()
    if not len(like_header):
        return None
    at = int(rows[like_header[0], 2])
    return proposed_header("line", (line, n_filled), (at, n_usual))
