"""Every bad line gets one fate and one clear sentence, and never a number."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest

from core.workloads.emissions.factors.dataset import Edition, Factor, dataset_of
from core.workloads.emissions.factors.revisions import shipped_revisions
from core.workloads.emissions.factors.sets import FactorSet
from tests.unit.workloads.emissions.inventory.made import POLICY, RAIL, SPEND, computed, fate_of

GAS = {**RAIL, "code": "WTT- fuels > Gaseous fuels > Natural gas", "quantity": "1000"}
STEEL = {**RAIL, "code": "Material use > Metal > Metal: steel cans > Primary material production"}
BAD_SPEND = [
    ({"amount": ""}, "rejected", "the amount is blank, which is no 0"),
    ({"amount": "-"}, "rejected", "the amount is blank, which is no 0"),
    ({"amount": "#N/A"}, "rejected", "the amount is blank, which is no 0"),
    ({"amount": "1,234"}, "review", "amount 1,234 may be read in two ways"),
    ({"amount": "=1+1"}, "review", "amount =1.1 may be read in two ways, or is no number"),
    ({"amount": "12.345"}, "review", "amount 12.345 has more decimals than USD has"),
    ({"amount": "100.5", "currency": "JPY"}, "review", "amount 100.5 has more decimals than JPY has"),
    ({"amount": "\u0661\u0662\u0663"}, "review", "or is no number"),
    ({"currency": ""}, "rejected", "the amount has no currency"),
    ({"currency": "GBp"}, "rejected", "currency GBp is no currency code"),
    ({"currency": "XQX"}, "rejected", "currency XQX is no currency code"),
    ({"currency": "BRL"}, "rejected", "no rate of BRL to USD for 2022"),
    ({"date": ""}, "rejected", "the line has no date"),
    ({"date": "03/04/2022"}, "review", "date 03/04/2022 may be read with the day or the month first"),
    ({"date": "2022-02-30"}, "review", "or is no date"),
    ({"date": "2019-02-03"}, "rejected", "no price index of USD for both 2019 and 2022"),
    ({"valuation": ""}, "rejected", "states no valuation"),
    ({"valuation": "producer"}, "rejected", "no margin share is given"),
    ({"valuation": "retail"}, "rejected", "valuation retail is none of purchaser, producer"),
    ({"tax": "190"}, "review", "not whether its amount holds it"),
    ({"amount_basis": "gross"}, "rejected", "gross and the line states no tax"),
    ({"amount_basis": "gross", "tax": "1000"}, "review", "the tax is no smaller than the amount"),
    ({"amount_basis": "gross", "tax": "-190"}, "review", "the tax has another sign than the amount"),
    ({"amount": "-5"}, "review", "negative and the line is no credit_note"),
    ({"amount": "2000000000"}, "review", "is over max_line_amount, 1,000,000,000"),
    ({"capex": "maybe"}, "rejected", "capex maybe is none of Y, N"),
    ({"document_type": "bill"}, "rejected", "document_type bill is none of invoice, order"),
    ({"code": ""}, "review", "no code, and its text alone is no class"),
    ({"code": "221122"}, "review", "no factor for naics-2017 221122 in the set, and none is made of its parent"),
    ({"code": "513210"}, "review", "no code of NAICS 2017 but of 2022, where it is 511210"),
    ({"code": "5A"}, "review", "is no code of NAICS"),
    ({"code_scheme": "isic"}, "rejected", "there is no code_scheme 'isic'"),
    ({"code_scheme": ""}, "review", "no code_scheme that says what it is a code of"),
    ({"document_type": "credit_note"}, "review", "the credit note names no document_ref"),
    ({"code": "", "buyer_code": "77"}, "review", "the crosswalk has no buyer_code '77'"),
]
BAD_ACTIVITY = [
    ({**STEEL, "unit": "ton"}, "review", "metric, a short or a long ton"),
    ({**GAS, "unit": "gallon"}, "review", "of the US or of the UK"),
    ({**GAS, "unit": "barrel"}, "review", "of oil or of something else"),
    ({**GAS, "unit": "kWh"}, "review", r"gross or net: write kWh \(Gross CV\) or \(Net CV\)"),
    ({**RAIL, "unit": "vehicle.km"}, "rejected", "has factors a passenger.km only"),
    ({**RAIL, "unit": "km"}, "rejected", "has factors a passenger.km only"),
    ({**RAIL, "unit": ""}, "rejected", "no unit of its quantity"),
    ({**RAIL, "quantity": ""}, "rejected", "the quantity is blank, which is no 0"),
    ({**RAIL, "quantity": "-4"}, "review", "the quantity is negative"),
    ({**RAIL, "quantity": "1234567890123456789"}, "rejected", "quantity .* has more than 18 digits"),
    ({**STEEL, "unit": "t", "amount": "500", "currency": "EUR"}, "review", "a kg is outside 0.01 to 100000"),
    ({**RAIL, "code": "Waste disposal > Construction > Aggregates > Re-use", "unit": "t"}, "review", "a blank is no 0"),
    ({**RAIL, "code": "Outside of scopes > Biofuel > Bioethanol", "unit": "litres"}, "review", "biogenic CO2 outside"),
    ({**RAIL, "code": "Business travel- moon"}, "review", "there is no factor desnz"),
    (
        {**RAIL, "code_scheme": "epa-hub", "code": "WASTE > Mixed MSW", "unit": "t"},
        "review",
        "a blank is no 0|ambiguous",
    ),
    (
        {**RAIL, "code_scheme": "epa-hub", "code": "STATIONARY_COMBUSTION > Natural Gas", "unit": "scf"},
        "review",
        "is the burning of a fuel, which is scope 1",
    ),
    (
        {**RAIL, "code_scheme": "epa-hub", "code": "EGRID > CAMX", "unit": "MWh"},
        "review",
        "the generation of electricity or heat, which is scope 2",
    ),
    ({**RAIL, "code": "", "unit": "kWh", "text": "Electricity", "country": "FR"}, "review", "no rows .* of FR"),
]


@pytest.mark.parametrize(("changed", "fate", "why"), BAD_SPEND, ids=[why for _, _, why in BAD_SPEND])
def test_a_bad_spend_line_has_one_sentence_and_no_number(changed: dict[str, str], fate: str, why: str) -> None:
    found, reason = fate_of({**SPEND, **changed})
    assert found == fate
    assert re.search(why, reason), reason


@pytest.mark.parametrize(("line", "fate", "why"), BAD_ACTIVITY, ids=[why for _, _, why in BAD_ACTIVITY])
def test_a_bad_activity_line_has_one_sentence_and_no_number(line: dict[str, str], fate: str, why: str) -> None:
    found, reason = fate_of(line)
    assert found == fate
    assert re.search(why, reason), reason


def test_a_line_id_that_stands_twice_counts_once() -> None:
    rows = computed({**SPEND, "line_id": "a"}, {**SPEND, "line_id": "a"}, {**SPEND, "line_id": ""})
    assert [row["fate"] for row in rows] == ["counted", "rejected", "rejected"]


def test_a_stated_decimal_mark_settles_what_has_two_readings() -> None:
    for mark, net in ((".", 123400), (",", 123)):
        (row,) = computed(
            {**SPEND, "amount": "1,234" if mark == "." else "1,23"}, policy=replace(POLICY, decimal_mark=mark)
        )
        assert (row["fate"], row["net_minor"]) == ("counted", net)


def test_a_policy_may_lower_the_limit_and_state_the_valuation() -> None:
    assert fate_of(SPEND, policy=replace(POLICY, max_line_amount=Decimal(999)))[0] == "review"
    assert fate_of({**SPEND, "valuation": ""}, policy=replace(POLICY, valuation="purchaser"))[0] == "counted"


def test_a_true_zero_counts_as_zero() -> None:
    (row,) = computed({**SPEND, "amount": "0"})
    assert (row["fate"], row["kg_co2e"]) == ("counted", "0.000000")


@pytest.mark.parametrize(
    "written",
    [
        "2022-05-02",
        "20220502",
        "2022/05/02",
        "2.5.2022",
        "2 May 2022",
        "02-May-2022",
        "May 2, 2022",
        "2022-05-02T10:00",
    ],
)
def test_a_date_that_can_only_be_read_one_way_is_read(written: str) -> None:
    (row,) = computed({**SPEND, "date": written})
    assert (row["fate"], row["day"]) == ("counted", "2022-05-02")


def test_a_factor_of_money_without_price_year_or_valuation_gives_no_number() -> None:
    for edition, why in (
        (Edition("own", "1", currency="USD", price_year=2022), "states no valuation"),
        (Edition("own", "1", currency="USD", valuation="purchaser"), "states no year of its prices"),
    ):
        factor = Factor("k", "row 2", "naics-2017", "541511", "made", "USD", "0.5")
        made = FactorSet("own", (dataset_of(edition, [factor], ""),), shipped_revisions())
        (row,) = computed(SPEND, factors=made)
        assert (row["fate"], why in row["reason"]) == ("rejected", True)
