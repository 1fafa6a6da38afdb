"""US EPA, GHG Emission Factors Hub: the tables as a JSON of figures; masses of gases by unit of activity."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from core.errors import InputError
from core.intake.file_digest import file_digest
from core.workloads.emissions.factors.dataset import Dataset, Edition, Factor, dataset_of
from core.workloads.emissions.factors.loaders.reading import figure, path_code, refuse_empty

_TREATMENTS: Final = ("recycled", "landfilled", "combusted", "composted", "ad_dry", "ad_wet")
_UNITS: Final[Mapping[str, str]] = {"gallon": "US_gallon"}
_KG_A_POUND: Final = Fraction(45359237, 100000000)
_Masses = tuple[tuple[str, Any, Fraction], ...]


def load(path: Path) -> Dataset:
    """Tables of travel, freight, waste, fuels, grids and refrigerants.

    A fuel or grid is loaded, too, so that a line that names one is told why it does not count in scope 3. What lacks
    the figure of a gas is blank: a sum without it would be too low.

    Raises InputError: no JSON of that form, or a figure that is none.
    """
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        tables, source = said["tables"], str(said["source"])
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError):
        raise InputError(f"{path} is no JSON of EPA's hub with 'source' and 'tables'", path=str(path)) from None
    made = [factor for name, read in _TABLES.items() if name in tables for factor in read(name, tables[name], path)]
    refuse_empty(made, path)
    year = next((word for word in source.replace(",", " ").split() if word.isdigit() and len(word) == 4), "0")
    edition = Edition(
        source="epa-hub",
        edition=year,
        year=int(year),
        region="US",
        licence="US government work, public domain",
        gwp_set=str(said.get("gwp_basis", "AR5")),
    )
    return dataset_of(edition, made, file_digest(path))


def _moved(table: str, rows: list[Mapping[str, Any]], path: Path) -> Iterator[Factor]:
    for number, row in enumerate(rows):
        masses = (
            ("CO2", row["co2_kg_per_unit"], Fraction(1)),
            ("CH4", row["ch4_g_per_unit"], Fraction(1, 1000)),
            ("N2O", row["n2o_g_per_unit"], Fraction(1, 1000)),
        )
        yield _by_mass((table, row["vehicle_type"], row["unit"], f"{table}[{number}]"), masses, path)


def _wasted(table: str, rows: list[Mapping[str, Any]], path: Path) -> Iterator[Factor]:
    """t CO2e a short ton, by treatment."""
    for number, row in enumerate(rows):
        for treatment in _TREATMENTS:
            text = figure(row.get(treatment), f"{path}, {table}[{number}], {treatment}")
            code = path_code((table, row["material"], treatment))
            yield Factor(
                key=code,
                locator=f"{table}[{number}].{treatment}",
                scheme="epa-hub",
                code=code,
                label=code,
                unit="short_ton",
                value=None if text is None else _text(Fraction(text) * 1000),
                region="US",
                error_group=f"epa-hub {code}",
            )


def _burnt(table: str, fuels: Mapping[str, Mapping[str, Any]], path: Path) -> Iterator[Factor]:
    for name, row in fuels.items():
        masses = (
            ("CO2", row["co2_per_unit"], Fraction(1)),
            ("CH4", row["ch4_per_unit"], Fraction(1, 1000)),
            ("N2O", row["n2o_per_unit"], Fraction(1, 1000)),
        )
        yield _by_mass((table, name, row["fuel_unit"], f"{table}.{name}"), masses, path)


def _driven(table: str, fuels: Mapping[str, Mapping[str, Any]], path: Path) -> Iterator[Factor]:
    for name, row in fuels.items():
        place = (table, name, row["unit"], f"{table}.{name}")
        yield _by_mass(place, (("CO2", row["kg_co2_per_unit"], Fraction(1)),), path)


def _grids(table: str, grids: Mapping[str, Mapping[str, Any]], path: Path) -> Iterator[Factor]:
    for name, row in grids.items():
        masses = tuple((gas.upper(), row[f"{gas}_lb_per_mwh"], _KG_A_POUND) for gas in ("co2", "ch4", "n2o"))
        yield _by_mass((table, name, "MWh", f"{table}.{name}"), masses, path)


def _blends(table: str, blends: Mapping[str, Mapping[str, Any]], path: Path) -> Iterator[Factor]:
    """kg CO2e a kg; EPA counts the HFCs of a blend only, not its HCFCs, which Kyoto leaves out."""
    for name, row in blends.items():
        code = path_code((table, name))
        yield Factor(
            key=code,
            locator=f"{table}.{name}",
            scheme="epa-hub",
            code=code,
            label=f"{code}: {row.get('blend', '')}; gases outside Kyoto are not counted",
            unit="kg",
            value=figure(row["gwp_100yr"], f"{path}, {table}.{name}"),
            region="US",
        )


def _by_mass(place: tuple[str, str, str, str], masses: _Masses, path: Path) -> Factor:
    table, name, unit, locator = place
    found = [(gas, figure(mass, f"{path}, {locator}, {gas}"), size) for gas, mass, size in masses]
    whole = all(text is not None for _, text, _ in found)
    code = path_code((table, name))
    return Factor(
        key=f"{code} [{unit}]",
        locator=locator,
        scheme="epa-hub",
        code=code,
        label=code,
        unit=_UNITS.get(unit, unit),
        value=None,
        region="US",
        gases=tuple((gas, kg := _text(Fraction(text or 0) * size), kg) for gas, text, size in found) if whole else (),
        error_group=f"epa-hub {code}",
    )


def _text(value: Fraction) -> str:
    """Exact decimal text; all factors here divide by powers of ten."""
    digits = value.denominator
    places = 0
    while 10**places % digits:
        places += 1
    scaled = value.numerator * (10**places // digits)
    text = f"{abs(scaled):0{places + 1}d}"
    sign = "-" if scaled < 0 else ""
    return sign + (f"{text[:-places]}.{text[-places:]}" if places else text)


_TABLES: Final[Mapping[str, Callable[[str, Any, Path], Iterator[Factor]]]] = {
    "BUSINESS_TRAVEL": _moved,
    "TRANSPORTATION": _moved,
    "WASTE": _wasted,
    "STATIONARY_COMBUSTION": _burnt,
    "MOBILE_CO2": _driven,
    "EGRID": _grids,
    "REFRIGERANTS": _blends,
}
