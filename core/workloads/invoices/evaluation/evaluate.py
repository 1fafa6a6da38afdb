"""An answer against the truth, slice by slice: precision, touchless, recall of suggestions, calibration, invariants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from core.workloads.invoices.evaluation import SUGGESTIONS_MOST
from core.workloads.invoices.evaluation.explanations import judged
from core.workloads.invoices.evaluation.invariants import Invariant, invariants
from core.workloads.invoices.evaluation.shares import Share, calibration

ALL = "all"


@dataclass(frozen=True, slots=True)
class SliceFigures:
    """What became of the payments of one slice.

    precision: of those applied automatically, how many rightly. touchless: of all, those that nobody need look at:
    applied automatically, or set aside unapplied where the truth pays nothing. recall: of those suggested that pay
    something, how many have the truth among the first three ranks. value: touchless by value, a mean over currencies
    by their payments; None without amounts.
    """

    name: str
    precision: Share
    touchless: Share
    recall: Share
    value: float | None

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "slice": self.name,
            "payments": self.touchless.whole,
            "precision": self.precision.facts(),
            "touchless": self.touchless.value,
            "touchless_by_value": self.value,
            "suggested": self.recall.facts(),
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """slices: of all payments first, then by name. bands: see `calibration`."""

    slices: list[SliceFigures]
    bands: list[dict[str, Any]]
    invariants: list[Invariant]

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "all": self.slices[0].facts(),
            "slices": [figures.facts() for figures in self.slices[1:]],
            "calibration": self.bands,
            "invariants": [invariant.facts() for invariant in self.invariants],
            "broken": [invariant.name for invariant in self.invariants if invariant.broken],
        }


def evaluate(
    allocations: pl.DataFrame,
    listed: pl.DataFrame,
    truth: pl.DataFrame,
    payments: pl.DataFrame | None = None,
    items: pl.DataFrame | None = None,
) -> Evaluation:
    """Hold an answer against the truth.

    Args:
        allocations, truth: see the package. listed: payment_id and list ("exceptions", "unapplied") of payments that
            are not explained, or also.
        payments: id, currency and minor, what came. items: id and minor, what was open. Either may be unknown.
    Cost: some 2 us a row.
    """
    explanations = judged(allocations, truth)
    likeliest = explanations.filter(pl.col("rank") == 1).unique("payment_id", keep="first", maintain_order=True)
    outcomes = _outcomes(explanations, listed, truth)
    if payments is not None:
        outcomes = outcomes.join(payments.rename({"id": "payment_id"}), on="payment_id", how="left")
    by_name = sorted(outcomes.partition_by("slice", as_dict=True).items(), key=lambda pair: str(pair[0][0]))
    return Evaluation(
        slices=[_figures(ALL, outcomes), *(_figures(str(name), part) for (name,), part in by_name)],
        bands=calibration(likeliest.drop_nulls("posterior")),
        invariants=invariants(allocations, listed, payments, items),
    )


def _outcomes(explanations: pl.DataFrame, listed: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """A row for each payment of the truth: payment_id, slice, payable, applied, right, suggested, found, touchless."""
    automatic = explanations.filter((pl.col("status") == "auto") & pl.col("pays"))
    applied = automatic.group_by("payment_id").agg(applied=pl.lit(True), right=pl.col("right").all())
    shown = explanations.filter((pl.col("status") == "suggested") & (pl.col("rank") <= SUGGESTIONS_MOST))
    suggested = shown.group_by("payment_id").agg(suggested=pl.lit(True), found=pl.col("right").any())
    asked = pl.concat([shown.select("payment_id"), listed.filter(pl.col("list") == "exceptions").select("payment_id")])
    aside = listed.filter(pl.col("list") == "unapplied").select("payment_id")
    # What is decided without an item, as a doubled payment may be, is set aside too.
    aside = pl.concat([aside, explanations.filter((pl.col("status") == "auto") & ~pl.col("pays")).select("payment_id")])
    aside = aside.join(asked, on="payment_id", how="anti").unique().with_columns(aside=True)
    pays = pl.col("invoice_id").is_not_null() & (pl.col("amount_minor") != 0)
    rows = truth.group_by("payment_id").agg(pl.col("slice").first(), payable=pays.any())
    for frame in (applied, suggested, aside):
        rows = rows.join(frame, on="payment_id", how="left")
    flags = ("payable", "applied", "right", "suggested", "found", "aside")
    rows = rows.with_columns(pl.col(flags).fill_null(False))
    return rows.with_columns(touchless=pl.col("applied") | (pl.col("aside") & ~pl.col("payable")))


def _figures(name: str, outcomes: pl.DataFrame) -> SliceFigures:
    asked = outcomes.filter(pl.col("suggested") & pl.col("payable") & ~pl.col("applied"))
    return SliceFigures(
        name=name,
        precision=Share(int((outcomes["applied"] & outcomes["right"]).sum()), int(outcomes["applied"].sum())),
        touchless=Share(int(outcomes["touchless"].sum()), len(outcomes)),
        recall=Share(int(asked["found"].sum()), len(asked)),
        value=_by_value(outcomes),
    )


def _by_value(outcomes: pl.DataFrame) -> float | None:
    if "minor" not in outcomes.columns:
        return None
    value = pl.col("minor").abs()
    sums = (
        outcomes.drop_nulls("minor")
        .group_by("currency")
        .agg(n=pl.len(), touchless=value.filter("touchless").sum(), value=value.sum())
        .filter(pl.col("value") > 0)
    )
    if sums.is_empty():
        return None
    weighted = sums.select((pl.col("touchless") / pl.col("value") * pl.col("n")).sum() / pl.col("n").sum())
    return float(weighted.item())
