"""What counts, by which factor, and how much."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction

import polars as pl
import pytest

from core.workloads.emissions.factors.loaders import epa_supply_chain
from core.workloads.emissions.inventory.compute import compute
from core.workloads.emissions.inventory.lines import lines_of
from core.workloads.emissions.inventory.policies.crosswalk import Crosswalk, Part
from core.workloads.emissions.inventory.policies.own_entities import OwnEntity
from core.workloads.emissions.inventory.selection.catalog import Catalog
from core.workloads.emissions.inventory.summary import FATES, summary_of
from tests.unit.workloads.emissions.inventory.made import FILES, POLICY, RAIL, SPEND, computed, factor_set


def kg(*lines: dict[str, str], **how: object) -> list[str | None]:
    return [row["kg_co2e"] for row in computed(*lines, **how)]  # type: ignore[arg-type]


def test_euros_of_2024_are_put_on_dollars_of_2022() -> None:
    assert kg({**SPEND, "currency": "EUR", "date": "2024-06-30"}) == ["84.823442"]


def test_tax_is_taken_off_and_margins_are_policy() -> None:
    gross = {**SPEND, "code": "327310", "amount": "119", "tax": "19", "amount_basis": "gross"}
    assert kg(gross) == ["392.400000"]
    assert kg(gross, policy=replace(POLICY, margins="without")) == ["384.600000"]


@pytest.mark.parametrize(
    ("line", "category", "method", "mass"),
    [
        (SPEND, 1, "spend", "84.000000"),
        ({**SPEND, "capex": "Y"}, 2, "spend", "84.000000"),
        ({**SPEND, "code": "484121"}, 4, "spend", "595.000000"),
        ({**SPEND, "code": "562212"}, 5, "spend", "988.000000"),
        ({**SPEND, "code": "513210", "code_scheme": "naics-2022"}, 1, "spend", None),
        ({**SPEND, "code": "1121A0", "code_scheme": "useeio"}, 1, "spend", "2893.000000"),
        (RAIL, 6, "distance", "70.920000"),
        ({**RAIL, "quantity": "1000", "unit": "passenger-mile"}, 6, "distance", None),
        (
            {
                **RAIL,
                "code_scheme": "epa-hub",
                "code": "WASTE > Mixed MSW > landfilled",
                "quantity": "1",
                "unit": "short_ton",
            },
            5,
            "waste",
            "580.000000",
        ),
        (
            {**RAIL, "code": "Water supply > Water supply > Water supply", "quantity": "1", "unit": "ML"},
            1,
            "average-data",
            None,
        ),
    ],
)
def test_a_code_gives_category_method_and_mass(
    line: dict[str, str], category: int, method: str, mass: str | None
) -> None:
    (row,) = computed(line)
    assert (row["fate"], row["category"], row["method"]) == ("counted", category, method), row["reason"]
    assert mass is None or row["kg_co2e"] == mass
    assert row["dataset_id"]
    assert row["factor_no"]


def test_the_lines_own_unit_comes_before_another_of_its_dimension() -> None:
    water = {**RAIL, "code": "Water supply > Water supply > Water supply", "quantity": "1000", "unit": "cubic metres"}
    assert kg(water, {**water, "quantity": "1", "unit": "litres"}) == ["191.300000", "0.000191"]


def test_electricity_without_a_row_counts_tank_losses_and_tank_of_losses() -> None:
    (row,) = computed(
        {**RAIL, "code": "", "code_scheme": "", "text": "electricity, office", "unit": "kWh", "country": "GB"}
    )
    assert row["kg_co2e"] == "136.800000"
    assert (row["category"], row["factor_no"].count("+")) == (3, 2)


def test_a_unit_as_last_level_of_a_row_may_be_left_out() -> None:
    row = "WTT- UK electricity > WTT- UK electricity (T&D) > Electricity: UK"
    found = kg(*({**RAIL, "code": code, "unit": "kWh"} for code in (row, f"{row} > kWh", row.upper())))
    assert found == ["7.940000"] * 3


def test_well_to_tank_is_added_where_the_policy_says_so() -> None:
    (row,) = computed(RAIL, policy=replace(POLICY, well_to_tank="add"))
    assert row["factor_no"].count("+") == 1
    assert row["mass_mg"] > computed(RAIL)[0]["mass_mg"]


def test_gases_are_put_under_the_policys_gwp_set() -> None:
    by_gas = replace(factor_set(), members=(epa_supply_chain.load(FILES / "epa_supply_chain_v1.3.0_byghg_cut.csv"),))
    line = {**SPEND, "code": "562212", "amount": "1"}
    found = {name: kg(line, factors=by_gas, policy=replace(POLICY, gwp_set=name))[0] for name in ("AR4", "AR5", "AR6")}
    assert {name: round(float(mass or 0), 5) for name, mass in found.items()} == {
        "AR4": 0.91566,
        "AR5": 0.98920,
        "AR6": 0.98886,
    }


def test_a_suppliers_figure_of_cradle_to_gate_comes_first_and_others_are_marked() -> None:
    stated = {**SPEND, "quantity": "2", "unit": "t", "supplier_factor": "1.5", "supplier_factor_unit": "kgCO2e/kg"}
    rows = computed(
        *(
            {**stated, "supplier_factor_boundary": name}
            for name in ("cradle-to-gate", "gate-to-gate", "cradle-to-grave", "")
        ),
        {**stated, "supplier_factor_boundary": "cradle-to-gate", "unit": "m3"},
        {**stated, "supplier_factor_boundary": "cradle-to-gate", "supplier_factor_unit": "kgCO2e/EUR"},
    )
    assert [(row["method"], row["review"]) for row in rows] == [
        ("supplier-specific", False),
        *[("spend", True)] * 4,
        ("supplier-specific", False),
    ]
    assert (rows[0]["kg_co2e"], rows[1]["kg_co2e"]) == ("3000.000000", "84.000000")


def test_the_better_record_keeps_its_part_and_the_rest_keeps_the_spend_factor() -> None:
    purchase = {**SPEND, "document": "D1", "code": "327310", "amount": "100000"}
    rows = computed(purchase, {**RAIL, "document": "D1", "covers_amount": "60000"})
    assert [row["kg_co2e"] for row in rows] == ["156960.000000", "70.920000"]
    whole = computed(purchase, {**RAIL, "document": "D1", "covers_amount": "100000"})
    assert [row["fate"] for row in whole] == ["superseded", "counted"]
    unstated = computed(purchase, {**RAIL, "document": "D1"})
    assert [row["fate"] for row in unstated] == ["review", "counted"]
    by_product = computed(
        {**purchase, "product_key": "P"}, {**RAIL, "product_key": "P", "date": "2022-01-02", "covers_amount": "50000"}
    )
    assert by_product[0]["share"] == "1/2"


def test_a_record_by_amount_covers_its_part_and_one_beside_a_suppliers_figure_is_marked() -> None:
    purchase = {**SPEND, "document": "D1"}
    stated = {
        "supplier_factor": "0.01",
        "supplier_factor_unit": "kgCO2e/USD",
        "supplier_factor_boundary": "cradle-to-gate",
    }
    record = {**SPEND, **stated, "document": "D1", "document_type": "activity", "amount": "400", "covers_amount": "400"}
    assert kg(purchase, record) == ["50.400000", "4.000000"]
    by_mass = {**stated, "supplier_factor_unit": "kgCO2e/kg", "quantity": "90", "unit": "kg"}
    rows = computed({**purchase, **by_mass}, {**RAIL, "document": "D1"})
    assert [row["review"] for row in rows] == [False, True]


def test_credit_notes_count_in_the_cell_of_their_document_and_not_below_zero() -> None:
    purchase = {**SPEND, "document": "D1"}
    note = {
        **SPEND,
        "document": "C1",
        "document_ref": "D1",
        "document_type": "credit_note",
        "amount": "-250",
        "code": "",
    }
    assert kg(purchase, note) == ["84.000000", "-21.000000"]
    assert kg(purchase, {**note, "amount": "250"}) == ["84.000000", "-21.000000"]
    assert [row["fate"] for row in computed(purchase, note, {**note, "amount": "-800"})] == [
        "counted",
        "review",
        "review",
    ]
    assert computed(purchase, {**note, "document_ref": "D9", "code": "541511"})[1]["fate"] == "review"


def test_documents_orders_cards_and_own_entities_count_once() -> None:
    numbered = {**SPEND, "document": "D1", "document_line": "1"}
    assert [row["fate"] for row in computed(numbered, numbered)] == ["counted", "excluded"]
    assert [row["fate"] for row in computed(numbered, {**numbered, "amount": "7"})] == ["review", "review"]
    order = {**SPEND, "document": "O1", "document_type": "order"}
    assert [row["fate"] for row in computed(order, {**SPEND, "document_ref": "O1"})] == ["superseded", "counted"]
    assert computed(order)[0]["review"]
    card = {**SPEND, "document": "K1", "document_type": "card"}
    agency = {**SPEND, "document": "A1", "document_type": "agency"}
    assert [row["fate"] for row in computed({**card, "document_ref": "A1"}, agency)] == ["superseded", "counted"]
    assert [row["fate"] for row in computed({**card, "supplier": "Air"}, agency)] == ["review", "counted"]
    own = replace(POLICY, own=(OwnEntity("ACME Limited", "", ""),))
    assert computed(SPEND, policy=own)[0]["fate"] == "excluded"
    own = replace(POLICY, own=(OwnEntity("ACME Limited", "GB", "GB 123"),))
    for changed, fate in (
        ({}, "excluded"),
        ({"supplier_country": "US"}, "counted"),
        ({"supplier": "Acme Services Ltd"}, "review"),
        ({"supplier_vat": "gb123", "supplier": "Anybody"}, "excluded"),
        ({"supplier_vat": "GB999"}, "review"),
    ):
        assert computed({**SPEND, **changed}, policy=own)[0]["fate"] == fate, changed


def test_a_buyers_code_stands_for_its_parts_and_never_for_two_units() -> None:
    half = Fraction(1, 2)
    parts = {
        "A": (Part("naics-2017", "541511", None, half), Part("naics-2017", "541512", 1, half)),
        "B": (Part("naics-2017", "541511", None, half), Part("desnz", RAIL["code"], 1, half)),
        "C": (Part("naics-2017", "541511", None, half), Part("naics-2017", "484121", None, half)),
        "007": (Part("naics-2017", "541511", 8, Fraction(1)),),
    }
    policy = replace(POLICY, crosswalk=Crosswalk(parts))
    bought = {**SPEND, "code": "", "code_scheme": ""}
    rows = computed(
        *({**bought, "buyer_code": code, "unit": "passenger.km"} for code in ("A", "B", "C", "007", "7")), policy=policy
    )
    assert [row["fate"] for row in rows] == ["counted", "review", "review", "counted", "review"]
    assert "different units" in rows[1]["reason"]
    assert "categories 1, 4" in rows[2]["reason"]
    assert rows[3]["category"] == 8
    assert "lost its leading zeros" in rows[4]["reason"]


def test_fates_partition_the_input_and_the_order_of_lines_changes_nothing() -> None:
    lines = [
        {
            **SPEND,
            "document": f"D{number % 5}",
            "amount": str(100 + number),
            "currency": ("EUR", "USD", "JPY", "BRL")[number % 4],
        }
        for number in range(40)
    ]
    lines += [{**RAIL, "document": "D1", "covers_amount": "20"}, {**RAIL, "unit": "ton"}]
    rows = [{"line_id": str(number), **line} for number, line in enumerate(lines)]
    catalog = Catalog(factor_set(), POLICY)
    first = compute(lines_of(pl.DataFrame(rows)), catalog, None).frame
    random.Random(3).shuffle(rows)
    second = compute(lines_of(pl.DataFrame(rows)), catalog, None).frame
    kept = ["line_id", "fate", "reason", "mass_mg", "share", "ln_sd", "review"]
    assert first.select(kept).sort("line_id").equals(second.select(kept).sort("line_id"))
    found = summary_of(first, factor_set(), POLICY)
    assert sum(found["by_fate"][fate]["lines"] for fate in FATES) == len(lines)
    euros = sum(float(found["by_fate"][fate]["amounts"].get("EUR", 0)) for fate in FATES)
    assert euros == sum(100 + number for number in range(0, 40, 4))


def test_lines_outside_the_period_are_excluded() -> None:
    assert [row["fate"] for row in computed(SPEND, {**SPEND, "date": "2023-01-01"}, period=2022)] == [
        "counted",
        "excluded",
    ]


def test_freight_beside_goods_with_margins_is_marked() -> None:
    goods = {**SPEND, "document": "D1", "code": "327310"}
    rows = computed(goods, {**SPEND, "document": "D1", "code": "484121"}, {**SPEND, "code": "484121"})
    assert [row["review"] for row in rows] == [False, True, False]


def test_of_two_files_of_one_edition_the_first_named_answers() -> None:
    both = tuple(epa_supply_chain.load(FILES / f"epa_supply_chain_v1.3.0_{name}_cut.csv") for name in ("byghg", "co2e"))
    found = [kg(SPEND, factors=replace(factor_set(), members=members))[0] for members in (both, both[::-1])]
    assert [round(float(mass or 0), 2) for mass in found] == [84.38, 84.0]


def test_a_line_takes_the_edition_of_its_year_then_the_nearest_past() -> None:
    old, new = (epa_supply_chain.load(FILES / f"epa_supply_chain_{name}_co2e_cut.csv") for name in ("v1.2", "v1.3.0"))
    editions = replace(factor_set(), members=(new, old))
    rows = computed({**SPEND, "date": "2021-03-01"}, {**SPEND, "date": "2023-03-01"}, factors=editions)
    assert [row["dataset_id"] for row in rows] == [old.dataset_id, new.dataset_id]
    assert rows[0]["kg_co2e"] == "97.000000"


def test_a_code_without_revision_is_what_it_is_in_any_that_has_it() -> None:
    whole = {**SPEND, "code": "513210", "code_scheme": "NAICS"}
    assert computed(whole)[0]["fate"] == computed({**whole, "code_scheme": "naics-2022"})[0]["fate"] == "counted"


def test_an_activity_record_by_amount_and_the_invoice_of_its_document_do_not_both_count() -> None:
    rows = computed({**SPEND, "document": "D1"}, {**SPEND, "document": "D1", "document_type": "activity"})
    assert [row["fate"] for row in rows] == ["review", "counted"]


def test_a_credit_note_of_another_code_than_its_document_is_reviewed() -> None:
    invoice = {**SPEND, "document": "D1", "document_line": "1"}
    other = {**invoice, "document_line": "2", "code": "327213", "amount": "10"}
    note = {**SPEND, "document_type": "credit_note", "document_ref": "D1", "amount": "-50"}
    rows = computed(invoice, other, note, {**note, "code": "327213"}, {**note, "code": "484121"})
    assert [row["fate"] for row in rows] == ["counted", "counted", "counted", "review", "review"]
    assert "falls below zero" in rows[3]["reason"]
    assert "another code than the counted lines" in rows[4]["reason"]


def test_a_credit_note_without_supplier_is_that_of_the_only_one_with_its_document() -> None:
    purchase = {**SPEND, "document": "D1"}
    note = {**SPEND, "supplier": "", "document_ref": "D1", "document_type": "credit_note", "amount": "-250"}
    assert kg(purchase, note)[1] == "-21.000000"
    assert computed(purchase, {**purchase, "supplier": "Other Inc"}, note)[2]["fate"] == "review"
