"""DESNZ's workbook: title blocks, merged labels, side-by-side tables."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from xlsxwriter import Workbook

from core.errors import InputError
from core.workloads.emissions.factors.loaders import desnz_workbook
from core.workloads.emissions.factors.loaders.desnz_workbook import load

TITLE = [["UK Government GHG Conversion Factors"], ["Scope:", "Scope 3", "Version:", "1.1", "Year:", "2024"], []]
CARS = [
    ["", "", "", "Diesel", "", "Petrol", ""],
    ["Activity", "Type", "Unit", "kg CO2e", "kg CO2e of CO2 per unit", "kg CO2e", "kg CO2e of CO2 per unit"],
    ["Cars (by size)", "Small car", "km", 0.1, 0.09, 0.2, 0.19],
    ["", "", "miles", 0.16, 0.15, 0.32, 0.31],
    ["", "Large car", "km", 0.3, 0.29, "", ""],
    ["Words below the table"],
    ["no", "row", "km", 9.9],
]


def book(path: Path, title: list[list[str]] = TITLE) -> Path:
    made = Workbook(path)
    sheet = made.add_worksheet("Business travel- land")
    for row, cells in enumerate([*title, *CARS]):
        for column, cell in enumerate(cells):
            sheet.write(row, column, cell) if cell != "" else None
    made.close()
    return path


def test_labels_are_carried_down_and_to_the_right(tmp_path: Path) -> None:
    found = load(book(tmp_path / "set.xlsx"))
    assert (found.edition.edition, found.edition.patch) == ("2024", "v1.1")
    head = "Business travel- land > Cars (by size)"
    assert {(factor.code, factor.unit): factor.value for factor in found.factors} == {
        (f"{head} > Small car > Diesel", "km"): "0.1",
        (f"{head} > Small car > Petrol", "km"): "0.2",
        (f"{head} > Small car > Diesel", "miles"): "0.16",
        (f"{head} > Small car > Petrol", "miles"): "0.32",
        (f"{head} > Large car > Diesel", "km"): "0.3",
        (f"{head} > Large car > Petrol", "km"): None,
    }
    assert {factor.locator for factor in found.factors} == {f"Business travel- land!{row}" for row in (6, 7, 8)}


def test_a_workbook_without_version_a_file_that_is_none_and_one_that_unpacks_to_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="no version and year"):
        load(book(tmp_path / "bare.xlsx", []))
    (tmp_path / "text.xlsx").write_text("a,b", encoding="utf-8")
    with pytest.raises(InputError, match="is no workbook"):
        load(tmp_path / "text.xlsx")
    with zipfile.ZipFile(tmp_path / "other.xlsx", "w") as packed:
        packed.writestr("a.txt", "a")
    with pytest.raises(InputError, match="cannot be read as a workbook"):
        load(tmp_path / "other.xlsx")
    monkeypatch.setattr(desnz_workbook, "UNPACKED_MAX", 100)
    with pytest.raises(InputError, match="over the 100"):
        load(book(tmp_path / "big.xlsx"))
