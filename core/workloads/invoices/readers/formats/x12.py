"""Remittances of ANSI X12 820, in an interchange of its own or in the addenda of ACH payments (CTX)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from core.errors import InputError
from core.workloads.invoices.readers.amounts import iso_day, minor_of
from core.workloads.invoices.readers.records import Advice, AdviceLine, Content

_ISA_LENGTH: Final = 106


@dataclass(slots=True)
class _Segment:
    name: str
    parts: list[str]
    line: int

    def at(self, place: int) -> str | None:
        """An element, from 1; None where it is empty."""
        return (self.parts[place - 1].strip() or None) if place <= len(self.parts) else None


@dataclass(slots=True)
class _Transaction:
    """One 820: its advice, and adjustments (ADX) whose sign is open."""

    advice: Advice
    segments: list[_Segment] = field(default_factory=list)
    adjustments: list[AdviceLine] = field(default_factory=list)
    fault: str | None = None


def read_x12(text: str, path: str) -> Content:
    """Read an interchange. Its separators are those that its ISA uses. Raises InputError: it has none."""
    start = text.find("ISA")
    isa = text[start : start + _ISA_LENGTH]
    if start < 0 or len(isa) < _ISA_LENGTH or isa[3].isalnum():
        raise InputError(f"{path}: no whole ISA segment of 106 characters", path=path, line=1)
    content = Content("edi820")
    segments = split_segments(text[start:], isa[3], isa[105], text.count("\n", 0, start) + 1)
    if not segments or segments[-1].name != "IEA":
        content.reject(text.count("\n") + 1, "the interchange does not end (IEA): the file is cut short")
    read_segments(segments, content)
    return content


def split_segments(text: str, between: str, end: str, line: int) -> list[_Segment]:
    """The segments of a text that begins in `line`."""
    found = []
    for raw in text.split(end):
        line += len(raw) - len(raw.lstrip("\r\n ")) and raw[: len(raw) - len(raw.lstrip("\r\n "))].count("\n")
        parts = raw.strip().split(between)
        if parts != [""]:
            found.append(_Segment(parts[0], parts[1:], line))
        line += raw.lstrip("\r\n ").count("\n")
    return found


def read_segments(segments: list[_Segment], content: Content) -> None:
    """Take every 820 among the segments; another transaction, or one that does not end, is set aside."""
    open_: _Transaction | None = None
    for segment in segments:
        if segment.name == "ST":
            if open_ is not None:
                content.reject(open_.advice.line, "a transaction without an end (SE)")
            open_ = _Transaction(Advice(segment.at(2) or "", None, None, segment.line))
            if segment.at(1) != "820":
                open_.fault = "a transaction that is no 820"
        if open_ is None:
            continue
        open_.segments.append(segment)
        if segment.name == "SE":
            _end(open_, content)
            open_ = None
    if open_ is not None:
        content.reject(open_.advice.line, "a transaction without an end (SE): the file is cut short")


def _end(transaction: _Transaction, content: Content) -> None:
    advice = transaction.advice
    declared = transaction.segments[-1].at(1)
    if declared != str(len(transaction.segments)):
        transaction.fault = transaction.fault or "it has not the number of segments that its SE states"
    advice.currency = next((each.at(2) for each in transaction.segments if each.name == "CUR"), None) or "USD"
    for segment in transaction.segments:
        if transaction.fault is None:
            _take(transaction, segment)
    if transaction.fault is None and advice.total is None:
        transaction.fault = "it states no total (BPR)"
    if transaction.fault is None and transaction.adjustments:
        transaction.fault = _with_adjustments(transaction)
    if transaction.fault is not None:
        content.reject(advice.line, transaction.fault)
        return
    advice.settle()
    content.advices.append(advice)


def _take(transaction: _Transaction, segment: _Segment) -> None:
    advice, currency = transaction.advice, transaction.advice.currency
    if segment.name == "BPR":
        advice.total = minor_of(segment.at(2), currency)
        sign = -1 if segment.at(3) == "D" and advice.total is not None else 1
        advice.total = None if advice.total is None else sign * advice.total
        advice.payer_account, advice.own_account = segment.at(9), segment.at(15)
        advice.date = iso_day(segment.at(16))
    elif segment.name == "TRN":
        advice.payment = advice.payment or segment.at(2)
    elif segment.name == "N1" and segment.at(1) == "PR":
        advice.payer = segment.at(2)
    elif segment.name == "RMR":
        amounts = [minor_of(segment.at(place), currency) for place in (4, 5, 6)]
        if any(segment.at(place) and value is None for place, value in zip((4, 5, 6), amounts, strict=True)):
            transaction.fault = f"an amount of line {segment.line} cannot be read"
        advice.lines.append(AdviceLine(segment.at(2), segment.line, amounts[1], amounts[2], paid=amounts[0]))
    elif segment.name == "ADX":
        minor = minor_of(segment.at(1), currency)
        if minor is None:
            transaction.fault = f"an amount of line {segment.line} cannot be read"
            return
        line = AdviceLine(segment.at(4), segment.line, adjusted=minor, reason=segment.at(2))
        transaction.adjustments.append(line)


def _with_adjustments(transaction: _Transaction) -> str | None:
    """Give adjustments the sign that balances, for guides differ; None if there is just one, else why not."""
    advice = transaction.advice
    paid = sum(line.paid or 0 for line in advice.lines)
    adjusted = sum(line.adjusted or 0 for line in transaction.adjustments)
    signs = {sign for sign in (1, -1, 0) if paid + sign * adjusted == advice.total}
    if len(signs) != 1:
        return "what it pays and adjusts adds up to its total with neither sign, or with several"
    sign = signs.pop()
    for line in transaction.adjustments:
        # Where the documents alone add up, each amount is less its adjustments already.
        line.adjusted = sign * (line.adjusted or 0) if sign else line.adjusted
        line.paid = line.adjusted if sign else 0
    advice.lines.extend(transaction.adjustments)
    return None
