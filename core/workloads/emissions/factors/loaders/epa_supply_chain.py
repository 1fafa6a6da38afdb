"""US EPA, Supply Chain GHG Emission Factors: kg CO2e, or kg of each gas, a US dollar at purchaser price."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import polars as pl

from core.errors import InputError
from core.intake.file_digest import file_digest
from core.workloads.emissions.factors.dataset import Dataset, Edition, Factor, dataset_of
from core.workloads.emissions.factors.loaders.reading import figure, refuse_empty, rows_of, version_in
from core.workloads.emissions.rules.gases import UNSPECIFIED

COLUMNS: Final = (
    "2017 NAICS Code",
    "2017 NAICS Title",
    "GHG",
    "Unit",
    "Supply Chain Emission Factors without Margins",
    "Margins of Supply Chain Emission Factors",
    "Supply Chain Emission Factors with Margins",
    "Reference USEEIO Code",
)
_UNIT: Final = re.compile(r"kg( CO2e)?/(\d{4}) ([A-Z]{3}), (purchaser|producer) price")
_ALL: Final = "All GHGs"


def load(path: Path) -> Dataset:
    """Either of EPA's two files: CO2e, or by gas.

    Raises SchemaError: a column is missing. InputError: a unit, a figure, or two dollar years in one file.
    Cost: 0.3 s for the 18,288 rows by gas.
    """
    table = rows_of(path, COLUMNS)
    refuse_empty(table, path)
    units = {unit: _unit(unit, path) for unit in table["Unit"].unique().to_list()}
    bases = {(year, currency, valuation) for _, year, currency, valuation in units.values()}
    if len(bases) != 1:
        raise InputError(f"{path} mixes dollar years or prices: {', '.join(sorted(map(str, units)))}", path=str(path))
    year, currency, valuation = bases.pop()
    by_gas = set(table["GHG"].unique()) != {_ALL}
    edition = Edition(
        source="epa-supply-chain",
        edition=version_in(path) or f"{currency}{year}",
        patch="by gas" if by_gas else "",
        year=int(year),
        region="US",
        licence="US government work, public domain",
        gwp_set=None if by_gas else "AR5",
        currency=currency,
        price_year=int(year),
        valuation="purchaser" if valuation == "purchaser" else "producer",
    )
    made = _gases(table, path, currency) if by_gas else _totals(table, path, currency)
    _refuse_twice(made, path)
    return dataset_of(edition, made, file_digest(path))


def _totals(table: pl.DataFrame, path: Path, currency: str) -> list[Factor]:
    return [
        Factor(
            key=code,
            locator=f"row {row}",
            scheme="naics-2017",
            code=code,
            label=title or "",
            unit=currency,
            value=figure(whole, f"{path}, row {row}, {COLUMNS[6]}"),
            without_margins=figure(part, f"{path}, row {row}, {COLUMNS[4]}"),
            region="US",
            error_group=f"useeio {reference}",
            reference=reference or "",
        )
        for row, (code, title, _, _, part, _, whole, reference) in enumerate(table.select(COLUMNS).rows(), 2)
    ]


def _gases(table: pl.DataFrame, path: Path, currency: str) -> list[Factor]:
    """One factor a code; a figure that is blank makes the whole factor blank, for a sum without it would be too low."""
    masses: dict[str, list[tuple[str, str, str]]] = {}
    heads: dict[str, tuple[str, str, int]] = {}
    blank = set()
    for row, (code, title, gas, unit, part, _, whole, reference) in enumerate(table.select(COLUMNS).rows(), 2):
        if ("CO2e" in unit) != (gas == UNSPECIFIED):
            raise InputError(
                f"{path}, row {row}: {gas} stands in {unit}; only '{UNSPECIFIED}' is kg CO2e", path=str(path), line=row
            )
        heads.setdefault(code, (title or "", reference or "", row))
        found = figure(whole, f"{path}, row {row}, {COLUMNS[6]}"), figure(part, f"{path}, row {row}, {COLUMNS[4]}")
        if found[0] is None or found[1] is None:
            blank.add(code)
            continue
        masses.setdefault(code, []).append((gas, found[0], found[1]))
    return [
        Factor(
            key=code,
            locator=f"row {row}",
            scheme="naics-2017",
            code=code,
            label=title,
            unit=currency,
            value=None,
            region="US",
            gases=() if code in blank else tuple(sorted(masses.get(code, ()))),
            error_group=f"useeio {reference}",
            reference=reference,
        )
        for code, (title, reference, row) in heads.items()
    ]


def _unit(text: str | None, path: Path) -> tuple[str, str, str, str]:
    found = _UNIT.fullmatch(text or "")
    if found is None:
        raise InputError(
            f"{path}: the unit {text!r} is none of EPA's, such as 'kg CO2e/2022 USD, purchaser price'", path=str(path)
        )
    return found[1] or "", found[2], found[3], found[4]


def _refuse_twice(made: list[Factor], path: Path) -> None:
    seen: dict[str, str] = {}
    for factor in made:
        if factor.code in seen:
            raise InputError(
                f"{path}, {factor.locator}: code {factor.code} stands already in {seen[factor.code]}", path=str(path)
            )
        seen[factor.code] = factor.locator
