"""UK DESNZ, greenhouse gas conversion factors, the flat file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from core.errors import InputError, SchemaError
from core.intake.file_digest import file_digest
from core.workloads.emissions.factors.dataset import Dataset, Edition, Factor, dataset_of
from core.workloads.emissions.factors.loaders.reading import figure, path_code, refuse_empty, rows_of, version_in
from core.workloads.emissions.rules.units import unit_of

LEVELS: Final = ("Level 1", "Level 2", "Level 3", "Level 4", "Column Text")
_COLUMNS: Final = ("ID", "Scope", *LEVELS, "UOM", "GHG/Unit")
LICENCE: Final = "Open Government Licence v3.0; contains public sector information"
_VALUE: Final = re.compile(r"GHG Conversion Factor (\d{4})")


def load(path: Path) -> Dataset:
    """Totals of the flat file; gases, where given (kg CO2e of gas, AR5), are checked by `factors check` only.

    Raises SchemaError: a column is missing. InputError: an id twice, a unit or figure that cannot be read.
    """
    table = rows_of(path, _COLUMNS)
    values = [(name, found[1]) for name in table.columns if (found := _VALUE.fullmatch(name))]
    if len(values) != 1:
        raise SchemaError(f"{path} has no one column 'GHG Conversion Factor YEAR'", column="GHG Conversion Factor YEAR")
    column, year = values[0]
    made: list[Factor] = []
    seen: dict[str, int] = {}
    for row, (key, _, *levels, unit, gas, value) in enumerate(table.select(*_COLUMNS, column).rows(), 2):
        if key in seen:
            raise InputError(f"{path}, row {row}: the id {key} stands already in row {seen[key]}", path=str(path))
        seen[key] = row
        if gas != "kg CO2e" and not (gas == "kg CO2e of CO2 per unit" and levels[0] == "Outside of scopes"):
            continue
        made.append(_factor((key, levels, unit, value), path, row))
    refuse_empty(made, path)
    edition = Edition(
        source="desnz",
        edition=year,
        patch=version_in(path),
        year=int(year),
        region="GB",
        licence=LICENCE,
        gwp_set="AR5",
    )
    return dataset_of(edition, made, file_digest(path))


def _factor(cells: tuple[str, list[str | None], str, str | None], path: Path, row: int) -> Factor:
    key, levels, unit, value = cells
    unit_of(unit)
    code = path_code(levels)
    return Factor(
        key=key,
        locator=f"row {row}",
        scheme="desnz",
        code=code,
        label=code,
        unit=unit,
        value=figure(value, f"{path}, row {row}, the factor"),
        region="GB",
        error_group=f"desnz {code}",
    )
