"""ecoinvent, the user's licensed export of results: written against the documented columns; no file was at hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from core.errors import SchemaError
from core.intake.file_digest import file_digest
from core.workloads.emissions.factors.dataset import Dataset, Edition, Factor, dataset_of
from core.workloads.emissions.factors.loaders.reading import figure, refuse_empty, rows_of, version_in
from core.workloads.emissions.rules.units import unit_of

_COLUMNS: Final = ("Activity UUID_Product UUID", "Activity Name", "Geography", "Reference Product Name")
_UNIT: Final = "Reference Product Unit"
_UNITS: Final = {"metric ton*km": "t*km", "person*km": "passenger*km", "unit": "piece"}


def load(path: Path) -> Dataset:
    """Results a unit of product; marked restricted: totals leave, values do not.

    Raises SchemaError: a column is missing, or there is no one column of GWP100.
    """
    table = rows_of(path, (*_COLUMNS, _UNIT))
    results = [name for name in table.columns if re.search(r"GWP ?100", name) and "kg CO2" in name]
    if len(results) != 1:
        raise SchemaError(f"{path} has {len(results)} columns of GWP100 in kg CO2-Eq; it needs one", column="GWP100")
    made = []
    for row, (key, activity, place, product, unit, value) in enumerate(
        table.select(*_COLUMNS, _UNIT, results[0]).rows(), 2
    ):
        written = _UNITS.get(unit, unit)
        unit_of(written)
        made.append(
            Factor(
                key=key,
                locator=f"row {row}",
                scheme="own",
                code=f"{product} > {activity} > {place}",
                label=activity,
                unit=written,
                value=figure(value, f"{path}, row {row}, {results[0]}"),
                region=place,
                error_group=f"ecoinvent {key}",
            )
        )
    refuse_empty(made, path)
    edition = Edition(
        source="ecoinvent",
        edition=version_in(path) or path.stem,
        licence="the user's own licence",
        gwp_set="AR6" if "2021" in results[0] else "AR5" if "2013" in results[0] else None,
        restricted=True,
    )
    return dataset_of(edition, made, file_digest(path))
