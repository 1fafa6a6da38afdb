"""EPA's hub, Cornerstone, ecoinvent and factors of one's own."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from core.errors import InputError, SchemaError
from core.workloads.emissions.factors.loaders import cornerstone, ecoinvent, epa_hub, own_csv
from core.workloads.emissions.rules.gases import co2e

HUB = Path(__file__).parents[1] / "files" / "epa_hub_2025_cut.json"


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_hub_gives_masses_and_waste_in_kg_a_short_ton() -> None:
    by_code = {factor.code: factor for factor in epa_hub.load(HUB).factors}
    car = by_code["BUSINESS_TRAVEL > Passenger Car A"]
    masses = {gas: Fraction(kg) for gas, kg, _ in car.gases}
    assert co2e(masses, "AR5") == Fraction("0.297") + Fraction("0.0059") * 28 / 1000 + Fraction("0.0053") * 265 / 1000
    assert (by_code["WASTE > Mixed MSW > landfilled"].unit, car.unit) == ("short_ton", "vehicle-mile")
    assert by_code["WASTE > Mixed MSW > recycled"].value is None
    assert by_code["MOBILE_CO2 > Diesel Fuel"].unit == "US_gallon"


def test_a_json_of_another_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no JSON of EPA's hub"):
        epa_hub.load(written(tmp_path / "hub.json", "[]"))


def test_cornerstone_is_read_under_the_revision_of_its_columns(tmp_path: Path) -> None:
    head = "2022 NAICS Code,2022 NAICS Title,GHG,Unit,Supply Chain Emission Factors without Margins,"
    head += "Supply Chain Emission Factors with Margins\n"
    row = '513210,Software Publishers,All GHGs,"kg CO2e/2023 USD, purchaser price",0.05,0.06\n'
    found = cornerstone.load(written(tmp_path / "cornerstone_v1.0.csv", head + row))
    assert (found.factors[0].scheme, found.edition.gwp_set, found.edition.price_year) == ("naics-2022", "AR6", 2023)
    with pytest.raises(SchemaError, match="has no column"):
        cornerstone.load(written(tmp_path / "c.csv", "a,b\n1,2\n"))


def test_ecoinvent_is_restricted(tmp_path: Path) -> None:
    head = "Activity UUID_Product UUID,Activity Name,Geography,Reference Product Name,Reference Product Unit,"
    head += "IPCC 2021 - GWP100 (kg CO2-Eq)\n"
    found = ecoinvent.load(written(tmp_path / "ei_v3.10.csv", head + "u_p,made steel,RER,steel,kg,1.5\n"))
    assert (found.edition.restricted, found.edition.gwp_set, found.factors[0].value) == (True, "AR6", "1.5")


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("naics-2017,541511,USD,1.5kg,,", "row 2, value is no number"),
        ("isic,62,USD,1,,", "there is no scheme 'isic'"),
        ("own,,kg,1,,", "row 2: code is empty"),
        ("own,x,ton,1,,", "may be a metric, a short or a long ton"),
        ("own,x,kg,1,1.2,", "margin_share is a share"),
        ("own,x,kg,1,,nothing", "no JSON of gas"),
    ],
)
def test_own_factors_say_what_is_wrong(tmp_path: Path, row: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        own_csv.load(written(tmp_path / "own.csv", f"scheme,code,unit,value,margin_share,gases\n{row}\n"))


def test_own_factors_with_edition_and_a_blank(tmp_path: Path) -> None:
    head = "scheme,code,unit,value,source,edition,currency,price_year,valuation\n"
    text = (
        head
        + "naics-2017,541511,EUR,0.1,house,3,EUR,2023,producer\nnaics-2017,541512,EUR,-,house,3,EUR,2023,producer\n"
    )
    found = own_csv.load(written(tmp_path / "own.csv", text))
    assert (found.edition.source, found.edition.price_year, found.edition.valuation) == ("house", 2023, "producer")
    assert [factor.value for factor in found.factors] == ["0.1", None]
