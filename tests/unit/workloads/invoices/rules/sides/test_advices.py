"""Advices and the one payment that each explains."""

from __future__ import annotations

from typing import Any

import polars as pl

from core.workloads.invoices.rules.sides.advices import advise

DAY = 19_800
PAYMENT = {"amount": 5_000, "currency": "EUR", "date": DAY, "end_to_end": None, "bank_reference": None}
PAYMENT |= {"reference": None, "payer": "Oak Ltd", "payer_account": None}
ADVICE = {"file": "a", "payment": None, "payer": None, "payer_account": None, "date": "2024-03-18"}
ADVICE |= {"currency": "EUR", "total_minor": 5_000, "paid_minor": 5_000}
TEXTS = dict.fromkeys(("end_to_end", "bank_reference", "reference", "payer", "payer_account", "payment"), pl.String)


def advised(payments: list[dict[str, Any]], advices: list[dict[str, Any]]) -> tuple[dict[str, Any], int]:
    """What is said of each payment that an advice explains, and how many advices are left."""
    paid = pl.DataFrame([PAYMENT | row for row in payments], schema_overrides=TEXTS)
    told = pl.DataFrame([ADVICE | row for row in advices], schema_overrides=TEXTS)
    found, n_left = advise(paid, told)
    assert found["id"].to_list() == [row["id"] for row in payments]
    return {row[0]: row[1:] for row in found.select("id", "advised", "stated").drop_nulls("advised").rows()}, n_left


def test_advise_goes_by_the_trace() -> None:
    payments = [
        {"id": "p1", "end_to_end": "E 7"},
        {"id": "p2", "end_to_end": "notprovided"},
        {"id": "p3", "amount": -5},
    ]
    advices = [
        {"advice": "1", "payment": "e 7", "reference": "R1", "paid_minor": 3_000},
        {"advice": "1", "payment": "e 7", "reference": "R2", "paid_minor": 2_500},
        {"advice": "2", "payment": "NOTPROVIDED", "reference": "R3"},
        {"advice": "3", "payment": "p3", "reference": "R4"},
    ]
    assert advised(payments, advices) == ({"p1": ("R1\n\n\n\nR2", 5_500)}, 2)


def test_advise_goes_by_payer_total_and_day_where_they_are_of_one_payment() -> None:
    one = {"advice": "1", "payer": "OAK LIMITED", "reference": "R1"}
    assert advised([{"id": "p1"}, {"id": "p2", "payer": "Elm AG"}], [one]) == ({"p1": ("R1", 5_000)}, 0)
    assert advised([{"id": "p1"}, {"id": "p2"}], [one]) == ({}, 1)
    assert advised([{"id": "p1", "date": DAY + 6}], [one]) == ({}, 1)
    assert advised([{"id": "p1", "currency": "USD"}], [one]) == ({}, 1)
    assert advised([{"id": "p1"}], [one, one | {"advice": "2"}]) == ({}, 2)


def test_advise_states_nothing_where_a_document_has_no_amount() -> None:
    rows = [{"advice": "1", "payment": "p1", "reference": "R1", "paid_minor": None}]
    assert advised([{"id": "p1"}], rows) == ({"p1": ("R1", None)}, 0)
