"""A column of whole names: taken apart where the spec has fields for the parts only, in the order that it has."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from core.errors import InputError
from core.intake.columns import plan_columns
from core.intake.opening import Opening
from core.intake.source import Source, open_source
from core.linkage.description import hints_of
from core.matching.specs.spec import load_spec

HINTS = hints_of(load_spec("persons"))


def opened(folder: Path, names: list[str | None], header: str = "Name", suffix: str = "csv", **said: object) -> Source:
    frame = pl.DataFrame({"id": [str(row) for row in range(len(names))], header: names, "zip": ["1234"] * len(names)})
    path = folder / f"in.{suffix}"
    frame.write_parquet(path) if suffix == "parquet" else frame.write_csv(path)
    return open_source(Opening(path, "id", HINTS, folder / "staging", **said))


def names_of(source: Source) -> list[tuple[str | None, str | None]]:
    return source.read(0, source.rows).select("first_name", "last_name").rows()


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_whole_names_serve_both_fields(suffix: str, tmp_path: Path) -> None:
    source = opened(tmp_path, ["Ruth Oakley", "Eich, Paul", None, "Berg"], suffix=suffix)

    assert names_of(source) == [("Ruth", "Oakley"), ("Paul", "Eich"), (None, None), (None, "Berg")]
    assert source.mapping["first_name"] == source.mapping["last_name"] == ("Name",)
    assert source.notices == (
        f"in.{suffix}: column 'Name' holds whole names: first_name and last_name are taken out of it; where nothing "
        "in a name tells, the last word is the surname",
    )
    assert names_of(Source.from_dict(source.to_dict())) == names_of(source)


@pytest.mark.parametrize(
    ("header", "names", "first"),
    [
        ("Name", ["Oakley Robert", "Eich David", "Berg Ulm"], True),
        ("Name", ["Robert Oakley", "David Eich", "Ulm Berg"], False),
        ("Nachname, Vorname", ["Berg Ulm"], True),
        ("Vorname Nachname", ["Berg Ulm"], False),
        ("Apellidos y nombre", ["Berg Ulm"], True),
        ("Nome e cognome", ["Berg Ulm"], False),
        ("Nom et prénom", ["Robert Oakley", "David Eich", "Berg Ulm"], False),
    ],
)
def test_the_order_is_that_of_the_names_or_else_of_the_header(
    header: str, names: list[str], first: bool, tmp_path: Path
) -> None:
    source = opened(tmp_path, names, header)

    assert names_of(source)[-1] == (tuple(reversed(names[-1].split())) if first else tuple(names[-1].split()))
    assert ("the first word" if first else "the last word") in source.notices[0]


def test_a_file_that_is_added_has_the_order_of_the_first_where_both_are_whole(tmp_path: Path) -> None:
    first = opened(tmp_path, ["Oakley Robert", "Eich David"])
    again = opened(tmp_path, ["Robert Oakley"], readings=first.readings, may_be_empty=True)

    assert names_of(again) == [("Oakley", "Robert")]


def test_a_column_of_one_word_a_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="column 'nome': 3 of 4 values are one word, the first in line 2") as refused:
        opened(tmp_path, ["Anna", "Ruth", "Paul", "Ruth Berg"], "nome")
    assert "Anna" not in str(refused.value)
    assert not list(tmp_path.glob("staging/*"))
    assert names_of(opened(tmp_path, ["王小明", "李娜", "田中太郎"]))[0] == ("小明", "王")


@pytest.mark.parametrize(
    ("columns", "mapping", "whole"),
    [
        ("name dob", {}, "name"),
        ("Kundenname dob", {}, "Kundenname"),
        ("nome dob", {}, "nome"),
        ("nom dob", {}, "nom"),
        ("label dob", {"full_name": "label"}, "label"),
        ("name label dob", {"full_name": "label"}, "label"),
        ("name Vorname", {}, None),
        ("name first_name last_name", {}, None),
        ("nombre apellidos", {}, None),
        ("nome cognome", {}, None),
        ("name dob", {"last_name": ""}, None),
        ("name dob", {"full_name": ""}, None),
        ("surname dob", {}, None),
        ("name surname dob", {}, None),
    ],
)
def test_which_column_is_whole(columns: str, mapping: dict[str, str], whole: str | None) -> None:
    plan = plan_columns(["id", *columns.split()], Path("in.csv"), "id", mapping, HINTS)
    assert plan.whole == (set() if whole is None else {"first_name", "last_name"})
    if whole is not None:
        assert plan.mapping["first_name"] == plan.mapping["last_name"] == (whole,)
    assert "full_name" not in {*plan.mapping, *plan.unmapped}
