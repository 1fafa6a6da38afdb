"""Dates of bank files and ledgers as days since 1970, in the order that their column tells."""

from __future__ import annotations

from typing import Final, NamedTuple

import polars as pl

_ISO: Final = r"^(\d{4})[-./](\d{1,2})[-./](\d{1,2})(?:[T ].*)?$"
_COMPACT: Final = r"^(\d{4})(\d{2})(\d{2})$"
_MARKED: Final = r"^(\d{1,2})([-./])(\d{1,2})[-./](\d{4}|\d{2})(?:[T ].*)?$"


def order_of(texts: pl.Series) -> tuple[bool | None, int | None]:
    """Whether the day is written before the month, as values tell; and a row that contradicts the first that tells.

    Returns:
        None where nothing tells; points between the parts are always read day first.
    """
    parts = texts.str.extract_groups(_MARKED)
    first = parts.struct.field("1").cast(pl.Int64, strict=False)
    second = parts.struct.field("3").cast(pl.Int64, strict=False)
    points = parts.struct.field("2") == "."
    day_first = (first > 12).fill_null(False)
    month_first = ((second > 12) & ~points).fill_null(False)
    if day_first.any() and month_first.any():
        return bool(day_first.arg_true()[0] < month_first.arg_true()[0]), int(
            max(day_first.arg_true()[0], month_first.arg_true()[0])
        )
    if not day_first.any() and not month_first.any():
        return None, None
    return bool(day_first.any()), None


class Order(NamedTuple):
    """How the dates of a column were read: a row that contradicts the others, and whether nothing told the order."""

    against: int | None
    is_open: bool


def days_of(texts: pl.Series, said: str | None) -> tuple[pl.Series, Order]:
    """Days of a column in the order that it tells or the user says, as `read_days`.

    Args:
        said: day_first, month_first, a format such as %d.%m.%Y, or None.
    """
    if said and said not in ("day_first", "month_first"):
        return texts.str.to_date(said, strict=False).cast(pl.Int32), Order(None, is_open=False)
    if said:
        return read_days(texts, said == "day_first"), Order(None, is_open=False)
    day_first, against = order_of(texts)
    is_open = day_first is None and bool(texts.str.contains(r"^\d{1,2}[/-]\d{1,2}[/-]").any())
    return read_days(texts, day_first is not False), Order(against, is_open)


def read_days(texts: pl.Series, day_first: bool) -> pl.Series:
    """Int32 days since 1970; null for null and for what is no date."""
    frame = pl.DataFrame({"text": texts.str.strip_chars()})
    parts = pl.col("text").str.extract_groups(_MARKED)
    one, other = parts.struct.field("1"), parts.struct.field("3")
    is_day_first = (parts.struct.field("2") == ".") | day_first
    day, month = pl.when(is_day_first).then(one).otherwise(other), pl.when(is_day_first).then(other).otherwise(one)
    year = parts.struct.field("4")
    year = pl.when(year.str.len_bytes() == 2).then("20" + year).otherwise(year)
    marked = pl.concat_str([year, month.str.zfill(2), day.str.zfill(2)], separator="-")
    found = pl.coalesce(_joined(_ISO), _joined(_COMPACT), marked)
    return frame.select(found.str.to_date("%Y-%m-%d", strict=False).cast(pl.Int32)).to_series().alias(texts.name)


def _joined(pattern: str) -> pl.Expr:
    parts = pl.col("text").str.extract_groups(pattern)
    fields = [parts.struct.field("1"), *(parts.struct.field(name).str.zfill(2) for name in "23")]
    return pl.concat_str(fields, separator="-")
