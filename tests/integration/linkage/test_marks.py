"""Suffixes, initials, births and honorifics tell people of one home apart, from a file to entities and explanations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.linkage.results.explanation import explain, run_of_output
from core.linkage.results.outline import outline_of
from core.made_records.persons.generator import generate_persons
from core.matching.records.layout import Layout

COLUMNS = ("id", "first_name", "last_name", "dob", "phone", "street", "city", "state", "zip")
BORN = "2011-03-09"
# By home: names of the first, of another person, and of the first once more; all born on the day, or on none known.
SUFFIXES = {
    "jr": (("Walter", "Okafor Sr"), ("Walter", "Okafor Jr"), ("Walter", "Okafor, Sr.")),
    "numeral": (("Henry", "Vandermeer II"), ("Henry", "Vandermeer III"), ("HENRY", "VANDERMEER II")),
    "word": (("Arne", "Tveit Senior"), ("Arne", "Tveit, Junior"), ("Arne", "Tveit (Senior)")),
    "given": (("Carl Sr.", "Ekwueme"), ("Carl, Jr.", "Ekwueme"), ("CARL SR", "EKWUEME")),
    "filho": (("Paulo", "Quintanilha Filho"), ("Paulo", "Quintanilha Neto"), ("Paulo", "Quintanilha Junior")),
    "spanish": (("José Padre", "Quinteros"), ("José Hijo", "Quinteros"), ("JOSE PADRE", "QUINTEROS")),
    "german": (("Jürgen", "Hufnagel d. Ä."), ("Jürgen", "Hufnagel d.J."), ("Jürgen", "Hufnagel sen.")),
}
INITIALS = {"initial": (("James R", "Haddadin"), ("James T", "Haddadin"), ("James R.", "Haddadin"))}
BIRTHS = {
    "letter": (("Baby Boy A", "Kowalczyk"), ("Baby Boy B", "Kowalczyk"), ("Baby A", "Kowalczyk")),
    "number": (("Twin 1", "Novotny"), ("Twin 2", "Novotny"), ("TWIN I", "NOVOTNY")),
    "one word": (("Twin1", "Jablonski"), ("Twin2", "Jablonski"), ("Twin 1", "Jablonski")),
    "sexes": (("Newborn Girl 1", "Bergstrom"), ("Newborn Boy 2", "Bergstrom"), ("Infant Girl 1", "Bergstrom")),
}
HOMES: dict[str, tuple[tuple[str, str], ...]] = SUFFIXES | INITIALS | BIRTHS


def homes() -> pl.DataFrame:
    rows = []
    for number, (home, names) in enumerate(HOMES.items()):
        where = (f"(217) 555-01{number:02}", f"{418 + 13 * number} Juniper Ave", "Springfield", "IL", "62704")
        born = BORN if home in BIRTHS else None
        rows += [(f"{home}-{at}", *name, born, *where) for at, name in zip("aba", names, strict=True)]
    ids = [f"{row[0]}{number}" for number, row in enumerate(rows)]
    return pl.DataFrame([(name, *row[1:]) for name, row in zip(ids, rows, strict=True)], schema=COLUMNS, orient="row")


def run(folder: Path, name: str, **extra: Any) -> dict[str, Any]:
    request = MatchRequest(
        input=str(folder / f"{name}.csv"), id_column="id", out=str(folder / f"{name}.parquet"), **extra
    )
    return resolve(request, folder / f"work-{name}")


def entities(folder: Path, name: str) -> dict[str, str]:
    return dict(pl.read_parquet(folder / f"{name}.parquet").select("id", "entity_id").rows())


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made persons, of whom none has a mark, and the homes."""
    folder = tmp_path_factory.mktemp("marks")
    made = generate_persons(400, seed=8, duplicates=0.3).select(pl.col(COLUMNS).cast(pl.String))
    pl.concat([made, homes()]).write_csv(folder / "people.csv")
    run(folder, "people")
    return folder


def test_marks_without_columns_are_not_said_to_be_left_out(base: Path) -> None:
    description = run_of_output(base / "people.parquet").description
    assert outline_of(description).sources[0].unmapped == ("ssn", "email")
    assert not [notice for notice in description.notices if "suffix" in notice]


@pytest.mark.parametrize("home", HOMES)
def test_people_of_one_home_are_told_apart_by_their_marks(base: Path, home: str) -> None:
    by_id = entities(base, "people")
    one, other, again = (by_id[name] for name in by_id if name.rstrip("0123456789")[:-2] == home)
    assert one != other
    assert other != again
    # Of "Filho" the third of that home has another word, of the newborn no name at all.
    assert home in {"filho", *BIRTHS} or one == again


def test_opposite_suffixes_are_no_match_and_opposite_initials_are_for_review(base: Path) -> None:
    pairs = pl.read_parquet(base / "people.pairs.parquet")
    decisions = {frozenset(row[:2]): row[2] for row in pairs.select("id_a", "id_b", "decision").rows()}
    ids = [name for name in entities(base, "people") if name.startswith(("jr-", "initial-"))]
    suffix_a, suffix_b, _, initial_a, initial_b, initial_again = ids
    assert frozenset((suffix_a, suffix_b)) not in decisions
    assert decisions[frozenset((initial_a, initial_b))] == "review"
    assert decisions[frozenset((initial_a, initial_again))] == "match"


def test_an_explanation_shows_names_without_marks_and_the_marks_beside_them(base: Path) -> None:
    ids = [name for name in entities(base, "people") if name.startswith("jr-")]
    found = {each.name: each for each in explain(run_of_output(base / "people.parquet"), *ids[:2]).fields}
    assert (found["last_name"].level, found["last_name"].value_a) == ("exact", "okafor")
    assert (found["suffix"].level, found["suffix"].value_a, found["suffix"].value_b) == ("differ", "sr", "jr")
    assert found["suffix"].bits < -20
    assert found["middle"].level == "missing"


def test_marks_in_columns_of_their_own_are_read_and_increments_keep_to_them(base: Path, tmp_path: Path) -> None:
    made = pl.read_csv(base / "people.csv", infer_schema=False).head(400)
    blank = {"name_suffix": pl.lit(None, pl.String), "mname": pl.lit(None, pl.String), "gender": pl.lit("F")}
    where = dict(zip(COLUMNS[4:], ("(217) 555-0199", "7 Elm St", "Salem", "OR", "97301"), strict=True))
    alone = {"first_name": "Otis", "last_name": "Brandvold", "gender": "M", **where}
    rows = [
        {"id": "s1", "name_suffix": "Sr.", "mname": "Lee", **alone},
        {"id": "s2", "name_suffix": "Jr", "mname": "Lee", **alone},
        {"id": "s3", "name_suffix": "SR", "mname": "L.", **alone},
    ]
    people = pl.concat([made.with_columns(**blank), pl.DataFrame(rows)], how="diagonal")
    people.write_csv(tmp_path / "people.csv")
    run(tmp_path, "people")
    by_id = entities(tmp_path, "people")
    assert by_id["s1"] == by_id["s3"] != by_id["s2"]
    spec = run_of_output(tmp_path / "people.parquet").description.spec
    assert {"suffix", "middle", "sex"} < set(spec.columns)
    assert 4 * Layout.of(spec).stride <= 96
    pl.DataFrame([rows[1] | {"id": "s4"}], schema=people.schema).write_csv(tmp_path / "more.csv")
    run(tmp_path, "more", against=str(tmp_path / "people.parquet"), allow_drift=True)
    by_id = entities(tmp_path, "more")
    assert by_id["s4"] == by_id["s2"] != by_id["s1"]
