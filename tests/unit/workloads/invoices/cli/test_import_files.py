"""`headrace invoices import`."""

import json
from pathlib import Path

import polars as pl
from typer.testing import CliRunner

from core.cli.app import build

STATEMENT = ":20:A\n:25:DE1\n:28C:7\n:60F:C250101EUR100,\n:61:250102C50,NTRFE1//R1\n:62F:C250102EUR{}\n-\n"


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(build(), ["invoices", "import", *arguments])
    return result.exit_code, " ".join(result.stdout.split())


def test_import_files_says_whether_each_statement_balances(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.sta", tmp_path / "bad.sta"
    good.write_text(STATEMENT.format("150,"))
    bad.write_text(STATEMENT.format("151,").replace("28C:7", "28C:8"))
    code, text = run(str(good), "--dry-run")
    assert code == 0
    assert "1 receipts, 0 lines of advices" in text
    code, text = run(str(good), str(bad), "--dry-run", "--json")
    facts = json.loads(text)
    first, second = (file["statements"][0] for file in facts["files"])
    assert code == 1
    assert (first["opening"], first["movements"], first["closing"], first["balanced"]) == (
        "100.00",
        "50.00",
        "150.00",
        True,
    )
    assert (second["balanced"], second["off_by"], second["taken"]) == (False, "1.00", 0)
    assert sorted(tmp_path.iterdir()) == [bad, good]


def test_import_files_writes_tables_and_asks_where(tmp_path: Path) -> None:
    path = tmp_path / "a.sta"
    path.write_text(STATEMENT.format("150,"))
    assert run(str(path), "--out", str(tmp_path / "bank"))[0] == 0
    assert pl.read_parquet(tmp_path / "bank" / "receipts.parquet")["id"].to_list() == ["R1"]
    assert sorted(each.name for each in (tmp_path / "bank").iterdir()) == [
        "advices.parquet",
        "receipts.parquet",
        "rejects.parquet",
    ]
    for arguments in ([], ["--out", str(path)], ["--out", str(tmp_path / "no" / "bank")], ["--dry-run", "--map", "x"]):
        assert CliRunner().invoke(build(), ["invoices", "import", str(path), *arguments]).exit_code != 0
