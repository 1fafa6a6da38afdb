"""`headrace reconcile evaluate`: files in, tables or JSON out."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result
from typer.testing import CliRunner

from core.cli.app import build
from core.errors import InputError, SchemaError

ALLOCATIONS = """payment_id,invoice_id,amount_minor,applied_minor,status,rank,residual_minor,posterior
007,I1,1000,1000,auto,1,0,0.999
P2,I2,500,500,suggested,1,,0.6
"""
TRUTH = """payment_id,invoice_id,amount_minor,slice
007,I1,1000,exact
P2,I2,500,typo
P3,,,unrelated
"""


def made(folder: Path) -> list[str]:
    (folder / "out").mkdir()
    (folder / "out/allocations.csv").write_text(ALLOCATIONS)
    pl.DataFrame({"payment_id": ["P3"]}).write_parquet(folder / "out/unapplied.parquet")
    (folder / "truth.csv").write_text(TRUTH)
    (folder / "payments.csv").write_text("id,amount,currency\n007,10.00,EUR\nP2,5.00,EUR\nP3,-7.25,EUR\n")
    return ["reconcile", "evaluate", str(folder / "out"), "--truth", str(folder / "truth.csv")]


def run(arguments: list[str]) -> Result:
    return CliRunner().invoke(build(), arguments)


def test_reconcile_evaluate_reads_files_and_says_figures(tmp_path: Path) -> None:
    result = run([*made(tmp_path), "--json"])
    facts = json.loads(result.stdout)
    assert facts["all"]["precision"] == {
        "n": 1,
        "right": 1,
        "share": 1.0,
        "low": pytest.approx(0.2065, abs=1e-4),
        "high": 1.0,
    }
    assert facts["all"]["touchless_by_value"] == (1000 + 725) / (1000 + 500 + 725)
    assert facts["all"]["suggested"]["right"] == 1
    assert [row["slice"] for row in facts["slices"]] == ["exact", "typo", "unrelated"]
    assert (facts["broken"], result.exit_code) == ([], 0)


def test_reconcile_evaluate_prints_tables_and_ends_with_1_where_an_invariant_is_broken(tmp_path: Path) -> None:
    arguments = made(tmp_path)
    (tmp_path / "invoices.csv").write_text("id,amount,open,currency\nI1,20.00,9.99,EUR\nI2,5.00,5.00,EUR\n")
    result = run(arguments)
    assert result.exit_code == 1
    words = " ".join(result.stdout.split())
    assert "no item over-applied 1 1 I1" in words
    assert "100.00 %" in words


def test_reconcile_evaluate_refuses_what_it_cannot_read(tmp_path: Path) -> None:
    arguments = made(tmp_path)
    (tmp_path / "truth.csv").write_text("payment_id,invoice_id,amount\nP1,I1,10\n")
    error = run(arguments).exception
    assert isinstance(error, SchemaError)
    assert "has no column amount_minor; it has payment_id, invoice_id, amount" in str(error)
    (tmp_path / "truth.csv").write_text(TRUTH.replace("1000", "ten"))
    assert isinstance(run(arguments).exception, SchemaError)
    (tmp_path / "truth.csv").unlink()
    assert isinstance(run(arguments).exception, InputError)
    (tmp_path / "out/allocations.csv").unlink()
    assert "has no allocations.parquet" in str(run(arguments).exception)
