"""Totals of an inventory: by category, by fate with amounts a currency, the interval, and what the figures rest on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.currencies import exponent_of
from core.workloads.emissions.factors.sets import FactorSet
from core.workloads.emissions.inventory.policies.policy import Policy
from core.workloads.emissions.rules.simulation import simulate
from core.workloads.emissions.rules.uncertainty import group_variances, spread_of

FATES: Final = ("counted", "superseded", "excluded", "review", "rejected")
_MG_A_KG: Final = 1_000_000
_NEXT: Final = 5


def summary_of(
    frame: pl.DataFrame, factor_set: FactorSet, policy: Policy, draws: tuple[int, int] = (0, 0)
) -> dict[str, Any]:
    """All as JSON takes it; masses as decimal text in kg, exact sums of milligrams.

    Args:
        draws: how many times the total is simulated, and the seed; 0: not at all.
    """
    columns = [
        "fate",
        "category",
        "method",
        "mass_mg",
        "gwp_fixed",
        "question",
        "error_group",
        "s_class",
        "s_own",
        "s_factor",
    ]
    counted = frame.select(columns).filter(pl.col("fate") == "counted")
    grouped = groups_of(counted)
    spread = spread_of(grouped.lines, grouped.factors)
    screening = [member for member in factor_set.members if member.edition.screening]
    fixed = int(counted.filter(pl.col("gwp_fixed").fill_null(True))["mass_mg"].abs().sum())
    whole = int(counted["mass_mg"].abs().sum())
    return {
        "total_kg": kg_text(int(counted["mass_mg"].sum())),
        "lines": len(frame),
        "by_category": _by(counted, "category"),
        "by_method": _by(counted, "method"),
        "by_fate": _by_fate(frame),
        "to_review": int(frame["review"].sum()),
        "interval": {
            "level": 0.95,
            "low_kg": f"{spread.low:.6f}",
            "high_kg": f"{spread.high:.6f}",
            "sd_kg": f"{spread.sd:.6f}",
            "note": "s of factors and activities are working assumptions where their publisher states none",
            **({"simulated": _simulated(grouped, *draws)} if draws[0] else {}),
        },
        "next_data": next_data(grouped),
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


@dataclass(frozen=True, slots=True)
class Grouped:
    """Lines and factors as `spread_of` takes them, and the name of each group."""

    lines: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]
    factors: tuple[NDArray[np.float64], NDArray[np.float64]]
    names: list[str]


def groups_of(counted: pl.DataFrame) -> Grouped:
    """Counted lines by the factor whose error they share; a supplier's figure stands for itself."""
    name = pl.coalesce("error_group", pl.format("supplier's figure {}", "question"))
    questions = counted.group_by("question").agg(name.first().alias("name"), pl.col("s_factor").first())
    groups = questions.with_columns(group=pl.col("name").rank("dense").cast(pl.Int64) - 1)
    by_group = groups.group_by("group").agg(pl.col("s_factor").max(), pl.col("name").first()).sort("group")
    which = counted.select("question").join(groups, on="question", how="left", maintain_order="left")["group"]
    s_own = (counted["s_class"].fill_null(0.0) ** 2 + counted["s_own"] ** 2).sqrt().to_numpy()
    kg = counted["mass_mg"].to_numpy().astype(np.float64) / _MG_A_KG
    factors = (np.ones(len(by_group)), by_group["s_factor"].to_numpy())
    return Grouped((kg, s_own, which.cast(pl.Int64).to_numpy()), factors, by_group["name"].to_list())


def next_data(grouped: Grouped) -> list[dict[str, Any]]:
    """The groups that the total is least sure of, and what would be left of its deviation with sure figures for one."""
    sums, parts = group_variances(grouped.lines, grouped.factors)
    whole = float(parts.sum())
    found = []
    for number in np.argsort(-parts, kind="stable")[:_NEXT].tolist():
        if parts[number] > 0:
            share = float(parts[number]) / whole
            found.append(
                {
                    "group": grouped.names[number],
                    "kg": f"{float(sums[number]):.6f}",
                    "share_of_variance": round(share, 6),
                    "sd_without_it_percent": round(100 * math.sqrt(max(1 - share, 0.0)), 3),
                }
            )
    return found


def _simulated(grouped: Grouped, draws: int, seed: int) -> dict[str, Any]:
    found = simulate(grouped.lines, grouped.factors, draws, seed)
    return {
        "draws": draws,
        "seed": seed,
        "mean_kg": f"{found.mean:.6f}",
        "sd_kg": f"{found.sd:.6f}",
        "low_kg": f"{found.low:.6f}",
        "high_kg": f"{found.high:.6f}",
    }


def kg_text(mass_mg: int) -> str:
    """Milligrams as kg, all six places."""
    digits = f"{abs(mass_mg):07d}"
    return ("-" if mass_mg < 0 else "") + f"{digits[:-6]}.{digits[-6:]}"


def _by(counted: pl.DataFrame, column: str) -> list[dict[str, Any]]:
    grouped = counted.group_by(column).agg(lines=pl.len(), mass_mg=pl.col("mass_mg").sum()).sort(column)
    return [{column: name, "lines": lines, "kg": kg_text(mass)} for name, lines, mass in grouped.rows()]


def _by_fate(frame: pl.DataFrame) -> dict[str, Any]:
    """Booked amounts as they were read; those that could not be read are counted."""
    amounts = frame.group_by("fate", "currency").agg(
        pl.len().alias("lines"),
        pl.col("amount_minor").sum(),
        pl.col("amount_minor").count().alias("n_read"),
        (pl.col("amount_said").is_not_null() & pl.col("amount_minor").is_null()).sum().alias("unread"),
    )
    found: dict[str, Any] = {fate: {"lines": 0, "amounts": {}, "unread_amounts": 0} for fate in FATES}
    for fate, currency, lines, minor, n_read, unread in amounts.sort("fate", "currency").rows():
        found[fate]["lines"] += lines
        found[fate]["unread_amounts"] += unread
        if n_read:
            found[fate]["amounts"][currency] = _money(minor, currency)
    return found


def _money(minor: int, currency: str) -> str:
    places = exponent_of(currency)
    digits = f"{abs(minor):0{places + 1}d}"
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"-{text}" if minor < 0 else text
