"""Cornerstone, successor of EPA's supply-chain factors: written against the documented columns; no file was at hand."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import polars as pl

from core.errors import SchemaError
from core.intake.file_digest import file_digest
from core.intake.whole_columns import read_table
from core.workloads.emissions.factors.dataset import Dataset, Edition, Factor, dataset_of
from core.workloads.emissions.factors.loaders.reading import figure, refuse_empty, version_in

_UNIT = re.compile(r"kg CO2e/(\d{4}) ([A-Z]{3}), (purchaser|producer) price")


def load(path: Path) -> Dataset:
    """As EPA's CO2e file, under the NAICS revision that the columns name; GWPs of AR6.

    Raises SchemaError: no column names a revision, or a column or the unit is missing.
    """
    table = read_table(path)
    revision = next((name[:4] for name in table.columns if re.fullmatch(r"\d{4} NAICS Code", name)), None)
    wanted = [f"{revision} NAICS Code", f"{revision} NAICS Title", "Unit"]
    margins = [f"Supply Chain Emission Factors {how} Margins" for how in ("without", "with")]
    missing = [name for name in (*wanted, *margins) if name not in table.columns]
    if revision is None or missing:
        raise SchemaError(f"{path} has no column {missing[0]!r}", column=missing[0], got=table.columns)
    refuse_empty(table, path)
    found = {_UNIT.fullmatch(unit or "") for unit in table["Unit"].unique()}
    unit = found.pop()
    if unit is None or found:
        raise SchemaError(f"{path}: the unit is not one 'kg CO2e/YEAR CURRENCY, purchaser price'", column="Unit")
    edition = Edition(
        source="cornerstone",
        edition=version_in(path) or unit[1],
        year=int(unit[1]),
        region="US",
        licence="attribution to Cornerstone Sustainability Data Initiative",
        gwp_set="AR6",
        currency=unit[2],
        price_year=int(unit[1]),
        valuation="purchaser" if unit[3] == "purchaser" else "producer",
    )
    made = _factors(table.select(*wanted[:2], *margins), path, unit[2])
    return dataset_of(edition, [replace(factor, scheme=f"naics-{revision}") for factor in made], file_digest(path))


def _factors(table: pl.DataFrame, path: Path, currency: str) -> list[Factor]:
    return [
        Factor(
            key=code,
            locator=f"row {row}",
            scheme="",
            code=code,
            label=title or "",
            unit=currency,
            value=figure(whole, f"{path}, row {row}, with margins"),
            without_margins=figure(part, f"{path}, row {row}, without margins"),
            region="US",
            error_group=f"cornerstone {code}",
        )
        for row, (code, title, part, whole) in enumerate(table.rows(), 2)
    ]
