from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
import yaml

from core.errors import InputError
from core.made_records.kinds import make_records
from core.matching.specs.spec import MatchSpec, load_spec
from core.workloads.identity.suggesting.suggest import Suggestion, suggest

PEOPLE = (
    "Ruth Oakley",
    "Ann Smith",
    "John Miller",
    "Karl Braun",
    "Marie Dupont",
    "Peter Jones",
    "Paul Weber",
    "Emma Stone",
)
OUT = Path("first.yaml")


def _file(path: Path, **columns: list[str]) -> Path:
    pl.DataFrame(columns).write_csv(path)
    return path


def _ids(n: int) -> list[str]:
    return [f"R{number:03d}" for number in range(n)]


def _spec(suggestion: Suggestion) -> MatchSpec:
    return MatchSpec.model_validate(yaml.safe_load(suggestion.text))


def _people(path: Path, **more: list[str]) -> Path:
    names = [name.split() for name in PEOPLE] * 5
    columns = {
        "Nr": _ids(40),
        "Vorname": [given for given, _ in names],
        "Nachname": [last for _, last in names],
        "Geb.-Datum": [f"19{50 + n}-0{n % 9 + 1}-11" for n in range(40)],
        "PLZ": [f"{10_000 + n % 7}" for n in range(40)],
    }
    return _file(path, **columns, **more)


def test_persons_are_known_by_headings_of_other_languages(tmp_path: Path) -> None:
    more = {"Umsatz": [f"{n}.50" for n in range(40)], "leer": [""] * 40, "entity_id": ["E1"] * 40}
    suggestion = suggest(_people(tmp_path / "kunden.csv", **more), OUT, None, ())
    spec = _spec(suggestion)
    assert suggestion.family.name == "persons"
    assert suggestion.files[0].id_column == "Nr"
    aliases = {field.name: field.aliases for field in spec.fields if field.aliases}
    assert aliases == {"first_name": ("Vorname",), "last_name": ("Nachname",), "dob": ("Geb.-Datum",), "zip": ("PLZ",)}
    assert suggestion.found.left_out == {"leer": "it is empty"}
    assert [each.name for each in suggestion.found.possible] == ["umsatz"]


def test_field_that_is_not_compared_may_be(tmp_path: Path) -> None:
    more = {"Umsatz": [f"{n}.50" for n in range(40)]}
    suggestion = suggest(_people(tmp_path / "kunden.csv", **more), OUT, None, ())
    spec = MatchSpec.model_validate(yaml.safe_load(suggestion.text.replace("  # - ", "  - ")))
    assert spec.fields[-1].kind == "number"


def test_thresholds_and_fields_of_persons_are_those_of_the_built_in_spec(tmp_path: Path) -> None:
    spec, built_in = _spec(suggest(_people(tmp_path / "p.csv"), OUT, None, ())), load_spec("persons")
    assert (spec.match_bits, spec.review_bits, spec.max_cluster) == (3.0, -6.0, 50)
    levels = {field.name: field.levels for field in built_in.fields}
    assert all(field.levels == levels[field.name] for field in spec.fields)
    assert {each.name for each in spec.passes} <= {each.name for each in built_in.passes}


def test_one_column_of_names_is_of_persons_by_its_given_names(tmp_path: Path) -> None:
    names = [f"{given} {last}" for given in ("Ruth", "Ann", "John", "Karl", "Mary") for last in PEOPLE[0:8]]
    suggestion = suggest(_file(tmp_path / "p.csv", id=_ids(40), name=names), OUT, None, ())
    assert suggestion.family.name == "persons"
    assert {field.part_of for field in _spec(suggestion).fields if field.part} == {"full_name"}


def test_whole_names_are_linked_with_names_in_two_columns(tmp_path: Path) -> None:
    whole = _file(tmp_path / "a.csv", id=_ids(40), name=list(PEOPLE) * 5, dob=[f"19{50 + n}-01-11" for n in range(40)])
    parts = _people(tmp_path / "b.csv")
    suggestion = suggest(whole, OUT, None, [(parts, None)])
    assert "--link-map 1:full_name=Vorname+Nachname" in suggestion.command
    assert "--link-id 1:Nr" in suggestion.command


def test_headings_of_both_files_are_aliases_and_what_one_lacks_is_left_out(tmp_path: Path) -> None:
    other = _file(
        tmp_path / "b.csv", id=_ids(40), surname=["Oakley"] * 39 + ["Stone"], first=["Ann"] * 39 + ["Emma"],
        birthday=[f"19{50 + n}-01-11" for n in range(40)], shoe_size=[str(n) for n in range(40)],
    )  # fmt: skip
    suggestion = suggest(_people(tmp_path / "a.csv"), OUT, None, [(other, None)])
    aliases = {field.name: field.aliases for field in _spec(suggestion).fields if field.aliases}
    assert aliases["last_name"] == ("Nachname", "surname")
    assert "zip" not in aliases
    assert suggestion.found.left_out == {
        "PLZ": "no column of b.csv is called so",
        "b.csv: shoe_size": "no column of a.csv is called so",
    }


@pytest.mark.parametrize(
    ("kind", "family", "names"),
    [
        ("suppliers", "organisations", {"head", "rest", "tax_id", "street", "zip", "email"}),
        ("master", "organisations", {"head", "rest", "legal_form"}),
        ("catalogues-shop", "others", {"title", "brand", "price"}),
        ("songs", "others", {"title", "artist", "album", "length"}),
        ("ledgers", "others", {"date", "amount", "text"}),
    ],
)
def test_made_kinds_are_told_apart(kind: str, family: str, names: set[str], tmp_path: Path) -> None:
    records = make_records(kind, 400, 3)
    paths = [tmp_path / f"{number}.csv" for number in range(len(records))]
    for frame, path in zip(records, paths, strict=True):
        frame.write_csv(path)
    suggestion = suggest(paths[0], OUT, None, [(path, None) for path in paths[1:]])
    assert suggestion.family.name == family
    assert names <= {field.name for field in _spec(suggestion).fields}
    values = {value for each in records[0].columns[1:3] for value in records[0][each].drop_nulls() if len(value) > 8}
    assert not [value for value in values if value in suggestion.text]


def test_spec_is_not_called_as_a_built_in_one(tmp_path: Path) -> None:
    assert _spec(suggest(_people(tmp_path / "p.csv"), Path("persons.yaml"), None, ())).name == "my_persons"


def test_every_field_and_pass_has_its_reason(tmp_path: Path) -> None:
    lines = suggest(_people(tmp_path / "p.csv"), OUT, None, ()).text.splitlines()
    for above, line in pairwise(lines):
        if line.startswith("  - "):
            assert above.startswith("  # ")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"id": []}, "has no rows"),
        ({"name": ["Oak", "Elm"]}, "has one column, 'name'"),
        ({"town": ["Bath", "Bath"], "name": ["Oak", "Oak"]}, "no column has a value of its own in every row"),
        (
            {"id": ["1", "2"], "a": ["x", "x"], "b": ["", ""]},
            r"nothing to match on \('a': it has one value; 'b': it is",
        ),
        (
            {"id": _ids(40), "a": [f"{n}.5" for n in range(40)]},
            r"columns of numbers, dates and categories only \(a \(num",
        ),
        ({"id": _ids(40), "zip": [f"1{n:04d}" for n in range(39)] + ["10000"]}, "too little to match on: zip"),
    ],
)
def test_too_little_is_said_in_one_sentence(columns: dict[str, list[str]], words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words) as error:
        suggest(_file(tmp_path / "few.csv", **columns), OUT, None, ())
    assert "\n" not in error.value.message


def test_heading_with_a_line_break_ends_no_comment(tmp_path: Path) -> None:
    path = _people(tmp_path / "p.csv", **{"odd\nname: x": [str(n * 1.5) for n in range(40)]})
    assert _spec(suggest(path, OUT, None, ())).name == "first"
