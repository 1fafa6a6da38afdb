"""Amounts as people and programs write them, read to the minor unit or refused."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from core.currencies import MINOR_MAX, exponent_of, exponents, to_minor

_SPACES: Final = r"[\s\u00a0\u202f\u2009'’_]"
_LETTERS: Final = r"(?i)^(?:[a-z]{3}|[€$£¥])|(?:[a-z]{3}|[€$£¥])$"
_NUMBER: Final = r"^[0-9][0-9.,]*$|^[.,][0-9]+$"
_SIGNS: Final = r"[(+\-−]"
# Three digits behind the only mark: decimals or thousands.
_UNCLEAR: Final = r"^[1-9][0-9]{0,2}[.,][0-9]{3}$"
_MOST_EXACT: Final = "CLF"
"""A currency with as many decimals as any."""
_LEADING_ZERO: Final = re.compile(r"\D*0")
_LONG, _HUGE = re.compile(r"^\D*[0-9]+[.,][0-9]{5,}\D*$"), re.compile(r"^\D*[0-9]{13,}(?:[.,][0-9]*)?\D*$")
_DECIMALS_OF_FLOATS: Final = 7
"""Decimals from on which a text was a float."""
_DEBIT: Final = r"(?i)^\s*(?:d|dr|dbit|debit|debet|soll|s|out|-)\s*$"
_CREDIT: Final = r"(?i)^\s*(?:c|cr|crdt|credit|haben|h|in|\+)\s*$"


def _own_marks(bare: pl.Series) -> pl.Series:
    """The mark before decimals that each value shows by itself, null where it shows none."""
    text = pl.col("bare")
    # The last of two kinds, or the only one where what stands around it is no thousands.
    both = pl.coalesce(text.str.extract(r",[0-9.]*?(\.)[0-9]*$"), text.str.extract(r"\.[0-9,]*?(,)[0-9]*$"))
    single = pl.when(~text.str.contains(_UNCLEAR)).then(text.str.extract(r"^[0-9]*([.,])[0-9]*$"))
    has_both = text.str.contains(".", literal=True) & text.str.contains(",", literal=True)
    mark = pl.when(has_both).then(both).otherwise(single)
    once = ((mark == ".") & (text.str.count_matches(".", literal=True) == 1)) | (
        (mark == ",") & (text.str.count_matches(",", literal=True) == 1)
    )
    return pl.DataFrame({"bare": bare}).select(pl.when(once).then(mark)).to_series()


def _bare(texts: pl.Series) -> pl.Series:
    """Digits and marks only: without sign, spaces between thousands, and currency."""
    bare = texts.str.replace_all(_SPACES, "").str.replace_all(r"^[(+−-]+|[)+−-]+$", "")
    return bare.str.replace_all(_LETTERS, "").str.replace_all(r"^[(+−-]+|[)+−-]+$", "")


def read_amounts(texts: pl.Series, currency: pl.Series, decimal: str | None = None) -> pl.Series:
    """Int64 minor units of texts such as `1.234,56`, `(12.00)`, `12-`, `1 234.56`, `EUR 5`.

    Args:
        decimal: the mark before decimals, where the user says it; else as the value tells, then its column.
    Returns:
        null for null, and for what is no amount, is more exact than its currency, or might be two amounts.
    """
    bare = _bare(texts)
    whole = texts.str.replace_all(_SPACES, "").str.replace_all(r"(?i)[a-z€$£¥]", "")
    negative = whole.str.contains(r"^\(.*\)$|^[−-]|[−-]$")
    in_pairs = whole.str.count_matches("(", literal=True) == whole.str.count_matches(")", literal=True)
    one_sign = (whole.str.count_matches(_SIGNS) <= 1) & in_pairs
    mark = pl.repeat(decimal, len(texts), dtype=pl.String, eager=True) if decimal else _marks(bare)
    frame = pl.DataFrame(
        {"bare": bare, "negative": negative, "one_sign": one_sign, "currency": currency, "mark": mark}
    ).with_columns(exponent=exponents(pl.col("currency")))
    # Where nothing tells, a point stands before three decimals in a currency that has three, and is not sure elsewhere.
    thirds = pl.col("bare").str.contains(".", literal=True) & (pl.col("exponent") == 3)
    unclear = pl.col("mark").is_null() & pl.col("bare").str.contains(_UNCLEAR) & ~thirds
    # Step by step: an expression that stands in another twice is computed twice, and again at each level above.
    frame = frame.with_columns(comma=_plain(","), point=_plain("."), readable=pl.col("one_sign") & ~unclear)
    plain = pl.when(pl.col("mark") == ",").then("comma").otherwise("point")
    frame = frame.with_columns(text=pl.when(pl.col("bare").str.contains(_NUMBER) & pl.col("readable")).then(plain))
    frame = frame.with_columns(text=pl.when("negative").then("-" + pl.col("text")).otherwise("text"))
    frame = frame.with_columns(text=_unfloated(pl.col("text")))
    return frame.select(to_minor(pl.col("text"), pl.col("exponent"))).to_series().alias(texts.name)


def fault_of(text: str, currency: str, decimal: str | None = None) -> str:
    """Why `read_amounts` does not read one text, in words that do not repeat it."""

    def reads(code: str, mark: str) -> bool:
        return read_amounts(pl.Series([text]), pl.Series([code]), mark)[0] is not None

    marks = (decimal,) if decimal else (".", ",")
    if decimal is None and not _LEADING_ZERO.match(text) and any(reads(currency, mark) for mark in marks):
        return "may be read in two ways; `map` decimal says which mark stands before decimals"
    if any(reads(_MOST_EXACT, mark) for mark in marks) or _LONG.search(text):
        return f"has more decimals than {currency} has ({exponent_of(currency)})"
    if _HUGE.search(text):
        return f"is beyond what is counted, {MINOR_MAX:,} of the smallest unit"
    return "is no amount"


def read_sides(texts: pl.Series) -> pl.Series:
    """Boolean: whether a text says debit; null for null, and for what says neither debit nor credit."""
    debit, credit = texts.str.contains(_DEBIT), texts.str.contains(_CREDIT)
    return pl.select(pl.when(debit | credit).then(debit)).to_series().alias(texts.name)


def by_side(amount: pl.Series, debit: pl.Series) -> pl.Series:
    """Amounts with the sign that their side says; as they are where it is null."""
    signed = pl.when(debit).then(-amount.abs()).when(~debit).then(amount.abs()).otherwise(amount)
    return pl.select(signed).to_series().alias(amount.name)


def _marks(bare: pl.Series) -> pl.Series:
    """The mark of each value, that of its column where it shows none and the others agree."""
    own = _own_marks(bare)
    told = own.drop_nulls().unique()
    return own.fill_null(str(told[0])) if len(told) == 1 else own


def _plain(mark: str) -> pl.Expr:
    """Without marks between thousands, which must stand between groups of three (or two, as in India)."""
    other = "," if mark == "." else "."
    grouped = rf"^[0-9]{{1,3}}(?:\{other}[0-9]{{2,3}})*\{other}[0-9]{{3}}(?:\{mark}[0-9]*)?$"
    single = rf"^[0-9]*(?:\{mark}[0-9]*)?$"
    # Where a mark stands twice it parts thousands, whichever it is.
    thousands = rf"^[0-9]{{1,3}}(?:\{mark}[0-9]{{3}}){{2,}}$"
    bare = pl.col("bare")
    without = bare.str.replace_all(other, "", literal=True).str.replace(mark, ".", literal=True)
    plain = (
        pl.when(bare.str.contains(grouped) | bare.str.contains(single))
        .then(without)
        .when(bare.str.contains(thousands))
        .then(bare.str.replace_all(mark, "", literal=True))
    )
    return pl.when(plain.str.starts_with(".")).then("0" + plain).otherwise(plain)


def _unfloated(text: pl.Expr) -> pl.Expr:
    """Texts of floats within a millionth of two decimals, as those decimals."""
    is_float = text.str.contains(rf"\.[0-9]{{{_DECIMALS_OF_FLOATS},}}$")
    value = text.cast(pl.Float64, strict=False)
    near = (value - value.round(3)).abs() < 1e-6
    rounded = value.round(3).cast(pl.String)
    return pl.when(is_float & near & (value.abs() < 2**43)).then(rounded).otherwise(text)
