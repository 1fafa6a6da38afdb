"""Which columns of a file serve which field: by the user's word, by name, by names that are usual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.errors import SchemaError
from core.intake.columns import plain


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
        amount: payment_amount, value, betrag, montant, transaction_amount
        currency: curr, ccy, currency_code, waehrung, devise""",
        """booked: booking_date, date, entry_date, posted, buchungstag, buchungsdatum, transaction_date
        value_date: valuta, value, valutadatum, wertstellung
        side: debit_credit, credit_debit, dc, cd, sign, soll_haben, credit_debit_indicator
        own_account: our_account, bank_account, konto, account
        payer: payer_name, debtor, debtor_name, counterparty, counterparty_name, name, auftraggeber, sender, remitter
        payer_account: payer_iban, debtor_account, counterparty_account, counterparty_iban, iban, sender_account
        text: remittance, remittance_information, description, memo, narrative, purpose, verwendungszweck, details
        reference: structured_reference, creditor_reference, payment_reference
        end_to_end: end_to_end_id, e2e, endtoendid, eref
        bank_reference: bank_ref, acct_svcr_ref, servicer_reference
        original_amount: instructed_amount
        original_currency: instructed_currency
        charges: fees, charge_bearer""",
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


def serve(kind: str, columns: Sequence[str], path: Path, mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Field -> column, or `{"value": text}`, of one file.

    Args:
        mapping: what the user says: field -> column, "" for none, or a value for all rows.
    Raises:
        SchemaError: an unknown field or column, or a needed field without one; says which there are.
    """
    fields = FIELDS[kind]
    served: dict[str, Any] = {}
    for wanted, target in mapping.items():
        field = _field_of(kind, wanted)
        if field is None:
            continue
        served[field] = target if isinstance(target, Mapping) else _column_of(kind, field, str(target), columns, path)
    said = {target for target in served.values() if isinstance(target, str)}
    taken = set(said)
    by_plain = {plain(column): column for column in reversed(columns)}
    for usual in (False, True):
        for field_ in fields:
            if field_.name in served:
                continue
            names = field_.names if usual else (field_.name,)
            found = [by_plain[plain(name)] for name in names if plain(name) in by_plain]
            free = [column for column in found if column not in taken]
            if free:
                served[field_.name] = free[0]
                taken.add(free[0])
    _require(kind, served, columns, path)
    return {name: target for name, target in served.items() if target}


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
