"""The table of categories: as the docs print it, and every cell of it met by a line."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from core.workloads.emissions.factors.dataset import Edition, Factor, dataset_of
from core.workloads.emissions.factors.revisions import shipped_revisions
from core.workloads.emissions.factors.sets import FactorSet
from core.workloads.emissions.rules.categories import REFUSED_STAGES, Place, place_of, places
from core.workloads.emissions.rules.reference import PAGE, render_reference
from tests.architecture.tree import ROOT
from tests.unit.workloads.emissions.inventory.made import RAIL, SPEND, computed

CELLS = places()


def code_of(scheme: str, prefix: str) -> str:
    """A code below the prefix that no longer prefix takes."""
    if scheme != "naics":
        return f"{prefix} > made row" if not prefix.endswith("-") else f"{prefix} made > row"
    for tail in ("999999", "111111", "555555"):
        code = (prefix + tail)[:6]
        if place_of(scheme, code) == place_of(scheme, prefix or "999999") and (prefix or code[0] == "9"):
            return code
    raise AssertionError(prefix)


@cache
def made_set() -> FactorSet:
    """A factor of 2 kg for every row of the table."""
    spend = Edition("made", "1", year=2022, currency="USD", price_year=2022, valuation="purchaser")
    factors = [
        Factor(
            key=f"{number}",
            locator=f"row {number}",
            scheme="naics-2017" if scheme == "naics" else scheme,
            code=code_of(scheme, prefix),
            label="made",
            unit="USD" if scheme == "naics" else "kg",
            value="2",
        )
        for number, (scheme, prefix, _) in enumerate(CELLS)
    ]
    return FactorSet("made", (dataset_of(spend, factors, ""),), shipped_revisions())


@pytest.mark.parametrize(
    ("scheme", "prefix", "place"), CELLS, ids=[f"{scheme} {prefix}" for scheme, prefix, _ in CELLS]
)
def test_every_cell_is_met_by_a_line(scheme: str, prefix: str, place: Place) -> None:
    code = code_of(scheme, prefix)
    line: dict[str, Any] = {**SPEND, "code": code, "amount": "10"}
    if scheme != "naics":
        line = {**RAIL, "code_scheme": scheme, "code": code, "quantity": "10", "unit": "kg"}
    (row,) = computed(line, factors=made_set())
    if place.category is None:
        assert place.stage in REFUSED_STAGES
        assert (row["fate"], REFUSED_STAGES[place.stage] in row["reason"]) == ("review", True)
    else:
        assert (row["fate"], row["category"], row["method"], row["kg_co2e"]) == (
            "counted",
            place.category,
            place.method,
            "20.000000",
        )


def test_the_page_is_what_the_code_says() -> None:
    assert (ROOT / Path(PAGE)).read_text(encoding="utf-8") == render_reference()
