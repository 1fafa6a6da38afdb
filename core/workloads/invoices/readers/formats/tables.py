"""Tables of bank lines or of advices: CSV, workbooks, JSON, Parquet and the like, as `core.intake` reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from core.currencies import EXPONENTS
from core.errors import SchemaError
from core.intake.columns import plain as plain_name
from core.intake.whole_columns import read_table
from core.workloads.invoices.readers.amounts import plain
from core.workloads.invoices.readers.formats.cells import decimal_mark, minor_of_cell, read_days
from core.workloads.invoices.readers.records import Advice, AdviceLine, Content, Page, Receipt

PAYMENTS: Final[Mapping[str, str]] = {
    "id": "payment_id transaction_id line_id receipt_id entry_id",
    "amount": "payment_amount value betrag montant importe transaction_amount",
    "currency": "curr ccy currency_code waehrung devise divisa",
    "booked": "booking_date date entry_date posted buchungstag buchungsdatum transaction_date",
    "value_date": "valuta valutadatum wertstellung date_valeur",
    "own_account": "our_account bank_account auftragskonto account",
    "payer": "payer_name name counterparty debtor_name auftraggeber beguenstigter_zahlungspflichtiger",
    "payer_account": "payer_iban counterparty_account debtor_account iban kontonummer",
    "text": "remittance_text purpose description memo details verwendungszweck libelle narrative",
    "reference": "structured_reference creditor_reference payment_reference",
    "end_to_end": "end_to_end_id e2e endtoendid eref",
    "bank_reference": "bank_ref acct_svcr_ref servicer_reference",
    "original_amount": "instructed_amount",
    "original_currency": "instructed_currency",
    "charges": "fees",
    "side": "debit_credit credit_debit dc cdtdbtind soll_haben",
}
"""Field of payments -> usual headings besides its own name."""

ADVICES: Final[Mapping[str, str]] = {
    "payment": "payment_id trace trace_number end_to_end_id end_to_end payment_reference",
    "reference": "invoice invoice_number invoice_no document document_number rechnungsnummer",
    "paid": "paid_amount amount_paid net net_amount",
    "gross": "gross_amount invoice_amount amount_due",
    "discount": "discount_amount discount_taken skonto",
    "reason": "reason_code adjustment_reason",
    "payer": "payer_name name customer_name",
    "payer_account": "payer_iban iban",
    "date": "payment_date paid_on",
    "currency": "curr ccy currency_code waehrung",
    "total": "payment_total payment_amount",
}
"""Field of advices -> usual headings besides its own name."""

_NEEDED: Final = {"payments": ("amount", "currency"), "advices": ("reference", "paid", "currency")}
_DEBIT: Final = frozenset("d dr dbit debit debet soll s - out".split())
_CREDIT: Final = frozenset("c cr crdt credit haben h + in".split())


def read_rows(path: Path, mapping: Mapping[str, str]) -> Content:
    """Read a table; one with what was paid of documents is of advices. mapping: field -> column, as the user says.

    Raises:
        SchemaError: an unknown field or column, or a needed one is missing. RowError, InputError: as `read_table`, or
        days are written in two orders.
    """
    texts = read_table(path)
    as_advices = _served(ADVICES, texts.columns, {}).get("paid") is not None or "paid" in mapping
    kind, known = ("advices", ADVICES) if as_advices else ("payments", PAYMENTS)
    _refuse_unknown(path, kind, known, texts.columns, mapping)
    served = _served(known, texts.columns, mapping)
    needed = [name for name in _NEEDED[kind] if name not in served]
    if not as_advices and not {"booked", "value_date"} & set(served):
        needed.append("booked")
    if needed:
        raise SchemaError(
            f"{path}: no column for {', '.join(needed)} of {kind}; there are: {', '.join(texts.columns)} (`map` "
            f"{needed[0]}=COLUMN names it)",
            path=str(path),
            column=needed[0],
            expected=needed,
            got=texts.columns,
            fields=("map",),
        )
    rows = texts.select(**{name: pl.col(column) for name, column in served.items()})
    return _advices(path, rows) if as_advices else _payments(path, rows)


def _served(known: Mapping[str, str], columns: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """Field -> column: as said, then by its own name, then by a usual heading; each column serves once."""
    by_name = {plain_name(column): column for column in reversed(columns)}
    served = {name: column for name, column in mapping.items() if column}
    for names in ({name: name for name in known}, known):
        for name, usual in names.items():
            if name in served or name in mapping:
                continue
            taken = set(served.values())
            found = [by_name[plain_name(each)] for each in usual.split() if plain_name(each) in by_name]
            if found and found[0] not in taken:
                served[name] = found[0]
    return served


def _refuse_unknown(
    path: Path, kind: str, known: Mapping[str, str], columns: Sequence[str], mapping: Mapping[str, str]
) -> None:
    for name, column in mapping.items():
        if name not in known:
            raise SchemaError(f"`map` {name}: there is no such field; {kind} have: {', '.join(known)}", column=name)
        if column and column not in columns:
            raise SchemaError(
                f"{path}: no column {column!r} (`map` {name}); there are: {', '.join(columns)}",
                path=str(path),
                column=column,
                got=list(columns),
            )


def _payments(path: Path, rows: pl.DataFrame) -> Content:
    content = Content("table")
    days = {name: read_days(path, name, rows[name]) for name in ("booked", "value_date") if name in rows.columns}
    amounts: list[str] = [name for name in ("amount", "original_amount", "charges") if name in rows.columns]
    marks = {name: decimal_mark(rows[name]) for name in amounts}
    pages: dict[tuple[str | None, str], Page] = {}
    for place, row in enumerate(rows.iter_rows(named=True)):
        line = place + 2
        currency = (row["currency"] or "").upper()
        if currency not in EXPONENTS:
            content.reject(line, "its currency is missing, or no code of ISO 4217")
            continue
        minor = _signed(minor_of_cell(row["amount"], currency, marks["amount"]), row.get("side"))
        booked, value_date = (days[name][place] if name in days else None for name in ("booked", "value_date"))
        if minor is None:
            content.reject(line, "its amount (or side) is missing, has more decimals than its currency, or is unclear")
        elif not minor:
            content.reject(line, "its amount is 0")
        elif booked is None and value_date is None:
            content.reject(line, "its day is missing or no date")
        else:
            account = row.get("own_account")
            page = pages.setdefault((account, currency), Page(account, currency, None, line))
            page.receipts.append(
                _receipt(row | {"currency": currency}, minor, (booked or value_date, value_date), line, marks)
            )
    content.pages = list(pages.values())
    return content


def _signed(minor: int | None, side: str | None) -> int | None:
    """An amount with the sign that its side says; None: the side is none."""
    if minor is None or side is None:
        return minor
    word = side.strip().casefold()
    if word not in _DEBIT and word not in _CREDIT:
        return None
    return -abs(minor) if word in _DEBIT else abs(minor)


def _receipt(
    row: dict[str, Any],
    minor: int,
    days: tuple[str | None, str | None],
    line: int,
    marks: Mapping[str, str | None],
) -> Receipt:
    currency: str = row["currency"]
    kept = ("id", "payer", "payer_account", "text", "reference", "end_to_end", "bank_reference")
    receipt = Receipt(minor, currency, *days, line)
    for name in kept:
        setattr(receipt, name, row.get(name))
    abroad = (row.get("original_currency") or "").upper()
    original = minor_of_cell(row.get("original_amount"), abroad, marks.get("original_amount"))
    if original is not None:
        receipt.original_amount, receipt.original_currency = plain(original, abroad), abroad
    charges = minor_of_cell(row.get("charges"), currency, marks.get("charges"))
    receipt.charges = None if charges is None else plain(charges, currency)
    return receipt


def _advices(path: Path, rows: pl.DataFrame) -> Content:
    """Rows of one payment are one advice; those without belong to one of payer, day and total."""
    content = Content("advices")
    days = read_days(path, "date", rows["date"]) if "date" in rows.columns else [None] * len(rows)
    amounts = [name for name in ("paid", "gross", "discount", "total") if name in rows.columns]
    marks = {name: decimal_mark(rows[name]) for name in amounts}
    found: dict[tuple[Any, ...], Advice] = {}
    for place, row in enumerate(rows.iter_rows(named=True)):
        line, currency = place + 2, (row["currency"] or "").upper()
        minors = {name: minor_of_cell(row[name], currency, marks[name]) for name in amounts}
        if minors["paid"] is None or any(row[name] is not None and minors[name] is None for name in amounts):
            content.reject(line, "an amount is missing or cannot be read in its currency")
            continue
        key = (row.get("payment"), row.get("payer"), days[place], currency, minors.get("total"))
        name = row.get("payment") or f"row {line}"
        advice = found.setdefault(key, Advice(name, row.get("payment"), currency, line, minors.get("total")))
        advice.date, advice.payer, advice.payer_account = days[place], row.get("payer"), row.get("payer_account")
        one = AdviceLine(row["reference"], line, minors.get("gross"), minors.get("discount"), paid=minors["paid"])
        one.reason = row.get("reason")
        advice.lines.append(one)
    content.advices = list(found.values())
    for advice in content.advices:
        advice.settle()
    return content
