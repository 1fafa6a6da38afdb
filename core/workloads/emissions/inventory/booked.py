"""What a line says as numbers and days: whole minor units, scaled quantities, dates; and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

import polars as pl

from core.currencies import EXPONENTS, exponents, to_minor
from core.workloads.emissions.inventory.policy import Policy
from core.workloads.emissions.rules.decimals import is_blank, plain_of

DOCUMENT_TYPES: Final = ("invoice", "order", "credit_note", "card", "agency", "activity")
BOUNDARIES: Final = ("cradle-to-gate", "gate-to-gate", "cradle-to-grave")
QUANTITY_DIGITS: Final = 18
_NUMBERS: Final = ("amount", "tax", "quantity", "covers_amount", "supplier_factor")
_PLAIN: Final = r"^-?[0-9]+(\.[0-9]+)?$"
_WHOLE: Final = r"^-?[0-9]+$"
_NOTHING: Final = r"^$"
_YEARS: Final = (1990, 2100)
_SLASHED: Final = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})")


def booked(lines: pl.DataFrame, policy: Policy, period: int | None) -> pl.DataFrame:
    """The lines with their numbers read.

    Returns: beside the columns of the lines
        currency: capitals. amount_minor, tax_minor, covers_minor, net_minor: Int64, minor units; net without tax.
        n, places: the quantity is n / 10^places. supplier_factor: plain text. day: date as far as it is stated, ISO.
        year: Int32 of the date, else the period. <number>_state, day_state: ok, blank, unclear (may be read two ways or is no number).
    Cost: some 2 us a line.
    """
    frame = lines.with_columns(
        pl.col("currency").str.to_uppercase(), *(pl.col(name).alias(f"{name}_said") for name in (*_NUMBERS, "date"))
    )
    plain = _WHOLE if policy.decimal_mark == "," else _PLAIN
    for name in _NUMBERS:
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
        places=pl.col("quantity").str.split_exact(".", 1).struct.field("field_1").str.len_bytes().fill_null(0).cast(pl.Int64),
    )
    net = pl.when(pl.col("amount_basis") == "gross").then(pl.col("amount_minor") - pl.col("tax_minor"))
    signed = pl.when(pl.col("document_type") == "credit_note").then(-pl.col("amount_minor").abs())
    frame = frame.with_columns(net_minor=net.otherwise(pl.col("amount_minor")))
    return frame.with_columns(
        net_minor=pl.when(signed.is_not_null()).then(-pl.col("net_minor").abs()).otherwise(pl.col("net_minor"))
    )


def input_faults(policy: Policy) -> list[tuple[pl.Expr, str, pl.Expr]]:
    """What makes a line rejected or a matter of review before anything is computed: condition, fate, sentence."""
    col, said = pl.col, _said
    capex, kind = col("capex").str.to_uppercase(), col("document_type")
    has_money = col("amount_state") == "ok"
    money_known = col("currency").is_in(list(EXPONENTS))
    tax = col("tax_minor").fill_null(0)
    limit = float(policy.max_line_amount)
    size = col("net_minor").abs() / (pl.lit(10.0).pow(exponents(col("currency"))))
    return [
        (~kind.is_in(DOCUMENT_TYPES), "rejected", said("document_type", "is none of " + ", ".join(DOCUMENT_TYPES))),
        (~capex.is_in(["Y", "N"]), "rejected", said("capex", "is neither Y nor N")),
        (~col("valuation").is_in(["purchaser", "producer"]), "rejected", said("valuation", "is neither purchaser nor producer")),
        (~col("amount_basis").is_in(["net", "gross"]), "rejected", said("amount_basis", "is neither net nor gross")),
        (
            ~col("supplier_factor_boundary").is_in(BOUNDARIES),
            "rejected",
            said("supplier_factor_boundary", "is none of " + ", ".join(BOUNDARIES)),
        ),
        (col("date_state") == "unclear", "review", said("date", "may be read with the day or the month first, or is no date")),
        (col("year").is_null(), "rejected", _text("the line has no date, and the run no --period, so its year is not known")),
        *[
            (col(f"{name}_state") == "unclear", "review", said(name, "may be read in two ways, or is no number; decimal_mark of the policy says how"))
            for name in _NUMBERS
        ],
        (has_money & col("currency").is_null(), "rejected", _text("the amount has no currency")),
        (has_money & ~money_known, "rejected", said("currency", "is no currency code of ISO 4217, such as EUR or JPY")),
        (
            has_money & col("amount_minor").is_null(),
            "review",
            pl.format("the amount {} has more decimals than {} has, or is beyond what is counted", col("amount_said"), col("currency")),
        ),
        ((col("quantity_state") == "ok") & col("n").is_null(), "rejected", said("quantity", f"has more than {QUANTITY_DIGITS} digits")),
        (
            (col("amount_basis") == "gross") & has_money & (col("tax_state") != "ok"),
            "rejected",
            _text("the amount is gross and the line states no tax, so what it is without tax is not known"),
        ),
        (
            col("amount_basis").is_null() & has_money & (tax != 0),
            "review",
            _text("the line states a tax and not whether its amount holds it; amount_basis says net or gross"),
        ),
        ((tax.abs() >= col("amount_minor").abs()) & (tax != 0), "review", _text("the tax is no smaller than the amount")),
        (
            (col("amount_minor") < 0) & (kind.fill_null("") != "credit_note"),
            "review",
            _text("a negative amount on a line that is no credit_note; a credit note counts in the cell of its document_ref"),
        ),
        ((col("n") < 0), "review", _text("the quantity is negative")),
        ((size > limit), "review", said("amount", f"is over max_line_amount, {policy.max_line_amount:,f}")),
        (
            (col("n").abs() / pl.lit(10.0).pow(col("places")) > limit),
            "review",
            said("quantity", f"is over max_line_amount, {policy.max_line_amount:,f}"),
        ),
    ]  # fmt: skip


def _said(column: str, what: str) -> pl.Expr:
    """The value may hold braces; `pl.format` takes it as an argument."""
    written = f"{column}_said" if column in (*_NUMBERS, "date") else column
    return pl.format("{} {} {}", pl.lit(column), pl.col(written).fill_null("(blank)"), pl.lit(what))


def _text(sentence: str) -> pl.Expr:
    return pl.lit(sentence)


def _read(frame: pl.DataFrame, name: str, plain: str, reader: Callable[[str], str | None]) -> pl.DataFrame:
    """Plain texts of the column, and its state; what does not match `plain` is read once for each distinct text."""
    text = pl.col(name)
    odd = frame.filter(text.is_not_null() & ~text.str.contains(plain))[name].unique()
    found: Mapping[str, tuple[str | None, str]] = {each: _state(each, reader) for each in odd}
    values = {each: value for each, (value, _) in found.items()}
    states = {each: state for each, (_, state) in found.items()}
    return frame.with_columns(
        pl.when(text.is_in(list(found))).then(text.replace_strict(values, default=None, return_dtype=pl.String)).otherwise(text),
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
    if found := re.fullmatch(r"(\d{4})-?(\d{2})-?(\d{2})([T ].*)?", written):
        return _checked(int(found[1]), int(found[2]), int(found[3]))
    if found := re.fullmatch(r"(\d{4})(?:-(\d{2}))?", written):
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


def _checked(year: int, month: int, day: int) -> str | None:
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    return found.isoformat() if _YEARS[0] <= year <= _YEARS[1] else None


def faulted(frame: pl.DataFrame, faults: list[tuple[pl.Expr, str, pl.Expr]]) -> pl.DataFrame:
    """Fate and reason of the first fault that a line without a fate has."""
    fate: Any = pl
    reason: Any = pl
    for condition, name, sentence in faults:
        hit = condition.fill_null(False)
        fate, reason = fate.when(hit).then(pl.lit(name)), reason.when(hit).then(sentence)
    return frame.with_columns(
        fate=pl.coalesce("fate", fate), reason=pl.when(pl.col("fate").is_null()).then(reason).otherwise(pl.col("reason"))
    )
