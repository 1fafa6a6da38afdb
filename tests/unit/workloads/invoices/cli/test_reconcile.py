"""`headrace reconcile` and `headrace reconcile explain`."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tests.command import headrace

INVOICES = """doc_no,debtor,amount,ccy,date,due,id
RE-20417,C1,"812,55",EUR,01.03.2024,31.03.2024,=1+1
RE-20418,C1,"99,10",EUR,02.03.2024,31.03.2024,i2
"""
PAYMENTS = """id,amount,currency,booked,text
p1,"812,55",EUR,28.03.2024,Invoice RE 20417
p2,"5,00",EUR,28.03.2024,thank you
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "i.csv").write_text(INVOICES)
    (tmp_path / "p.csv").write_text(PAYMENTS)
    return tmp_path


def test_reconcile_writes_a_folder_and_explains_it(files: Path) -> None:
    words = ("reconcile", "--invoices", "i.csv", "--payments", "p.csv", "--map", "invoices.number=doc_no", "--out", "r")
    done = headrace(*words, "--json", cwd=files)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["states"]["applied"] == {"payments": 1, "amount_minor": {"EUR": 81_255}}
    rows = pl.read_parquet(files / "r" / "allocations.parquet")
    assert rows.select("payment_id", "invoice_id", "status").rows() == [("p1", "=1+1", "auto")]
    why = headrace("reconcile", "explain", "p1", "i2", "--run", "r", "--json", cwd=files)
    told = json.loads(why.stdout)
    assert told["explanations"][0]["items"] == ["=1+1"]
    assert "no set with it comes to the amount" in told["why_not"]
    assert "all_named" in headrace("reconcile", "explain", "p1", "--run", "r", cwd=files).stdout
    (files / "p.csv").write_text(PAYMENTS + "p3,1,EUR,28.03.2024,x\n")
    changed = headrace("reconcile", "explain", "p1", "--run", "r", cwd=files)
    assert (changed.returncode, "has changed since the run" in changed.stderr) == (2, True)


def test_reconcile_shows_what_other_rules_would_change(files: Path) -> None:
    (files / "strict.yaml").write_text("loss_minor: 0\nauto_min: 1.0\n")
    words = ("reconcile", "--invoices", "i.csv", "--payments", "p.csv", "--map", "invoices.number=doc_no", "--out", "r")
    assert headrace(*words, cwd=files).returncode == 0
    before = (files / "r" / "run.json").read_bytes()
    dry = ("reconcile", "--dry-run", "--rules", "strict.yaml", "--run", "r")
    told = json.loads(headrace(*dry, "--json", cwd=files).stdout)
    assert told["payments"] == 2
    assert [(row["before"], row["after"], row["payments"]) for row in told["sums"]] == [("applied", "suggested", 1)]
    assert [(row["payment_id"], row["amount_minor"]) for row in told["changed"]] == [("p1", 81_255)]
    printed = headrace(*dry, cwd=files).stdout
    assert "1 of 2 payments change" in printed
    assert "812.55 EUR" in printed
    assert (files / "r" / "run.json").read_bytes() == before
    alone = headrace("reconcile", "--dry-run", "--run", "r", cwd=files)
    assert (alone.returncode, "--rules FILE" in alone.stderr) == (2, True)


def test_reconcile_says_what_is_odd_of_payments(files: Path) -> None:
    (files / "p.csv").write_text(PAYMENTS + "p3,0,EUR,28.03.2024,\np4,1,EUR,28.03.2199,\n")
    words = ("reconcile", "--invoices", "i.csv", "--payments", "p.csv", "--map", "invoices.number=doc_no", "--out", "r")
    done = headrace(*words, cwd=files)
    assert "1 payments are booked in the future" in done.stderr
    unapplied = pl.read_parquet(files / "r" / "unapplied.parquet")
    assert dict(unapplied.select("payment_id", "kind").rows())["p3"] == "zero"


def test_reconcile_escapes_formulas_in_csv(files: Path) -> None:
    words = ("reconcile", "--invoices", "i.csv", "--payments", "p.csv", "--map", "invoices.number=doc_no", "--out", "r")
    assert headrace(*words, "--csv", cwd=files).returncode == 0
    assert "'=1+1" in (files / "r" / "allocations.csv").read_text()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ((), "reconcile needs --out"),
        (("--out", "r", "--csv", "--xlsx"), "choose one"),
        (("--out", "i.csv"), "--out i.csv is a file; it must name a folder"),
        (("--out", "r", "--map", "invoices.numbr=doc_no"), "there is no such field"),
        (("--out", "r", "--map", "bills.number=doc_no"), "there is no such file"),
        (("--out", "r", "--rules", "rules.yaml"), "there is no rule 'auto'"),
    ],
)
def test_reconcile_refuses_what_it_does_not_know(files: Path, more: tuple[str, ...], words: str) -> None:
    (files / "rules.yaml").write_text("auto: 0.9\n")
    done = headrace("reconcile", "--invoices", "i.csv", "--payments", "p.csv", *more, cwd=files)
    assert done.returncode == 2
    assert words in done.stderr
