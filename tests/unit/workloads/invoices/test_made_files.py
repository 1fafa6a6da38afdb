"""Made receivables as files."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from core.cli.app import build
from core.errors import ConfigError
from core.made_records.invoices.books import made_books
from core.made_records.invoices.statements import FORMATS
from core.workloads.invoices.made_files import TABLES, write_books


@pytest.mark.parametrize("form", ["csv", *FORMATS])
def test_write_books_makes_the_folder_with_all_files(tmp_path: Path, form: str) -> None:
    books = made_books(300, 2)
    files = write_books(books, tmp_path / "d", form)
    expected = [f"{name}.csv" for name in TABLES] + ([FORMATS[form][0]] if form != "csv" else [])
    assert [file.name for file in files] == expected
    assert sorted(path.name for path in (tmp_path / "d").iterdir()) == sorted(expected)
    back = pl.read_csv(tmp_path / "d" / "truth.csv")
    assert back["amount_minor"].to_list() == books.truth["amount_minor"].to_list()


def test_write_books_refuses_what_is_no_format_and_no_folder(tmp_path: Path) -> None:
    books = made_books(300, 2)
    with pytest.raises(ConfigError, match="--format xml: there is no such format; there are csv, camt053"):
        write_books(books, tmp_path / "d", "xml")
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="is a file"):
        write_books(books, tmp_path / "file")
    with pytest.raises(ConfigError, match="make it first"):
        write_books(books, tmp_path / "none" / "d")


def test_generate_invoices_says_what_it_wrote(tmp_path: Path) -> None:
    arguments = ["generate", "invoices", "--rows", "300", "--seed", "2", "--out", str(tmp_path / "d")]
    result = CliRunner().invoke(build(), [*arguments, "--json"])
    facts = json.loads(result.stdout)
    assert facts["invoices"] + facts["payments"] == facts["rows"] == 300
    assert "number of another" in facts["rates"]
    assert "bank lines in 5 files" in " ".join(CliRunner().invoke(build(), arguments).stdout.split())
