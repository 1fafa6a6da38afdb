"""Made receivables balance by themselves, hold every difficulty they promise, and are no easy exam."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import polars as pl
import pytest

from core.currencies import exponent_of
from core.errors import ConfigError
from core.made_records.invoices import RESIDUALS, SLICES
from core.made_records.invoices.books import Books, made_books

SEEDS = (1, 2, 5)


@pytest.fixture(scope="module", params=SEEDS)
def books(request: pytest.FixtureRequest) -> Books:
    return made_books(2_000, request.param)


@pytest.fixture(scope="module")
def settled(books: Books) -> pl.DataFrame:
    """Truth beside what the files say of line and item."""
    lines = books.payments.select(
        pl.col("id").alias("payment_id"), "booked", "text", reference="reference", received="amount", paid_in="currency"
    )
    items = books.invoices.select(
        pl.col("id").alias("invoice_id"),
        "customer",
        "number",
        "issued",
        "discount_days",
        item_open="open",
        invoiced_in="currency",
        item_reference="reference",
    )
    return books.truth.join(lines, on="payment_id").join(items, on="invoice_id", how="left")


def minor(text: str, currency: str) -> int:
    return int(Decimal(text).scaleb(exponent_of(currency)))


def test_made_books_have_the_rows_asked_for(books: Books) -> None:
    assert len(books.invoices) + len(books.payments) == 2_000
    for frame in (books.invoices, books.payments, books.customers):
        assert frame["id"].n_unique() == len(frame)
    assert set(books.truth["payment_id"]) == set(books.payments["id"])
    assert set(books.truth["invoice_id"].drop_nulls()) <= set(books.invoices["id"])
    assert books.truth.group_by("payment_id").agg(pl.col("slice").n_unique())["slice"].max() == 1


def test_made_books_balance_to_the_minor_unit(books: Books, settled: pl.DataFrame) -> None:
    rates = {(day, code): Fraction(rate) for day, code, rate in books.rates.rows()}
    left = {row["id"]: minor(row["amount"], row["currency"]) for row in books.payments.to_dicts()}
    for row in settled.to_dicts():
        amount = row["amount_minor"]
        if row["invoice_id"] and row["invoiced_in"] != row["paid_in"]:
            day, source, target = row["booked"], row["invoiced_in"], row["paid_in"]
            factor = rates[day, target] / rates[day, source]
            factor *= Fraction(10) ** (exponent_of(target) - exponent_of(source))
            amount = int(amount * factor + Fraction(1, 2))
        left[row["payment_id"]] -= amount + row["residual_minor"]
    strange = set(books.truth.filter(pl.col("slice") == "unrelated")["payment_id"])
    assert {payment: rest for payment, rest in left.items() if rest and payment not in strange} == {}


def test_made_books_never_settle_more_than_is_open(books: Books, settled: pl.DataFrame) -> None:
    applied = settled.drop_nulls("invoice_id").group_by("invoice_id").agg(pl.col("amount_minor").sum())
    items = books.invoices.join(applied, left_on="id", right_on="invoice_id")
    for row in items.to_dicts():
        held = minor(row["open"], row["currency"])
        assert 0 <= row["amount_minor"] / held <= 1, row["id"]
    unpaid = books.invoices.filter(~pl.col("id").is_in(applied["invoice_id"].implode()))
    assert len(unpaid) > len(books.invoices) / 8


def test_made_books_have_residuals_by_direction(settled: pl.DataFrame) -> None:
    signs = {
        kind: (rest.min(), rest.max())
        for (kind,), rest in ((key, rows["residual_minor"]) for key, rows in settled.group_by("residual_kind"))
    }
    assert set(signs) == set(RESIDUALS)
    for kind in ("bank_fee", "discount", "tax_withheld", "write_off"):
        assert signs[kind][1] < 0, kind
    for kind in ("overpayment", "prepayment", "duplicate"):
        assert signs[kind][0] > 0, kind
    for kind in ("", "discount_late", "short", "deduction", "reversal"):
        assert signs[kind] == (0, 0), kind
    assert signs["rounding"][0] >= -100
    assert signs["rounding"][1] <= 100


def test_made_books_pay_items_after_their_issue_and_take_discounts_in_time(settled: pl.DataFrame) -> None:
    paid = settled.drop_nulls("invoice_id")
    assert paid.filter(pl.col("issued") >= pl.col("booked")).is_empty()
    for kind, in_time in (("discount", True), ("discount_late", False)):
        for row in paid.filter(pl.col("residual_kind") == kind).to_dicts():
            last = date.fromisoformat(row["issued"]) + timedelta(days=int(row["discount_days"]) + 3)
            assert (date.fromisoformat(row["booked"]) <= last) is in_time, row["payment_id"]


def test_made_books_repeat_and_take_back_lines_that_are_there(books: Books) -> None:
    amounts = dict(books.payments.select("id", "amount").rows())
    seen: set[str] = set()
    slices = dict(books.truth.select("payment_id", "slice").rows())
    for payment in books.payments["id"]:
        amount = amounts[payment]
        if slices[payment] == "duplicate":
            assert amount in seen, payment
        if slices[payment] == "reversal":
            assert amount.removeprefix("-") in seen, payment
            assert amount.startswith("-")
        seen.add(amount)


def test_made_books_are_no_easy_exam(books: Books, settled: pl.DataFrame) -> None:
    n = len(books.payments)
    shares = settled.group_by("slice").agg(pl.col("payment_id").n_unique() / n)
    assert set(shares["slice"]) == set(SLICES)
    assert shares["payment_id"].min() >= 0.01  # type: ignore[operator]
    many = books.invoices.group_by("customer").len().filter(pl.col("len") > 40)["customer"]
    assert settled.filter(pl.col("customer").is_in(many.implode()))["payment_id"].n_unique() >= n / 10
    told = pl.col("text").str.to_uppercase().str.contains(pl.col("number").str.to_uppercase(), literal=True)
    told |= (pl.col("reference") == pl.col("item_reference")).fill_null(False)
    of_items = settled.filter((pl.col("residual_kind") == "") & (pl.col("slice") != "partial"))
    clean = of_items.drop_nulls("invoice_id").group_by("payment_id").agg(told.all().alias("clean"))
    assert clean["clean"].sum() <= 0.45 * n


def test_made_books_hold_numbers_within_numbers_equal_amounts_and_small_currencies(books: Books) -> None:
    numbers = books.invoices["number"].unique()
    plain = numbers.filter(numbers.str.contains(r"^\d{3,4}$")).head(60).to_list()
    assert sum(numbers.str.contains(text, literal=True).sum() > 1 for text in plain) >= 5
    assert (books.invoices.group_by("customer", "open").len()["len"] > 1).sum() >= 20
    assert books.invoices["open"].str.contains(r"00(\.0+)?$").sum() > 50
    assert {"JPY", "KWD"} <= set(books.payments["currency"])
    assert books.invoices["instalment"].drop_nulls().n_unique() == 2
    assert books.customers["parent"].drop_nulls().is_in(books.customers["id"].implode()).all()


def test_made_books_are_the_same_for_one_seed_and_others_for_another() -> None:
    one, again, other = made_books(400, 3), made_books(400, 3), made_books(400, 4)
    for name in ("invoices", "payments", "customers", "rates", "truth"):
        assert getattr(one, name).equals(getattr(again, name)), name
        assert not getattr(one, name).equals(getattr(other, name)), name
    assert one.rates_drawn != other.rates_drawn


def test_made_books_tell_no_slice_by_their_order(books: Books) -> None:
    """Lines of one day stand in any order: else the place would give the slice away."""
    first = books.truth.group_by("payment_id").agg(pl.col("slice").first()).sort("payment_id")
    exact = (first["slice"] == "exact").cast(pl.Int8).to_list()
    changes = sum(a != b for a, b in pairwise(exact))
    assert changes > 0.3 * len(exact)


def test_made_books_refuse_too_few_rows() -> None:
    with pytest.raises(ConfigError, match="--rows must be 300 to"):
        made_books(299, 1)
