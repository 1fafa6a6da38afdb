"""People of one name, in a small file: at one address, at two of one town, married since, or known by an initial."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.made_records.persons.generator import generate_persons

COLUMNS = ("id", "first_name", "last_name", "dob", "phone", "street", "city", "state", "zip")
TOWN = ("Salem", "OR", "97305")
AWAY = ("(302) 555-0188", "90 Harbor Rd", "Dover", "DE", "19904")
ROWS = [
    # Strangers of one name in one town, with and without a telephone.
    ("town-a", "Mary", "Miller", None, None, "12 Linden St", *TOWN),
    ("town-b", "Mary", "Miller", None, None, "877 Harbor Rd", *TOWN),
    ("phone-a", "Karl", "Brown", None, "(217) 555-0142", "31 Spruce Ln", *TOWN),
    ("phone-b", "Karl", "Brown", None, "(217) 555-0188", "410 Oak St", *TOWN),
    ("once-a", "Susan", "Garcia", None, None, "44 Linden St", *TOWN),
    ("once-b", "Susan", "Garcia", None, None, "44 Linden St", *TOWN),
    # A surname contained in a double one, everything of the home new.
    ("wed-a", "Ingrid", "Wojcik", "1984-07-19", "(217) 555-0171", "418 Juniper Ave", *TOWN),
    ("wed-b", "Ingrid", "Brandt-Wojcik", "1984-07-19", *AWAY),
    ("second-a", "Lucia", "Farkas Mendoza", "1990-02-27", "(217) 555-0172", "9 Oak St", *TOWN),
    ("second-b", "Lucia", "Mendoza", "1990-02-27", *AWAY),
    # Husband and wife whose names begin alike, and one of them by an initial.
    ("initial", "J", "Nwosu", None, "(217) 555-0173", "5 Oak St", *TOWN),
    ("husband", "Jonathan", "Nwosu", "1960-05-05", "(217) 555-0173", "5 Oak St", *TOWN),
    ("wife", "Julia", "Nwosu", "1962-09-17", "(217) 555-0173", "5 Oak St", *TOWN),
]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of a match of 150 made persons and these."""
    folder = tmp_path_factory.mktemp("one-name")
    made = generate_persons(150, 1, 0.3, "families").select(pl.col(COLUMNS).cast(pl.String))
    rows = pl.DataFrame(ROWS, schema=dict.fromkeys(COLUMNS, pl.String), orient="row")
    pl.concat([made, rows]).write_csv(folder / "people.csv")
    request = MatchRequest(input=str(folder / "people.csv"), id_column="id", out=str(folder / "out.parquet"))
    resolve(request, folder / "work")
    return folder / "out.parquet"


@pytest.mark.parametrize(
    ("one", "two", "decision"),
    [
        ("town-a", "town-b", "review"),
        ("phone-a", "phone-b", "review"),
        ("once-a", "once-b", "match"),
        ("wed-a", "wed-b", "match"),
        ("second-a", "second-b", "match"),
        ("husband", "initial", "review"),
        ("initial", "wife", "review"),
    ],
)
def test_people_of_one_name_are_joined_by_a_home_or_a_birthday_and_by_nothing_less(
    out: Path, one: str, two: str, decision: str
) -> None:
    pairs = pl.read_parquet(out.with_suffix(".pairs.parquet"))
    found = pairs.filter(pl.col("id_a").is_in([one, two]), pl.col("id_b").is_in([one, two]))
    assert found["decision"].to_list() == [decision]
    entity = dict(pl.read_parquet(out).select("id", "entity_id").rows())
    assert (entity[one] == entity[two]) == (decision == "match")
