"""ANSI X12 820 (004010): what payers write of each payment, with what they paid, owed and took off per invoice."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from core.made_records.invoices.books import Books
from core.made_records.invoices.statements import ascii_only

_RESERVED = r"[*~:^>]"


def pieces(books: Books) -> Iterator[str]:
    """The file as consecutive texts. Lines of customers that pay have one transaction each, by `bank_reference`."""
    day = books.payments["booked"][-1][2:].replace("-", "")
    blank = " " * 10
    yield (
        f"ISA*00*{blank}*00*{blank}*ZZ*{'PAYERS':<15}*ZZ*{'OWNER':<15}*{day}*2000*U*00401*000000001*0*P*>~\n"
        f"GS*RA*PAYERS*OWNER*20{day}*2000*1*X*004010~\n"
    )
    transactions = _transactions(books)
    yield "".join(transactions["segments"])
    yield f"GE*{len(transactions)}*1~\nIEA*1*000000001~\n"


def _transactions(books: Books) -> pl.DataFrame:
    paying = books.payments.filter(pl.col("id").is_in(books.written["payment_id"].unique().implode()))
    lines = _details(books)
    # ST BPR TRN CUR DTM N1 ENT, the details, SE
    frame = paying.join(lines, left_on="id", right_on="payment_id", how="left", maintain_order="left").with_columns(
        pl.col("details").fill_null(""), pl.col("n_details").fill_null(0), number=pl.row_index() + 1
    )
    number = pl.col("number").cast(pl.String).str.pad_start(4, "0")
    account = pl.col("payer_account").fill_null("")
    return frame.select(
        segments=pl.concat_str(
            pl.lit("ST*820*"),
            number,
            pl.lit("~\nBPR*C*"),
            "amount",
            pl.lit("*C*ACH*CTX*ZZ**DA*"),
            account,
            pl.lit("*****DA*"),
            "own_account",
            pl.lit("*"),
            pl.col("booked").str.replace_all("-", ""),
            pl.lit("~\nTRN*1*"),
            "bank_reference",
            pl.lit("~\nCUR*PR*"),
            "currency",
            pl.lit("~\nDTM*097*"),
            pl.col("booked").str.replace_all("-", ""),
            pl.lit("~\nN1*PR*"),
            ascii_only(pl.col("payer")).str.replace_all(_RESERVED, "."),
            pl.lit("~\nENT*1~\n"),
            "details",
            pl.lit("SE*"),
            (pl.col("n_details") + 8).cast(pl.String),
            pl.lit("*"),
            number,
            pl.lit("~\n"),
        )
    )


def _details(books: Books) -> pl.DataFrame:
    """payment_id, details and n_details: an RMR for each item that the payer names."""
    named = books.written.filter(pl.col("written").is_not_null())
    segment = pl.concat_str(
        pl.lit("RMR*IV*"),
        ascii_only(pl.col("written")).str.replace_all(_RESERVED, "."),
        pl.lit("**"),
        "paid",
        pl.lit("*"),
        "gross",
        pl.when(pl.col("took_off")).then(pl.lit("*") + pl.col("discount")).otherwise(pl.lit("")),
        pl.lit("~\n"),
    )
    return (
        named.with_columns(took_off=pl.col("discount").str.contains("[1-9]"))
        .group_by("payment_id", maintain_order=True)
        .agg(details=segment.str.join(""), n_details=pl.len().cast(pl.Int64))
    )
