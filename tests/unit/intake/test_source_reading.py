"""Files that are in order: what is read from them, however they are written."""

from __future__ import annotations

import datetime
import hashlib
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.errors import RowError, SchemaError
from core.intake.columns import FieldHint
from core.intake.opening import Opening
from core.intake.reading import Reading
from core.intake.source import Source, open_source

FIELDS = (
    FieldHint("first_name", "given_name", ("given_name", "forename")),
    FieldHint("last_name", "surname", ("surname",)),
    FieldHint("dob", "date", ("date_of_birth",)),
    FieldHint("street", "street", ("address_1",)),
    FieldHint("zip", "code", ("postcode",)),
)


def _open(path: Path, tmp_path: Path, **options: object) -> Source:
    asked: dict[str, Any] = {"id_column": "id", "fields": FIELDS, **options}
    return open_source(Opening(path, staging_dir=tmp_path / "staging", **asked))


def _csv(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "in.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _rows(source: Source) -> list[tuple[object, ...]]:
    return source.read(0, source.rows).rows()


def test_open_source_trims_headers_and_cells_and_finds_aliases(tmp_path: Path) -> None:
    path = _csv(tmp_path, "id, Given-Name, surname , ignored\n 1 , Ann ,\tLee,x\n2,,Fox,y\n")
    source = _open(path, tmp_path)
    assert source.mapping == {"first_name": ("Given-Name",), "last_name": ("surname",)}
    assert source.unmapped == ("dob", "street", "zip")
    assert source.read(0, 2).columns == ["id", "first_name", "last_name"]
    assert _rows(source) == [("1", "Ann", "Lee"), ("2", None, "Fox")]


@pytest.mark.parametrize(
    "content",
    [
        "id,last_name\n1,Lee\n2,Fox\n",
        "id,last_name\r\n1,Lee\r\n2,Fox\r\n",
        "id,last_name\n1,Lee\n2,Fox",
        "\ufeffid,last_name\n1,Lee\n2,Fox\n",
        "id;last_name\n1;Lee\n2;Fox\n",
        "id\tlast_name\n1\tLee\n2\tFox\n",
        "id|last_name\n1|Lee\n2|Fox\n",
        'id,last_name\n"1","Lee"\n"2" , "Fox"\n',
        "\n\nid,last_name\n\n1,Lee\n\n\n2,Fox\n\n",
        "nick,last_name,id\n,Lee,1\n,Fox,2\n",
    ],
    ids=["lf", "crlf", "no-last-line-end", "bom", "semicolon", "tab", "bar", "quoted", "empty-lines", "other-order"],
)
def test_open_source_reads_the_same_rows_in_any_dress(content: str, tmp_path: Path) -> None:
    assert _rows(_open(_csv(tmp_path, content), tmp_path)) == [("1", "Lee"), ("2", "Fox")]


def test_open_source_quotes_hold_delimiters_line_ends_and_quotes(tmp_path: Path) -> None:
    path = _csv(tmp_path, 'id,street\n1,"1 Elm St,\r\nApt ""B"""\n2,5" Pipe Rd\n3,"" \n')
    assert _rows(_open(path, tmp_path)) == [("1", '1 Elm St,\r\nApt "B"'), ("2", '5" Pipe Rd'), ("3", None)]


def test_open_source_mapping_names_joins_and_leaves_out(tmp_path: Path) -> None:
    path = _csv(tmp_path, "key,nr,way,surname,given_name,postcode\n1,5,Elm St,Lee,Ann,9\n2,,Oak Rd,Fox,Bob,8\n")
    mapping = {"street": "nr+way", "postcode": "", "first_name": "GIVEN NAME"}
    source = _open(path, tmp_path, id_column="Key", mapping=mapping)
    assert source.mapping == {"first_name": ("given_name",), "last_name": ("surname",), "street": ("nr", "way")}
    assert source.unmapped == ("dob", "zip")
    assert _rows(source) == [("1", "Ann", "Lee", "5 Elm St"), ("2", "Bob", "Fox", "Oak Rd")]


def test_read_touches_any_range_across_parts(tmp_path: Path) -> None:
    n = 600_000
    frame = pl.DataFrame({"id": pl.int_range(n, eager=True), "last_name": pl.int_range(n, eager=True) % 1000})
    path = tmp_path / "in.csv"
    frame.write_csv(path)
    source = _open(path, tmp_path)
    assert len(source.parts) > 2
    assert sum(rows for _, rows in source.parts) == source.rows == n
    edge = source.parts[0][1]
    for lo, hi in ((0, 3), (edge - 2, edge + 2), (n - 2, n), (5, 5), (edge, n)):
        assert source.read(lo, hi)["id"].to_list() == [str(row) for row in range(lo, hi)]


def test_source_survives_json_and_other_processes(tmp_path: Path) -> None:
    source = _open(_csv(tmp_path, "id,last_name,dob\n1,Lee,31/01/1990\n2,Fox,\n"), tmp_path)
    again = Source.from_dict(json.loads(json.dumps(source.to_dict())))
    assert again == source
    assert _rows(again) == _rows(source)


def test_open_source_digest_is_of_the_bytes(tmp_path: Path) -> None:
    first = _open(_csv(tmp_path, "id,last_name\n1,Lee\n"), tmp_path).digest
    assert first == hashlib.sha256(b"id,last_name\n1,Lee\n").hexdigest()
    assert _open(_csv(tmp_path, "id,last_name\n1,Leo\n"), tmp_path).digest != first


@pytest.mark.parametrize(
    ("dates", "day_first", "notice"),
    [
        (["31/01/1990", "02/03/1990"], True, None),
        (["01/31/1990", "02/03/1990"], False, None),
        (["02/03/1990"], False, "month first"),
        (["31/01/1990", "01/31/1990"], True, "some dates put the day first"),
        (["1990-01-31"], False, None),
        (["19551192", "19550101"], False, "1 values are no dates"),
        (["tomorrow", "19550101"], False, "1 values cannot be read as dates; taken as missing (e.g. line 2)"),
        (["unknown", "19550101"], False, "1 values stand for no date"),
    ],
)
def test_open_source_settles_the_order_of_dates(
    dates: list[str], day_first: bool, notice: str | None, tmp_path: Path
) -> None:
    lines = [f"{number},{date}" for number, date in enumerate(dates)]
    source = _open(_csv(tmp_path, "id,dob\n" + "\n".join(lines)), tmp_path)
    assert source.date_order == {"dob": day_first}
    assert len(source.notices) == (notice is not None)
    assert notice is None or notice in source.notices[0]


def test_open_source_parquet_in_place_with_its_types(tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    pl.DataFrame(
        {
            " id ": [7, 8],
            "surname": pl.Series([" Lee ", ""], dtype=pl.Categorical),
            "dob": [datetime.date(1990, 3, 12), None],
            "zip": [2119.0, None],
            "first_name": ["Ann", "Bob"],
        }
    ).write_parquet(path)
    source = _open(path, tmp_path)
    assert not source.staged
    assert source.id_dtype == pl.Int64
    assert source.read(0, 2).rows() == [("7", "Ann", "Lee", "1990-03-12", "2119"), ("8", "Bob", None, None, None)]
    assert source.read(1, 2)["id"].to_list() == ["8"]
    assert not (tmp_path / "staging").exists()


def test_open_source_csv_and_parquet_read_alike(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["a", "b"], "last_name": ["Lee", None], "dob": ["1990-01-31", "1991-01-31"]})
    frame.write_csv(tmp_path / "in.csv")
    frame.write_parquet(tmp_path / "in.parquet")
    one, other = (_open(tmp_path / name, tmp_path) for name in ("in.csv", "in.parquet"))
    assert one.read(0, 2).equals(other.read(0, 2))


def test_open_source_leaves_out_empty_fields_behind_the_last_column(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("id,last_name\n1,Lee,\n2,Fox,\n3,Oak,Ltd\n4,Elm\n5,Ash,\n")
    with pytest.raises(RowError, match="line 4: expected 2 fields, got 3"):
        _open(path, tmp_path)
    source = _open(path, tmp_path, bad_rows="quarantine")
    assert source.read(0, source.rows)["last_name"].to_list() == ["Lee", "Fox", "Elm", "Ash"]
    assert "3 rows end in 1 empty fields more than the header" in source.notices[0]


def test_open_source_reads_below_titles_when_it_is_told_to(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text('Export, of today\n"of two\nlines"\n\nid;last_name\n1;Lee\n2;Fox\n')
    with pytest.raises(SchemaError, match="line 1 has one field, line 5 has two.*`skip_lines` 4$"):
        _open(path, tmp_path)
    source = _open(path, tmp_path, reading=Reading(skip_lines=4))
    assert source.read(0, 2)["last_name"].to_list() == ["Lee", "Fox"]
    assert source.detected == {"format": "csv", "encoding": "utf-8", "delimiter": ";", "header_line": "5"}
    assert Source.from_dict(source.to_dict()).reading == Reading(skip_lines=4)


def test_source_of_before_has_nothing_detected(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("id,last_name\n1,Lee\n")
    values = _open(path, tmp_path).to_dict()
    del values["reading"], values["detected"]
    assert Source.from_dict(values).detected == {}
