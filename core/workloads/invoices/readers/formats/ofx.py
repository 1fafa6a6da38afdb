"""OFX, as SGML whose values are not closed (1.x) and as XML (2.x), read by tags alone."""

from __future__ import annotations

import re
from html import unescape
from typing import Final

from core.currencies import EXPONENTS
from core.workloads.invoices.readers.amounts import iso_day, minor_of
from core.workloads.invoices.readers.records import Content, Page, Receipt

_STATEMENT: Final = re.compile(r"<(?:CC)?STMTRS>(.*?)</(?:CC)?STMTRS>", re.DOTALL)
_LINE: Final = re.compile(r"<STMTTRN>(.*?)(?=</STMTTRN>|<STMTTRN>|</BANKTRANLIST>)", re.DOTALL)
_VALUE: Final = re.compile(r"<([A-Z0-9.]+)>([^<\r\n]*)")
# Between a sign, digits and decimals nothing else stands; banks write thousands apart all the same.
_GROUPED: Final = re.compile(r"([+-]?[0-9]{1,3})((?:[.,' ][0-9]{3})+)([.,][0-9]{1,2})", re.ASCII)


def read_ofx(text: str) -> Content:
    """Read one file. A statement states what the account held at its end, never at its beginning."""
    content = Content("ofx")
    for found in _STATEMENT.finditer(text):
        content.pages.append(_page(text, found, content))
    if text.count("STMTRS>") != 2 * len(content.pages):
        line = text.count("\n") + 1
        content.reject(line, "a statement does not end: the file is cut short")
        for page in content.pages:
            page.fault = page.fault or "the file is cut short"
    return content


def _page(text: str, found: re.Match[str], content: Content) -> Page:
    body = found[1]
    told = _values(re.sub(r"<BANKTRANLIST>.*</BANKTRANLIST>", "", body, flags=re.DOTALL))
    first_line = text.count("\n", 0, found.start()) + 1
    currency = told.get("CURDEF")
    days = _values(body)
    page = Page(told.get("ACCTID"), currency, None, first_line)
    page.number = "-".join(iso_day(days.get(name)) or "?" for name in ("DTSTART", "DTEND"))
    if page.account is None or currency not in EXPONENTS:
        page.fault = "no account or known currency"
        return page
    page.closing = _minor(_inside(body, "LEDGERBAL").get("BALAMT"), currency)
    line, place = first_line, 0
    for movement in _LINE.finditer(body):
        line += body.count("\n", place, movement.start())
        place = movement.start()
        _take(page, content, movement[1], line)
    return page


def _values(body: str) -> dict[str, str]:
    """The first value of each tag."""
    found: dict[str, str] = {}
    for name, value in _VALUE.findall(body):
        if value.strip():
            found.setdefault(name, unescape(value).strip())
    return found


def _inside(body: str, name: str) -> dict[str, str]:
    found = re.search(rf"<{name}>(.*?)(?:</{name}>|$)", body, re.DOTALL)
    return _values(found[1]) if found else {}


def _minor(text: str | None, currency: str | None) -> int | None:
    grouped = _GROUPED.fullmatch(text.strip()) if text else None
    if grouped is not None and grouped[3][0] not in grouped[2]:
        text = grouped[1] + re.sub(r"\D", "", grouped[2]) + grouped[3]
    return minor_of(text, currency)


def _take(page: Page, content: Content, body: str, line: int) -> None:
    told = _values(body)
    minor, day = _minor(told.get("TRNAMT"), page.currency), iso_day(told.get("DTPOSTED"))
    if not minor or day is None:
        content.reject(line, "its amount or day is missing, 0, or cannot be read")
        page.fault = page.fault or f"line {line} cannot be read"
        return
    receipt = Receipt(minor, page.currency or "", day, iso_day(told.get("DTAVAIL")) or day, line)
    receipt.payer = told.get("NAME") or told.get("PAYEE")
    receipt.payer_account = _inside(body, "BANKACCTTO").get("ACCTID") or _inside(body, "BANKACCTFROM").get("ACCTID")
    receipt.text = told.get("MEMO")
    receipt.end_to_end = told.get("REFNUM") or told.get("CHECKNUM")
    # An empty FITID is none; the line is then known by what stands in it.
    receipt.bank_reference = told.get("FITID")
    page.receipts.append(receipt)
