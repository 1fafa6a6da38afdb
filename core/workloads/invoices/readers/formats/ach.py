"""ACH files of NACHA with CTX and CCD+ payments: each entry's addenda hold what X12 says of its documents."""

from __future__ import annotations

from typing import Final

from core.workloads.invoices.readers.amounts import iso_day, whole_minor
from core.workloads.invoices.readers.formats.x12 import read_segments, split_segments
from core.workloads.invoices.readers.records import Advice, Content, Page, Receipt

WIDTH: Final = 94
_CREDITS: Final = ("22", "32", "42", "52")


def read_ach(text: str) -> Content:
    """Read one file: each batch as a statement of what came in it, held against its control record (8)."""
    content = Content("ach")
    page: Page | None = None
    addenda: list[str] = []
    receipt: Receipt | None = None
    for number, raw in enumerate(text.split("\n"), start=1):
        row = raw.rstrip("\r").ljust(WIDTH)
        kind = row[0]
        if kind in "5689" and addenda and receipt is not None:
            _advise(content, receipt, "".join(addenda))
            addenda = []
        if kind == "5":
            page = Page(None, "USD", f"{row[69:75]}/{row[87:94]}", number)
            day = iso_day(row[69:75])
            page.fault = None if day else "no day"
            content.pages.append(page)
        elif kind == "6" and page is not None:
            receipt = _entry(page, content, row, number)
        elif kind == "7":
            addenda.append(row[3:83] if row[1:3] == "05" else "")
        elif kind == "8" and page is not None:
            _end(page, row)
            page = None
    for each in content.pages:
        if not each.declared:
            each.fault = each.fault or "its batch has no control record (8): the file is cut short"
    return content


def _entry(page: Page, content: Content, row: str, line: int) -> Receipt | None:
    minor = whole_minor(row[29:39])
    if minor is None or not row[1:3].isdecimal():
        content.reject(line, "an entry whose amount or type cannot be read")
        page.fault = page.fault or f"line {line} cannot be read"
        return None
    account = row[12:29].strip()
    page.account = page.account or account
    if account != page.account:
        page.fault = page.fault or "its entries are of several accounts"
    day = iso_day((page.number or "")[:6])
    signed = minor if row[1:3] in _CREDITS else -minor
    receipt = Receipt(signed, "USD", day, day, line)
    receipt.bank_reference, receipt.end_to_end = row[79:94].strip() or None, row[39:54].strip() or None
    if not minor:
        content.reject(line, "an entry of amount 0")
        return None
    page.receipts.append(receipt)
    return receipt


def _advise(content: Content, receipt: Receipt, text: str) -> None:
    """What the addenda of an entry say: an 820, or segments of one alone (CCD+)."""
    between = next((mark for mark in "*|^" if mark in text), "*")
    end = next((mark for mark in "~\\" if mark in text), "\\")
    segments = split_segments(text, between, end, receipt.line)
    for segment in segments:
        segment.line = receipt.line
    if not any(segment.name == "ST" for segment in segments):
        receipt.text = receipt.text or text.strip() or None
        return
    n_before = len(content.advices)
    read_segments(segments, content)
    for advice in content.advices[n_before:]:
        _tie(advice, receipt)


def _tie(advice: Advice, receipt: Receipt) -> None:
    advice.receipt = receipt
    receipt.payer, receipt.payer_account = advice.payer, advice.payer_account


def _end(page: Page, row: str) -> None:
    debits, credits_ = whole_minor(row[20:32]), whole_minor(row[32:44])
    if debits is None or credits_ is None:
        page.fault = page.fault or "its control record cannot be read"
        return
    page.declared = {"C": (None, credits_), "D": (None, debits)}
