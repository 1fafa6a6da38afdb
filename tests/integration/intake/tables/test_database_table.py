"""A table of the database as the input of a match."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import psycopg
import pytest

from core.database import DatabaseManager, copy
from core.database.copy import copy_in
from core.errors import InputError
from core.intake.tables.database_table import export_table, named_table
from core.linkage.request import MatchRequest
from core.linkage.resolve import resolve
from core.made_records.persons.generator import generate_persons


def test_a_table_is_matched_as_its_file_would_be(
    db: DatabaseManager, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy, "SLICE_BYTES", 20_000)  # many slices
    persons = generate_persons(1_200, seed=8, duplicates=0.4).cast(pl.String)
    columns = ", ".join(f"{name} text" for name in persons.columns)
    with psycopg.connect(database_url) as conn:
        conn.execute("CREATE SCHEMA crm")
        conn.execute(f'CREATE TABLE crm."Customers" ({columns})')
        copy_in(conn, "crm.Customers", persons)
    file = export_table(db, 'crm."Customers"', tmp_path / "exports")
    assert pl.read_parquet(file).sort("id").equals(persons.sort("id"))
    assert export_table(db, 'crm."Customers"', tmp_path / "exports") == file
    assert [path.name for path in (tmp_path / "exports").iterdir()] == [file.name]
    persons.write_parquet(tmp_path / "persons.parquet")
    answers = {}
    for name, path in (("table", file), ("file", tmp_path / "persons.parquet")):
        request = MatchRequest(input=str(path), id_column="id", out=str(tmp_path / f"{name}.parquet"))
        resolve(request, tmp_path / "work")
        answers[name] = pl.read_parquet(tmp_path / f"{name}.parquet").sort("id")
    assert answers["table"].equals(answers["file"])


@pytest.mark.parametrize("table", ["nowhere", "no.such", "jobs; SELECT 1", "jobs WHERE true", "(SELECT 1)"])
def test_what_is_no_table_is_refused(db: DatabaseManager, tmp_path: Path, table: str) -> None:
    with pytest.raises(InputError, match="there is no table or view"):
        export_table(db, table, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_names_of_tables_and_files() -> None:
    assert named_table("table:crm.customers") == "crm.customers"
    assert named_table("customers.parquet") is None
