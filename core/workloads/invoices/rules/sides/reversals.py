"""Lines that take a payment back, and the payments they take back."""

from __future__ import annotations

from typing import Final

import polars as pl

from core.workloads.invoices.rules.sides.payers import account_keys, name_keys

DAYS_MOST: Final = 60
_NO_REFERENCE = ("NOTPROVIDED", "NONREF", "NONE", "")
_RETURNED = (
    r"(?i)\b(?:return|rtn|rück|rueck|rlast|revers|storno|chargeback|impag|devol|rejet|reject|unpaid|insufficient)"
)


def find_reversals(payments: pl.DataFrame) -> pl.DataFrame:
    """Pairs of a negative line and the one payment before it, at most 60 days, that it takes back.

    Args:
        payments: in the order of receipts, with `code`.
    Returns:
        reversal, original, sure (whether a reference, words or the bank say so, and not the payer and the amount
        alone); each line once.
    """
    lines = payments.with_row_index("row").select(
        pl.col("row").cast(pl.Int64),
        "code",
        "date",
        "text",
        "is_reversal",
        size=pl.col("amount").abs(),
        negative=pl.col("amount") < 0,
        end_to_end=_reference("end_to_end"),
        bank_reference=_reference("bank_reference"),
        payer=pl.coalesce(account_keys(payments["payer_account"]), name_keys(payments["payer"])),
        name=name_keys(payments["payer"]),
    )
    found = pl.DataFrame(schema={"reversal": pl.Int64, "original": pl.Int64, "sure": pl.Boolean})
    for key in ("end_to_end", "bank_reference", "payer", "name"):
        open_lines = lines.filter(
            ~pl.col("row").is_in(found["reversal"].implode()) & ~pl.col("row").is_in(found["original"].implode())
        )
        pairs = _pairs(open_lines, key).with_columns(
            sure=pl.col("returned") | (key in ("end_to_end", "bank_reference"))
        )
        found = pl.concat([found, pairs.select("reversal", "original", "sure")])
    return found.sort("reversal")


def _reference(name: str) -> pl.Expr:
    text = pl.col(name).str.strip_chars()
    return pl.when(~text.str.to_uppercase().is_in(_NO_REFERENCE)).then(text)


def _pairs(lines: pl.DataFrame, key: str) -> pl.DataFrame:
    """Pairs that agree on a key, amount and currency, where neither has another partner."""
    back = (
        lines.filter("negative")
        .drop_nulls(key)
        .select(
            "code",
            "size",
            key,
            reversal="row",
            on="date",
            returned=pl.col("text").str.contains(_RETURNED).fill_null(False) | pl.col("is_reversal"),
        )
    )
    paid = lines.filter(~pl.col("negative")).drop_nulls(key).select("code", "size", key, original="row", paid="date")
    days = pl.col("on") - pl.col("paid")
    pairs = back.join(paid, on=["code", "size", key]).filter((days >= 0) & (days <= DAYS_MOST))
    alone = (pl.len().over("reversal") == 1) & (pl.len().over("original") == 1)
    return pairs.filter(alone)
