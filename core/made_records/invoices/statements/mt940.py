"""MT940, one message an account; :86: as German banks divide it. Source: SWIFT MT940, DFU agreement annex 3, ch. 8."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from core.made_records.invoices.books import Books
from core.made_records.invoices.statements import OPENING_MINOR, ascii_only, by_account, money

_END = "\r\n"


def pieces(books: Books) -> Iterator[str]:
    """The file as consecutive texts, an account each."""
    for nth, (account, currency, lines) in enumerate(by_account(books.payments), start=1):
        closing = OPENING_MINOR + int(lines["minor"].sum())
        yield f":20:MADE{nth}{_END}:25:{account}{_END}:28C:{nth}/1{_END}"
        yield _balance("60F", OPENING_MINOR, currency, lines["booked"][0])
        yield "".join(lines.select(_movement()).to_series())
        yield _balance("62F", closing, currency, lines["booked"][-1])
        yield f"-{_END}"


def _balance(field: str, minor: int, currency: str, day: str) -> str:
    side = "C" if minor >= 0 else "D"
    return f":{field}:{side}{day[2:].replace('-', '')}{currency}{_comma(money(minor, currency))}{_END}"


def _comma(amount: str) -> str:
    return amount.replace(".", ",") if "." in amount else f"{amount},"


def _movement() -> pl.Expr:
    """:61: with its supplement of amounts abroad and charges, and :86:."""
    plain = pl.col("amount").str.strip_prefix("-")
    amount = pl.when(plain.str.contains(".", literal=True)).then(_with_comma(plain)).otherwise(plain + pl.lit(","))
    booked = pl.col("booked").str.replace_all("-", "").str.slice(4)
    value = pl.col("value_date").str.replace_all("-", "").str.slice(2)
    # The end-to-end id stands in :86:; here only what fits sixteen letters.
    own = pl.when(pl.col("end_to_end").str.len_bytes() <= 16).then("end_to_end").otherwise(pl.lit("NONREF"))
    abroad = pl.lit("/OCMT/") + pl.col("original_currency") + _with_comma(pl.col("original_amount")) + pl.lit("/")
    charges = pl.lit("/CHGS/") + pl.col("currency") + _with_comma(pl.col("charges")) + pl.lit("/")
    supplement = abroad.fill_null("") + charges.fill_null("")
    return pl.concat_str(
        pl.lit(":61:"),
        value,
        booked,
        pl.when(pl.col("minor") >= 0).then(pl.lit("C")).otherwise(pl.lit("D")),
        amount,
        pl.lit("NTRF"),
        own.fill_null("NONREF"),
        pl.lit("//"),
        "bank_reference",
        pl.lit(_END),
        pl.when(supplement != "").then(supplement + pl.lit(_END)).otherwise(pl.lit("")),
        pl.lit(":86:"),
        _wrapped(_information()),
        pl.lit(_END),
    ).alias("movement")


def _with_comma(amount: pl.Expr) -> pl.Expr:
    return amount.str.replace(".", ",", literal=True)


def _information() -> pl.Expr:
    """166?00..., the text in pieces of 27 from ?20 on, ?31 account, ?32 and ?33 name."""
    eref = (pl.lit("EREF+") + pl.col("end_to_end") + pl.lit(" ")).fill_null("")
    reference = (pl.col("reference") + pl.lit(" ")).fill_null("")
    text = eref + pl.lit("SVWZ+") + reference + ascii_only(pl.col("text"))
    # A question mark begins a field.
    text = text.str.replace_all("?", ".", literal=True)
    parts = [pl.lit(f"?{20 + n}") + text.str.slice(27 * n, 27) for n in range(8)]
    shown = [parts[0]] + [
        pl.when(text.str.len_chars() > 27 * n).then(parts[n]).otherwise(pl.lit("")) for n in range(1, 8)
    ]
    name = ascii_only(pl.col("payer")).str.replace_all("?", ".", literal=True)
    return pl.concat_str(
        pl.when(pl.col("minor") >= 0).then(pl.lit("166?00GUTSCHRIFT")).otherwise(pl.lit("177?00BELASTUNG")),
        *shown,
        (pl.lit("?31") + pl.col("payer_account")).fill_null(""),
        pl.when(name != "").then(pl.lit("?32") + name.str.slice(0, 27)).otherwise(pl.lit("")),
        pl.when(name.str.len_chars() > 27).then(pl.lit("?33") + name.str.slice(27, 27)).otherwise(pl.lit("")),
    )


def _wrapped(text: pl.Expr) -> pl.Expr:
    """Lines of at most 65 letters, broken so that none begins with a colon or a hyphen, which would end the field."""
    # 63 letters a line; where a colon or hyphen would come next, one breaks before its forerunner.
    lines = text.str.replace_all(r"(.{62})(.[:\-])|(.{63})", f"${{1}}${{3}}{_END}${{2}}").str.strip_chars_end(_END)
    return lines.str.replace_all(r"\r\n[:\-]", f"{_END}.")
