"""What every format is read into: bank lines in pages of statements, lines of advices, and what was set aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from core.workloads.invoices.readers.amounts import plain

RECEIPTS: Final[dict[str, type[pl.DataType]]] = {
    **dict.fromkeys(
        (
            "id",
            "booked",
            "value_date",
            "amount",
            "currency",
            "own_account",
            "payer",
            "payer_account",
            "text",
            "reference",
            "end_to_end",
            "bank_reference",
            "original_amount",
            "original_currency",
            "charges",
        ),
        pl.String,
    ),
    "amount_minor": pl.Int64,
    "is_reversal": pl.Boolean,
    "format": pl.String,
    "file": pl.String,
    "statement": pl.String,
    "line": pl.Int64,
}
"""Columns of receipts: those of a table of payments, as text, then what our readers know besides."""

ADVICES: Final[dict[str, type[pl.DataType]]] = {
    "advice": pl.String,
    "payment": pl.String,
    "payer": pl.String,
    "payer_account": pl.String,
    "own_account": pl.String,
    "date": pl.String,
    "currency": pl.String,
    "total_minor": pl.Int64,
    "reference": pl.String,
    "gross_minor": pl.Int64,
    "discount_minor": pl.Int64,
    "adjusted_minor": pl.Int64,
    "paid_minor": pl.Int64,
    "reason": pl.String,
    "balanced": pl.Boolean,
    "format": pl.String,
    "file": pl.String,
    "line": pl.Int64,
}
"""Columns of advices, a row a document. payment: the trace, end-to-end id or bank reference of what it explains."""

REJECTS: Final[dict[str, type[pl.DataType]]] = {"file": pl.String, "line": pl.Int64, "reason": pl.String}


@dataclass(slots=True)
class Receipt:
    """A bank line. minor: its amount, negative where money goes. line: where it begins in its file, from 1."""

    minor: int
    currency: str
    booked: str | None
    value_date: str | None
    line: int
    payer: str | None = None
    payer_account: str | None = None
    text: str | None = None
    reference: str | None = None
    end_to_end: str | None = None
    bank_reference: str | None = None
    original_amount: str | None = None
    original_currency: str | None = None
    charges: str | None = None
    is_reversal: bool = False
    id: str | None = None

    def row(self, page: Page, form: str, file: str) -> dict[str, Any]:
        """As a row of `RECEIPTS`."""
        kept = {name: getattr(self, name) for name in RECEIPTS if hasattr(self, name)}
        told = {"own_account": page.account, "format": form, "file": file, "statement": page.number}
        return {**kept, **told, "amount": plain(self.minor, self.currency), "amount_minor": self.minor}


@dataclass(slots=True)
class Page:
    """A statement, or one page of it, of one account.

    opening, closing: minor units; None where the page states none. is_complete: whether its format states both.
    number: what the bank calls the statement. nth, is_last: of its pages. line: where it begins.
    declared: (lines, their sum in minor units) of credits and of debits, where the file states them.
    fault: why nothing of it can be taken; is_repeat: because an earlier page is the same.
    """

    account: str | None
    currency: str | None
    number: str | None
    line: int
    opening: int | None = None
    closing: int | None = None
    is_complete: bool = False
    nth: int | None = None
    is_last: bool = True
    receipts: list[Receipt] = field(default_factory=list)
    declared: dict[str, tuple[int | None, int]] = field(default_factory=dict)
    fault: str | None = None
    is_repeat: bool = False

    @property
    def moved(self) -> int:
        """The sum of its lines."""
        return sum(receipt.minor for receipt in self.receipts)


@dataclass(slots=True)
class AdviceLine:
    """A document of an advice: what was owed, taken off and paid, in minor units."""

    reference: str | None
    line: int
    gross: int | None = None
    discount: int | None = None
    adjusted: int | None = None
    paid: int | None = None
    reason: str | None = None


@dataclass(slots=True)
class Advice:
    """What a payer says of one payment. balanced: whether its lines add up to the total; None: it states none.

    receipt: the bank line that it came with, if it did; `payment` is then the id of that.
    """

    name: str
    payment: str | None
    currency: str | None
    line: int
    total: int | None = None
    date: str | None = None
    payer: str | None = None
    payer_account: str | None = None
    own_account: str | None = None
    lines: list[AdviceLine] = field(default_factory=list)
    balanced: bool | None = None
    receipt: Receipt | None = None

    def settle(self) -> None:
        """Say whether what the lines paid, with adjustments, is the total."""
        paid = [line.paid for line in self.lines]
        if self.total is not None and None not in paid:
            self.balanced = sum(each or 0 for each in paid) == self.total

    def rows(self, form: str, file: str) -> list[dict[str, Any]]:
        """As rows of `ADVICES`."""
        kept = {name: getattr(self, name) for name in ADVICES if name != "line" and hasattr(self, name)}
        told = {**kept, "advice": self.name, "total_minor": self.total, "format": form, "file": file}
        if self.receipt is not None:
            told["payment"] = self.receipt.id
        return [
            {
                **told,
                "reference": line.reference,
                "gross_minor": line.gross,
                "discount_minor": line.discount,
                "adjusted_minor": line.adjusted,
                "paid_minor": line.paid,
                "reason": line.reason,
                "line": line.line,
            }
            for line in self.lines
        ]


@dataclass(frozen=True, slots=True)
class Reject:
    """What was set aside: line of the file, from 1, and why. Never what stands there."""

    line: int
    reason: str


@dataclass(slots=True)
class Content:
    """What was found in one file."""

    format: str
    pages: list[Page] = field(default_factory=list)
    advices: list[Advice] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def reject(self, line: int, reason: str) -> None:
        """Set something aside."""
        self.rejects.append(Reject(line, reason))


def frame_of(rows: Sequence[dict[str, Any]], schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    """Rows as a frame of these columns, also if there are none."""
    return pl.DataFrame(rows, schema=schema, orient="row")
