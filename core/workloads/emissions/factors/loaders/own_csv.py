"""Factors of one's own, as a CSV; also the form of what Headrace ships."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from core.errors import InputError
from core.intake.file_digest import file_digest
from core.workloads.emissions.factors.dataset import Dataset, Edition, Factor, dataset_of
from core.workloads.emissions.factors.loaders.reading import figure, refuse_empty, rows_of, version_in
from core.workloads.emissions.rules.units import unit_of

REQUIRED: Final = ("scheme", "code", "unit", "value")
SCHEMES: Final = ("naics-2017", "useeio", "desnz", "epa-hub", "own")
OPTIONAL: Final = (
    *("key", "locator", "label", "without_margins", "region", "gases", "error_group", "reference", "ln_sd"),
    *("margin_share",),
)
_OF_EDITION: Final = ("source", "edition", "year", "currency", "price_year", "valuation", "licence", "gwp_set")


def load(path: Path) -> Dataset:
    """Columns scheme, code, unit, value, and what else of `OPTIONAL` and of the edition there is.

    Raises SchemaError: a required column is missing. InputError: a scheme, unit, figure or share that cannot be read,
    or a column of the edition with two values.
    """
    table = rows_of(path, REQUIRED)
    rows = table.to_dicts()
    refuse_empty(rows, path)
    facts = {name: _only(rows, name, path) for name in _OF_EDITION if name in table.columns}
    valuation = facts.get("valuation")
    if valuation not in (None, "purchaser", "producer"):
        raise InputError(f"{path}: valuation is purchaser or producer", path=str(path))
    edition = Edition(
        source=facts.get("source") or "own",
        edition=facts.get("edition") or version_in(path) or path.stem,
        year=_year(facts.get("year") or facts.get("price_year"), path) or 0,
        licence=facts.get("licence") or "own",
        gwp_set=facts.get("gwp_set"),
        currency=facts.get("currency") or "",
        price_year=_year(facts.get("price_year"), path),
        valuation="purchaser" if valuation == "purchaser" else "producer" if valuation == "producer" else None,
    )
    return dataset_of(edition, [_factor(row, path, n) for n, row in enumerate(rows, 2)], file_digest(path))


def _factor(row: dict[str, Any], path: Path, number: int) -> Factor:
    where = f"{path}, row {number}"
    for name in ("scheme", "code", "unit"):
        if not row[name]:
            raise InputError(f"{where}: {name} is empty", path=str(path), line=number, column=name)
    if row["scheme"] not in SCHEMES:
        raise InputError(f"{where}: there is no scheme {row['scheme']!r}; there are {', '.join(SCHEMES)}")
    try:
        unit_of(row["unit"])
    except InputError as error:
        raise InputError(f"{where}: {error.message}", path=str(path), line=number, column="unit") from None
    share = figure(row.get("margin_share"), f"{where}, margin_share")
    if share is not None and not 0 <= float(share) < 1:
        raise InputError(f"{where}: margin_share is a share of 0 up to, not including, 1", path=str(path), line=number)
    spread = figure(row.get("ln_sd"), f"{where}, ln_sd")
    return Factor(
        key=row.get("key") or f"{row['code']} [{row['unit']}]",
        locator=row.get("locator") or f"row {number}",
        scheme=row["scheme"],
        code=row["code"],
        label=row.get("label") or row["code"],
        unit=row["unit"],
        value=figure(row["value"], f"{where}, value"),
        without_margins=figure(row.get("without_margins"), f"{where}, without_margins"),
        region=row.get("region") or "",
        gases=_gases(row.get("gases"), where),
        error_group=row.get("error_group") or "",
        reference=row.get("reference") or "",
        ln_sd=None if spread is None else float(spread),
        margin_share=share,
    )


def _gases(text: str | None, where: str) -> tuple[tuple[str, str, str], ...]:
    """JSON of gas -> kg a unit."""
    if not text:
        return ()
    try:
        return tuple(sorted((gas, str(kg), str(kg)) for gas, kg in json.loads(text).items()))
    except (ValueError, AttributeError):
        raise InputError(f"{where}, gases: is no JSON of gas to kg") from None


def _only(rows: list[dict[str, Any]], name: str, path: Path) -> str | None:
    found = {row[name] for row in rows} - {None}
    if len(found) > 1:
        raise InputError(f"{path}: the column {name} has {len(found)} values; a file is one edition", column=name)
    return str(found.pop()) if found else None


def _year(text: str | None, path: Path) -> int | None:
    if text is None:
        return None
    if not (text.isdigit() and len(text) == 4):
        raise InputError(f"{path}: a year is four digits", path=str(path))
    return int(text)
