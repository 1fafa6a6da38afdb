"""The byte scanner agrees with Python's csv module, and one corruption is reported at its line."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import RowError
from core.intake.columns import FieldHint
from core.intake.delimited import csv_file
from core.intake.opening import Opening
from core.intake.source import Source, open_source
from tests.profiles import scaled

COLUMNS = ("id", "a", "b", "c")
FIELDS = tuple(FieldHint(name, "code") for name in COLUMNS[1:])
# A NUL is refused, a lone surrogate is no text, a number loses the .0 that a tool left, and UTF-8 that was decoded as
# Latin-1 is mended; all else may stand in a cell.
DECODED_WRONGLY = re.compile("[\u00c2-\u00f4][^\0-\x7f]")
CELL = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=12) | st.sampled_from(
    ['"', '""', "\n", "\r\n", ",", ' " ', "a,b", "é\x1f\x1e", "\x1d\x1c", " \t", 'x"y']
)
# White space as Unicode has it; Python's strip() takes four control characters more.
WHITE = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
TABLES = st.lists(
    st.tuples(*[CELL.filter(lambda cell: ".0" not in cell and not DECODED_WRONGLY.search(cell))] * 3),
    min_size=1,
    max_size=12,
)


def _open(content: bytes, folder: str) -> Source:
    path = Path(folder) / "in.csv"
    path.write_bytes(content)
    return open_source(Opening(path, id_column="id", fields=FIELDS, staging_dir=Path(folder) / "staging"))


def _written(table: list[tuple[str, str, str]], delimiter: str, line_end: str, quoting: int) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(COLUMNS)
    # The first row has a value everywhere: a column without any is refused.
    writer.writerow(("r", "x", "x", "x"))
    writer.writerows((number, *row) for number, row in enumerate(table))
    return text.getvalue().encode()


@settings(max_examples=scaled(0.8))
@given(
    table=TABLES,
    delimiter=st.sampled_from(",;\t|"),
    line_end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
)
def test_open_source_reads_what_csv_writes(
    table: list[tuple[str, str, str]], delimiter: str, line_end: str, quoting: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = _open(_written(table, delimiter, line_end, quoting), folder)
        rows = source.read(1, source.rows).rows()
    expected = [(str(number), *((cell.strip(WHITE) or None) for cell in row)) for number, row in enumerate(table)]
    assert rows == expected


@settings(max_examples=scaled(0.6))
@given(table=TABLES, data=st.data())
@pytest.mark.parametrize("kind", ["nul_byte", "not_utf8", "ragged", "repeated_id", "empty_id"])
def test_open_source_reports_one_corruption_at_its_line(
    kind: str, table: list[tuple[str, str, str]], data: st.DataObject
) -> None:
    content = _written(table, ",", "\n", csv.QUOTE_ALL)
    # At the beginning of a line: a cell may hold the same digits.
    starts = [content.index(f'\n"{number}","'.encode()) + 1 for number in range(len(table))]
    chosen = data.draw(st.integers(0, len(table) - 1))
    at = starts[chosen]
    head, tail = content[:at], content[at:]
    digits = len(str(chosen))
    broken = {
        "nul_byte": head + b'"' + b"\0" + tail[1:],
        "not_utf8": head + b'"' + b"\xff" + tail[1:] + '"ü","é","à","ß"\n'.encode() * 30,
        "ragged": head + b'"",' + tail,
        "repeated_id": head + b'"r"' + tail[digits + 2 :],
        "empty_id": head + b'" "' + tail[digits + 2 :],
    }[kind]
    with tempfile.TemporaryDirectory() as folder, pytest.raises(RowError) as caught:
        _open(broken, folder)
    assert caught.value.line == 1 + head.count(b"\n")
    assert caught.value.reason == kind


@settings(max_examples=scaled(0.4))
@given(table=TABLES, block=st.integers(150, 400))
def test_open_source_does_not_depend_on_where_blocks_end(table: list[tuple[str, str, str]], block: int) -> None:
    content = _written(table, ",", "\n", csv.QUOTE_MINIMAL)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        whole = _open(content, folder)
        expected, lines = whole.read(0, whole.rows), _lines(whole)
        patch.setattr(csv_file, "BLOCK_BYTES", block)
        pieces = _open(content, folder)
        assert pieces.read(0, pieces.rows).equals(expected)
        assert _lines(pieces) == lines


def _lines(source: Source) -> list[int]:
    import polars as pl

    return pl.concat([pl.read_parquet(name, columns=["line"]) for name, _ in source.parts])["line"].to_list()
