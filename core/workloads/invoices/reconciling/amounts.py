"""Amounts as people and programs write them, read to the minor unit or refused."""

from __future__ import annotations

from typing import Final

import polars as pl

from core.currencies import exponents, to_minor

_SPACES: Final = r"[\s\u00a0\u202f\u2009'’_]"
_LETTERS: Final = r"(?i)^(?:[a-z]{3}|[€$£¥])|(?:[a-z]{3}|[€$£¥])$"
_NUMBER: Final = r"^[0-9][0-9.,]*$|^[.,][0-9]+$"
_DECIMALS_OF_FLOATS: Final = 7
"""Decimals from on which a text was a float."""


def decimal_mark(texts: pl.Series) -> str | None:
    """The mark before decimals in a column, "." or ",", as its values tell; None where none tells."""
    bare = _bare(texts)
    seen = {}
    for mark, other in ((".", ","), (",", ".")):
        # Behind the last mark, where the other stands before it, or where not just three digits follow.
        both = rf"\{other}[0-9]{{3}}\{mark}[0-9]*$"
        single = rf"^[0-9]*\{mark}(?:[0-9]{{1,2}}|[0-9]{{4,}})$"
        seen[mark] = int(bare.str.contains(both).sum() or 0) + int(bare.str.contains(single).sum() or 0)
    if not seen["."] and not seen[","]:
        return None
    return "." if seen["."] >= seen[","] else ","


def _bare(texts: pl.Series) -> pl.Series:
    """Digits and marks only: without sign, spaces between thousands, and currency."""
    bare = texts.str.replace_all(_SPACES, "").str.replace_all(r"^[(+-]+|[)+-]+$", "")
    return bare.str.replace_all(_LETTERS, "").str.replace_all(r"^[(+-]+|[)+-]+$", "")


def read_amounts(texts: pl.Series, currency: pl.Series, decimal: str | None = None) -> pl.Series:
    """Int64 minor units of texts such as `1.234,56`, `(12.00)`, `12-`, `1 234.56`, `EUR 5`.

    Args:
        decimal: the mark before decimals, where the user says it; else as the column tells.
    Returns:
        null for null, and for what is no amount, is more exact than its currency, or might be two amounts.
    """
    mark = decimal or decimal_mark(texts)
    bare = _bare(texts)
    whole = texts.str.replace_all(_SPACES, "").str.replace_all(r"(?i)[a-z€$£¥]", "")
    negative = whole.str.contains(r"^\(.*\)$|^-|-$")
    one_sign = whole.str.count_matches(r"[-+(]") <= 1
    frame = pl.DataFrame({"bare": bare, "negative": negative, "one_sign": one_sign, "currency": currency})
    frame = frame.with_columns(exponent=exponents(pl.col("currency")))
    if mark is None:
        # Three digits behind the only mark: decimals of a currency that has three, thousands of no other for sure.
        unclear = pl.col("bare").str.contains(r"^[0-9]{1,3}[.,][0-9]{3}$") & (pl.col("exponent") != 3)
        plain = pl.when(unclear).then(None).otherwise(_plain("."))
    else:
        plain = _plain(mark)
    plain = pl.when(pl.col("bare").str.contains(_NUMBER) & pl.col("one_sign")).then(plain)
    signed = pl.when(pl.col("negative")).then("-" + plain).otherwise(plain)
    return frame.select(to_minor(_unfloated(signed), pl.col("exponent"))).to_series().alias(texts.name)


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
