"""Lines and policies that the tests of inventories hand in."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from core.workloads.emissions.factors.loaders import desnz_flat, epa_hub, epa_supply_chain
from core.workloads.emissions.factors.revisions import read_revisions
from core.workloads.emissions.factors.sets import FactorSet
from core.workloads.emissions.inventory.compute import compute
from core.workloads.emissions.inventory.lines import lines_of
from core.workloads.emissions.inventory.policies.policy import Policy, starter_policy
from core.workloads.emissions.inventory.selection.catalog import Catalog

FILES = Path(__file__).parents[1] / "factors" / "files"
POLICY = starter_policy()
SPEND = {
    "code_scheme": "naics-2017",
    "code": "541511",
    "amount": "1000",
    "currency": "USD",
    "date": "2022-05-02",
    "valuation": "purchaser",
    "document_type": "invoice",
    "supplier": "Acme Ltd",
}
RAIL = {
    "code_scheme": "desnz",
    "code": "Business travel- land > Rail > National rail",
    "quantity": "2000",
    "unit": "passenger.km",
    "date": "2025-05-02",
    "document_type": "activity",
}


@cache
def factor_set() -> FactorSet:
    members = (
        epa_supply_chain.load(FILES / "epa_supply_chain_v1.3.0_co2e_cut.csv"),
        desnz_flat.load(FILES / "desnz_2025_flat_cut.csv"),
        epa_hub.load(FILES / "epa_hub_2025_cut.json"),
    )
    return FactorSet("cut-outs", members, read_revisions(FILES / "naics_2002_to_2022_cut.csv"))


def computed(
    *lines: dict[str, str], policy: Policy = POLICY, period: int | None = None, factors: FactorSet | None = None
) -> list[dict[str, Any]]:
    """Rows of the answer; lines without an id are numbered from 1."""
    rows = [{"line_id": str(number), **line} for number, line in enumerate(lines, 1)]
    found = compute(lines_of(pl.DataFrame(rows)), Catalog(factors or factor_set(), policy), period)
    return found.frame.rows(named=True)


def fate_of(line: dict[str, str], **changed: Any) -> tuple[str, str]:
    """Fate and reason of one line, which has a number only where it counts."""
    (row,) = computed(line, **changed)
    assert (row["fate"] == "counted") == (row["mass_mg"] is not None) == (row["reason"] is None)
    return row["fate"], row["reason"] or ""
