"""What keeps a line from being computed at all: each fault with its fate and one sentence."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from core.currencies import EXPONENTS, exponents
from core.workloads.emissions.inventory.booked import NUMBERS, QUANTITY_DIGITS
from core.workloads.emissions.inventory.policies.policy import Policy

Fault = tuple[pl.Expr, str, pl.Expr]
_WORDS: Final = {
    "document_type": ("invoice", "order", "credit_note", "card", "agency", "activity"),
    "capex": ("Y", "N", "y", "n"),
    "valuation": ("purchaser", "producer"),
    "amount_basis": ("net", "gross"),
    "supplier_factor_boundary": ("cradle-to-gate", "gate-to-gate", "cradle-to-grave"),
}


def input_faults(policy: Policy) -> list[Fault]:
    """Condition, fate and sentence of each fault; the first that a line has is its own."""
    return [*_words(), *_unread(), *_money(), *_sizes(policy)]


def faulted(frame: pl.DataFrame, faults: list[Fault]) -> pl.DataFrame:
    """Fate and reason of the first fault that a line without a fate has."""
    hits = frame.select(
        condition.fill_null(False).alias(str(number)) for number, (condition, _, _) in enumerate(faults)
    )
    fate: Any = pl
    reason: Any = pl
    for hit, (_, name, sentence) in zip(hits, faults, strict=True):
        if hit.any():
            fate, reason = fate.when(hit).then(pl.lit(name)), reason.when(hit).then(sentence)
    if fate is pl:
        return frame
    is_open = pl.col("fate").is_null()
    return frame.with_columns(
        fate=pl.coalesce("fate", fate), reason=pl.when(is_open).then(reason).otherwise(pl.col("reason"))
    )


def _words() -> list[Fault]:
    """Columns that take one of a few words."""
    return [
        (~pl.col(name).is_in(words), "rejected", _said(name, f"is none of {', '.join(words[:6])}"))
        for name, words in _WORDS.items()
    ]


def _unread() -> list[Fault]:
    either_way = "may be read with the day or the month first, or is no date"
    unclear = "may be read in two ways, or is no number; decimal_mark of the policy says how"
    no_year = "the line has no date, and the run no --period, so its year is not known"
    return [
        (pl.col("date_state") == "unclear", "review", _said("date", either_way)),
        (pl.col("year").is_null(), "rejected", pl.lit(no_year)),
        *((pl.col(f"{name}_state") == "unclear", "review", _said(name, unclear)) for name in NUMBERS),
    ]


def _money() -> list[Fault]:
    currency, amount, tax = pl.col("currency"), pl.col("amount_minor"), pl.col("tax_minor").fill_null(0)
    stated = pl.col("amount_state") == "ok"
    decimals = pl.format("amount {} has more decimals than {} has, or is too large", "amount_said", "currency")
    no_code = "is no currency code of ISO 4217, such as EUR or JPY"
    gross = "the amount is gross and the line states no tax, so what it is without tax is not known"
    basis = "the line states a tax and not whether its amount holds it; amount_basis says net or gross"
    negative = "the amount is negative and the line is no credit_note, which counts in the cell of its document_ref"
    credit = pl.col("document_type").fill_null("") == "credit_note"
    return [
        (stated & currency.is_null(), "rejected", pl.lit("the amount has no currency")),
        (stated & ~currency.is_in(list(EXPONENTS)), "rejected", _said("currency", no_code)),
        (stated & amount.is_null(), "review", decimals),
        ((pl.col("amount_basis") == "gross") & stated & (pl.col("tax_state") != "ok"), "rejected", pl.lit(gross)),
        (pl.col("amount_basis").is_null() & stated & (tax != 0), "review", pl.lit(basis)),
        ((tax.abs() >= amount.abs()) & (tax != 0), "review", pl.lit("the tax is no smaller than the amount")),
        ((tax * amount.sign() < 0) & ~credit, "review", pl.lit("the tax has another sign than the amount")),
        ((amount < 0) & ~credit, "review", pl.lit(negative)),
    ]


def _sizes(policy: Policy) -> list[Fault]:
    limit = float(policy.max_line_amount)
    over = f"is over max_line_amount, {policy.max_line_amount:,f}"
    money = pl.col("net_minor").abs() / pl.lit(10.0).pow(exponents(pl.col("currency")))
    quantity = pl.col("n").abs() / pl.lit(10.0).pow(pl.col("places"))
    too_long = (pl.col("quantity_state") == "ok") & pl.col("n").is_null()
    return [
        (too_long, "rejected", _said("quantity", f"has more than {QUANTITY_DIGITS} digits")),
        (pl.col("n") < 0, "review", pl.lit("the quantity is negative")),
        (money > limit, "review", _said("amount", over)),
        (quantity > limit, "review", _said("quantity", over)),
    ]


def _said(column: str, what: str) -> pl.Expr:
    """The column, what stands there, and what is wrong with it."""
    written = f"{column}_said" if column in (*NUMBERS, "date") else column
    return pl.format("{} {} {}", pl.lit(column), pl.col(written).fill_null("(blank)"), pl.lit(what))
