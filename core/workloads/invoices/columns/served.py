"""Which columns of a table serve which field: by the user's word, by name, by names that are usual."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from core.errors import SchemaError
from core.intake.columns import plain

Mapped = Mapping[str, Mapping[str, Any]]
"""What the user says: file ("" for all) -> field or setting -> the column or value that serves it."""


@dataclass(frozen=True, slots=True)
class Field:
    """names: usual headings beside its own."""

    name: str
    needed: bool
    names: tuple[str, ...] = ()


def _fields(needed: str, other: str) -> tuple[Field, ...]:
    """Fields out of lines `name: usual, headings`."""

    def parsed(text: str, is_needed: bool) -> list[Field]:
        found = []
        for line in text.strip().splitlines():
            name, _, usual = line.strip().partition(":")
            found.append(Field(name, is_needed, tuple(word.strip() for word in usual.split(",") if word.strip())))
        return found

    return (*parsed(needed, True), *parsed(other, False))


FIELDS: Final[dict[str, tuple[Field, ...]]] = {
    "invoices": _fields(
        """id: invoice_id, item_id, document_id, doc_id, open_item_id, key
        customer: customer_id, customer_no, customer_number, debtor, debtor_no, account, kunde, kundennummer, client
        number: invoice_number, invoice_no, document_number, doc_no, document, belegnummer, rechnungsnummer, facture
        amount: invoice_amount, gross, gross_amount, total, betrag, original_amount, montant
        currency: curr, ccy, currency_code, waehrung, devise
        issued: issue_date, invoice_date, document_date, date, belegdatum, rechnungsdatum
        due: due_date, net_due, faellig, faelligkeit, echeance""",
        """customer_name: name, debtor_name, company, kundenname
        kind: type, document_type, doc_type
        open: open_amount, balance, outstanding, remaining, offen, residual
        discount_percent: cash_discount, discount, discount_rate, skonto, skonto_prozent
        discount_days: cash_discount_days, skonto_tage
        order: order_no, order_number, purchase_order, po, po_number, bestellung
        reference: payment_reference, structured_reference, creditor_reference, remittance_reference
        instalment: installment
        relates_to: related, credits""",
    ),
    "payments": _fields(
        """id: payment_id, transaction_id, line_id, receipt_id, entry_id, key
        amount: payment_amount, value, betrag, montant, importe, transaction_amount
        currency: curr, ccy, currency_code, waehrung, devise, divisa""",
        """booked: booking_date, date, entry_date, posted, buchungstag, buchungsdatum, transaction_date
        value_date: valuta, value, valutadatum, wertstellung, date_valeur
        side: debit_credit, credit_debit, dc, cd, cdtdbtind, sign, soll_haben, credit_debit_indicator
        own_account: our_account, bank_account, auftragskonto, konto, account
        payer: payer_name, debtor, debtor_name, counterparty, counterparty_name, name, auftraggeber, sender, remitter,\
            beguenstigter_zahlungspflichtiger
        payer_account: payer_iban, debtor_account, counterparty_account, counterparty_iban, iban, kontonummer,\
            sender_account
        text: remittance, remittance_text, remittance_information, description, memo, narrative, purpose, details,\
            verwendungszweck, libelle
        reference: structured_reference, creditor_reference, payment_reference
        end_to_end: end_to_end_id, e2e, endtoendid, eref
        bank_reference: bank_ref, acct_svcr_ref, servicer_reference
        original_amount: instructed_amount
        original_currency: instructed_currency
        charges: fees""",
    ),
    "advices": _fields(
        """reference: invoice, invoice_number, invoice_no, document, document_number, rechnungsnummer
        paid: paid_amount, amount_paid, net, net_amount
        currency: curr, ccy, currency_code, waehrung, devise, divisa""",
        """payment: payment_id, trace, trace_number, end_to_end_id, end_to_end, payment_reference
        gross: gross_amount, invoice_amount, amount_due
        discount: discount_amount, discount_taken, skonto
        reason: reason_code, adjustment_reason
        payer: payer_name, name, customer_name
        payer_account: payer_iban, iban
        date: payment_date, paid_on
        total: payment_total, payment_amount""",
    ),
    "customers": _fields(
        """id: customer_id, customer, customer_no, customer_number, debtor, kundennummer
        name: customer_name, company, firma, debtor_name""",
        """country: country_code, land
        parent: parent_id, group, group_id, konzern
        accounts: account, iban, ibans, bank_account, bank_accounts""",
    ),
    "rates": _fields("""date: day, rate_date\n currency: curr, ccy, quote\n rate: exchange_rate, fx_rate, kurs""", ""),
}

# What `--map` may say beside fields.
SETTINGS: Final = ("list_separator", "decimal", "date_format", "base", "per")


def serve(
    kind: str, columns: Sequence[str], path: Path, mapping: Mapping[str, Any], given: Collection[str] = ()
) -> dict[str, Any]:
    """Field -> column, or `{"value": text}`, of one file.

    Args:
        mapping: what the user says: field -> column, "" for none, or a value for all rows.
        given: fields that are filled in where no column serves them.
    Raises:
        SchemaError: an unknown field or column, or a needed field without one; says which there are.
    """
    said: dict[str, Any] = {}
    for wanted, target in mapping.items():
        field = _field_of(kind, wanted)
        if field is not None:
            said[field] = target if isinstance(target, Mapping) else _column_of(kind, field, str(target), columns, path)
    served = {**said, **_by_heading(kind, columns, said)}
    _require(kind, {**dict.fromkeys(given, True), **served}, columns, path)
    return {name: target for name, target in served.items() if target}


def has_heading(kind: str, field: str, columns: Sequence[str]) -> bool:
    """Whether some column would serve a field without a word of the user."""
    return field in _by_heading(kind, columns, {})


def texts_of(served: Mapping[str, Any]) -> list[pl.Expr]:
    """The columns of a table under the names of the fields that they serve; values that the user gives in each row."""
    return [
        (pl.col(target) if isinstance(target, str) else pl.lit(str(target.get("value")))).alias(name)
        for name, target in served.items()
    ]


def _by_heading(kind: str, columns: Sequence[str], said: Mapping[str, Any]) -> dict[str, str]:
    """Field -> column of what nothing was said about: by its own name, then by a usual one; each column serves once."""
    by_plain = {plain(column): column for column in reversed(columns)}
    taken = {target for target in said.values() if isinstance(target, str)}
    served: dict[str, str] = {}
    for usual in (False, True):
        for field in FIELDS[kind]:
            if field.name in said or field.name in served:
                continue
            names = field.names if usual else (field.name,)
            found = [by_plain[plain(name)] for name in names if plain(name) in by_plain]
            free = [column for column in found if column not in taken]
            if free:
                served[field.name] = free[0]
                taken.add(free[0])
    return served


def _field_of(kind: str, wanted: str) -> str | None:
    names = [field.name for field in FIELDS[kind]]
    if wanted in names:
        return wanted
    if wanted in SETTINGS:
        return None
    raise SchemaError(
        f"`map` {kind}.{wanted}: there is no such field; {kind} have: {', '.join(names)}, and {', '.join(SETTINGS)}",
        column=wanted,
        expected=names,
        got=wanted,
        fields=("map",),
    )


def _column_of(kind: str, field: str, target: str, columns: Sequence[str], path: Path) -> str:
    if not target:
        return ""
    alike = [column for column in columns if column == target] or [
        column for column in columns if plain(column) == plain(target)
    ]
    if len(alike) != 1:
        raise SchemaError(
            f"{path}: no column {target!r} (`map` {kind}.{field}); there are: {', '.join(columns)}",
            path=str(path),
            column=target,
            expected=target,
            got=list(columns),
            fields=("map",),
        )
    return alike[0]


def _require(kind: str, served: Mapping[str, Any], columns: Sequence[str], path: Path) -> None:
    missing = [field.name for field in FIELDS[kind] if field.needed and not served.get(field.name)]
    if kind == "payments" and not served.get("booked") and not served.get("value_date"):
        missing.append("booked")
    if missing:
        raise SchemaError(
            f"{path}: no column for {', '.join(missing)} of {kind}; there are: {', '.join(columns)} (`map` "
            f"{kind}.{missing[0]}=COLUMN names it)",
            path=str(path),
            column=missing[0],
            expected=missing[0],
            got=list(columns),
            fields=("map",),
        )
