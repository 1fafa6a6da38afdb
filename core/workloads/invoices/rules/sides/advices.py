"""Which payment each remittance advice explains, and what it says of it."""

from __future__ import annotations

from typing import Final

import polars as pl

from core.workloads.invoices.rules.sides.payers import account_keys, name_keys

DAYS_MOST: Final = 5
"""Between a payment and an advice that names no trace of it."""
_KEYS: Final = ("id", "end_to_end", "bank_reference", "reference")
_APART: Final = "\n\n\n\n"


def advise(payments: pl.DataFrame, advices: pl.DataFrame | None) -> tuple[pl.DataFrame, int]:
    """Payments with `advised`, the documents that advices name, and `stated`, what these pay; how many are left over.

    An advice explains the one payment that its trace names; without one that of its payer, total and currency within
    five days. What might be of two payments is left.

    Args:
        payments: as in `Tables`. advices: a row a document, with advice, file, payment, payer, payer_account, date,
            currency, total_minor, reference, paid_minor.
    """
    none = (pl.lit(None, pl.String).alias("advised"), pl.lit(None, pl.Int64).alias("stated"))
    if advices is None or not len(advices):
        return payments.with_columns(none), 0
    named = advices.drop_nulls("reference").with_columns(number=pl.struct("file", "advice", "payment").rank("dense"))
    one = named.group_by("number", maintain_order=True).agg(
        pl.col("payment", "payer", "payer_account", "date", "currency", "total_minor").first(),
        stated=pl.when(pl.col("paid_minor").is_not_null().all()).then(pl.col("paid_minor").sum()),
        said=pl.col("reference").str.join(_APART),
    )
    lines = payments.with_row_index("receipt")
    pairs = _by_trace(one, lines)
    rest = one.join(pairs, on="number", how="anti")
    pairs = pl.concat([pairs, _by_payer(rest, lines.join(pairs, on="receipt", how="anti"))])
    found = pairs.join(one, on="number")
    told = (
        found.sort("receipt", "number")
        .group_by("receipt")
        .agg(
            advised=pl.col("said").str.join(_APART),
            stated=pl.when(pl.col("stated").is_not_null().all()).then(pl.col("stated").sum()),
        )
    )
    joined = lines.join(told, on="receipt", how="left", maintain_order="left").drop("receipt")
    return joined, len(one) - len(pairs)


def _by_trace(advices: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """number, receipt of those whose trace one incoming payment has."""
    wanted = advices.select("number", trace=_plain("payment")).drop_nulls()
    incoming = lines.filter(pl.col("amount") > 0)
    keyed = [incoming.select("receipt", trace=_plain(key)) for key in _KEYS]
    found = wanted.join(pl.concat(keyed).drop_nulls().unique(), on="trace").select("number", "receipt").unique()
    return found.filter(pl.len().over("number") == 1)


def _plain(name: str) -> pl.Expr:
    text = pl.col(name).str.strip_chars().str.to_uppercase()
    return pl.when(~text.is_in(["", "NOTPROVIDED", "NONREF", "NONE"])).then(text)


def _by_payer(advices: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """number, receipt of those that one payer's account or name, total and currency join, near in time."""

    def keyed(frame: pl.DataFrame, number: str, amount: str, day: pl.Expr) -> pl.DataFrame:
        keys = (account_keys(frame["payer_account"]), name_keys(frame["payer"]))
        parts = [
            frame.select(number, "currency", amount=pl.col(amount), day=day, key=pl.lit(key)).drop_nulls("key")
            for key in keys
        ]
        return pl.concat(parts).drop_nulls().unique()

    said = keyed(advices, "number", "total_minor", pl.col("date").str.to_date("%Y-%m-%d").cast(pl.Int32))
    paid = keyed(lines, "receipt", "amount", pl.col("date")).rename({"day": "on"})
    near = said.join(paid, on=["currency", "amount", "key"]).filter((pl.col("on") - pl.col("day")).abs() <= DAYS_MOST)
    found = near.select("number", "receipt").unique()
    return found.filter((pl.len().over("number") == 1) & (pl.len().over("receipt") == 1))
