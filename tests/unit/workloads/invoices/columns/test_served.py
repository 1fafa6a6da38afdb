"""Columns that serve fields."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import SchemaError
from core.workloads.invoices.columns.served import serve

PATH = Path("items.csv")
USUAL = ["Invoice No", "Debtor", "Invoice ID", "Gross", "CCY", "Invoice Date", "Due Date", "Colour"]


def test_serve_finds_usual_headings() -> None:
    assert serve("invoices", USUAL, PATH, {}) == {
        "id": "Invoice ID",
        "customer": "Debtor",
        "number": "Invoice No",
        "amount": "Gross",
        "currency": "CCY",
        "issued": "Invoice Date",
        "due": "Due Date",
    }


def test_serve_takes_the_users_word_before_names() -> None:
    served = serve("invoices", USUAL, PATH, {"order": "colour", "currency": {"value": "EUR"}, "decimal": ","})
    assert (served["order"], served["currency"]) == ("Colour", {"value": "EUR"})


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"colour": "Colour"}, "there is no such field; invoices have: id, customer, number"),
        ({"number": "doc"}, "no column 'doc' .*there are: Invoice No, Debtor"),
        ({"number": ""}, "no column for number of invoices"),
    ],
)
def test_serve_says_what_there_is(mapping: dict[str, str], words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        serve("invoices", USUAL, PATH, mapping)


def test_serve_wants_a_date_of_payments() -> None:
    with pytest.raises(SchemaError, match="no column for booked of payments"):
        serve("payments", ["id", "amount", "currency"], PATH, {})
