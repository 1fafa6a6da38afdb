"""Bank files, several files and advices as the payments of a reconciliation."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from core.errors import InputError
from core.made_records.invoices.books import made_books
from core.workloads.invoices.made_files import write_books
from core.workloads.invoices.reconciling.run import Reconciled, Request, reconcile

PAID = "id,amount,currency,booked,payer,text\n"
HEADINGS = "amount,currency,booked,payer,text\n"


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("books")
    for form in ("camt053", "bai2"):
        write_books(made_books(400, 3), folder, form)
    return folder


def answer(folder: Path, *payments: Path, **files: Path) -> Reconciled:
    of_one = {kind: [path] for kind, path in files.items()}
    return reconcile(Request({"invoices": [folder / "invoices.csv"], "payments": payments, **of_one}))


def test_reconcile_answers_alike_for_a_table_and_for_files_of_a_bank(books: Path, tmp_path: Path) -> None:
    table = answer(books, books / "payments.csv").answer.allocations
    assert answer(books, books / "statement.xml").answer.allocations.equals(table)
    assert answer(books, books / "statement.bai").answer.allocations.equals(table)
    halves = [tmp_path / "a.csv", tmp_path / "b.csv"]
    frame = pl.read_csv(books / "payments.csv", infer_schema=False)
    frame[::2].write_csv(halves[0])
    frame[1::2].write_csv(halves[1])
    assert answer(books, *halves).answer.allocations.equals(table)


@pytest.fixture
def items(tmp_path: Path) -> Path:
    (tmp_path / "invoices.csv").write_text(
        "id,customer,customer_name,number,amount,currency,issued,due\n"
        "i1,C1,Harbour Mills,RE-20417,812.55,EUR,2024-03-01,2024-03-31\n"
        "i2,C1,Harbour Mills,RE-20418,99.10,EUR,2024-03-01,2024-03-31\n"
        "i3,C1,Harbour Mills,RE-20419,99.10,EUR,2024-03-01,2024-03-31\n"
    )
    return tmp_path


def test_reconcile_gives_lines_without_an_id_one(items: Path) -> None:
    bank = items / "bank.csv"
    line = "812.55,EUR,2024-03-28,Harbour Mills,RE 20417\n"
    bank.write_text(HEADINGS + line + "5.00,EUR,2024-03-28,,x\n")
    states = answer(items, bank).answer.states
    assert states["state"].to_list().count("applied") == 1
    (items / "next.csv").write_text(HEADINGS + line)
    found = answer(items, bank, items / "next.csv")
    assert len(found.answer.states) == 2, "a line that another file has, too"
    assert any("next.csv: 1 set aside" in notice for notice in found.read.notices)


def test_reconcile_reads_what_advices_say(items: Path) -> None:
    (items / "p.csv").write_text(
        PAID + "p1,911.65,EUR,2024-03-28,Harbour Mills,\np2,99.10,EUR,2024-03-29,Harbour Mills,\n"
    )
    advices = items / "a.csv"
    advices.write_text("payment,reference,paid,currency\np1,RE-20417,812.55,EUR\np1,RE-20419,99.10,EUR\n")
    without, found = answer(items, items / "p.csv"), answer(items, items / "p.csv", advices=advices)
    assert "applied" not in without.answer.states["state"].to_list()
    assert found.answer.states["state"].to_list() == ["applied", "applied"]
    assert found.answer.allocations["invoice_id"].to_list() == ["i1", "i3", "i2"]
    advices.write_text("payment,reference,paid,currency\np1,RE-20417,812.55,EUR\np1,RE-20419,99.00,EUR\n")
    held = answer(items, items / "p.csv", advices=advices).answer
    assert dict(held.states.select("payment_id", "held").rows())["p1"] == "advice_mismatch"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            ":20:A\n:25:DE1\n:28C:1\n:60F:C250101EUR1,\n:61:2501020102C5,NTRFX\n:62F:C250102EUR7,\n-\n",
            "differ from closing",
        ),
        (":20:A\n:25:DE1\n:28C:1\n:60F:C250101EUR1,\n:61:2501020102C5,NTRFX\n", "no closing balance"),
        (HEADINGS + "1.005,EUR,2024-01-01,,\n", "line 2: its amount"),
        (HEADINGS, "no bank line in it"),
        ("", "is empty"),
    ],
)
def test_reconcile_refuses_bank_files_that_do_not_hold(items: Path, text: str, words: str) -> None:
    (items / "bank.sta").write_text(text)
    with pytest.raises(InputError, match=words):
        answer(items, items / "bank.sta")


def test_reconcile_refuses_advices_that_name_nothing(items: Path) -> None:
    (items / "p.csv").write_text(PAID + "p1,911.65,EUR,2024-03-28,Harbour Mills,\n")
    (items / "a.csv").write_text("payment,reference,paid,currency\n")
    with pytest.raises(InputError, match="no advice that names documents"):
        answer(items, items / "p.csv", advices=items / "a.csv")
