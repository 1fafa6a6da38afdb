"""DESNZ's flat file."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError, SchemaError
from core.workloads.emissions.factors.loaders.desnz_flat import load

FLAT = Path(__file__).parents[1] / "files" / "desnz_2025_flat_cut.csv"


def test_totals_with_their_ids_units_and_trimmed_levels() -> None:
    found = load(FLAT)
    by_key = {factor.key: factor for factor in found.factors}
    assert (found.edition.edition, found.edition.region, found.edition.gwp_set) == ("2025", "GB", "AR5")
    gas = by_key["11_100_1004_6_1"]
    assert (gas.value, gas.unit, gas.code) == ("0.03021", "kWh (Gross CV)", "WTT- fuels > Gaseous fuels > Natural gas")
    # Only totals: gases are parts of them; and what is outside of the scopes, which has nothing else.
    assert {key.rpartition("_")[2] for key in by_key if not key.startswith("99_")} == {"1"}


def test_a_blank_is_kept_as_none_and_a_zero_on_purpose_as_zero() -> None:
    by_key = {factor.key: factor.value for factor in load(FLAT).factors}
    assert (by_key["20_500_5168_15_1"], by_key["12_902_1048_5_1"]) == (None, "0")


def test_an_id_that_stands_twice_and_a_file_without_a_year_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "flat.csv"
    text = FLAT.read_text(encoding="utf-8")
    path.write_text(text.replace("11_100_1004_6_1", "12_902_1048_5_1"), encoding="utf-8")
    with pytest.raises(InputError, match="12_902_1048_5_1 stands already in row"):
        load(path)
    path.write_text(text.replace("Factor 2025", "Factor"), encoding="utf-8")
    with pytest.raises(SchemaError, match="GHG Conversion Factor YEAR"):
        load(path)
