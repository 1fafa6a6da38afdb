"""camt.053.001.08, one statement an account. Source: ISO 20022, BankToCustomerStatementV08."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import polars as pl

from core.made_records.invoices.books import Books
from core.made_records.invoices.statements import OPENING_MINOR, by_account, money

_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


def pieces(books: Books) -> Iterator[str]:
    """The file as consecutive texts, an account each."""
    made = f"{books.payments['booked'][-1]}T20:00:00"
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{_NAMESPACE}"><BkToCstmrStmt>'
    yield f"<GrpHdr><MsgId>MADE</MsgId><CreDtTm>{made}</CreDtTm></GrpHdr>\n"
    for nth, (account, currency, lines) in enumerate(by_account(books.payments), start=1):
        first, last = lines["booked"][0], lines["booked"][-1]
        yield f"<Stmt><Id>STMT{nth}</Id><ElctrncSeqNb>{nth}</ElctrncSeqNb><CreDtTm>{made}</CreDtTm>"
        yield f"<Acct><Id><IBAN>{account}</IBAN></Id><Ccy>{currency}</Ccy></Acct>\n"
        yield _balance("OPBD", OPENING_MINOR, currency, first)
        yield _balance("CLBD", OPENING_MINOR + int(lines["minor"].sum()), currency, last)
        yield "".join(lines.select(_entry()).to_series())
        yield "</Stmt>\n"
    yield "</BkToCstmrStmt></Document>\n"


def _balance(kind: str, minor: int, currency: str, day: str) -> str:
    side = "CRDT" if minor >= 0 else "DBIT"
    amount = f'<Amt Ccy="{currency}">{money(minor, currency)}</Amt><CdtDbtInd>{side}</CdtDbtInd>'
    return f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>{amount}<Dt><Dt>{day}</Dt></Dt></Bal>\n"


def _entry() -> pl.Expr:
    """An entry of one line. Who paid is the debtor of money that came, the creditor of money that went."""
    came = pl.col("minor") >= 0
    side = pl.when(came).then(pl.lit("CRDT")).otherwise(pl.lit("DBIT"))
    party = pl.when(came).then(pl.lit("Dbtr")).otherwise(pl.lit("Cdtr"))
    account = pl.col("payer_account")
    is_iban = account.str.contains(r"^[A-Z]{2}\d{2}")
    number = pl.when(is_iban).then(_tag("IBAN", account)).otherwise(_tag("Othr", _tag("Id", account)))
    amount = pl.concat_str(
        pl.lit('<Amt Ccy="'), "currency", pl.lit('">'), pl.col("amount").str.strip_prefix("-"), pl.lit("</Amt>")
    )
    instructed = pl.concat_str(
        pl.lit('<AmtDtls><InstdAmt><Amt Ccy="'),
        "original_currency",
        pl.lit('">'),
        "original_amount",
        pl.lit("</Amt></InstdAmt></AmtDtls>"),
    )
    charges = pl.concat_str(
        pl.lit('<Chrgs><Rcrd><Amt Ccy="'), "currency", pl.lit('">'), "charges", pl.lit("</Amt></Rcrd></Chrgs>")
    )
    name = pl.concat_str(_open(party), _tag("Pty", _tag("Nm", _escaped("payer"))), _close(party))
    parties = pl.concat_str(name.fill_null(""), _party_account(party, number).fill_null(""))
    told = pl.concat_str(
        _tag("Ustrd", _escaped("text")).fill_null(""),
        _tag("Strd", _tag("CdtrRefInf", _tag("Ref", pl.col("reference")))).fill_null(""),
    )
    details = pl.concat_str(
        _tag("Refs", _tag("EndToEndId", pl.col("end_to_end"))).fill_null(""),
        instructed.fill_null(""),
        charges.fill_null(""),
        _tag("RltdPties", parties),
        _tag("RmtInf", told),
    )
    return pl.concat_str(
        pl.lit("<Ntry>"),
        amount,
        _tag("CdtDbtInd", side),
        pl.lit("<Sts><Cd>BOOK</Cd></Sts>"),
        _tag("BookgDt", _tag("Dt", pl.col("booked"))),
        _tag("ValDt", _tag("Dt", pl.col("value_date"))),
        _tag("AcctSvcrRef", pl.col("bank_reference")),
        pl.lit("<BkTxCd><Prtry><Cd>NTRF</Cd></Prtry></BkTxCd>"),
        _tag("NtryDtls", _tag("TxDtls", details)),
        pl.lit("</Ntry>\n"),
    ).alias("entry")


def _tag(name: str, inner: pl.Expr) -> pl.Expr:
    return pl.lit(f"<{name}>") + inner + pl.lit(f"</{name}>")


def _open(name: pl.Expr) -> pl.Expr:
    return pl.lit("<") + name + pl.lit(">")


def _close(name: pl.Expr) -> pl.Expr:
    return pl.lit("</") + name + pl.lit(">")


def _party_account(party: pl.Expr, number: pl.Expr) -> pl.Expr:
    name = party + pl.lit("Acct")
    return _open(name) + _tag("Id", number) + _close(name)


def _escaped(column: str) -> pl.Expr:
    # An empty element would not be valid.
    text: pl.Expr = pl.when(pl.col(column) != "").then(column)
    for letter in "&<>":
        text = text.str.replace_all(letter, escape(letter), literal=True)
    return text
