"""MT940 and MT942: `mt-940` reads the fields, each movement by itself, so that a bad one is known by its line."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from mt940.models import Transactions
from mt940.options import Options
from mt940.tags import StatementGLS, Tag

from core.currencies import EXPONENTS
from core.workloads.invoices.readers.amounts import minor_of, plain
from core.workloads.invoices.readers.formats.mt_details import Details, details_of
from core.workloads.invoices.readers.records import Content, Page, Receipt

# It logs what it cannot read, letter for letter: names and accounts have no place in a log.
logging.getLogger("mt940").setLevel(logging.CRITICAL + 1)

_FIELD: Final = re.compile(r":([0-9]{2}[A-Z]?):(.*)", re.ASCII | re.DOTALL)
# A reference longer than sixteen letters, before that of the bank.
_LONG: Final[dict[int | str, Tag]] = {61: StatementGLS()}
_ABROAD: Final = re.compile(r"/OCMT/([A-Z]{3})([0-9]+,[0-9]*)/?", re.ASCII)
_CHARGES: Final = re.compile(r"/CHGS/([A-Z]{3})([0-9]+,[0-9]*)/?", re.ASCII)
_NO_REFERENCE: Final = ("", "NONREF")
_PAGE_OF: Final = re.compile(r"([^/]+)(?:/0*([0-9]+))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Field:
    tag: str
    text: str
    line: int


def read_mt(text: str) -> Content:
    """Statements (MT940) or reports of a day (MT942) in one text."""
    messages = [message for message in _messages(text) if message]
    is_report = any(field.tag in ("34F", "13D") for message in messages for field in message)
    content = Content("mt942" if is_report else "mt940")
    for message in messages:
        content.pages.append(_page(message, content, is_report=is_report))
    return content


def _messages(text: str) -> Iterator[list[_Field]]:
    """The fields of each message; a new one begins with :20:."""
    fields: list[_Field] = []
    is_open = False
    for number, raw in enumerate(text.split("\n"), start=1):
        row = re.sub(r"^\ufeff|^(?:\{[123]:[^}]*\})*\{4:", "", raw.rstrip("\r"))
        if row in ("-", "-}") or row.startswith("-}{"):
            is_open = False
        elif (found := _FIELD.match(row)) is not None:
            if found[1] == "20":
                yield fields
                fields = []
            fields.append(_Field(found[1], found[2], number))
            is_open = True
        elif is_open:
            last = fields[-1]
            fields[-1] = _Field(last.tag, f"{last.text}\n{row}", last.line)
    yield fields


def _page(message: list[_Field], content: Content, *, is_report: bool) -> Page:
    """One message; what no balance or account can be read of is at fault as a whole."""
    page = Page(None, None, None, message[0].line, is_complete=not is_report)
    head = Transactions(options=Options.all())
    for field in message:
        if field.tag in ("61", "86"):
            continue
        try:
            head.parse(f":{field.tag}:{field.text}")
        except (RuntimeError, ValueError, KeyError, ArithmeticError):
            page.fault = f"field {field.tag} of line {field.line} cannot be read"
    page.account = head.data.get("account_identification")
    page.currency = head.currency
    _number(page, message)
    page.opening = _balance(page, head, "opening")
    page.closing = _balance(page, head, "closing")
    for side, name in (("C", "sum_credit_entries"), ("D", "sum_debit_entries")):
        if (declared := head.data.get(name)) is not None:
            total = minor_of(str(abs(declared.amount)), page.currency)
            page.declared[side] = (int(declared.number or 0), total or 0)
    if page.account is None:
        page.fault = page.fault or "no account (field 25)"
    if page.currency not in EXPONENTS:
        page.fault = page.fault or "no balance tells its currency"
        return page
    for movement, about in _movements(message):
        _take(page, content, head, movement, about)
    return page


def _number(page: Page, message: list[_Field]) -> None:
    told = next((field.text for field in message if field.tag in ("28C", "28")), "")
    found = _PAGE_OF.match(told.strip())
    if found is not None:
        page.number, page.nth = found[1], int(found[2]) if found[2] else None
    page.is_last = not any(field.tag == "62M" for field in message)


def _balance(page: Page, head: Transactions, which: str) -> int | None:
    """Opening or closing, in minor units. One in another currency is a fault."""
    for kind in ("final_", "intermediate_", ""):
        balance: Any = head.data.get(f"{kind}{which}_balance")
        if balance is None:
            continue
        minor = minor_of(f"{balance.amount.amount:f}", page.currency)
        if minor is None or balance.amount.currency != page.currency:
            page.fault = page.fault or f"its {which} balance is no amount of its currency"
        return minor
    return None


def _movements(message: list[_Field]) -> Iterator[tuple[_Field, str]]:
    """Each :61: with the :86: that follows it."""
    for place, field in enumerate(message):
        if field.tag == "61":
            after = message[place + 1] if place + 1 < len(message) else None
            yield field, after.text if after is not None and after.tag == "86" else ""


def _take(page: Page, content: Content, head: Transactions, movement: _Field, about: str) -> None:
    one = Transactions(tags=_LONG if "//" in movement.text.split("\n")[0] else None, options=Options.all())
    one.data = dict(head.data)
    try:
        data = one.parse(f":61:{movement.text}")[0].data
    except (RuntimeError, ValueError, KeyError, ArithmeticError, IndexError):
        content.reject(movement.line, "field 61 cannot be read")
        page.fault = page.fault or f"line {movement.line} cannot be read"
        return
    minor = minor_of(f"{data['amount'].amount:f}", page.currency)
    if minor is None:
        content.reject(movement.line, "amount is more exact than its currency, or too large")
        page.fault = page.fault or f"line {movement.line} cannot be read"
        return
    page.receipts.append(_receipt(page, movement.line, minor, data, details_of(about)))


def _receipt(page: Page, line: int, minor: int, data: dict[str, Any], told: Details) -> Receipt:
    currency = page.currency or ""
    value = data["date"].isoformat()
    extra = data.get("extra_details") or ""
    abroad, charges = _ABROAD.search(extra), _CHARGES.search(extra)
    own = (data.get("customer_reference") or "").strip()
    bank = (data.get("bank_reference") or "").strip()
    return Receipt(
        minor=minor,
        currency=currency,
        booked=data["entry_date"].isoformat() if "entry_date" in data else value,
        value_date=value,
        line=line,
        payer=told.payer,
        payer_account=told.payer_account,
        text=told.text or (None if abroad or charges else extra.strip() or None),
        reference=told.reference,
        end_to_end=told.end_to_end or (own if own not in _NO_REFERENCE else None),
        bank_reference=bank if bank not in _NO_REFERENCE else None,
        original_amount=_decimal(abroad),
        original_currency=abroad[1] if abroad and _decimal(abroad) else None,
        charges=_decimal(charges),
        is_reversal=data["status"].upper().startswith("R"),
    )


def _decimal(found: re.Match[str] | None) -> str | None:
    minor = minor_of(found[2], found[1]) if found else None
    return plain(minor, found[1]) if found and minor is not None else None
