"""Tables of bank lines or of advices: CSV, workbooks, JSON, Parquet and the like, as `core.intake` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl

from core.currencies import EXPONENTS, exponents, to_text
from core.errors import RowError
from core.intake.whole_columns import read_table
from core.workloads.invoices.columns.amounts import by_side, read_amounts, read_sides
from core.workloads.invoices.columns.days import days_of
from core.workloads.invoices.columns.served import FIELDS, Mapped, has_heading, serve, texts_of
from core.workloads.invoices.readers.records import Advice, AdviceLine, Content, Page, Receipt

_KEPT: Final = (
    "id",
    "payer",
    "payer_account",
    "text",
    "reference",
    "end_to_end",
    "bank_reference",
    "original_currency",
)
_SAID: Final = ("original_amount", "charges")


def read_rows(path: Path, mapping: Mapped) -> Content:
    """Read a table; one with what was paid of documents is of advices.

    Raises:
        SchemaError: an unknown field or column, or a needed one is missing. RowError, InputError: as `read_table`, or
        days are written in two orders.
    """
    texts = read_table(path)
    paid = has_heading("advices", "paid", texts.columns) or "paid" in mapping.get("", {})
    kind = "advices" if paid or "advices" in mapping else "payments"
    said = {**mapping.get("", {}), **mapping.get(kind, {})}
    served = serve(kind, texts.columns, path, said, given=("id",))
    rows = texts.select(texts_of(served))
    absent = [field.name for field in FIELDS[kind] if field.name not in rows.columns]
    rows = rows.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in absent)
    rows = rows.with_columns(pl.col("^(original_)?currency$").str.to_uppercase(), line=pl.int_range(2, pl.len() + 2))
    return _advices(path, rows, said) if kind == "advices" else _payments(path, rows, said)


def _payments(path: Path, rows: pl.DataFrame, said: Mapping[str, Any]) -> Content:
    content, currency, debit = Content("table"), rows["currency"], read_sides(rows["side"])
    minor = by_side(read_amounts(rows["amount"], currency, said.get("decimal")), debit)
    booked, value_date = (_iso_days(path, rows[name], said) for name in ("booked", "value_date"))
    spent = {
        "original_amount": _plain(rows, ("original_amount", "original_currency"), said),
        "charges": _plain(rows, ("charges", "currency"), said),
    }
    no_side = debit.is_null() & rows["side"].is_not_null()
    why = (
        pl.when(~pl.col("currency").is_in(list(EXPONENTS)).fill_null(False))
        .then(pl.lit("its currency is missing, or no code of ISO 4217"))
        .when(pl.col("minor").is_null() | no_side)
        .then(pl.lit("its amount (or side) is missing, has more decimals than its currency, or is unclear"))
        .when(pl.col("minor") == 0)
        .then(pl.lit("its amount is 0"))
        .when(pl.col("booked").is_null() & pl.col("value_date").is_null())
        .then(pl.lit("its day is missing or no date"))
    )
    rows = rows.with_columns(booked.fill_null(value_date), value_date, minor=minor, **spent).with_columns(why=why)
    pages: dict[tuple[str | None, str], Page] = {}
    for row in rows.iter_rows(named=True):
        line, account, code = row["line"], row["own_account"], row["currency"]
        if row["why"] is not None:
            content.reject(line, row["why"])
            continue
        page = pages.setdefault((account, code), Page(account, code, None, line))
        told = {name: row[name] for name in (*_KEPT, *_SAID)}
        page.receipts.append(Receipt(row["minor"], code, row["booked"], row["value_date"], line, **told))
    content.pages = list(pages.values())
    return content


def _plain(rows: pl.DataFrame, columns: tuple[str, str], said: Mapping[str, Any]) -> pl.Series:
    """An amount and its currency as plain decimals; null where it is none."""
    texts, currency = rows[columns[0]], rows[columns[1]]
    minor = read_amounts(texts, currency, said.get("decimal"))
    frame = pl.DataFrame({"minor": minor, "exponent": pl.select(exponents(pl.lit(currency))).to_series()})
    return frame.select(to_text(pl.col("minor"), pl.col("exponent"))).to_series()


def _iso_days(path: Path, texts: pl.Series, said: Mapping[str, Any]) -> pl.Series:
    """Days as ISO writes them. Raises RowError: one row has the day where others have the month."""
    days, order = days_of(texts, said.get("date_format"))
    if order.against is not None:
        line = order.against + 2
        raise RowError(
            f"{path}, line {line}, {texts.name}: puts the day where other lines put the month; write all in one order, "
            "best as 2025-01-31",
            path=str(path),
            line=line,
            column=texts.name,
            reason="two orders of day and month",
        )
    return days.cast(pl.Date).dt.to_string("iso")


def _advices(path: Path, rows: pl.DataFrame, said: Mapping[str, Any]) -> Content:
    """Rows of one payment are one advice; those without belong to one of payer, day and total."""
    content = Content("advices")
    amounts = ("paid", "gross", "discount", "total")
    minors = [read_amounts(rows[name], rows["currency"], said.get("decimal")) for name in amounts]
    unread = pl.lit(minors[0].is_null())
    for name, minor in zip(amounts, minors, strict=True):
        unread = unread | (minor.is_null() & rows[name].is_not_null())
    rows = rows.with_columns(*minors, _iso_days(path, rows["date"], said), unread=unread)
    found: dict[tuple[Any, ...], Advice] = {}
    for row in rows.iter_rows(named=True):
        line, payment = row["line"], row["payment"]
        if row["unread"]:
            content.reject(line, "an amount is missing or cannot be read in its currency")
            continue
        key = (payment, row["payer"], row["date"], row["currency"], row["total"])
        advice = found.setdefault(key, Advice(payment or f"row {line}", payment, row["currency"], line, row["total"]))
        advice.date, advice.payer, advice.payer_account = row["date"], row["payer"], row["payer_account"]
        one = AdviceLine(row["reference"], line, row["gross"], row["discount"], paid=row["paid"])
        one.reason = row["reason"]
        advice.lines.append(one)
    content.advices = list(found.values())
    for advice in content.advices:
        advice.settle()
    return content
