"""EPA's supply-chain factors, CO2e and by gas."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from core.errors import InputError, SchemaError
from core.workloads.emissions.factors.loaders.epa_supply_chain import load
from core.workloads.emissions.rules.gases import co2e

FILES = Path(__file__).parents[1] / "files"
CO2E = FILES / "epa_supply_chain_v1.3.0_co2e_cut.csv"
BY_GAS = FILES / "epa_supply_chain_v1.3.0_byghg_cut.csv"


def test_figures_editions_and_price_basis() -> None:
    found = {path: load(FILES / path) for path in (CO2E.name, "epa_supply_chain_v1.2_co2e_cut.csv")}
    new, old = found.values()
    assert (new.edition.edition, new.edition.price_year, new.edition.valuation) == ("v1.3.0", 2022, "purchaser")
    assert (old.edition.edition, old.edition.price_year) == ("v1.2", 2021)
    figures = {factor.code: (factor.without_margins, factor.value) for factor in new.factors}
    assert (figures["541511"], figures["327310"]) == (("0.084", "0.084"), ("3.846", "3.924"))
    assert {factor.code: factor.value for factor in old.factors}["562212"] == "10.989"


@pytest.mark.parametrize(("gwp_set", "kg"), [("AR4", "0.91566"), ("AR5", "0.98920"), ("AR6", "0.98886")])
def test_gases_add_up_under_each_set(gwp_set: str, kg: str) -> None:
    factor = {factor.code: factor for factor in load(BY_GAS).factors}["562212"]
    assert len(factor.gases) == 18
    assert factor.value is None
    total = co2e({gas: Fraction(whole) for gas, whole, _ in factor.gases}, gwp_set)
    assert round(float(total), 5) == float(kg)


def test_the_content_names_the_set_and_not_the_file(tmp_path: Path) -> None:
    lines = CO2E.read_text(encoding="utf-8").splitlines()
    other = tmp_path / "epa_v1.3.0_sorted.csv"
    other.write_text("\n".join([lines[0], *sorted(lines[1:], reverse=True)]), encoding="utf-8")
    assert load(other).dataset_id == load(CO2E).dataset_id


@pytest.mark.parametrize("blank", ["", "-", "#N/A"])
def test_a_blank_is_no_zero(tmp_path: Path, blank: str) -> None:
    path = tmp_path / "epa.csv"
    path.write_text(CO2E.read_text(encoding="utf-8").replace("0.084,0,0.084", f"{blank},0,{blank}"), encoding="utf-8")
    assert {factor.code: factor.value for factor in load(path).factors}["541511"] is None


def test_a_blank_gas_makes_the_whole_figure_blank(tmp_path: Path) -> None:
    path = tmp_path / "gas.csv"
    lines = BY_GAS.read_text(encoding="utf-8").splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if line.startswith("562212") and "Methane" in line)
    head, _, tail = lines[at].partition("price")
    lines[at] = head + "price" + tail[: tail.index(",")] + ",,,," + tail.rpartition(",")[2]
    path.write_text("".join(lines), encoding="utf-8")
    assert {factor.code: factor.gases for factor in load(path).factors}["562212"] == ()


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("0.084,0,0.084", "0.084,0,nil", "row .*is no number"),
        ("541511", "541512", "stands already in row"),
        ("kg CO2e/2022 USD, purchaser price", "kg/USD", "is none of EPA's"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, old: str, new: str, why: str) -> None:
    path = tmp_path / "epa.csv"
    path.write_text(CO2E.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=why):
        load(path)


def test_two_dollar_years_in_one_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "epa.csv"
    path.write_text(CO2E.read_text(encoding="utf-8").replace("2022 USD", "2021 USD", 1), encoding="utf-8")
    with pytest.raises(InputError, match="mixes dollar years"):
        load(path)


def test_another_publishers_file_is_refused() -> None:
    with pytest.raises(SchemaError, match="2017 NAICS Code"):
        load(FILES / "desnz_2025_flat_cut.csv")
