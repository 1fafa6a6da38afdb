"""Numbers that name something, as tools leave them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from core.intake.columns import FieldHint
from core.intake.opening import Opening
from core.intake.source import Source, open_source
from core.linkage.history.joint_columns import keep_letters, restore_zeros
from core.matching.specs.spec import load_spec

FIELDS = (FieldHint("phone", "digits", keep_last=10), FieldHint("ssn", "digits"), FieldHint("zip", "code"))


def opened(path: Path, **columns: list[str | None]) -> Source:
    rows = max(map(len, columns.values()))
    frame = pl.DataFrame({"id": [str(row) for row in range(rows)]} | columns)
    frame.write_parquet(path) if path.suffix == ".parquet" else frame.write_csv(path)
    return open_source(Opening(path, "id", FIELDS, path.parent / f"{path.stem}.staging", may_be_empty=True))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_point_zero_that_a_tool_left_is_taken_off(suffix: str, tmp_path: Path) -> None:
    source = opened(tmp_path / f"in.{suffix}", phone=["8985552483.0", None], zip=["62704.00", "2840"])
    assert source.read(0, 2).rows() == [("0", "8985552483", "62704"), ("1", None, "2840")]
    assert source.notices[0] == f"in.{suffix}: phone: 1 numbers end in .0, as a tool left it; read without"


def test_point_that_belongs_to_numbers_stays(tmp_path: Path) -> None:
    source = opened(tmp_path / "in.csv", zip=["1.0", "1.1", "1.2"])
    assert source.read(0, 3)["zip"].to_list() == ["1.0", "1.1", "1.2"]
    assert source.notices == ()


def test_zeros_that_one_file_has_lost_are_read_as_the_other_has_them(tmp_path: Path) -> None:
    whole = opened(tmp_path / "a.csv", zip=[f"0{row}840" for row in range(6)] + [f"6270{row}" for row in range(6)])
    lost = opened(tmp_path / "b.csv", zip=["2840.0", "62704.0"])
    (first, second), notices = restore_zeros([whole, lost], load_spec("persons"))
    assert first is whole
    assert second.read(0, 2)["zip"].to_list() == ["02840", "62704"]
    assert notices == ["b.csv: zip: numbers have lost leading zeros; read with 5 digits, as the other file has them"]
    assert restore_zeros([whole], load_spec("persons")) == ([whole], [])


@pytest.mark.parametrize(
    ("ids", "kind"),
    [
        (["RSSMRC85T10L219A", "JG 284917 A", "12345678-Z"], "identifier"),
        (["123-45-6789"] * 30 + ["12345678Z"], "digits"),
        (["unknown", "xxx-xx-1234", "123-45-6789"], "digits"),
    ],
)
def test_letters_of_identifiers_count_where_many_have_some(ids: list[str | None], kind: str, tmp_path: Path) -> None:
    source = opened(tmp_path / "in.csv", ssn=ids)
    spec, notices = keep_letters(load_spec("persons"), [source], None)
    assert {field.name: field.kind for field in spec.fields}["ssn"] == kind
    assert len(notices) == (kind == "identifier")
    assert Source.from_dict(source.to_dict()) == source
