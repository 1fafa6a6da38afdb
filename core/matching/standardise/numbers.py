"""Numbers as people and tools write them: decimal comma or point, thousands, currency and percent signs.

Most values tell by themselves which sign divides whole from fraction: `1.234,56`, `12,5`, `1,234,567`. `1.234` and
`1,234` do not; the column decides for them, as it does for the order of day and month.
"""

from __future__ import annotations

from typing import Final

import polars as pl

_MONEY: Final = (
    r"(?:[\p{Sc}%‰]|\b(?:eur|usd|gbp|chf|jpy|cad|aud|pln|czk|huf|sek|nok|dkk|brl|mxn|inr|cny|zł|zl|kr|kč|kc|ft|fr|rs|mio)\b\.?"
    r"|\b(?:us|r|a|c)\$)"
)
_AROUND: Final = rf"^(?:\s|{_MONEY})+|(?:\s|{_MONEY})+$"
# `12,-` is a price without a fraction.
_NO_FRACTION: Final = r"[.,]\s*[-–—]+$"
_COMMA_DIVIDES: Final = (
    r"^[+-]?(?:\d{1,3}(?:\.\d{3})+,\d*|\d*,(?:\d{0,2}|\d{4,})|0+,\d+|\d{4,},\d+|\d{1,3}(?:\.\d{3}){2,})$"
)
_POINT_DIVIDES: Final = (
    r"^[+-]?(?:\d{1,3}(?:,\d{2,3})+\.\d*|\d*\.(?:\d{0,2}|\d{4,})|0+\.\d+|\d{4,}\.\d+|\d{1,3}(?:,\d{2,3}){2,})$"
)
_GROUPED: Final = r"^[+-]?(?:\d{1,3}(?:,\d{2,3})+(?:\.\d*)?|[^,]*)$"
_EITHER: Final = r"^[+-]?[1-9]\d{0,2}[.,]\d{3}$"


def number_of(text: pl.Expr) -> pl.Expr:
    """Float32 of folded text; null where it is no number. Where nothing tells, the point divides."""
    plain = text.cast(pl.Float32, strict=False)
    bare = _bare(text)
    swapped = bare.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    pointed = pl.when(bare.str.contains(_GROUPED)).then(bare.str.replace_all(",", "", literal=True))
    read = pl.when(bare.str.contains(_COMMA_DIVIDES)).then(swapped).otherwise(pointed)
    # `infinity` and `nan` are words.
    number = pl.coalesce(plain, read.cast(pl.Float32, strict=False))
    return pl.when(number.is_finite()).then(number)


def with_comma(texts: pl.Series) -> pl.Series:
    """The texts of a column whose comma divides, so that `number_of` reads them: `1.234` as `1234`, `1,234` as `1.234`.

    Values that tell by themselves stay as they are.
    """
    text = pl.col(texts.name)
    bare = _bare(text.str.to_lowercase())
    swapped = bare.str.replace(".", "", literal=True).str.replace(",", ".", literal=True)
    read = pl.when(bare.str.contains(_EITHER)).then(swapped).otherwise(text)
    return texts.to_frame().select(read.alias(texts.name)).to_series()


def count_forms(texts: pl.Series) -> tuple[int, int, int]:
    """Of the values of a column, how many the comma divides, how many the point does, and how many do not tell."""
    odd = texts.filter(texts.str.contains("[.,]").fill_null(False)).alias("text").to_frame()
    bare = _bare(pl.col("text").str.to_lowercase())
    rules = {"comma": _COMMA_DIVIDES, "point": _POINT_DIVIDES, "either": _EITHER}
    sums = odd.select(**{name: bare.str.contains(rule).sum() for name, rule in rules.items()}).row(0)
    return int(sums[0] or 0), int(sums[1] or 0), int(sums[2] or 0)


def _bare(text: pl.Expr) -> pl.Expr:
    """Digits, signs, point and comma of folded text, without what stands around numbers and between thousands."""
    minus = text.str.replace_all("[−–—]", "-").str.replace(_NO_FRACTION, "").str.replace_all(_AROUND, "")
    signed = minus.str.replace(r"^\((.*)\)$", "-${1}").str.replace(r"^(.*\d)\s*-$", "-${1}")
    inner = signed.str.replace(rf"^([+-])(?:\s|{_MONEY})+", "${1}")
    return inner.str.replace_all(r"[\s_'’`´]", "")
