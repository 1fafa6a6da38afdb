"""Several telephones and mail addresses of a person, in one cell or in several columns, from a file to entities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.linkage.results.explanation import explain, run_of_output
from core.made_records.persons.generator import generate_persons

COLUMNS = ("id", "first_name", "last_name", "home_phone", "mobile", "city", "email")
TWO_NUMBERS = (
    "V1",
    "Vera",
    "Lind",
    "206-555-0171; 415-555-0132",
    None,
    "Salem",
    "v.lind@example.com, vera@example.org",
)
ONE_OF_THEM = ("V2", "Vera", "Lind", None, "415-555-0132", "Dover", "vera@example.org")
IN_TWO_COLUMNS = ("V3", "Vera", "Lind", "206 5550171 or 617 5550150", "303-555-0119", "Auburn", None)


def run(folder: Path, name: str, **extra: Any) -> dict[str, Any]:
    out = str(folder / name) + ".parquet"
    request = MatchRequest(input=str(folder / name) + ".csv", id_column="id", out=out, **extra)
    return resolve(request, folder / "work")


def entities(folder: Path, name: str) -> dict[str, str]:
    return dict(pl.read_parquet(folder / f"{name}.parquet").select("id", "entity_id").rows())


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Made persons, of whom each row fills one of two columns of telephones, and two rows of one woman."""
    folder = tmp_path_factory.mktemp("several")
    persons = generate_persons(300, seed=5, duplicates=0.3).with_row_index("row")
    first = pl.col("row") % 2 == 0
    made = persons.select(
        "id",
        "first_name",
        "last_name",
        pl.when(first).then("phone").alias("home_phone"),
        pl.when(~first).then("phone").alias("mobile"),
        "city",
        "email",
    )
    two = pl.DataFrame([TWO_NUMBERS, ONE_OF_THEM], schema=dict.fromkeys(COLUMNS, pl.String), orient="row")
    pl.concat([made.cast(pl.String), two]).write_csv(folder / "people.csv")
    return folder, run(folder, "people")


def test_records_that_share_one_of_several_values_are_compared_and_joined(base: tuple[Path, dict[str, Any]]) -> None:
    folder, summary = base
    found = entities(folder, "people")
    assert found["V1"] == found["V2"]
    assert "phone: records with several values: 1; the best agreement counts" in summary["notices"]
    assert "email: records with several values: 1; the best agreement counts" in summary["notices"]
    mapping = run_of_output(folder / "people.parquet").description.sources[0]["mapping"]
    assert mapping["phone"] == ["home_phone", "mobile"]


def test_an_explanation_shows_the_values_that_agree(base: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = base
    found = explain(run_of_output(folder / "people.parquet"), "V2", "V1")
    shown = {field.name: (field.value_a, field.value_b, field.level) for field in found.fields}
    assert shown["phone"] == ("4155550132", "4155550132", "exact")
    assert shown["email"] == ("vera@example.org", "vera@example.org", "exact")
    assert {"phone", "email"} <= set(found.compared_by)


def test_new_records_may_have_more_values_than_any_before(base: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = base
    new = pl.DataFrame([IN_TWO_COLUMNS], schema=dict.fromkeys(COLUMNS, pl.String), orient="row")
    new.write_csv(folder / "new.csv")
    run(folder, "new", against=str(folder / "people.parquet"), allow_drift=True)
    found = entities(folder, "new")
    assert found["V3"] == found["V1"] == entities(folder, "people")["V1"]
    assert {field.name: field.values for field in run_of_output(folder / "new.parquet").description.spec.fields}[
        "phone"
    ] == 3
