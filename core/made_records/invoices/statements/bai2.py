"""BAI2, a group a day and an account in it; long texts in 88 records. Source: BAI Cash Management Reporting, 2005."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from core.made_records.invoices.books import Books
from core.made_records.invoices.statements import OPENING_MINOR, ascii_only, by_account

_TEXT_WIDTH = 70


def pieces(books: Books) -> Iterator[str]:
    """The file as consecutive texts, a day each."""
    accounts = list(by_account(books.payments))
    lines = pl.concat([lines for _, _, lines in accounts]).with_columns(record=_transaction())
    held = {account: OPENING_MINOR for account, _, _ in accounts}
    made = books.payments["booked"][-1][2:].replace("-", "")
    yield f"01,BANK,OWNER,{made},2000,1,,,2/\n"
    n_records, n_groups, total = 2, 0, 0
    for day in lines.sort("booked", maintain_order=True).partition_by("booked", maintain_order=True):
        text, group_total, group_records = _group(day, held)
        n_records, n_groups, total = n_records + group_records, n_groups + 1, total + group_total
        yield text
    yield f"99,{total},{n_groups},{n_records}/\n"


def _group(day: pl.DataFrame, held: dict[str, int]) -> tuple[str, int, int]:
    """Text, control total and number of records of one day."""
    date = day["booked"][0][2:].replace("-", "")
    parts, total, n_records = [f"02,OWNER,BANK,1,{date},2359,,2/\n"], 0, 2
    accounts = day.partition_by("own_account", maintain_order=True)
    for lines in accounts:
        account, currency = lines["own_account"][0], lines["currency"][0]
        opening = held[account]
        held[account] = closing = opening + int(lines["minor"].sum())
        text = "".join(lines["record"])
        control = opening + closing + int(lines["minor"].abs().sum())
        n_of_account = 2 + text.count("\n")
        parts.append(f"03,{account},{currency},010,{opening},,,015,{closing},,/\n{text}49,{control},{n_of_account}/\n")
        total, n_records = total + control, n_records + n_of_account
    parts.append(f"98,{total},{len(accounts)},{n_records}/\n")
    return "".join(parts), total, n_records


def _transaction() -> pl.Expr:
    """16 with type, amount in minor units, value date, references and text; 88 for what is longer."""
    text = pl.concat_str(
        ascii_only(pl.col("payer")),
        pl.lit("|"),
        pl.col("payer_account").fill_null(""),
        pl.lit("|"),
        pl.col("reference").fill_null(""),
        pl.lit("|"),
        ascii_only(pl.col("text")),
        (pl.lit("|OCMT/") + pl.col("original_currency") + pl.col("original_amount")).fill_null(""),
        (pl.lit("|CHGS/") + pl.col("charges")).fill_null(""),
    )
    cut = text.str.replace_all(rf"(.{{{_TEXT_WIDTH}}})", "${1}\n88,").str.strip_suffix("\n88,")
    return pl.concat_str(
        pl.when(pl.col("minor") >= 0).then(pl.lit("16,195,")).otherwise(pl.lit("16,495,")),
        pl.col("minor").abs().cast(pl.String),
        pl.lit(",V,"),
        pl.col("value_date").str.replace_all("-", "").str.slice(2),
        pl.lit(",,"),
        "bank_reference",
        pl.lit(","),
        pl.col("end_to_end").fill_null(""),
        pl.lit(","),
        cut,
        pl.lit("\n"),
    ).alias("record")
