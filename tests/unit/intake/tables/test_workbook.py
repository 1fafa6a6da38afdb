"""What a sheet cannot hold is refused, and what it holds is text where it was text."""

from __future__ import annotations

import zipfile
from pathlib import Path

import polars as pl
import pytest

from core.errors import InputError
from core.intake.tables import workbook
from core.intake.tables.workbook import check_rows, read_workbook, write_workbook
from core.intake.whole_columns import columns_of, read_labels, read_table


def test_numbers_are_numbers_and_ids_too_long_for_one_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    frame = pl.DataFrame(
        {"id": ["007", "1E15"], "score": pl.Series([1.1, -3.0], dtype=pl.Float32), "n": [2**60, 1], "yes": [True, None]}
    )
    write_workbook(frame.lazy(), path, path)
    assert read_workbook(path).rows() == [("007", "1.1", str(2**60), "true"), ("1E15", "-3", "1", None)]
    with zipfile.ZipFile(path) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "<v>1.1</v>" in sheet


def test_a_choice_is_offered_in_the_cells_of_a_column(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    frame = pl.DataFrame({"decision": [None, None], "id": ["1", "2"]}, schema_overrides={"decision": pl.String})
    write_workbook(frame.lazy(), path, path, {"decision": ("match", "differ")})
    with zipfile.ZipFile(path) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert 'sqref="A2:A3"' in sheet
    assert "match,differ" in sheet


def test_the_same_table_gives_the_same_bytes_and_no_other_file(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["1"]}).lazy()
    for name in ("a.xlsx", "b.xlsx"):
        write_workbook(frame, tmp_path / name, tmp_path / name)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.xlsx", "b.xlsx"]


def test_more_than_a_sheet_holds_is_refused_with_the_way_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.xlsx"
    with pytest.raises(InputError, match="holds 1,048,575 rows below its header, and these are 1,048,576"):
        check_rows(1_048_576, path)
    check_rows(1_048_575, path)
    with pytest.raises(InputError, match=r"row 1, column 'id': a cell of a sheet holds 32,767 characters"):
        write_workbook(pl.DataFrame({"id": ["x" * 32_768]}).lazy(), path, path)
    monkeypatch.setattr(workbook, "ROWS_MAX", 2)
    with pytest.raises(InputError, match="holds 2 rows below its header, and these are 3"):
        write_workbook(pl.DataFrame({"id": ["1", "2", "3"]}).lazy(), path, path)


def test_a_file_that_is_no_workbook_is_refused_without_its_content(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    path.write_text("id,secret\n")
    with pytest.raises(InputError, match=r"t\.xlsx: cannot be read as a workbook \(\w+\)$"):
        read_workbook(path)


def test_answers_and_decisions_are_read_from_workbooks_and_csv_for_excel(tmp_path: Path) -> None:
    book, text = tmp_path / "t.xlsx", tmp_path / "t.csv"
    frame = pl.DataFrame({" id ": ["-1", " 2"], "entity_id": ["a", None]})
    write_workbook(frame.lazy(), book, book)
    csv = "\ufeff id ;entity_id\n'-1;a\n 2;\n"
    text.write_text(csv, encoding="utf-8")
    for path in (book, text):
        assert columns_of(path) == ["id", "entity_id"]
        assert read_table(path).rows() == [("-1", "a"), ("2", None)]
        assert read_table(path, {"id"}).columns == ["id"]
    assert read_labels(book, {"id"}).equals(read_labels(text, {"id"}))
