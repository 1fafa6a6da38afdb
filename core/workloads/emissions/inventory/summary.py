"""Totals of an inventory: by category, by fate with amounts a currency, the interval, and what the figures rest on."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl

from core.currencies import exponent_of
from core.workloads.emissions.factors.sets import FactorSet
from core.workloads.emissions.inventory.policy import Policy
from core.workloads.emissions.rules.uncertainty import Spread, spread_of

FATES: Final = ("counted", "superseded", "excluded", "review", "rejected")
_MG_A_KG: Final = 1_000_000


def summary_of(frame: pl.DataFrame, factor_set: FactorSet, policy: Policy) -> dict[str, Any]:
    """All as JSON takes it; masses as decimal text in kg, exact sums of milligrams."""
    counted = frame.filter(pl.col("fate") == "counted")
    spread = interval_of(counted)
    screening = [member for member in factor_set.members if member.edition.screening]
    fixed = int(counted.filter(pl.col("gwp_fixed").fill_null(True))["mass_mg"].abs().sum())
    whole = int(counted["mass_mg"].abs().sum())
    return {
        "total_kg": kg_text(int(counted["mass_mg"].sum())),
        "lines": len(frame),
        "by_category": _by(counted, "category"),
        "by_method": _by(counted, "method"),
        "by_fate": {fate: _fate(frame.filter(pl.col("fate") == fate)) for fate in FATES},
        "to_review": int(frame["review"].sum()),
        "interval": {
            "level": 0.95,
            "low_kg": f"{spread.low:.6f}",
            "high_kg": f"{spread.high:.6f}",
            "sd_kg": f"{spread.sd:.6f}",
            "note": "s of factors and activities are working assumptions where their publisher states none",
        },
        "gwp_set": policy.gwp_set,
        "share_of_gwp_fixed": round(fixed / whole, 6) if whole else 0.0,
        "screening": "made with screening figures" if screening else "",
        "set_id": factor_set.set_id,
        "datasets": [
            {
                "dataset_id": member.dataset_id,
                "source": member.edition.source,
                "edition": member.edition.edition,
                "patch": member.edition.patch,
                "licence": member.edition.licence,
                "screening": member.edition.screening,
            }
            for member in factor_set.members
        ],
        "policy": policy.facts(),
    }


def interval_of(counted: pl.DataFrame) -> Spread:
    """Spread of the total; lines that share a factor share its error."""
    if counted.is_empty():
        return Spread(0.0, 0.0, 0.0, 0.0)
    groups = counted.with_columns(group=pl.col("error_group").fill_null("").rank("dense").cast(pl.Int64) - 1)
    s_own = (groups["s_class"].fill_null(0.0) ** 2 + groups["s_own"] ** 2).sqrt().to_numpy()
    by_group = groups.group_by("group").agg(pl.col("s_factor").max()).sort("group")
    kg = groups["mass_mg"].to_numpy().astype(np.float64) / _MG_A_KG
    lines = (kg, s_own, groups["group"].to_numpy())
    return spread_of(lines, (np.ones(len(by_group)), by_group["s_factor"].to_numpy()))


def kg_text(mass_mg: int) -> str:
    """Milligrams as kg, all six places."""
    digits = f"{abs(mass_mg):07d}"
    return ("-" if mass_mg < 0 else "") + f"{digits[:-6]}.{digits[-6:]}"


def _by(counted: pl.DataFrame, column: str) -> list[dict[str, Any]]:
    grouped = counted.group_by(column).agg(lines=pl.len(), mass_mg=pl.col("mass_mg").sum()).sort(column)
    return [{column: name, "lines": lines, "kg": kg_text(mass)} for name, lines, mass in grouped.rows()]


def _fate(lines: pl.DataFrame) -> dict[str, Any]:
    """Booked amounts as they were read; those that could not be read are counted."""
    read = lines.filter(pl.col("amount_minor").is_not_null())
    amounts = read.group_by("currency").agg(pl.col("amount_minor").sum()).sort("currency")
    return {
        "lines": len(lines),
        "amounts": {code: _money(minor, code) for code, minor in amounts.rows()},
        "unread_amounts": int((lines["amount_said"].is_not_null() & lines["amount_minor"].is_null()).sum()),
    }


def _money(minor: int, currency: str) -> str:
    places = exponent_of(currency)
    digits = f"{abs(minor):0{places + 1}d}"
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"-{text}" if minor < 0 else text
