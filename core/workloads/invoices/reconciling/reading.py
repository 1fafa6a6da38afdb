"""Files of invoices, payments, customers and rates, read and checked row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from core.currencies import EXPONENTS, exponents
from core.errors import ConfigError, InputError, RowError
from core.intake.whole_columns import columns_of, read_table
from core.workloads.invoices.columns.amounts import by_side, fault_of, read_amounts, read_sides
from core.workloads.invoices.columns.days import days_of
from core.workloads.invoices.columns.served import FIELDS, Mapped, serve, texts_of
from core.workloads.invoices.reconciling.bank_lines import BankLines, is_one_table, read_advices, read_bank_lines
from core.workloads.invoices.rules.block import Tables
from core.workloads.invoices.rules.sides.advices import advise

_CREDIT_KINDS = r"(?i)credit|gutschrift|avoir|abono|credito|credit_note|^cn$"
_LISTED = r"[;|]|, "

Files = Mapping[str, Sequence[Path]]
"""invoices, payments, customers, rates, advices -> the files of each."""


@dataclass(frozen=True, slots=True)
class Read:
    """Tables, what was noticed, and which columns served: file -> field -> column."""

    tables: Tables
    notices: tuple[str, ...]
    mapping: dict[str, dict[str, Any]]


@dataclass(slots=True)
class _File:
    """One file on its way in: its texts under the names of fields."""

    kind: str
    path: Path
    texts: pl.DataFrame
    served: dict[str, Any]
    settings: Mapping[str, Any]
    notices: list[str] = field(default_factory=list)

    def refuse(self, bad: pl.Series, column: str, what: str) -> None:
        """Raise RowError for the first bad row, if there is one."""
        if not bad.any():
            return
        row = int(bad.arg_true()[0]) + 1
        name = self.served.get(column, column)
        raise RowError(
            f"{self.path}, row {row}, column {name!r}: {what} ({int(bad.sum()):,} rows cannot be read)",
            path=str(self.path),
            line=row,
            column=str(name),
            reason=what,
        )

    def text(self, column: str) -> pl.Series:
        """A field's texts; all null where no column serves it."""
        if column in self.texts.columns:
            return self.texts[column]
        return pl.Series(column, [None], dtype=pl.String).new_from_index(0, len(self.texts))

    def amounts(self, column: str, currency: pl.Series) -> pl.Series:
        """Minor units. Raises RowError: a text is no amount of its currency."""
        texts = self.text(column)
        found = read_amounts(texts, currency, self.settings.get("decimal"))
        bad = found.is_null() & texts.is_not_null() & currency.is_not_null()
        if bad.any():
            row = int(bad.arg_true()[0])
            self.refuse(bad, column, fault_of(texts[row], currency[row], self.settings.get("decimal")))
        return found

    def days(self, column: str) -> pl.Series:
        """Days since 1970. Raises RowError: a text is no date, or stands against the order of the others."""
        texts = self.text(column)
        found, order = days_of(texts, self.settings.get("date_format"))
        if order.against is not None:
            rows = pl.Series([row == order.against for row in range(len(texts))])
            self.refuse(rows, column, "puts the day where other rows put the month (`map` date_format says how)")
        if order.is_open:
            self.notices.append(f"{self.path.name}: no date in {column} tells whether the day comes first; it does")
        self.refuse(found.is_null() & texts.is_not_null(), column, "is no date")
        return found

    def required(self, *columns: str) -> None:
        """Raise RowError: a needed cell is empty."""
        for column in columns:
            self.refuse(self.text(column).is_null(), column, "is empty")

    def currencies(self, column: str = "currency") -> pl.Series:
        """ISO codes. Raises RowError: an unknown one."""
        codes = self.text(column).str.to_uppercase()
        unknown = ~codes.is_in(list(EXPONENTS)) & codes.is_not_null()
        self.refuse(unknown.fill_null(False), column, "is no currency of ISO 4217")
        return codes

    def unique(self) -> None:
        """Raise RowError: an id stands twice."""
        self.required("id")
        self.refuse(~self.texts["id"].is_first_distinct(), "id", "repeats the id of an earlier row")


def read_tables(files: Files, mapping: Mapped) -> Read:
    """Read the files of a reconciliation.

    Args:
        files: invoices, payments, and customers, rates, advices or none; payments and advices may be several, and
            files of banks. mapping: file -> field or setting -> what serves it.
    Raises:
        InputError, SchemaError: a file or column is missing, or a statement does not hold. RowError: a cell cannot be
            read; names row and column.
    """
    _refuse_unknown(mapping)
    bank = _bank_lines(files, mapping)
    tables = ("invoices", "customers", "rates", *(() if bank else ("payments",)))
    opened = {
        kind: _open(kind, path, {**mapping.get("", {}), **mapping.get(kind, {})})
        for kind in tables
        for path in files.get(kind, ())
    }
    invoices = _invoices(opened["invoices"])
    payments = bank.payments if bank else _payments(opened["payments"])
    notices = [notice for file in opened.values() for notice in file.notices] + list(bank.notices if bank else ())
    advices = [] if bank is None else [bank.advices]
    if files.get("advices"):
        said, told = read_advices(files["advices"], mapping)
        advices.append(said)
        notices += told
    advised, n_left = advise(payments, pl.concat(advices) if advices else None)
    if n_left:
        notices.append(f"{n_left:,} advices belong to no payment, or to more than one; they were left out")
    customers, accounts = _customers(opened.get("customers"), invoices)
    rates = _rates(opened.get("rates"), {*invoices["currency"].unique(), *payments["currency"].unique()})
    tables_read = Tables(invoices, advised, customers, accounts, rates)
    return Read(tables_read, tuple(notices), {kind: dict(file.served) for kind, file in opened.items()})


def _bank_lines(files: Files, mapping: Mapped) -> BankLines | None:
    """Payments of a bank's files, or of several; None where one table with ids is to be read row by row."""
    paths = files["payments"]
    return None if is_one_table(paths, mapping) else read_bank_lines(paths, mapping)


def _refuse_unknown(mapping: Mapped) -> None:
    if unknown := sorted(set(mapping) - {"", *FIELDS}):
        raise ConfigError(f"`map` {unknown[0]}: there is no such file; there are: {', '.join(FIELDS)}")


def _open(kind: str, path: Path, said: Mapping[str, Any]) -> _File:
    served = serve(kind, columns_of(path), path, said)
    wanted = {target for target in served.values() if isinstance(target, str)}
    texts = read_table(path, wanted)
    if not len(texts):
        raise InputError(f"{path} has no rows", path=str(path))
    return _File(kind, path, texts.select(texts_of(served)), served, said)


def _invoices(file: _File) -> pl.DataFrame:
    file.unique()
    file.required("customer", "number", "amount", "currency", "issued", "due")
    currency = file.currencies()
    amount, open_ = file.amounts("amount", currency), file.amounts("open", currency)
    credit = file.text("kind").str.contains(_CREDIT_KINDS).fill_null(False)
    frame = pl.DataFrame({"amount": amount, "open": open_.fill_null(amount), "credit": credit})
    signed = frame.select(
        *(
            pl.when(pl.col("credit")).then(-pl.col(name).abs()).otherwise(name).alias(name)
            for name in ("amount", "open")
        )
    )
    percent = file.text("discount_percent").str.replace_all(r"[\s%]", "").str.replace(",", ".", literal=True)
    share = percent.cast(pl.Float64, strict=False)
    file.refuse(share.is_null() & percent.is_not_null(), "discount_percent", "is no percentage")
    days = file.text("discount_days").str.replace(r"\.0+$", "").cast(pl.Int64, strict=False)
    kept = {name: file.text(name) for name in ("id", "customer", "number", "customer_name", "reference", "order")}
    # Hundredths of a percent, so that the product is a whole number.
    points = (share.fill_null(0.0) * 100).round().cast(pl.Int64)
    size = signed["open"].abs() * points
    discount = ((size + 5_000) // 10_000) * signed["open"].sign()
    return pl.DataFrame(
        {
            **kept,
            "currency": currency,
            "open": signed["open"],
            "issued": file.days("issued"),
            "due": file.days("due"),
            "discount": discount,
            "discount_days": days.fill_null(0),
        }
    ).filter(pl.col("open") != 0)


def _payments(file: _File) -> pl.DataFrame:
    file.unique()
    file.required("amount", "currency")
    currency = file.currencies()
    amount = file.amounts("amount", currency)
    side = file.text("side")
    debit = read_sides(side)
    file.refuse(debit.is_null() & side.is_not_null(), "side", "says neither debit nor credit")
    original_currency = file.currencies("original_currency")
    booked, value = file.days("booked"), file.days("value_date")
    kept = ("id", "payer", "payer_account", "text", "reference", "end_to_end", "bank_reference", "own_account")
    frame = pl.DataFrame(
        {
            **{name: file.text(name) for name in kept},
            "currency": currency,
            "amount": by_side(amount, debit),
            "date": booked.fill_null(value),
            "original_amount": file.amounts("original_amount", original_currency.fill_null(currency)),
            "original_currency": original_currency,
            "is_reversal": pl.Series([False], dtype=pl.Boolean).new_from_index(0, len(amount)),
        }
    )
    file.refuse(frame["date"].is_null(), "booked" if "booked" in file.served else "value_date", "is empty")
    return frame


def _customers(file: _File | None, invoices: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Customers and their accounts; without a file the customers of the invoices."""
    if file is None:
        text = pl.lit(None, dtype=pl.String)
        named = invoices.group_by("customer").agg(name=pl.col("customer_name").drop_nulls().sort().first())
        customers = named.select(id="customer", name="name", country=text, parent=text).sort("id")
        return customers, pl.DataFrame(schema={"customer": pl.String, "account": pl.String})
    file.required("id")
    listed = file.text("accounts").str.replace_all(file.settings.get("list_separator") or _LISTED, "\n")
    accounts = pl.DataFrame({"customer": file.text("id"), "account": listed.str.split("\n")})
    accounts = accounts.explode("account", empty_as_null=True)
    accounts = accounts.with_columns(pl.col("account").str.strip_chars()).drop_nulls().unique()
    columns = {name: file.text(name) for name in ("id", "name", "country", "parent")}
    customers = pl.DataFrame(columns).unique("id", keep="first", maintain_order=True).sort("id")
    return customers, accounts.filter(pl.col("account") != "").sort("customer", "account")


def _rates(file: _File | None, used: set[str]) -> pl.DataFrame:
    if file is None:
        return pl.DataFrame(schema={"currency": pl.String, "date": pl.Int32, "units": pl.Float64})
    file.required("date", "currency", "rate")
    currency = file.currencies()
    rate = file.text("rate").str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    file.refuse(~(rate > 0).fill_null(False), "rate", "is no rate above 0")
    if file.settings.get("per", "base") == "quote":
        rate = 1 / rate
    frame = pl.DataFrame({"currency": currency, "date": file.days("date"), "rate": rate})
    base = file.settings.get("base") or _base_of(frame, used)
    if base and base not in frame["currency"].unique().to_list():
        own = frame.select(pl.lit(base).alias("currency"), "date", rate=pl.lit(1.0)).unique()
        frame = pl.concat([frame, own])
    units = pl.col("rate") * 10.0 ** exponents(pl.col("currency")).cast(pl.Float64)
    return (
        frame.unique(["currency", "date"], keep="last", maintain_order=True)
        .select("currency", "date", units=units)
        .sort("currency", "date")
    )


def _base_of(rates: pl.DataFrame, used: set[str]) -> str | None:
    """The currency that all rates are against: the one with rate 1, or the only one in use without rates."""
    always_one = rates.group_by("currency").agg((pl.col("rate") == 1.0).all()).filter("rate")["currency"].sort()
    if len(always_one):
        return str(always_one[0])
    without = sorted(used - set(rates["currency"].unique().to_list()))
    return without[0] if len(without) == 1 else None
