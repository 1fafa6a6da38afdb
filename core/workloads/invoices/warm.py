"""Compiles the kernels of this workload: a reconciliation of three lines."""

from __future__ import annotations

import numpy as np
import polars as pl

from core.workloads.invoices.rules.block import Tables
from core.workloads.invoices.rules.decide import Policy, decide
from core.workloads.invoices.rules.packing import Choices, Totals, add_up
from core.workloads.invoices.rules.propose import propose
from core.workloads.invoices.rules.settle import settle
from core.workloads.invoices.rules.sides.assemble import assemble
from core.workloads.invoices.rules.subset_sums import subset_sums
from core.workloads.invoices.rules.train import train

_NUMBERS = ("INV-1001", "INV-1002", "INV-1003")


def tiny_tables() -> Tables:
    """Three invoices of one customer, and three lines that pay them."""
    none = pl.lit(None, dtype=pl.String)
    n = len(_NUMBERS)
    invoices = pl.DataFrame(
        {
            "id": _NUMBERS,
            "customer": ["c"] * n,
            "customer_name": ["Oak Ltd"] * n,
            "number": _NUMBERS,
            "open": [10_000, 25_050, 3_999],
            "currency": ["EUR"] * n,
            "issued": pl.Series([19_700, 19_701, 19_702], dtype=pl.Int32),
            "due": pl.Series([19_730, 19_731, 19_732], dtype=pl.Int32),
            "discount": [200, 0, 0],
            "discount_days": [14, 0, 0],
        }
    ).with_columns(reference=none, order=none)
    payments = pl.DataFrame(
        {
            "id": ["p1", "p2", "p3"],
            "amount": [10_000, 29_049, 500],
            "currency": ["EUR"] * 3,
            "date": pl.Series([19_725, 19_735, 19_736], dtype=pl.Int32),
            "payer": ["Oak Ltd"] * 3,
            "text": ["INV-1001", "inv 1002, 1003", "thank you"],
        }
    ).with_columns(
        payer_account=none,
        reference=none,
        end_to_end=none,
        bank_reference=none,
        original_amount=pl.lit(None, dtype=pl.Int64),
        original_currency=none,
        advised=none,
        is_reversal=pl.lit(False),
        stated=pl.lit(None, dtype=pl.Int64),
    )
    customers = pl.DataFrame({"id": ["c"], "name": ["Oak Ltd"]}).with_columns(country=none, parent=none)
    accounts = pl.DataFrame(schema={"customer": pl.String, "account": pl.String})
    rates = pl.DataFrame(schema={"currency": pl.String, "date": pl.Int32, "units": pl.Float64})
    return Tables(invoices, payments, customers, accounts, rates)


def warm() -> None:
    """Compile every kernel for the types that it meets."""
    sides = assemble(tiny_tables())
    found = propose(sides.block)
    settled = settle(sides.block, found, train(sides.block, found), np.zeros(0, dtype=np.int64))
    decide(sides.block, settled, Policy())
    amounts = np.array([10, 20, 30, 40, 50], dtype=np.int64)
    subset_sums(amounts, 60, 60, 3)
    subset_sums(amounts, 60, 60, 5)
    one, two = np.array([0, 1], dtype=np.int64), np.array([0, 1, 1], dtype=np.int64)
    room = np.array([5], dtype=np.int64)
    choices = Choices(one, np.array([0, 2]), np.array([0.9, 0.1]), two, room[:1] * 0, room.copy(), room)
    add_up(choices, Totals(np.zeros(2), np.zeros(1, dtype=np.bool_)))
