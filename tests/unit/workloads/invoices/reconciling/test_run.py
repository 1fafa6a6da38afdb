"""Reconciliations from files to an answer: what is applied, what is left to people, and that it balances."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from core.errors import InputError, RowError
from core.made_records.invoices.books import made_books
from core.workloads.invoices.evaluation.answer_files import read_allocations, read_listed, read_money, read_truth
from core.workloads.invoices.evaluation.evaluate import evaluate
from core.workloads.invoices.made_files import write_books
from core.workloads.invoices.reconciling.run import Reconciled, Request, reconcile, record_of, write_folder

INVOICE = {
    "customer": "C1",
    "customer_name": "Harbour Mills Ltd",
    "currency": "EUR",
    "issued": "2024-03-01",
    "due": "2024-03-31",
    "discount_percent": "",
    "discount_days": "",
}
PAYMENT = {"currency": "EUR", "booked": "2024-03-28", "payer": "HARBOUR MILLS LIMITED", "text": "", "end_to_end": ""}


def answer(folder: Path, invoices: list[dict[str, Any]], payments: list[dict[str, Any]], **files: Path) -> Reconciled:
    pl.DataFrame([INVOICE | {"id": row["number"]} | row for row in invoices]).write_csv(folder / "i.csv")
    pl.DataFrame([PAYMENT | row for row in payments]).write_csv(folder / "p.csv")
    of_one = {kind: [path] for kind, path in files.items()}
    return reconcile(Request({"invoices": [folder / "i.csv"], "payments": [folder / "p.csv"], **of_one}))


def paid(found: Reconciled, payment: str) -> tuple[str, dict[str, int]]:
    """State of a payment, and what its first explanation applies to which invoice."""
    states = dict(found.answer.states.select("payment_id", "state").rows())
    rows = found.answer.allocations.filter((pl.col("payment_id") == payment) & (pl.col("rank") == 1))
    return states[payment], dict(rows.drop_nulls("invoice_id").select("invoice_id", "amount_minor").rows())


def residual(found: Reconciled, payment: str) -> list[tuple[str, int]]:
    rows = found.answer.allocations.filter((pl.col("payment_id") == payment) & (pl.col("rank") == 1))
    return [row for row in rows.select("residual_kind", "residual_minor").rows() if row[0]]


def test_reconcile_applies_a_named_invoice_and_sets_the_second_payment_aside(tmp_path: Path) -> None:
    found = answer(
        tmp_path,
        [{"number": "RE-20417", "amount": "812.55"}, {"number": "RE-20418", "amount": "99.10"}],
        [
            {"id": "p1", "amount": "812.55", "text": "Invoice RE 20417"},
            {"id": "p2", "amount": "812.55", "text": "Invoice RE 20417", "booked": "2024-04-02"},
        ],
    )
    assert paid(found, "p1") == ("applied", {"RE-20417": 81_255})
    assert paid(found, "p2") == ("unapplied", {})
    assert found.answer.unapplied["kind"].to_list() == ["duplicate"]


def test_reconcile_never_breaks_a_tie(tmp_path: Path) -> None:
    items = [{"number": f"RE-2041{digit}", "amount": "50.00"} for digit in range(5)]
    found = answer(tmp_path, items, [{"id": "p1", "amount": "50.00", "text": "thank you"}])
    assert paid(found, "p1")[0] == "suggested"
    assert found.answer.allocations["rank"].to_list() == [1, 2, 3]
    assert found.answer.allocations["posterior"].max() < 0.3


def test_reconcile_takes_no_number_for_one_that_contains_it(tmp_path: Path) -> None:
    found = answer(
        tmp_path,
        [{"number": "2041", "amount": "70.00"}, {"number": "12041", "amount": "70.00"}],
        [{"id": "p1", "amount": "70.00", "text": "Re 12041"}],
    )
    assert paid(found, "p1") == ("applied", {"12041": 7_000})


@pytest.mark.parametrize(
    "text", ["RE-20417 / 20417", "20417 20417 20417", "re 20417 order 4500771", "Order 4500771, Re. RE-20417"]
)
def test_reconcile_takes_an_invoice_that_is_named_in_several_ways_for_one(tmp_path: Path, text: str) -> None:
    items = [
        {"number": "RE-20417", "amount": "812.55", "order": "4500771"},
        {"number": "RE-20418", "amount": "70.00", "order": "4500771"},
        {"number": "RE-20477", "amount": "31.00", "order": ""},
    ]
    found = answer(tmp_path, items, [{"id": "p1", "amount": "812.55", "text": text}])
    assert paid(found, "p1") == ("applied", {"RE-20417": 81_255})


def test_reconcile_does_not_make_up_round_sums(tmp_path: Path) -> None:
    items = [{"number": f"RE-204{n}", "amount": f"{amount}.00"} for n, amount in enumerate((825, 1700, 550, 925), 10)]
    line = {"id": "p1", "amount": "3075.00", "text": "RE-20410, RE-20411, RE-204"}
    found = answer(tmp_path, items, [line])
    assert paid(found, "p1") == ("suggested", {"RE-20410": 82_500, "RE-20411": 170_000, "RE-20412": 55_000})
    assert found.answer.states["held"].to_list() == ["round_sum"]


def test_reconcile_leaves_a_part_that_comes_again_to_a_person(tmp_path: Path) -> None:
    line = {"amount": "300.00", "text": "RE-20417 part"}
    found = answer(
        tmp_path,
        [{"number": "RE-20417", "amount": "1000.00"}],
        [{"id": "p1"} | line, {"id": "p2", "booked": "2024-04-02"} | line],
    )
    assert [paid(found, name)[0] for name in ("p1", "p2")] == ["applied", "suggested"]
    assert dict(found.answer.states.select("payment_id", "held").rows())["p2"] == "repeats_a_payment"


def test_reconcile_doubts_a_number_where_another_item_has_the_amount(tmp_path: Path) -> None:
    items = [{"number": f"RE-204{n}", "amount": f"{1_000 + n}.17"} for n in range(10, 20)]
    found = answer(tmp_path, items, [{"id": "p1", "amount": "1013.17", "text": "RE-20418"}])
    assert paid(found, "p1")[0] == "suggested"
    assert {"RE-20413", "RE-20418"} >= set(paid(found, "p1")[1])
    assert found.answer.allocations["posterior"].max() < 0.995


def test_reconcile_applies_nothing_by_the_amount_alone(tmp_path: Path) -> None:
    items = [{"number": "RE-20417", "amount": "7812.55"}]
    found = answer(tmp_path, items, [{"id": "p1", "amount": "7812.55", "payer": "Unheard Of AG", "text": "card sales"}])
    assert paid(found, "p1") == ("suggested", {"RE-20417": 781_255})


def test_reconcile_takes_a_list_that_is_cut_off_for_no_overpayment(tmp_path: Path) -> None:
    items = [{"number": f"20{n}", "amount": f"{n * n}.{n}"} for n in range(41, 71)]
    text = "INV. 2041 & 2042 & 2043, 2044 + 20"
    found = answer(tmp_path, items, [{"id": "p1", "amount": "61234.56", "text": text}])
    assert "overpayment" not in found.answer.allocations["residual_kind"].to_list()


@pytest.mark.parametrize("text", ["Invoice 1205 & 9351 & 1173", "1205 + 9351 + 1173", "1205, 9351; 1173"])
def test_reconcile_joins_no_numbers_of_a_list(tmp_path: Path, text: str) -> None:
    other = {"customer": "C2", "customer_name": "Elm AG"}
    items = [
        {"number": "1205", "amount": "475.10"},
        {"number": "9351", "amount": "677.20"},
        {"number": "1173", "amount": "81.31"},
        {"number": "12059351", "amount": "99.00", **other},
        {"number": "93511173", "amount": "99.00", **other},
    ]
    found = answer(tmp_path, items, [{"id": "p1", "amount": "1233.61", "text": text}])
    assert paid(found, "p1")[0] == "applied"


def test_reconcile_nets_credit_notes_and_takes_discounts_in_time_only(tmp_path: Path) -> None:
    terms = {"discount_percent": "2", "discount_days": "10"}
    found = answer(
        tmp_path,
        [
            {"number": "RE-20417", "amount": "812.55"},
            {"number": "GS-00031", "amount": "-100.55"},
            {"number": "RE-20419", "amount": "1500.00", **terms, "issued": "2024-03-20"},
            {"number": "RE-20420", "amount": "2500.00", **terms, "issued": "2024-03-02"},
        ],
        [
            {"id": "p1", "amount": "712.00", "text": "RE-20417 less GS-00031"},
            {"id": "p2", "amount": "1470.00", "text": "RE-20419"},
            {"id": "p3", "amount": "2450.00", "text": "RE-20420"},
        ],
    )
    assert paid(found, "p1") == ("applied", {"RE-20417": 81_255, "GS-00031": -10_055})
    assert paid(found, "p2") == ("applied", {"RE-20419": 150_000})
    assert residual(found, "p2") == [("discount", -3_000)]
    assert paid(found, "p3") == ("suggested", {"RE-20420": 245_000})
    assert residual(found, "p3") == [("discount_late", 0)]


def test_reconcile_takes_a_late_discount_off_each_of_several_invoices(tmp_path: Path) -> None:
    terms = {"discount_percent": "2", "discount_days": "5"}
    items = [{"number": "RE-20417", "amount": "1500.00"}, {"number": "RE-20418", "amount": "2500.00"}]
    line = {"id": "p1", "amount": "3920.00", "text": "RE-20417 RE-20418"}
    found = answer(tmp_path, [item | terms for item in items], [line])
    assert paid(found, "p1") == ("suggested", {"RE-20417": 147_000, "RE-20418": 245_000})
    assert residual(found, "p1") == [("discount_late", 0)] * 2


def test_reconcile_pays_again_what_was_taken_back(tmp_path: Path) -> None:
    item = [{"number": "RE-20417", "amount": "812.55"}, {"number": "RE-20418", "amount": "17.20"}]
    found = answer(
        tmp_path,
        item,
        [
            {"id": "p1", "amount": "812.55", "text": "RE-20417", "end_to_end": "E1"},
            {"id": "p2", "amount": "-812.55", "text": "RETURN", "end_to_end": "E1", "booked": "2024-03-30"},
            {"id": "p3", "amount": "812.55", "text": "RE-20417", "end_to_end": "E2", "booked": "2024-04-09"},
            {"id": "p4", "amount": "-55.00", "text": "CHARGES", "payer": "A BANK"},
        ],
    )
    assert [paid(found, name)[0] for name in ("p1", "p2", "p3")] == ["applied"] * 3
    assert paid(found, "p2")[1] == {"RE-20417": -81_255}
    assert paid(found, "p3")[1] == {"RE-20417": 81_255}
    assert paid(found, "p4")[0] == "foreign"


def test_reconcile_applies_other_currencies_only_by_dated_rates(tmp_path: Path) -> None:
    items = [{"number": "RE-20417", "amount": "812.55"}, {"number": "RE-20418", "amount": "430.00"}]
    line = {"id": "p1", "amount": "885.68", "currency": "USD", "text": "RE-20417"}
    (tmp_path / "r.csv").write_text("date,currency,rate\n2024-03-27,EUR,1\n2024-03-27,USD,1.09\n")
    assert paid(answer(tmp_path, items, [line]), "p1")[0] != "applied"
    found = answer(tmp_path, items, [line], rates=tmp_path / "r.csv")
    assert paid(found, "p1") == ("applied", {"RE-20417": 81_255})
    row = found.answer.allocations.row(0, named=True)
    assert row["currency"] == "EUR"
    assert row["applied_minor"] + row["residual_minor"] == 88_568


def test_reconcile_leaves_five_thousand_equal_items_to_a_person(tmp_path: Path) -> None:
    items = [{"number": f"RE-{number}", "amount": "49.99"} for number in range(30_000, 35_000)]
    found = answer(tmp_path, items, [{"id": "p1", "amount": "49.99"}, {"id": "p2", "amount": "99.98"}])
    assert {paid(found, name)[0] for name in ("p1", "p2")}.isdisjoint({"applied"})


def test_reconcile_suggests_none_of_many_alike(tmp_path: Path) -> None:
    items = [{"number": f"RE-{number}", "amount": "49.99"} for number in range(30_000, 30_050)]
    found = answer(tmp_path, items, [{"id": "p1", "amount": "49.99"}])
    assert paid(found, "p1") == ("exception", {})
    assert found.answer.exceptions["kind"].to_list() == ["weak"]


def test_reconcile_refuses_cells_by_row_and_column(tmp_path: Path) -> None:
    good = {"number": "RE-1", "amount": "1.00"}
    for wrong, words in (
        ({"amount": "1.005"}, "row 2, column 'amount': may be read in two ways"),
        ({"currency": "EUX"}, "row 2, column 'currency': is no currency"),
        ({"due": "2024-02-31"}, "row 2, column 'due': is no date"),
        ({"id": "RE-1"}, "row 2, column 'id': repeats the id"),
        ({"customer": ""}, "row 2, column 'customer': is empty"),
    ):
        with pytest.raises(RowError, match=words):
            answer(tmp_path, [good, {"number": "RE-2", "amount": "2.50", **wrong}], [{"id": "p1", "amount": "1.00"}])


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("books")
    write_books(made_books(1_500, 11), folder)
    return folder


def request_of(folder: Path) -> Request:
    return Request({kind: [folder / f"{kind}.csv"] for kind in ("invoices", "payments", "customers", "rates")})


def test_reconcile_is_precise_and_breaks_no_invariant_on_made_books(books: Path) -> None:
    request = request_of(books)
    found = reconcile(request)
    write_folder(books / "answer", record_of(request, found), found.answer)
    held = evaluate(
        read_allocations(books / "answer"),
        read_listed(books / "answer"),
        read_truth(books / "truth.csv"),
        read_money(books / "payments.csv", required=True),
        read_money(books / "invoices.csv", required=True),
    )
    assert [invariant.name for invariant in held.invariants if invariant.broken] == []
    assert (held.slices[0].precision.value or 0) >= 0.99
    assert (held.slices[0].touchless.value or 0) >= 0.7
    states = json.loads((books / "answer" / "run.json").read_text())["states"]
    assert sum(state["payments"] for state in states.values()) == len(found.sides.payments)


def test_reconcile_answers_alike_for_any_order_of_rows(books: Path, tmp_path: Path) -> None:
    for kind in ("invoices", "payments", "customers", "rates"):
        frame = pl.read_csv(books / f"{kind}.csv", infer_schema=False)
        frame.sample(fraction=1, shuffle=True, seed=5).write_csv(tmp_path / f"{kind}.csv")
    one, other = reconcile(request_of(books)), reconcile(request_of(tmp_path))
    assert one.answer.allocations.equals(other.answer.allocations)
    assert one.answer.exceptions.equals(other.answer.exceptions)
    assert one.answer.unapplied.equals(other.answer.unapplied)


def test_reconcile_refuses_files_without_rows(tmp_path: Path) -> None:
    (tmp_path / "i.csv").write_text("id,customer,number,amount,currency,issued,due\n")
    (tmp_path / "p.csv").write_text("id,amount,currency,booked\np1,1.00,EUR,2024-01-01\n")
    with pytest.raises(InputError, match="has no rows"):
        reconcile(Request({"invoices": [tmp_path / "i.csv"], "payments": [tmp_path / "p.csv"]}))
