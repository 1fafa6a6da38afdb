"""camt.052, .053 and .054 (reports, statements, notifications) and remt.001, in any version, entry by entry."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element

from core.errors import InputError
from core.workloads.invoices.readers.amounts import minor_of
from core.workloads.invoices.readers.formats.camt_details import amount_of, lines_of
from core.workloads.invoices.readers.formats.remittance import remt_advice
from core.workloads.invoices.readers.formats.xml_events import child, children, events, local, namespace, text_at
from core.workloads.invoices.readers.records import Content, Page

_MESSAGES: Final = {
    "BkToCstmrAcctRpt": ("camt.052", "Rpt"),
    "BkToCstmrStmt": ("camt.053", "Stmt"),
    "BkToCstmrDbtCdtNtfctn": ("camt.054", "Ntfctn"),
    "RmtAdvc": ("remt.001", "RmtInf"),
}
_BOOKED: Final = ("BOOK", None)


def read_camt(path: Path, where: Path) -> Content:
    """Read one message.

    Args:
        path: what errors call the file. where: its bytes.
    Raises:
        InputError: as `events`; or it is another message, or its namespace is that of another.
    """
    message = _Message(path, Content("camt"))
    for event, name, element, line in events(path, where):
        if event == "start":
            message.begin(name, element, line)
        else:
            message.end(name, element)
    if not message.part:
        raise InputError(f"{path}: this XML is no camt.052, .053, .054 or remt.001", path=str(path))
    return message.content


@dataclass(slots=True)
class _Message:
    """A message on its way in. part: name of its statements or advices. open_elements: from the root inwards.

    line, entry_line: where the statement and the entry that are open begin.
    """

    path: Path
    content: Content
    part: str = ""
    open_elements: list[Element] = field(default_factory=list)
    line: int = 1
    entry_line: int = 1

    def begin(self, name: str, element: Element, line: int) -> None:
        """An element begins."""
        outer = local(self.open_elements[-1]) if self.open_elements else ""
        self.open_elements.append(element)
        if name in _MESSAGES and not self.part:
            self.content.format, self.part = _MESSAGES[name]
            _refuse_foreign(self.path, self.content.format, element)
        elif name == self.part and outer in _MESSAGES:
            self.line = line
            if self.content.format != "remt.001":
                self.content.pages.append(Page(None, None, None, line))
        elif name == "Ntry":
            self.entry_line = line

    def end(self, name: str, element: Element) -> None:
        """An element is whole; an entry or statement is taken and forgotten."""
        self.open_elements.pop()
        outer = local(self.open_elements[-1]) if self.open_elements else ""
        if name == "Ntry" and outer == self.part and self.content.pages:
            _take_entry(self.content, self.content.pages[-1], element, self.entry_line)
        elif name != self.part or outer not in _MESSAGES:
            return
        elif self.content.format == "remt.001":
            self.content.advices.extend(remt_advice(element, self.line, self.content))
        else:
            _end_page(self.content.pages[-1], element, self.content)
        self.open_elements[-1].remove(element)


def _refuse_foreign(path: Path, form: str, element: Element) -> None:
    """Raise InputError: the namespace is not one of the message's versions."""
    if not re.search(rf"{re.escape(form)}\.[0-9]{{3}}\.[0-9]{{2}}$", namespace(element)):
        raise InputError(
            f"{path}: a message {local(element)} in the namespace {namespace(element) or '(none)'}; it must be that of "
            f"{form}, urn:iso:std:iso:20022:tech:xsd:{form}.001.NN",
            path=str(path),
        )


def _take_entry(content: Content, page: Page, entry: Element, line: int) -> None:
    """The lines of an entry; one that is not booked, or cannot be read, is set aside."""
    status = text_at(entry, "Sts", "Cd") or text_at(entry, "Sts")
    if status not in _BOOKED:
        content.reject(line, "not booked yet (or only information): it is no payment")
        return
    minor, currency = amount_of(entry)
    side = text_at(entry, "CdtDbtInd")
    if minor is None or currency is None or side not in ("CRDT", "DBIT"):
        content.reject(line, "its amount, currency or direction cannot be read")
        page.fault = page.fault or f"the entry of line {line} cannot be read"
        return
    page.currency = page.currency or currency
    if currency != page.currency:
        content.reject(line, "another currency than its account's")
        page.fault = page.fault or f"the entry of line {line} is in another currency than the account"
        return
    receipts, advices = lines_of(entry, minor if side == "CRDT" else -minor, currency, line, content)
    page.receipts.extend(receipts)
    content.advices.extend(advices)


def _end_page(page: Page, statement: Element, content: Content) -> None:
    """What a statement tells beside its entries."""
    account = child(statement, "Acct", "Id")
    page.account = text_at(account, "IBAN") or text_at(account, "Othr", "Id")
    told = text_at(statement, "Acct", "Ccy")
    if told and page.currency and told != page.currency:
        page.fault = page.fault or "its entries are in another currency than its account"
    page.currency = page.currency or told
    page.number = text_at(statement, "ElctrncSeqNb") or text_at(statement, "LglSeqNb") or text_at(statement, "Id")
    pages = child(statement, "StmtPgntn")
    if pages is None:
        pages = child(statement, "RptPgntn")
    if pages is not None and (nth := text_at(pages, "PgNb")) and nth.isdecimal():
        page.nth, page.is_last = int(nth), text_at(pages, "LastPgInd") != "false"
    page.is_complete = content.format == "camt.053"
    if page.account is None:
        page.fault = page.fault or "no account"
    _balances(page, statement)
    _declared(page, statement)


def _balances(page: Page, statement: Element) -> None:
    found: dict[str, int] = {}
    for balance in children(statement, "Bal"):
        kind = text_at(balance, "Tp", "CdOrPrtry", "Cd") or ""
        if kind not in ("OPBD", "PRCD", "CLBD"):
            continue
        minor, currency = amount_of(balance)
        page.currency = page.currency or currency
        if minor is None or currency != page.currency:
            page.fault = page.fault or "a balance is no amount of its currency"
            continue
        signed = -minor if text_at(balance, "CdtDbtInd") == "DBIT" else minor
        # Of balances of several days the first opens and the last closes.
        found[kind] = signed if kind == "CLBD" else found.get(kind, signed)
    page.opening = found.get("OPBD", found.get("PRCD"))
    page.closing = found.get("CLBD")


def _declared(page: Page, statement: Element) -> None:
    """Sums that the bank states. Their counts are of entries, which may have several lines, so they are not kept."""
    summary = child(statement, "TxsSummry")
    for side, name in (("C", "TtlCdtNtries"), ("D", "TtlDbtNtries")):
        minor = minor_of(text_at(summary, name, "Sum"), page.currency)
        if minor is not None:
            page.declared[side] = (None, abs(minor))
