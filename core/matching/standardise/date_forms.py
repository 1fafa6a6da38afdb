"""The forms a date is written in, as patterns over distinct values; what most files have is read by a kernel."""

from __future__ import annotations

from typing import Final

import polars as pl

from core.matching.standardise.month_names import is_weekday, month_number
from core.matching.standardise.unknown_words import UNKNOWN_WORDS

# What became of a value
READ: Final = 0
KEYING_ERROR: Final = 1
UNREADABLE: Final = 2
IMPOSSIBLE: Final = 3
SHORT_YEAR: Final = 4
FILLER: Final = 5
DAY_NUMBER: Final = 6

_YEAR_FIRST = r"^(?<y>\d{4})[-/. ](?<m>\d{1,2})[-/. ](?<d>\d{1,2})$"
YEAR_LAST = r"^(?<a>\d{1,2})(?<s>[-/. ])(?<b>\d{1,2})[-/. ](?<y>\d{4})$"
SHORT = r"^(?<a>\d{1,2})(?<s>[-/. ])(?<b>\d{1,2})[-/. ](?<y>\d{2})$"
_YEAR_MONTH = r"^(?<y>\d{4})[-/](?<m>\d{1,2})$"
_WORD = r"[\p{L}\p{M}]+"
_DAY_WORD = rf"^(?:(?<k>{_WORD}) )?(?<d>\d{{1,2}}) (?<w>{_WORD}) (?<y>\d{{4}}|\d{{2}})$"
_WORD_DAY = rf"^(?:(?<k>{_WORD}) )?(?<w>{_WORD}) (?<d>\d{{1,2}}) (?<y>\d{{4}}|\d{{2}})$"
_YEAR_WORD_DAY = rf"^(?<y>\d{{4}}) (?<w>{_WORD}) (?<d>\d{{1,2}})$"
_WORD_YEAR = rf"^(?<w>{_WORD}) (?<y>\d{{4}})$"
_YEAR_WORD = rf"^(?<y>\d{{4}}) (?<w>{_WORD})$"
_WORDED = {"dwy": _DAY_WORD, "wdy": _WORD_DAY, "ywd": _YEAR_WORD_DAY, "wy": _WORD_YEAR, "yw": _YEAR_WORD}
# A time behind the date and all behind it, but for a year: `Sat May 4 00:00:00 1985`.
_TIME = r"(?:[T ,]+(?:at |um |à |om |a las |às |alle |o )?\d{1,2}[:h]\d{2}\b.*?)( \d{4})?$"
_COMPACT_TIME = r"^(\d{8})T\d{4,6}.*$"
_ZONE = r"^(\d{4}-\d{2}-\d{2})(?:Z|[+-]\d{2}:\d{2})$"
_POINT_ZERO = r"^(\d{4,8})\.0+$"
_ORDINAL = r"\b(\d{1,2})(?:st|nd|rd|th|er|ère|ere|ème|eme|re|e|te[rn]?|de|o|a)\b"
_BETWEEN = r"\b(?:de|del|of|the|d|di|do|da|den|der|dem|vom|le|il|el|am|roku|rok|r|anno|dnia|op)\b"
# Zeros or nines alone, as databases and clerks write "no date".
_FILLER = r"^(?:0+(?:[-/. ]0+){0,2}|9{2,4}(?:[-/. ]9+){1,2}|9{4}|9{6,8})$"
_DAY_NUMBER = r"^(\d{5})(?:[.,]\d+)?$"
# Of spreadsheets: 1 is 1900-01-01, and 60 a 29 February that never was. To 2064.
_DAY_ZERO = -25_569
DAY_NUMBER_MIN: Final = 10_000
DAY_NUMBER_MAX: Final = 60_000


def tidy(text: pl.Expr) -> pl.Expr:
    """Without time, zone, blanks around what separates, and full stops at the end."""
    bare = text.str.strip_chars().str.replace(_TIME, "$1").str.replace(_COMPACT_TIME, "$1").str.replace(_ZONE, "$1")
    bare = bare.str.replace(_POINT_ZERO, "$1")
    return bare.str.replace_all(r"\s*([-/.])\s*", "$1").str.strip_chars(" .,;")


def parse_distinct(distinct: pl.Series, day_first: bool) -> pl.DataFrame:
    """Read distinct values that are not YYYY-MM-DD.

    Args:
        distinct: (n,) String.
    Returns:
        `text`; `date` Int32, null where there is none; `status` UInt8; and `likely` Int32, what a value of status
        SHORT_YEAR (in this century) or DAY_NUMBER would be: only its column tells whether it is.
    Cost: 2 us a value.
    """
    known = distinct.drop_nulls().to_frame("text").with_columns(bare=tidy(pl.col("text")))
    lettered = known["bare"].str.contains(r"\p{L}")
    words = known.filter(lettered)
    read = [_numeric(known.filter(~lettered), day_first)]
    if len(words):
        read.append(_worded(words))
    return pl.concat(read)


def _numeric(known: pl.DataFrame, day_first: bool) -> pl.DataFrame:
    text = pl.col("bare")
    rules = {"ymd": _YEAR_FIRST, "aby": YEAR_LAST, "ym": _YEAR_MONTH, "short": SHORT}
    frame = known.select("text", "bare", **{name: text.str.extract_groups(rule) for name, rule in rules.items()})
    a, b, year_last = _part("aby", "a"), _part("aby", "b"), _part("aby", "y")
    first_is_day = (_text("aby", "s") == ".") | pl.lit(day_first)
    usual = pl.when(first_is_day).then(date_of(year_last, b, a)).otherwise(date_of(year_last, a, b))
    other = pl.when(first_is_day).then(date_of(year_last, a, b)).otherwise(date_of(year_last, b, a))
    in_full = pl.coalesce(
        date_of(_part("ymd", "y"), _part("ymd", "m"), _part("ymd", "d")),
        usual,
        other,
        date_of(_part("ym", "y"), _part("ym", "m"), pl.lit(0, dtype=pl.Int32)),
    )
    typed = pl.coalesce(
        _digits(_part("ymd", "y"), _part("ymd", "m"), _part("ymd", "d")),
        pl.when(first_is_day | ((a > 12) & (b <= 12)))
        .then(_digits(year_last, b, a))
        .otherwise(_digits(year_last, a, b)),
    )
    compact = pl.when(text.str.contains(r"^\d{8}$")).then(text).cast(pl.Int32, strict=False)
    year_only = pl.when(text.str.contains(r"^\d{4}$")).then(text).cast(pl.Int32, strict=False) * 10_000
    number = text.str.extract(_DAY_NUMBER).cast(pl.Int32)
    counted = number.is_between(DAY_NUMBER_MIN, DAY_NUMBER_MAX)
    day = pl.from_epoch(number + _DAY_ZERO, time_unit="d")
    has_form = pl.any_horizontal(_part(name, "y").is_not_null() for name in ("ymd", "aby", "ym"))
    frame = frame.select(
        "text",
        "bare",
        date=pl.coalesce(in_full, compact, year_only, typed),
        likely=pl.when(counted).then(_digits(day.dt.year(), day.dt.month(), day.dt.day())).otherwise(_short(day_first)),
        kept=compact.is_not_null() & date_of(compact // 10_000, compact // 100 % 100, compact % 100).is_null(),
        impossible=has_form & pl.coalesce(in_full, compact, year_only).is_null(),
        short=_part("short", "y").is_not_null(),
        counted=counted,
        filler=text.str.contains(_FILLER) | ~text.str.contains(r"\d"),
    )
    status = (
        pl.when("filler")
        .then(pl.lit(FILLER))
        .when("counted")
        .then(pl.lit(DAY_NUMBER))
        .when(pl.col("short") & pl.col("likely").is_not_null())
        .then(pl.lit(SHORT_YEAR))
        .when(pl.col("impossible") | pl.col("short"))
        .then(pl.lit(IMPOSSIBLE))
        .when(pl.col("date").is_null())
        .then(pl.lit(UNREADABLE))
        .when("kept")
        .then(pl.lit(KEYING_ERROR))
        .otherwise(pl.lit(READ))
    )
    status = pl.when(pl.col("text").str.strip_chars() == "").then(pl.lit(READ)).otherwise(status)
    date = pl.when(~pl.col("filler")).then("date")
    likely = pl.col("likely").cast(pl.Int32)
    return frame.select("text", date=date.cast(pl.Int32), status=status.cast(pl.UInt8), likely=likely)


def _short(day_first: bool) -> pl.Expr:
    """A date whose year has two digits, in this century: its day and month are what counts."""
    a, b, c = _part("short", "a"), _part("short", "b"), _part("short", "y")
    first_is_day = (_text("short", "s") == ".") | pl.lit(day_first)
    usual = pl.when(first_is_day).then(date_of(2000 + c, b, a)).otherwise(date_of(2000 + c, a, b))
    other = pl.when(first_is_day).then(date_of(2000 + c, a, b)).otherwise(date_of(2000 + c, b, a))
    return pl.coalesce(pl.when(a > 31).then(date_of(2000 + a, b, c)), usual, other)


def plain_words(bare: pl.Expr) -> pl.Expr:
    """Numbers and words with single blanks between, without ordinals and what only joins: `may 4 1985`."""
    text = bare.str.to_lowercase().str.replace_all(r"[º°ª]", "").str.replace_all(_ORDINAL, "$1")
    text = text.str.replace_all(r"(\d)(\p{L})", "$1 $2").str.replace_all(r"(\p{L})(\d)", "$1 $2")
    text = text.str.replace_all(r"[^\p{L}\p{M}\d]+", " ").str.replace_all(_BETWEEN, " ")
    return text.str.replace_all(r" +", " ").str.strip_chars()


def _worded(known: pl.DataFrame) -> pl.DataFrame:
    known = known.with_columns(plain=plain_words(pl.col("bare")))
    frame = known.select(
        "text", "plain", **{name: pl.col("plain").str.extract_groups(rule) for name, rule in _WORDED.items()}
    )
    words = {str(word) for name in _WORDED for word in frame[name].struct.field("w").unique().drop_nulls()}
    led = {str(word) for name in ("dwy", "wdy") for word in frame[name].struct.field("k").unique().drop_nulls()}
    months = {word: number for word in words if (number := month_number(word)) is not None}
    strange = [word for word in led if not is_weekday(word)]
    found: dict[str, pl.Expr] = {}
    for name in _WORDED:
        month = _text(name, "w").replace_strict(months, default=None, return_dtype=pl.Int32)
        if name in ("dwy", "wdy"):
            month = pl.when(~_text(name, "k").is_in(strange).fill_null(False)).then(month)
        found[name] = month
    short = pl.any_horizontal((_text(name, "y").str.len_bytes() == 2).fill_null(False) for name in ("dwy", "wdy"))
    frame = frame.select(
        "text",
        date=pl.coalesce(date_of(_year(name), month, _day(name)) for name, month in found.items()),
        month=pl.coalesce(found.values()),
        short=short,
        unknown=pl.col("plain").is_in(list(UNKNOWN_WORDS)),
    )
    status = (
        pl.when("unknown")
        .then(pl.lit(FILLER))
        .when(pl.col("month").is_null())
        .then(pl.lit(UNREADABLE))
        .when(pl.col("date").is_null())
        .then(pl.lit(IMPOSSIBLE))
        .when("short")
        .then(pl.lit(SHORT_YEAR))
        .otherwise(pl.lit(READ))
    )
    date = pl.when(~pl.col("short")).then("date")
    likely = pl.when("short").then("date")
    return frame.select("text", date=date, status=status.cast(pl.UInt8), likely=likely)


def _year(form: str) -> pl.Expr:
    year = _part(form, "y")
    return pl.when(_text(form, "y").str.len_bytes() == 2).then(2000 + year).otherwise(year)


def _day(form: str) -> pl.Expr:
    return _part(form, "d") if "d" in form else pl.lit(0, dtype=pl.Int32)


def _part(form: str, name: str) -> pl.Expr:
    return pl.col(form).struct.field(name).cast(pl.Int32)


def _text(form: str, name: str) -> pl.Expr:
    return pl.col(form).struct.field(name)


def _digits(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    return year.cast(pl.Int32) * 10_000 + month.cast(pl.Int32) * 100 + day.cast(pl.Int32)


def date_of(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """yyyymmdd if that day exists (or the day, or day and month, are 0), else null."""
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    long = pl.when(month == 2).then(28 + leap.cast(pl.Int32)).when(month.is_in([4, 6, 9, 11])).then(30).otherwise(31)
    exists = (year >= 1) & (month <= 12) & (day <= long) & ((month > 0) | (day == 0))
    return pl.when(exists).then(year * 10_000 + month * 100 + day).cast(pl.Int32)
