"""Whatever stands in a table of text is read back as it was, from a workbook and from a CSV for Excel."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.intake.tables.csv_for_excel import is_csv_for_excel, scan_csv_for_excel, sink_csv_for_excel
from core.intake.tables.workbook import read_workbook, write_workbook

# No XML file holds U+FFFE and U+FFFF, and no polars text a surrogate.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"), max_size=6)
CELL = st.one_of(st.none(), TEXT, st.text("=+-@\t\r\n'\";, 01E", max_size=5))
TABLE = st.lists(st.tuples(CELL, CELL), max_size=5)
DANGEROUS = [("=1+1", "'=1"), ("+49 30", "''-"), ("@x", "\tx"), ("\r=", "'"), ("00123", "1E+15"), ("_x0041_", " a ")]


@settings(max_examples=20)
@example(DANGEROUS)
@given(TABLE)
def test_a_table_of_text_survives_being_written_and_read(rows: list[tuple[str | None, str | None]]) -> None:
    frame = pl.DataFrame(
        [(str(at), *row) for at, row in enumerate(rows)],
        schema={"id": pl.String, "left": pl.String, "right;,": pl.String},
        orient="row",
    )
    known = frame.with_columns(pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in frame.columns)
    with TemporaryDirectory() as folder:
        book, text = Path(folder) / "t.xlsx", Path(folder) / "t.csv"
        write_workbook(frame.lazy(), book, book)
        assert read_workbook(book).cast(pl.String).equals(known)
        sink_csv_for_excel(frame.lazy(), text)
        assert is_csv_for_excel(text)
        assert scan_csv_for_excel(text).collect().equals(known)
