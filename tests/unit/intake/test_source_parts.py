"""Tables in parts and tables that are no text: opened, checked, read by ranges like any other."""

from __future__ import annotations

import csv
import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.errors import InputError, RowError, SchemaError
from core.intake.columns import FieldHint
from core.intake.opening import Opening
from core.intake.source import Source, open_source
from core.intake.whole_columns import columns_of, read_labels, read_table
from tests.workbooks import write_xlsx

FIELDS = (FieldHint("name", "surname"), FieldHint("dob", "date"), FieldHint("phone", "digits"))
PEOPLE = pl.DataFrame({"id": [1, 2, 3, 4], "name": ["Lee", "Fox", None, "May"], "phone": ["5", None, "6", "7"]})
ROWS = [("1", "Lee", "5"), ("2", "Fox", None), ("3", None, "6"), ("4", "May", "7")]


def _open(path: Path, tmp_path: Path, **options: Any) -> Source:
    asked: dict[str, Any] = {"id_column": "id", "fields": FIELDS, "may_be_empty": True, **options}
    return open_source(Opening(path, staging_dir=tmp_path / "staging", **asked))


def _rows(source: Source) -> list[tuple[object, ...]]:
    again = Source.from_dict(source.to_dict())
    halves = [again.read(0, 3), again.read(3, again.rows)]
    assert again.ids().to_list() == pl.concat(halves)["id"].to_list()
    return pl.concat(halves).rows()


def _write(frame: pl.DataFrame, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    match path.suffix:
        case ".csv":
            frame.write_csv(path)
        case ".json":
            path.write_text(frame.write_json())
        case ".jsonl":
            frame.write_ndjson(path)
        case ".parquet":
            frame.write_parquet(path)
        case ".arrow":
            frame.write_ipc(path, compression="zstd")
        case ".arrows":
            frame.write_ipc_stream(path)
        case _:
            write_xlsx(path, {"People": [frame.columns, *frame.rows()]})


@pytest.mark.parametrize("ending", ["csv", "json", "jsonl", "parquet", "arrow", "arrows", "xlsx"])
def test_open_source_reads_every_kind_alike_whole_and_in_parts(ending: str, tmp_path: Path) -> None:
    whole = tmp_path / f"people.{ending}"
    _write(PEOPLE, whole)
    assert _rows(_open(whole, tmp_path)) == ROWS
    assert columns_of(whole) == PEOPLE.columns
    # The columns of a part stand in any order; its name decides where its rows come.
    _write(PEOPLE[3:].select("phone", "id", "name"), tmp_path / "people" / f"part-10.{ending}")
    _write(PEOPLE[:3], tmp_path / "people" / f"part-9.{ending}")
    for named, more in (
        (tmp_path / "people", ()),
        (tmp_path / "people" / "part-9*", (tmp_path / "people" / "part-10*",)),
    ):
        source = _open(named, tmp_path, more=more)
        assert _rows(source) == ROWS
        assert source.staged is (ending != "parquet")
    assert read_table(tmp_path / "people").rows() == ROWS
    assert read_labels(tmp_path / "people", {"id"}).rows() == read_labels(whole, {"id"}).rows()


def test_open_source_columns_of_parquet_and_arrow_are_texts_of_what_they_name(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "id": [Decimal("1.00"), Decimal("20.00")],
            "name": pl.Series(["Lee", "Fox"], dtype=pl.Categorical),
            "dob": [datetime.datetime(1985, 5, 4), datetime.datetime(1985, 5, 4, 12, 30)],
            "phone": [[555.0, 556.0], []],
        }
    )
    for ending in ("parquet", "arrow"):
        _write(frame, tmp_path / f"a.{ending}")
        source = _open(tmp_path / f"a.{ending}", tmp_path)
        assert source.read(0, 2).rows() == [
            ("1", "Lee", "1985-05-04", "555; 556"),
            ("20", "Fox", "1985-05-04 12:30:00", None),
        ]
    _write(frame.select("id", name="phone"), tmp_path / "a.parquet")
    with pytest.raises(SchemaError, match="column 'name' holds lists, but a record has one value there"):
        _open(tmp_path / "a.parquet", tmp_path)
    (tmp_path / "a.jsonl").write_text('{"id": 1, "name": ["a", "b"]}\n')
    with pytest.raises(SchemaError, match="column 'name' holds lists, but a record has one value there"):
        _open(tmp_path / "a.jsonl", tmp_path)


def test_open_source_folders_give_columns(tmp_path: Path) -> None:
    for ending in ("csv", "parquet"):
        root = tmp_path / ending
        for name, rows in (("Lee", PEOPLE[:2]), ("Fox", PEOPLE[2:])):
            (root / f"name={name}").mkdir(parents=True)
            _write(rows.select("id", "phone"), root / f"name={name}" / f"a.{ending}")
        source = _open(root, tmp_path)
        assert source.read(0, 4).rows() == [("3", "Fox", "6"), ("4", "Fox", "7"), ("1", "Lee", "5"), ("2", "Lee", None)]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_open_source_names_the_part_and_its_line(ending: str, tmp_path: Path) -> None:
    folder = tmp_path / "people"
    _write(PEOPLE[:3], folder / f"a.{ending}")
    _write(PEOPLE[1:], folder / f"b.{ending}")
    with pytest.raises(
        RowError, match=rf"b\.{ending}, \w+ \d, column 'id': repeats the id '2' of line \d of a\.{ending}"
    ):
        _open(folder, tmp_path)
    source = _open(folder, tmp_path, bad_rows="quarantine")
    assert (source.rows, source.quarantined) == (4, 2)
    with (tmp_path / "staging" / "bad_rows.csv").open(newline="") as file:
        kept = list(csv.DictReader(file))
    assert [row["file"] for row in kept] == [str(folder / f"b.{ending}")] * 2
    assert "Fox" in kept[0]["raw"]


def test_open_source_refuses_parts_that_do_not_agree(tmp_path: Path) -> None:
    folder = tmp_path / "people"
    for ending in ("csv", "parquet"):
        _write(PEOPLE, folder / f"a.{ending}")
        _write(PEOPLE.rename({"phone": "tel"}), folder / f"b.{ending}")
        said = rf"b\.{ending} lacks 'phone' and has 'tel' besides; .*a\.{ending} has other columns"
        with pytest.raises(SchemaError, match=said):
            _open(folder / f"*.{ending}", tmp_path)
    with pytest.raises(InputError, match=r"a\.parquet is Parquet, but .*a\.csv is text of fields"):
        _open(folder / "a.*", tmp_path)


def test_open_source_takes_objects_without_the_key_of_others(tmp_path: Path) -> None:
    folder = tmp_path / "people"
    _write(PEOPLE[:2].drop("phone"), folder / "a.jsonl")
    _write(PEOPLE[2:], folder / "b.jsonl")
    assert _rows(_open(folder, tmp_path)) == [("1", "Lee", None), ("2", "Fox", None), *ROWS[2:]]


def test_open_source_says_in_a_sheet_and_in_json_where_a_row_is_bad(tmp_path: Path) -> None:
    write_xlsx(tmp_path / "a.xlsx", {"P": [["id", "name"], [], [1, "Lee"], [1, "Fox"]]})
    with pytest.raises(RowError, match=r"a\.xlsx, row 4, column 'id': repeats the id '1' of line 3"):
        _open(tmp_path / "a.xlsx", tmp_path)
    (tmp_path / "a.jsonl").write_text('{"id": 1}\n{"id": \n')
    with pytest.raises(RowError, match=r"a\.jsonl, line 2: is no whole JSON object"):
        _open(tmp_path / "a.jsonl", tmp_path)
