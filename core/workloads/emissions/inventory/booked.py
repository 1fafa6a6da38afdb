"""What a line says as numbers and days: whole minor units, scaled quantities, dates; and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

import polars as pl

from core.currencies import exponents, to_minor
from core.workloads.emissions.inventory.policies.policy import Policy
from core.workloads.emissions.rules.decimals import is_blank, plain_of

QUANTITY_DIGITS: Final = 18
NUMBERS: Final = ("amount", "tax", "quantity", "covers_amount", "supplier_factor")
_PLAIN: Final = r"^-?[0-9]+(\.[0-9]+)?$"
_WHOLE: Final = r"^-?[0-9]+$"
_NOTHING: Final = r"^$"
_YEARS: Final = (1990, 2100)
_SLASHED: Final = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})", re.ASCII)
_YEAR_FIRST: Final = re.compile(r"(\d{4})([-/.]?)(\d{2})\2(\d{2})([T ].*)?", re.ASCII)
_WITH_MONTH: Final = (
    re.compile(r"(?P<day>\d{1,2})[ .-]+(?P<month>[a-z]{3,9})\.?,?[ -]+(?P<year>\d{4})", re.ASCII | re.IGNORECASE),
    re.compile(r"(?P<month>[a-z]{3,9})\.? +(?P<day>\d{1,2}),? +(?P<year>\d{4})", re.ASCII | re.IGNORECASE),
)
_MONTHS: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


def booked(lines: pl.DataFrame, policy: Policy, period: int | None) -> pl.DataFrame:
    """The lines with their numbers read.

    Returns: beside the columns of the lines
        currency: capitals. amount_minor, tax_minor, covers_minor, net_minor: Int64, minor units; net without tax.
        n, places: the quantity is n / 10^places. supplier_factor: plain text. day: date as far as it is stated, ISO.
        year: Int32 of the date, else the period.
        <number>_state, date_state: ok, blank, or unclear (two readings, or none). <number>_said, date_said: as written.
    Cost: some 2 us a line.
    """
    frame = lines.with_columns(
        # GBp is a hundredth of GBP, as ZAc is of ZAR: only what is wholly small is a code written small.
        pl.when(~pl.col("currency").str.contains("[A-Z]"))
        .then(pl.col("currency").str.to_uppercase())
        .otherwise(pl.col("currency")),
        pl.col(
            "document_type", "amount_basis", "valuation", "supplier_factor_boundary", "code_scheme"
        ).str.to_lowercase(),
        *(pl.col(name).alias(f"{name}_said") for name in (*NUMBERS, "date")),
    )
    plain = _WHOLE if policy.decimal_mark == "," else _PLAIN
    for name in NUMBERS:
        frame = _read(frame, name, plain, lambda text: _number(text, policy))
    frame = _read(frame, "date", _NOTHING, _day)
    exponent = exponents(pl.col("currency"))
    digits = pl.col("quantity").str.replace(".", "", literal=True)
    frame = frame.with_columns(
        day=pl.col("date"),
        year=pl.coalesce(pl.col("date").str.slice(0, 4).cast(pl.Int32, strict=False), pl.lit(period, pl.Int32)),
        amount_minor=to_minor(pl.col("amount"), exponent),
        tax_minor=to_minor(pl.col("tax"), exponent),
        covers_minor=to_minor(pl.col("covers_amount"), exponent),
        n=pl.when(digits.str.len_bytes() <= QUANTITY_DIGITS).then(digits.cast(pl.Int64, strict=False)),
        places=pl.col("quantity")
        .str.split_exact(".", 1)
        .struct.field("field_1")
        .str.len_bytes()
        .fill_null(0)
        .cast(pl.Int64),
    )
    net = pl.when(pl.col("amount_basis") == "gross").then(pl.col("amount_minor") - pl.col("tax_minor"))
    signed = pl.when(pl.col("document_type") == "credit_note").then(-pl.col("amount_minor").abs())
    frame = frame.with_columns(net_minor=net.otherwise(pl.col("amount_minor")))
    return frame.with_columns(
        net_minor=pl.when(signed.is_not_null()).then(-pl.col("net_minor").abs()).otherwise(pl.col("net_minor"))
    )


def _read(frame: pl.DataFrame, name: str, plain: str, reader: Callable[[str], str | None]) -> pl.DataFrame:
    """Plain texts of the column, and its state; what does not match `plain` is read once for each distinct text."""
    text = pl.col(name)
    if frame[name].null_count() == len(frame):
        return frame.with_columns(pl.lit("blank").alias(f"{name}_state"))
    odd = frame.select(name).filter(text.is_not_null() & ~text.str.contains(plain))[name].unique()
    if odd.is_empty():
        state = pl.when(text.is_null()).then(pl.lit("blank")).otherwise(pl.lit("ok"))
        return frame.with_columns(state.alias(f"{name}_state"))
    found: Mapping[str, tuple[str | None, str]] = {each: _state(each, reader) for each in odd}
    values = {each: value for each, (value, _) in found.items()}
    states = {each: state for each, (_, state) in found.items()}
    return frame.with_columns(
        text.replace_strict(values, default=text, return_dtype=pl.String),
        pl.when(text.is_null())
        .then(pl.lit("blank"))
        .otherwise(text.replace_strict(states, default="ok", return_dtype=pl.String))
        .alias(f"{name}_state"),
    )


def _state(text: str, reader: Callable[[str], str | None]) -> tuple[str | None, str]:
    if is_blank(text):
        return None, "blank"
    value = reader(text)
    return value, "unclear" if value is None else "ok"


def _number(text: str, policy: Policy) -> str | None:
    value = plain_of(text, policy.decimal_mark)
    return None if value is None else value if value[:1] != "." else f"0{value}"


def _day(text: str) -> str | None:
    """ISO as far as it is stated; None: no date, or one whose day and month may stand either way."""
    written = text.strip()
    if found := _YEAR_FIRST.fullmatch(written):
        return _checked(int(found[1]), int(found[3]), int(found[4]))
    if found := next((match for form in _WITH_MONTH if (match := form.fullmatch(written))), None):
        return _checked(int(found["year"]), _month(found["month"]), int(found["day"]))
    if found := re.fullmatch(r"(\d{4})(?:-(\d{2}))?", written, re.ASCII):
        whole = _checked(int(found[1]), int(found[2] or 1), 1)
        return None if whole is None else written
    found = _SLASHED.fullmatch(written)
    if found is None:
        return None
    first, second, year = int(found[1]), int(found[3]), int(found[4])
    readings = {day for day in (_checked(year, second, first), _checked(year, first, second)) if day}
    if found[2] == "." and _checked(year, second, first):
        # With points the day comes first wherever dates are written so.
        return _checked(year, second, first)
    return readings.pop() if len(readings) == 1 else None


def _month(word: str) -> int:
    """1 to 12 of an English name, or of its beginning of three letters and more; 0: of no month."""
    told = word.casefold()
    return next((number for number, name in enumerate(_MONTHS, 1) if name.startswith(told)), 0)


def _checked(year: int, month: int, day: int) -> str | None:
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    return found.isoformat() if _YEARS[0] <= year <= _YEARS[1] else None
