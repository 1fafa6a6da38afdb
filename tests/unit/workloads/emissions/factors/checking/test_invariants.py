"""What must hold in whole files, here in cut-outs of them, and what is seen when it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import ConfigError, InputError
from core.workloads.emissions.factors.checking.invariants import CheckedFile, check_file, recognised

FILES = Path(__file__).parents[1] / "files"
NAMES = {
    "epa_supply_chain_v1.3.0_co2e_cut.csv": "epa-supply-chain",
    "epa_supply_chain_v1.3.0_byghg_cut.csv": "epa-supply-chain",
    "desnz_2025_flat_cut.csv": "desnz",
    "epa_hub_2025_cut.json": "epa-hub",
    "naics_2002_to_2022_cut.csv": "naics",
}


def failed(found: CheckedFile) -> list[str]:
    return [row.invariant for row in found.invariants if row.failed]


@pytest.mark.parametrize("name", NAMES)
def test_all_holds_in_what_publishers_print(name: str) -> None:
    found = check_file(FILES / name)
    assert (found.loader, failed(found)) == (NAMES[name], [])


@pytest.mark.parametrize(
    ("name", "old", "new", "invariant"),
    [
        ("epa_supply_chain_v1.3.0_co2e_cut.csv", "0.084,0,0.084", "0.084,0,0.094", "without margins + margins"),
        ("epa_supply_chain_v1.3.0_co2e_cut.csv", "0.084,0,0.084", "-0.084,0,-0.084", "not below 0"),
        ("epa_supply_chain_v1.3.0_co2e_cut.csv", "112111,", "11211,", "codes of six digits"),
        ("epa_supply_chain_v1.3.0_co2e_cut.csv", "2.847,0.045,2.893", "2.8,0.045,2.845", "share its figures"),
        ("desnz_2025_flat_cut.csv", "0.03546", "0.03646", "CO2 + CH4 + N2O"),
        ("desnz_2025_flat_cut.csv", "11_100_1004_6_1", "11_100_1004_6_2", "the last part of an id is its gas"),
        ("epa_hub_2025_cut.json", '"heat_content": 25.09', '"heat_content": 26.09', "heat content"),
    ],
)
def test_what_does_not_hold_is_named(tmp_path: Path, name: str, old: str, new: str, invariant: str) -> None:
    text = (FILES / name).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    assert [found for found in failed(check_file(tmp_path / name)) if invariant in found]


def test_a_file_of_nobody_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="columns of no publisher"):
        recognised(tmp_path / "x.csv")
    with pytest.raises(InputError, match="is not there"):
        check_file(tmp_path / "gone.csv")
