"""Made bank lines as banks send them: camt.053, MT940 and BAI2 statements, and EDI 820 remittances.

Each module has `pieces(books)`, the file as consecutive texts. A line's `bank_reference` is its id in every format, so
that what is read back can be held against the truth.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from core.currencies import exponent_of, to_minor, to_text

FORMATS = {
    "camt053": ("statement.xml", "utf-8"),
    "mt940": ("statement.sta", "ascii"),
    "bai2": ("statement.bai", "ascii"),
    "edi820": ("remittances.edi", "ascii"),
}
"""Format -> name of its file, and how its letters are written."""

OPENING_MINOR = 100_000_000
"""What every account holds before the first line."""


def by_account(payments: pl.DataFrame) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """Account, currency and lines of each, with `minor`, the amount in minor units, in the order of the file."""
    for lines in payments.partition_by("own_account", maintain_order=True):
        currency = lines["currency"][0]
        yield lines["own_account"][0], currency, with_minor(lines, currency)


def with_minor(lines: pl.DataFrame, currency: str) -> pl.DataFrame:
    """The lines of one currency with `minor`."""
    return lines.with_columns(minor=to_minor(pl.col("amount"), exponent_of(currency)))


def money(minor: int, currency: str) -> str:
    """An amount as plain decimal text, without its sign."""
    frame = pl.DataFrame({"minor": [abs(minor)]})
    return str(frame.select(to_text(pl.col("minor"), exponent_of(currency))).item())


def ascii_only(text: pl.Expr) -> pl.Expr:
    """Letters beyond ASCII as dots, as banks print what they cannot write; null is empty."""
    return text.fill_null("").str.replace_all(r"[^\x20-\x7e]", ".")
