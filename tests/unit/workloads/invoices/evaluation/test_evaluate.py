"""Answers made by hand, whose figures are known: right, wrong, over-applied, unbalanced, in two states."""

from __future__ import annotations

from typing import Any

import polars as pl

from core.made_records.invoices.books import made_books
from core.workloads.invoices.evaluation.evaluate import Evaluation, SliceFigures, evaluate

NO_LISTS = pl.DataFrame(schema={"payment_id": pl.String, "list": pl.String})
COLUMNS = {
    "payment_id": pl.String,
    "invoice_id": pl.String,
    "amount_minor": pl.Int64,
    "applied_minor": pl.Int64,
    "status": pl.String,
    "rank": pl.Int64,
    "residual_minor": pl.Int64,
    "posterior": pl.Float64,
}
TRUTH = pl.DataFrame(
    [
        ("P1", "I1", 1000, "exact", "", 0),
        ("P2", "I2", 500, "combined", "", 0),
        ("P2", "I3", 700, "combined", "", 0),
        ("P3", None, 0, "duplicate", "duplicate", 1000),
        ("P4", None, 0, "unrelated", "", 0),
        ("P5", "I5", 800, "over/short", "write_off", -7),
    ],
    schema=["payment_id", "invoice_id", "amount_minor", "slice", "residual_kind", "residual_minor"],
    orient="row",
)
PAYMENTS = pl.DataFrame(
    {"id": ["P1", "P2", "P3", "P4", "P5"], "currency": ["EUR"] * 5, "minor": [1000, 1200, 1000, 50, 793]}
)
ITEMS = pl.DataFrame(
    {"id": ["I1", "I2", "I3", "I5", "I9"], "currency": ["EUR"] * 5, "minor": [1000, 500, 700, 800, 1200]}
)


def answer(*rows: tuple[Any, ...]) -> pl.DataFrame:
    """payment, item, amount, status, rank, residual, posterior; applied as much as the amount."""
    full = [
        (p, i, amount, amount, status, rank, rest, posterior) for p, i, amount, status, rank, rest, posterior in rows
    ]
    return pl.DataFrame(full, schema=COLUMNS, orient="row")


RIGHT = (
    ("P1", "I1", 1000, "auto", 1, 0, 0.999),
    ("P2", "I2", 500, "auto", 1, 0, 0.997),
    ("P2", "I3", 700, "auto", 1, 0, 0.997),
    ("P5", "I5", 800, "auto", 1, -7, 0.996),
)


def lists(**payments: str) -> pl.DataFrame:
    return pl.DataFrame({"payment_id": list(payments), "list": list(payments.values())}, schema=NO_LISTS.schema)


ASIDE = lists(P3="unapplied", P4="unapplied")


def of(found: Evaluation, name: str) -> SliceFigures:
    return next(figures for figures in found.slices if figures.name == name)


def broken(found: Evaluation) -> dict[str, tuple[str, ...]]:
    return {invariant.name: invariant.broken for invariant in found.invariants if invariant.broken}


def test_evaluate_finds_nothing_wrong_with_the_truth_itself() -> None:
    found = evaluate(answer(*RIGHT), ASIDE, TRUTH, PAYMENTS, ITEMS)
    every = found.slices[0]
    assert (every.precision.part, every.precision.whole) == (3, 3)
    assert (every.touchless.part, every.touchless.whole, every.value) == (5, 5, 1.0)
    assert [figures.name for figures in found.slices] == [
        "all",
        "combined",
        "duplicate",
        "exact",
        "over/short",
        "unrelated",
    ]
    assert broken(found) == {}
    assert len(found.invariants) == 8


def test_evaluate_counts_a_wrong_item_and_a_wrong_amount() -> None:
    for wrong in (("P1", "I9", 1000, "auto", 1, 0, 0.999), ("P1", "I1", 999, "auto", 1, 1, 0.999)):
        found = evaluate(answer(wrong, *RIGHT[1:]), ASIDE, TRUTH, PAYMENTS, ITEMS)
        assert (of(found, "exact").precision.part, of(found, "exact").precision.whole) == (0, 1)
        assert (found.slices[0].precision.part, found.slices[0].precision.whole) == (2, 3)


def test_evaluate_wants_all_items_of_a_payment_and_no_others() -> None:
    for rows in (RIGHT[:2], (*RIGHT, ("P1", "I9", 5, "auto", 1, -5, 0.999))):
        found = evaluate(answer(*rows), ASIDE, TRUTH)
        assert found.slices[0].precision.part == found.slices[0].precision.whole - 1


def test_evaluate_counts_what_is_applied_of_a_payment_that_pays_nothing() -> None:
    found = evaluate(answer(*RIGHT, ("P3", "I9", 1000, "auto", 1, 0, 0.999)), ASIDE, TRUTH)
    assert (of(found, "duplicate").precision.part, of(found, "duplicate").precision.whole) == (0, 1)


def test_evaluate_takes_a_write_off_as_paid_or_as_left_open() -> None:
    for amount, right in ((800, 1), (793, 1), (790, 0)):
        found = evaluate(answer(("P5", "I5", amount, "auto", 1, 793 - amount, 0.999)), NO_LISTS, TRUTH)
        assert of(found, "over/short").precision.part == right, amount


def test_evaluate_calls_touchless_only_what_needs_nobody() -> None:
    suggested = ("P1", "I1", 1000, "suggested", 1, 0, 0.6)
    found = evaluate(
        answer(suggested, *RIGHT[1:3]), lists(P3="exceptions", P4="unapplied", P5="unapplied"), TRUTH, PAYMENTS
    )
    touchless = {figures.name: figures.touchless.part for figures in found.slices}
    # P5 was set aside though it pays an item: somebody will have to look.
    assert touchless == {"all": 2, "combined": 1, "duplicate": 0, "exact": 0, "over/short": 0, "unrelated": 1}
    assert found.slices[0].value == (1200 + 50) / (1000 + 1200 + 1000 + 50 + 793)


def test_evaluate_looks_for_the_truth_among_the_first_three_suggestions() -> None:
    rows = [("P1", "I9", 1000, "suggested", rank, 0, 0.2) for rank in (1, 2)]
    third = ("P1", "I1", 1000, "suggested", 3, 0, 0.1)
    assert of(evaluate(answer(*rows, third), NO_LISTS, TRUTH), "exact").recall.part == 1
    fourth = ("P1", "I1", 1000, "suggested", 4, 0, 0.1)
    found = of(evaluate(answer(*rows, fourth), NO_LISTS, TRUTH), "exact")
    assert (found.recall.part, found.recall.whole) == (0, 1)


def test_evaluate_finds_items_over_applied_also_by_the_wrong_sign() -> None:
    again = ("P3", "I1", 1000, "auto", 1, 0, 0.999)
    assert broken(evaluate(answer(*RIGHT, again), ASIDE, TRUTH, PAYMENTS, ITEMS)) == {"no item over-applied": ("I1",)}
    back = ("P4", "I9", -50, "auto", 1, 100, 0.999)
    assert "no item over-applied" in broken(evaluate(answer(*RIGHT, back), ASIDE, TRUTH, PAYMENTS, ITEMS))
    suggested = ("P3", "I1", 1000, "suggested", 1, 0, 0.4)
    assert broken(evaluate(answer(*RIGHT, suggested), ASIDE, TRUTH, PAYMENTS, ITEMS)) == {}


def test_evaluate_finds_explanations_that_do_not_balance() -> None:
    short = ("P1", "I1", 1000, "auto", 1, -5, 0.999)
    found = evaluate(answer(short, *RIGHT[1:]), ASIDE, TRUTH, PAYMENTS, ITEMS)
    assert broken(found) == {"applied + residuals = payment": ("P1",)}
    pair = [("P1", "I1", 1000, "suggested", 1, 0, 0.5), ("P1", "I9", 900, "suggested", 2, 0, 0.3)]
    assert broken(evaluate(answer(*pair), NO_LISTS, TRUTH)) == {"explanations of a payment have one sum": ("P1",)}


def test_evaluate_finds_payments_in_two_states_or_none() -> None:
    both = ("P1", "I1", 1000, "suggested", 1, 0, 0.6)
    name = "applied once or suggested in ranks, never both"
    assert broken(evaluate(answer(*RIGHT, both), ASIDE, TRUTH, PAYMENTS, ITEMS))[name] == ("P1",)
    second = ("P1", "I1", 1000, "auto", 2, 0, 0.6)
    assert broken(evaluate(answer(*RIGHT, second), ASIDE, TRUTH, PAYMENTS, ITEMS))[name] == ("P1",)
    state = "each payment is in exactly one state"
    nowhere = evaluate(answer(*RIGHT), lists(P3="unapplied"), TRUTH, PAYMENTS, ITEMS)
    assert broken(nowhere) == {state: ("P4",)}
    twice = pl.concat([ASIDE, lists(P4="exceptions")])
    assert broken(evaluate(answer(*RIGHT), twice, TRUTH, PAYMENTS, ITEMS)) == {state: ("P4",)}
    weak = pl.concat([ASIDE, lists(P1="exceptions")])
    assert broken(evaluate(answer(*RIGHT), weak, TRUTH, PAYMENTS, ITEMS)) == {}


def test_evaluate_finds_rows_twice_empty_or_of_nothing_known() -> None:
    found = broken(evaluate(answer(*RIGHT, RIGHT[0]), ASIDE, TRUTH, PAYMENTS, ITEMS))
    assert found["one row a payment, rank and item"] == ("P1",)
    nothing = ("P1", "I9", 0, "auto", 1, 0, 0.999)
    assert broken(evaluate(answer(*RIGHT, nothing), ASIDE, TRUTH, PAYMENTS, ITEMS)) == {"no row of amount 0": ("P1",)}
    strange = ("P8", "I8", 10, "suggested", 1, 0, 0.2)
    found = broken(evaluate(answer(*RIGHT, strange), ASIDE, TRUTH, PAYMENTS, ITEMS))
    assert found == {"payments are known": ("P8",), "items are known": ("I8",)}


def test_evaluate_finds_the_truth_of_made_books_right() -> None:
    books = made_books(600, 3)
    rows = books.truth.filter((pl.col("invoice_id").is_not_null()) | (pl.col("residual_minor") != 0))
    rows = rows.filter(pl.col("slice") != "FX").with_columns(
        applied_minor=pl.col("amount_minor"), status=pl.lit("auto"), rank=pl.lit(1), posterior=pl.lit(1.0)
    )
    listed = books.truth.filter(pl.col("slice").is_in(["unrelated", "FX"])).select(
        "payment_id", list=pl.lit("unapplied")
    )
    found = evaluate(rows.select(pl.col(name).cast(dtype) for name, dtype in COLUMNS.items()), listed, books.truth)
    assert found.slices[0].precision.part == found.slices[0].precision.whole
    assert found.slices[0].touchless.part == len(books.payments) - of(found, "FX").touchless.whole
    assert broken(found) == {}
