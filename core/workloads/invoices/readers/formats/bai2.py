"""BAI2: accounts of groups of days, with control totals and counts of records. Source: BAI, Cash Management, 2005."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from core.currencies import EXPONENTS
from core.workloads.invoices.readers.amounts import iso_day, minor_of, plain, whole_minor
from core.workloads.invoices.readers.records import Content, Page, Receipt

_RECORD: Final = re.compile(r"(01|02|03|16|49|88|98|99),")
_OPENING, _CLOSING = "010", "015"
_ABROAD: Final = re.compile(r"\|OCMT/([A-Z]{3})([0-9.]+)")
_CHARGES: Final = re.compile(r"\|CHGS/([0-9.]+)")
# Fields before the text: of a type of funds, how many more it takes.
_FUNDS_MORE: Final = {"V": 2, "S": 3}


@dataclass(slots=True)
class _Record:
    """A record. pieces: its physical lines, without their codes. line: of the first."""

    kind: str
    pieces: list[str]
    line: int

    @property
    def body(self) -> str:
        """All pieces as one. A field goes on in the next, unless a slash ends the piece: then the next field begins.

        In texts a slash may be just a letter: it ends a piece only where the last one has it too.
        """
        whole = self.pieces[0]
        ends = self.pieces[-1].endswith("/")
        for piece in self.pieces[1:]:
            fields = whole.split(",")
            if self.kind == "16" and len(fields) > _n_before_text(fields):
                whole = f"{whole.removesuffix('/')} {piece}" if ends and whole.endswith("/") else whole + piece
            else:
                whole = f"{whole[:-1]},{piece}" if whole.endswith("/") else whole + piece
        return whole.removesuffix("/")


@dataclass(slots=True)
class _Sums:
    """What control records are held against. total: of amounts. rows: physical lines; parts: accounts or groups."""

    total: int = 0
    rows: int = 0
    parts: int = 0


@dataclass(slots=True)
class _State:
    content: Content
    currency: str = "USD"
    day: str | None = None
    page: Page | None = None
    account: _Sums = field(default_factory=_Sums)
    group: _Sums = field(default_factory=_Sums)
    file: _Sums = field(default_factory=_Sums)
    group_pages: list[Page] = field(default_factory=list)


def read_bai2(text: str) -> Content:
    """Read one file. A statement whose control records do not agree is at fault; so is all of a cut file."""
    state = _State(Content("bai2"))
    records = _records(text, state.content)
    for record in records:
        _take(state, record)
    if not records or records[-1].kind != "99":
        for page in state.content.pages:
            page.fault = page.fault or "the file ends before its last record (99): it is cut short"
    return state.content


def _records(text: str, content: Content) -> list[_Record]:
    """The records, with their continuations (88) put on."""
    found: list[_Record] = []
    for number, raw in enumerate(text.split("\n"), start=1):
        row = raw.rstrip("\r").lstrip("\ufeff")
        if not row.strip():
            continue
        match = _RECORD.match(row)
        if match is None:
            content.reject(number, "no record of BAI2")
        elif match[1] != "88":
            found.append(_Record(match[1], [row[3:]], number))
        elif found:
            found[-1].pieces.append(row[3:])
    return found


def _n_before_text(fields: list[str]) -> int:
    """Fields of a 16 before its text: type, amount, funds, what these need, two references."""
    funds = fields[2] if len(fields) > 2 else ""
    more = _FUNDS_MORE.get(funds, 0)
    if funds == "D" and len(fields) > 3 and fields[3].isdecimal():
        more = 1 + 2 * int(fields[3])
    return 5 + more


def _take(state: _State, record: _Record) -> None:
    if record.kind in ("02", "03", "16"):
        {"02": _open_group, "03": _open_account, "16": _movement}[record.kind](state, record)
    for sums in (state.account, state.group, state.file):
        sums.rows += len(record.pieces)
    if record.kind == "49" and state.page is not None:
        _close(record, state.account, [state.page], has_parts=False)
        state.group.total += state.account.total
        state.group.parts += 1
        state.group_pages.append(state.page)
        state.page = None
    elif record.kind == "98":
        _close(record, state.group, state.group_pages, has_parts=True)
        state.file.total += state.group.total
        state.file.parts += 1
    elif record.kind == "99":
        _close(record, state.file, state.content.pages, has_parts=True)


def _open_group(state: _State, record: _Record) -> None:
    fields = record.body.split(",")
    state.day = iso_day(fields[3]) if len(fields) > 3 else None
    state.currency = fields[5] if len(fields) > 5 and fields[5] else "USD"
    state.group, state.group_pages = _Sums(), []


def _open_account(state: _State, record: _Record) -> None:
    """An account and its balances and sums, each a type, an amount, a count and funds."""
    fields = record.body.split(",")
    currency = (fields[1] if len(fields) > 1 else "") or state.currency
    state.account = _Sums()
    state.page = page = Page(fields[0] or None, currency, state.day, record.line)
    state.content.pages.append(page)
    if page.account is None or currency not in EXPONENTS or state.day is None:
        page.fault = "no account, day or known currency"
    place = 2
    while place < len(fields):
        kind, amount = fields[place], fields[place + 1] if place + 1 < len(fields) else ""
        minor = whole_minor(amount) if amount else 0
        if minor is None:
            page.fault = page.fault or f"an amount of line {record.line} cannot be read"
            return
        state.account.total += minor
        if kind == _OPENING and amount:
            page.opening = minor
        elif kind == _CLOSING and amount:
            page.closing = minor
        place += 4 + _funds_more(fields, place + 3)


def _funds_more(fields: list[str], place: int) -> int:
    funds = fields[place] if place < len(fields) else ""
    if funds == "D" and place + 1 < len(fields) and fields[place + 1].isdecimal():
        return 1 + 2 * int(fields[place + 1])
    return _FUNDS_MORE.get(funds, 0)


def _movement(state: _State, record: _Record) -> None:
    """Types 100 to 399 are credits, 400 to 699 debits; others move no money."""
    if state.page is None:
        state.content.reject(record.line, "a movement outside of an account")
        return
    fields = record.body.split(",")
    minor = whole_minor(fields[1]) if len(fields) > 1 else None
    kind = int(fields[0]) if fields[0].isdecimal() else 0
    if minor is None:
        state.content.reject(record.line, "its amount cannot be read")
        state.page.fault = state.page.fault or f"line {record.line} cannot be read"
        return
    state.account.total += minor
    if not 100 <= kind <= 699 or not minor:
        state.content.reject(record.line, f"type {kind} moves no money, or its amount is 0")
        return
    if state.page.currency in EXPONENTS:
        before = _n_before_text(fields)
        fields += [""] * (before + 1 - len(fields))
        signed = minor if kind < 400 else -minor
        state.page.receipts.append(_receipt(state.page, fields, before, signed, record.line))


def _receipt(page: Page, fields: list[str], before: int, minor: int, line: int) -> Receipt:
    text = ",".join(fields[before:])
    receipt = Receipt(minor, page.currency or "", page.number, None, line)
    receipt.value_date = (iso_day(fields[3]) if fields[2] == "V" else None) or page.number
    receipt.bank_reference, receipt.end_to_end = fields[before - 2] or None, fields[before - 1] or None
    parts = text.split("|")
    if len(parts) < 4:
        receipt.text = text.strip() or None
        return receipt
    # Payer, account, reference, text, and behind them what was ordered abroad and what it cost.
    if (abroad := _ABROAD.search(text)) and (original := minor_of(abroad[2], abroad[1])) is not None:
        receipt.original_currency, receipt.original_amount = abroad[1], plain(original, abroad[1])
    if (charges := _CHARGES.search(text)) and (charged := minor_of(charges[1], page.currency)) is not None:
        receipt.charges = plain(charged, page.currency or "")
    told = _CHARGES.sub("", _ABROAD.sub("", text)).split("|", 3)
    receipt.payer, receipt.payer_account, receipt.reference, receipt.text = (each or None for each in told)
    return receipt


def _close(record: _Record, sums: _Sums, pages: list[Page], *, has_parts: bool) -> None:
    """Hold a control record against what it closes."""
    fields = record.body.split(",")
    seen = [sums.total, sums.parts, sums.rows] if has_parts else [sums.total, sums.rows]
    if [whole_minor(each) for each in fields[: len(seen)]] != seen:
        for page in pages:
            page.fault = page.fault or f"the control record of line {record.line} does not agree with what it closes"
