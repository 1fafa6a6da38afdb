"""Lockbox files of fixed columns: cheques that a bank opened, and the documents that each pays.

Columns are an agreement with each bank; these are those of BAI's 80 characters. Source: BAI lockbox, records 1 to 9.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from core.workloads.invoices.readers.amounts import iso_day, whole_minor
from core.workloads.invoices.readers.records import Advice, AdviceLine, Content, Page, Receipt

COLUMNS: Final[Mapping[str, Mapping[str, tuple[int, int]]]] = {
    "5": {"batch": (1, 4), "lockbox": (7, 14), "day": (14, 20)},
    "6": {"batch": (1, 4), "item": (4, 7), "amount": (7, 17), "bank": (17, 26), "account": (26, 36), "check": (36, 46)},
    "4": {"batch": (1, 4), "item": (4, 7), "reference": (11, 27), "paid": (27, 37), "discount": (37, 47)},
    "7": {"batch": (1, 4), "n": (17, 20), "total": (20, 30)},
}
"""Record -> field -> first column, counted from 0, and the one behind its last."""

_CURRENCY: Final = "USD"


@dataclass(slots=True)
class _State:
    content: Content
    columns: Mapping[str, Mapping[str, tuple[int, int]]]
    page: Page | None = None
    # Those of the batch that is open, by the number of their cheque.
    advices: dict[str, Advice] = field(default_factory=dict)


def read_lockbox(text: str, columns: Mapping[str, Mapping[str, tuple[int, int]]] = COLUMNS) -> Content:
    """Read one file, each batch as a statement of the lockbox. A batch that differs from its total is at fault."""
    state = _State(Content("lockbox"), columns)
    for number, raw in enumerate(text.split("\n"), start=1):
        row = raw.rstrip("\r")
        kind = row[:1]
        if kind in columns:
            fields = {name: row[first:end].strip() for name, (first, end) in columns[kind].items()}
            {"5": _batch, "6": _cheque, "4": _document, "7": _total}[kind](state, fields, number)
        elif row.strip() and kind not in "1289":
            state.content.reject(number, "no record of a lockbox file")
    for advice in state.content.advices:
        advice.settle()
    state.content.advices = [advice for advice in state.content.advices if advice.lines]
    for page in state.content.pages:
        if not page.declared:
            page.fault = page.fault or "its batch has no total (record 7): the file is cut short"
    return state.content


def _batch(state: _State, fields: Mapping[str, str], line: int) -> None:
    day = iso_day(fields["day"])
    state.page = Page(fields["lockbox"] or None, _CURRENCY, f"{day}/{fields['batch']}", line)
    state.page.fault = None if day and fields["lockbox"] else "no lockbox or day"
    state.content.pages.append(state.page)
    state.advices = {}


def _cheque(state: _State, fields: Mapping[str, str], line: int) -> None:
    minor = whole_minor(fields["amount"])
    if state.page is None or not minor:
        state.content.reject(line, "a cheque outside of a batch, or whose amount cannot be read")
        return
    day = (state.page.number or "").split("/")[0]
    receipt = Receipt(minor, _CURRENCY, day, day, line)
    receipt.payer_account = "/".join(each for each in (fields["bank"], fields["account"]) if each) or None
    receipt.end_to_end = fields["check"] or None
    state.page.receipts.append(receipt)
    advice = Advice(fields["item"], None, _CURRENCY, line, total=minor, date=day)
    advice.payer_account, advice.own_account, advice.receipt = receipt.payer_account, state.page.account, receipt
    state.advices[fields["item"]] = advice
    state.content.advices.append(advice)


def _document(state: _State, fields: Mapping[str, str], line: int) -> None:
    advice = state.advices.get(fields["item"])
    if advice is None:
        state.content.reject(line, "a document of no cheque of its batch")
        return
    discount = whole_minor(fields["discount"])
    found = AdviceLine(fields["reference"].lstrip("0") or None, line, paid=whole_minor(fields["paid"]))
    found.discount = discount or None
    advice.lines.append(found)


def _total(state: _State, fields: Mapping[str, str], line: int) -> None:
    total, n_cheques = whole_minor(fields["total"]), whole_minor(fields["n"])
    if state.page is None or total is None:
        state.content.reject(line, "a total outside of a batch, or that cannot be read")
        return
    state.page.declared["C"] = (n_cheques, total)
