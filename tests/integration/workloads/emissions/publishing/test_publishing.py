"""Inventories in the database: imported, published, locked, restated, replayed, held against the ledger."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest

from core.database import DatabaseManager
from core.errors import StoreError
from core.review.audit.verify import verify
from core.workloads import leaves_of, workloads
from tests.command import headrace

SPEND = {
    "date": "2024-05-02",
    "supplier": "Acme Ltd",
    "code_scheme": "naics-2017",
    "code": "541511",
    "currency": "EUR",
    "valuation": "purchaser",
}
BRIDGE = ["code", "boundary", "activity", "class", "supplier data", "edition", "GWP", "price", "method"]


@pytest.fixture
def tenant(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)


@pytest.fixture
def book(database_url: str, tenant: str, tmp_path: Path) -> Book:
    return Book({"HEADRACE_DATABASE__URL": database_url, "COLUMNS": "80"}, tenant, tmp_path)


class Book:
    """Commands on the inventory of 2024 of one tenant."""

    def __init__(self, env: Mapping[str, str], tenant: str, folder: Path) -> None:
        self.env, self.folder = env, folder
        self.of = ("--tenant", tenant, "--period", "2024")

    def tried(self, *words: str) -> subprocess.CompletedProcess[str]:
        return headrace("emissions", *words, *self.of, env=self.env, cwd=self.folder)

    def said(self, *words: str) -> Any:
        done = self.tried(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def refused(self, *words: str) -> str:
        done = self.tried(*words)
        assert done.returncode == 2, done.stdout
        return done.stderr

    def lines(self, name: str, *rows: Mapping[str, str]) -> str:
        pl.DataFrame([{**SPEND, **row} for row in rows]).write_csv(self.folder / name)
        return name

    def brought(self, *words: str) -> tuple[int, int, int]:
        (row,) = self.said("import", *words)
        return row["new"], row["changed"], row["there already"]

    def versions(self) -> list[tuple[int, str]]:
        return [(row["version"], row["state"]) for row in self.said("versions")]


def _sound(db: DatabaseManager, tenant: str) -> bool:
    (report,) = verify(db, leaves_of(workloads()), tenant)
    return report.sound


def test_of_a_line_id_the_latest_import_counts_and_nothing_is_kept_twice(
    book: Book, db: DatabaseManager, tenant: str
) -> None:
    first = book.lines("a.csv", {"line_id": "1", "amount": "100"}, {"line_id": "2", "amount": "200"})
    assert book.brought(first, "--dry-run") == (2, 0, 0)
    assert book.brought(first) == (2, 0, 0)
    assert book.brought(first) == (0, 0, 2)
    again = book.lines("b.csv", {"line_id": "2", "amount": "300"}, {"line_id": "3", "amount": "5", "text": 'a\t"\\N'})
    assert book.brought(again) == (1, 1, 0)
    run = book.said("run")
    assert (run["version"], run["state"], run["lines"]) == (1, "draft", 3)
    assert run["by_fate"]["counted"]["amounts"] == {"EUR": "405.00"}
    assert book.said("run")["version"] == 1, "the same lines and inputs are the same draft"
    assert book.said("replay", "1")["same"]
    assert _sound(db, tenant)


def test_a_locked_period_takes_nothing_and_a_restatement_is_bridged_to_the_milligram(
    book: Book, db: DatabaseManager, tenant: str
) -> None:
    lines = book.lines("a.csv", {"line_id": "1", "amount": "100", "code": "327213"}, {"line_id": "2", "amount": "70"})
    book.said("import", lines)
    before = book.said("run")["total_kg"]
    assert "--reason is empty" in book.refused("lock", "--reason", " ")
    assert "has no locked version to restate" in book.refused("restate", "--reason", "early")
    book.said("lock", "--reason", "approved")
    assert "2024 of" in book.refused("run")
    late = book.lines(
        "b.csv", {"line_id": "1", "amount": "90", "code": "327213"}, {"line_id": "3", "amount": "1", "supplier": "New"}
    )
    assert "is locked by version 1" in book.refused("import", late)
    (book.folder / "p.yaml").write_text("gwp_set: AR6\nmargins: without\nmax_line_amount: 80\n")
    found = book.said("restate", "--policy", "p.yaml", "--lines", late, "--reason", "late invoices")
    assert (found["version"], found["restates"], found["before_kg"]) == (2, 1, before)
    assert [step["driver"] for step in found["bridge"]] == BRIDGE
    milligrams = [int(step["kg"].replace(".", "")) for step in found["bridge"]]
    assert int(before.replace(".", "")) + sum(milligrams) == int(found["after_kg"].replace(".", ""))
    moved = {step["driver"] for step in found["bridge"] if step["lines"]}
    assert moved == {"activity", "price", "method"}
    assert book.versions() == [(2, "draft"), (1, "locked")]
    book.said("lock", "--reason", "approved")
    assert book.versions() == [(2, "locked"), (1, "superseded")]
    assert "only a draft is locked" in book.refused("lock", "--reason", "twice")
    assert all(book.said("replay", version)["same"] for version in ("1", "2"))
    assert _sound(db, tenant)


def test_a_replay_by_another_process_is_the_same_to_the_bit(book: Book) -> None:
    book.said("import", book.lines("a.csv", *({"line_id": str(n), "amount": f"{n}.37"} for n in range(1, 40))))
    book.said("run")
    words = ["emissions", "replay", "1", *book.of, "--json"]
    command = [sys.executable, "-m", "core.cli", *words]
    done = subprocess.run(command, env={**os.environ, **book.env}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["same"], found["lines_that_differ"]) == (True, 0)


def test_no_writer_changes_what_is_published_and_what_is_changed_all_the_same_is_found(
    book: Book, db: DatabaseManager, tenant: str
) -> None:
    book.said("import", book.lines("a.csv", {"line_id": "1", "amount": "100"}))
    book.said("run")
    book.said("lock", "--reason", "approved")
    for statement in (
        "UPDATE inventory_lines SET mass_mg = 1",
        "DELETE FROM activity_lines",
        "UPDATE factors SET unit = 'kg'",
        "UPDATE inventories SET total_mg = 1",
        "UPDATE inventories SET state = 'draft'",
        "DELETE FROM inventories",
        "TRUNCATE inventories",
    ):
        with pytest.raises((psycopg.Error, StoreError)), db.transaction() as conn:
            conn.execute(statement)
    with db.transaction() as conn:
        conn.execute("ALTER TABLE inventory_lines DISABLE TRIGGER ALL")
        conn.execute("UPDATE inventory_lines SET mass_mg = mass_mg - 1 WHERE tenant_id = %s", [tenant])
        conn.execute("ALTER TABLE inventory_lines ENABLE ALWAYS TRIGGER inventory_lines_rows")
    told = book.tried("replay", "1", "--json")
    found = json.loads(told.stdout)
    assert (told.returncode, found["kept_as_published"], found["lines_that_differ"]) == (1, False, 1)
    assert not _sound(db, tenant)


def test_export_writes_the_lines_and_no_cell_is_computed(book: Book) -> None:
    assert "has no lines" in book.refused("run")
    assert "has no inventory" in book.refused("export", "none.csv")
    book.said("import", book.lines("a.csv", {"line_id": "=1+1", "amount": "100"}, {"line_id": "2", "amount": ""}))
    book.said("run")
    for name in ("a.csv", "b.xlsx", "c.parquet"):
        assert book.said("export", name) == [{"file": name, "version": 1, "lines": 2}]
    book.said("export", "d.csv", "--csv-for-excel")
    assert (book.folder / "d.csv").read_text(encoding="utf-8-sig").splitlines()[1].startswith("'=1+1;counted")
    frame = pl.read_csv(book.folder / "a.csv", infer_schema=False)
    assert frame["fate"].to_list() == ["counted", "rejected"]
    assert frame["kg_co2e"].to_list()[1] is None
    assert "ends in .csv" in book.refused("export", "e.txt")
    assert "no version 7" in book.refused("export", "e.csv", "--version", "7")
