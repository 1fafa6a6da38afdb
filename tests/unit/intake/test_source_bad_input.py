"""Files that are not in order: each fault names file, line and column, never what stands in the cell; nothing stays."""

from __future__ import annotations

import csv
import stat
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.errors import InputError, RowError, SchemaError
from core.intake.columns import FieldHint
from core.intake.opening import Opening
from core.intake.source import Source, open_source
from core.intake.whole_columns import read_table

FIELDS = (FieldHint("last_name", "surname"), FieldHint("dob", "date"), FieldHint("phone", "digits"))
GOOD = b"id,last_name,dob\n1,Secret,1990-01-31\n2,Secret,1991-01-31\n3,Secret,\n"
MIB = 1 << 20


def _open(path: Path, tmp_path: Path, **options: object) -> Source:
    asked: dict[str, Any] = {"id_column": "id", "fields": FIELDS, **options}
    return open_source(Opening(path, staging_dir=tmp_path / "staging", **asked))


def _left_behind(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "staging").rglob("*") if path.is_file()]


WHOLE_FILE = [
    (b"\x1f\x8b\x08\x00", "the gzip file is cut short or damaged"),
    (b"\x28\xb5\x2f\xfd\x00", "the zstd file is cut short or damaged"),
    (b"", "is empty"),
    (b"\n\n", "is empty"),
    (b"\xef\xbb\xbf", "is empty"),
    (b"id,last_name\n", "has a header but no rows"),
    (b"id,last_name", "has a header but no rows"),
    (b"name,last_name\n1,Lee\n", "no column 'id' .*there are: name, last_name"),
    (b"id,last_name, last_name\n1,Lee,x\n", "columns 2 and 3 are both named 'last_name'"),
    (
        "id,last_name\n1,Müller\n2,Jürgen\n".encode() + b"3,\xfcnder\n4,\xfcnder\n5,\xfcnder\n",
        "two encodings in one file: line 2",
    ),
]


@pytest.mark.parametrize(("content", "message"), WHOLE_FILE)
def test_open_source_refuses_a_file(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        _open(path, tmp_path)
    assert str(path) in caught.value.message
    assert caught.value.exit_code == 2
    assert _left_behind(tmp_path) == []


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_open_source_takes_an_empty_column_where_that_may_be(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"in.{suffix}"
    columns = {"id": ["1"], "last_name": ["Lee"], "dob": [None], "phone": [" "]}
    frame = pl.DataFrame(columns, schema_overrides={"dob": pl.String})
    frame.write_csv(path) if suffix == "csv" else frame.write_parquet(path)
    without = _open(path, tmp_path)
    assert set(without.mapping) == {"last_name"}
    assert without.unmapped == ("dob", "phone")
    assert [notice.split(": ")[1] for notice in without.notices] == [
        "column 'dob' is empty in every row; it is left out",
        "column 'phone' is empty in every row; it is left out",
    ]
    assert without.read(0, 1).columns == ["id", "last_name"]
    source = _open(path, tmp_path, may_be_empty=True, day_first={"dob": True})
    assert source.rows == 1
    assert set(source.mapping) == {"last_name", "dob", "phone"}
    assert source.date_order == {"dob": True}


ROWS = [
    ("ragged-short", b"id,last_name,dob\n1,Secret,1990\n2,Secret\n3,Secret,\n", 3, None, "expected 3 fields, got 2"),
    ("ragged-long", b"id,last_name,dob\n1,Secret,1990\n2,Secret,,\n3,Secret,\n", 3, None, "expected 3 fields, got 4"),
    ("nul", b"id,last_name,dob\n1,Secret,1990\n2,Sec\0ret,\n3,Secret,\n", 3, "last_name", "NUL"),
    ("latin1", b"id,last_name,dob\n1,S\xc3\xa9cret,1990\n2,Secr\xe9t,\n3,Secret,\n", 3, "last_name", "not UTF-8"),
    (
        "latin1-late",
        b'id,last_name,dob\n1,"a\n\xc3\xa9",1990\n2,"Se\ncr\xe9t",\n3,Secret,\n',
        5,
        "last_name",
        "not UTF-8",
    ),
    ("unclosed", b'id,last_name,dob\n1,Secret,1990\n2,"Secret,\n3,Secret,\n', 3, "last_name", "never closed"),
    (
        "behind-quote",
        b'id,last_name,dob\n1,Secret,1990\n2,"Sec"ret,\n3,Secret,\n',
        3,
        "last_name",
        "behind its closing",
    ),
    ("id-empty", b"id,last_name,dob\n1,Secret,1990\n ,Secret,\n3,Secret,\n", 3, "id", "is empty"),
    (
        "id-repeated",
        b"id,last_name,dob\n1,Secret,1990\n 1 ,Secret,\n3,Secret,\n",
        3,
        "id",
        "repeats the id '1' of line 2",
    ),
    ("long", b"id,last_name,dob\n1,Secret,1990\n2," + b"y" * 10 * MIB + b",\n3,Secret,\n", 3, "last_name", "1 MiB"),
    ("long-quoted", b'id,last_name,dob\n1,Secret,1990\n2,"' + b"y" * 10 * MIB + b'",\n3,S,\n', 3, "last_name", "1 MiB"),
    ("after-lines", b'id,last_name,dob\n1,"Sec\n\n\nret",1990\n\n2,Secret\n3,Secret,\n', 7, None, "expected 3 fields"),
]
ROW_NAMES = [row[0] for row in ROWS]


@pytest.mark.parametrize(("_name", "content", "line", "column", "reason"), ROWS, ids=ROW_NAMES)
def test_open_source_names_line_and_column_of_a_bad_row(
    _name: str, content: bytes, line: int, column: str | None, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(content)
    with pytest.raises(RowError) as caught:
        _open(path, tmp_path)
    message = caught.value.message
    assert f"{path}, line {line}" in message
    assert reason in message
    assert (caught.value.line, caught.value.column) == (line, column)
    assert column is None or repr(column) in message
    assert "ecret" not in message
    assert caught.value.__cause__ is None
    assert _left_behind(tmp_path) == []


@pytest.mark.parametrize(("_name", "content", "line", "column", "reason"), ROWS, ids=ROW_NAMES)
def test_open_source_sets_bad_rows_aside(
    _name: str, content: bytes, line: int, column: str | None, reason: str, tmp_path: Path
) -> None:
    path, side = tmp_path / "in.csv", tmp_path / "out.bad.csv"
    path.write_bytes(content)
    source = _open(path, tmp_path, bad_rows="quarantine", quarantine_path=side)
    assert source.quarantined == 1
    assert "1 bad rows set aside" in source.notices[-1]
    expected = ["1", "3"]
    assert source.read(0, source.rows)["id"].to_list() == expected
    assert source.rows == len(expected)
    csv.field_size_limit(32 * MIB)
    with side.open(encoding="utf-8", newline="") as file:
        header, row = csv.reader(file)
    assert header == ["line", "reason", "column", "raw"]
    assert (row[0], row[2]) == (str(line), column or "")
    assert reason in row[1]
    lines = content.decode("utf-8", "backslashreplace").split("\n")
    assert row[3].split("\n")[-1] == lines[line - 1]
    assert stat.S_IMODE(side.stat().st_mode) == 0o600


def test_open_source_quarantine_without_bad_rows_makes_no_side_file(tmp_path: Path) -> None:
    path, side = tmp_path / "in.csv", tmp_path / "out.bad.csv"
    path.write_bytes(GOOD)
    assert _open(path, tmp_path, bad_rows="quarantine", quarantine_path=side).quarantined == 0
    assert not side.exists()


def test_open_source_refuses_more_than_half_bad_rows_all_the_same(tmp_path: Path) -> None:
    path, side = tmp_path / "in.csv", tmp_path / "out.bad.csv"
    path.write_bytes(b"id,last_name\n1,Lee\n2\n3\n")
    with pytest.raises(InputError, match="2 of 3 rows are bad, more than half"):
        _open(path, tmp_path, bad_rows="quarantine", quarantine_path=side)
    assert not side.exists()
    assert list(tmp_path.glob(".out*")) == []
    assert _left_behind(tmp_path) == []


def test_open_source_names_unknown_map_fields_and_columns(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(GOOD)
    with pytest.raises(
        SchemaError, match="`mapping` salary: the spec has no such field; it has: last_name, dob, phone"
    ):
        _open(path, tmp_path, mapping={"salary": "x"})
    with pytest.raises(SchemaError, match="no column 'tel' .`mapping` phone.; there are: id, last_name, dob"):
        _open(path, tmp_path, mapping={"phone": "tel"})


def test_open_source_unmapped_columns_may_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"id,last_name,phone\n1,Lee,\n2,Fox,\n")
    assert _open(path, tmp_path, mapping={"phone": ""}).unmapped == ("dob", "phone")


def test_open_source_refuses_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        _open(tmp_path / "none.csv", tmp_path)
    with pytest.raises(InputError, match="no file in this folder"):
        _open(tmp_path, tmp_path)


def _parquet(tmp_path: Path, **columns: list[object]) -> Path:
    path = tmp_path / "in.parquet"
    pl.DataFrame({"id": ["1", "2", "3"], "last_name": ["Lee"] * 3} | columns).write_parquet(path)
    return path


def test_open_source_refuses_a_parquet_cut_short(tmp_path: Path) -> None:
    path = _parquet(tmp_path)
    content = path.read_bytes()
    for size in (len(content) - 5, len(content) // 2, 8):
        path.write_bytes(content[:size])
        with pytest.raises(InputError, match="cut short or damaged") as caught:
            _open(path, tmp_path)
        assert str(path) in caught.value.message


def test_open_source_refuses_a_parquet_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    path.write_bytes(GOOD)
    with pytest.raises(InputError, match="it is no Parquet file"):
        _open(path, tmp_path)


@pytest.mark.parametrize(
    ("columns", "row", "column"),
    [({"id": ["1", "2", "1"]}, 3, "id"), ({"id": ["1", None, "3"]}, 2, "id")],
)
def test_open_source_names_row_and_column_in_parquet(
    columns: dict[str, list[object]], row: int, column: str, tmp_path: Path
) -> None:
    path = _parquet(tmp_path, **columns)
    with pytest.raises(RowError, match=f"row {row}, column '{column}'"):
        _open(path, tmp_path)
    source = _open(path, tmp_path, bad_rows="quarantine", quarantine_path=tmp_path / "bad.csv")
    assert (source.rows, source.quarantined, source.staged) == (2, 1, True)
    assert len(source.read(0, 2)) == 2
    assert (tmp_path / "bad.csv").read_text().splitlines()[1].startswith(f"{row},")


def test_open_source_refuses_nested_columns_and_no_rows_in_parquet(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="'last_name' holds lists"):
        _open(_parquet(tmp_path, last_name=[["a"], ["b"], ["c"]]), tmp_path)
    pl.DataFrame({"id": [], "last_name": []}, schema=dict.fromkeys(("id", "last_name"), pl.String)).write_parquet(
        tmp_path / "in.parquet"
    )
    with pytest.raises(InputError, match="has a header but no rows"):
        _open(tmp_path / "in.parquet", tmp_path)


def test_a_bad_row_says_what_can_be_done_about_it(tmp_path: Path) -> None:
    path = tmp_path / "said.csv"
    path.write_text("id,id_a,id_b,decision\n1,a,b,match\n2,c,d\n")
    with pytest.raises(RowError, match="line 3: .*`bad_rows` quarantine"):
        _open(path, tmp_path, fields=(FieldHint("decision", "text"),))
    with pytest.raises(RowError, match=r"line 3: expected 4 fields, got 3 \(correct the file: here no row is left out"):
        read_table(path)


@pytest.mark.parametrize("name", ["in.csv", "in.parquet", "in.jsonl"])
@pytest.mark.parametrize("how", ["grows", "is replaced"])
def test_open_source_refuses_a_file_that_changes_while_it_is_read(name: str, how: str, tmp_path: Path) -> None:
    path = tmp_path / name
    frame = pl.DataFrame({"id": ["1", "2"], "name": ["ann", "bob"]})
    {".csv": frame.write_csv, ".parquet": frame.write_parquet, ".jsonl": frame.write_ndjson}[path.suffix](path)

    def somebody_writes(_columns: object, _plan: object) -> None:
        content = path.read_bytes()
        if how == "is replaced":
            path.unlink()
        path.write_bytes(content + (b"\n" if how == "grows" else b""))

    with pytest.raises(InputError, match=f"{name} was changed while it was read; wait until it is written"):
        _open(path, tmp_path, fields=[FieldHint("name", "text")], on_plan=somebody_writes)
    assert _left_behind(tmp_path) == []
