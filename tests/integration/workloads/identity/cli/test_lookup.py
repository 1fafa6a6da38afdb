"""`headrace lookup`: one record, or several, from options, a file or stdin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from core.cli.app import build
from core.database import DatabaseManager
from core.errors import ConfigError, InputError
from core.linkage.request import MatchRequest
from core.made_records.persons.generator import generate_persons
from tests.integration.linkage.test_parity import through_the_queue

ROWS = 600


@pytest.fixture(scope="module")
def persons(db: DatabaseManager, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """Published persons."""
    folder = tmp_path_factory.mktemp("persons")
    persons = generate_persons(ROWS, seed=2, duplicates=0.3)
    persons.write_csv(folder / "people.csv")
    request = MatchRequest(input=str(folder / "people.csv"), id_column="id", lookup=True)
    through_the_queue(request, db, folder)
    return persons


def headrace(*words: str, text: str = "") -> str:
    done = CliRunner().invoke(build(), list(words), catch_exceptions=False, input=text)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def record(persons: pl.DataFrame, database_url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A record in full."""
    monkeypatch.setenv("HEADRACE_DATABASE__URL", database_url)
    full = persons.drop_nulls().with_columns(pl.all().cast(pl.String))
    return full.drop("entity_id").row(0, named=True)


def test_lookup_answers_for_fields_a_file_and_stdin_alike(record: dict[str, Any], tmp_path: Path) -> None:
    own = record.pop("id")
    words = [word for name, value in record.items() for word in ("-f", f"{name}={value}")]
    (by_fields,) = json.loads(headrace("lookup", *words, "--dataset", "persons:people.csv", "--json"))
    (tmp_path / "record.json").write_text(json.dumps(record))
    (by_file,) = json.loads(headrace("lookup", str(tmp_path / "record.json"), "--json"))
    both = json.loads(headrace("lookup", "-", "--json", text=json.dumps([record, {"last_name": "Xqzw"}])))
    assert by_fields == by_file == both[0]
    assert by_file["decision"] == "match"
    assert own in {one["record_id"] for one in by_file["matched"] if one["joined"]}
    assert (both[1]["decision"], both[1]["entity_id"], both[1]["matched"]) == ("new", None, [])


def test_lookup_says_in_words_what_it_found_and_why(record: dict[str, Any]) -> None:
    words = [word for name, value in record.items() if name != "id" for word in ("-f", f"{name}={value}")]
    screen = headrace("lookup", *words, "--why")
    assert screen.startswith("match in persons:people.csv (job ")
    assert "last_name" in screen
    assert record["ssn"] not in screen
    assert headrace("lookup", "-f", "last_name=Xqzw").startswith("new in persons:people.csv")


def test_lookup_without_a_record_or_with_a_bad_one_is_refused(record: dict[str, Any], tmp_path: Path) -> None:
    for words, text, kind, said in (
        ((), "", ConfigError, "say what to look up"),
        (("-", "-f", "zip=1"), "{}", ConfigError, "say what to look up"),
        (("-f", "zip"), "", ConfigError, "write name=value"),
        (("-",), "{", InputError, "is no JSON"),
        (("-",), "[1]", InputError, "holds no records"),
        (("-f", "surname=x"), "", InputError, "no field 'surname'"),
        ((str(tmp_path / "none.json"),), "", InputError, "cannot be read"),
        (("-f", "zip=1", "--dataset", "x"), "", ConfigError, "published: 'persons:people.csv'"),
    ):
        with pytest.raises(kind, match=said):
            headrace("lookup", *words, text=text)
