"""Invariants of a whole file of factors: counts, sums of gases, blanks, zeros, ids and units."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from core.errors import ConfigError, InputError
from core.intake.whole_columns import columns_of, read_table
from core.workloads.emissions.factors.dataset import Dataset
from core.workloads.emissions.factors.loaders.epa_supply_chain import COLUMNS as EPA
from core.workloads.emissions.factors.loaders.reading import figure
from core.workloads.emissions.factors.revisions import read_revisions
from core.workloads.emissions.factors.sets import LOADERS, load_one

_EPA_TOLERANCE: Final = Fraction(1, 1000)
_BY_GAS_TOLERANCE: Final = Fraction(1, 100)
"""Relative: figures by gas have three significant digits."""
_DESNZ_TOLERANCE: Final = Fraction(1, 100_000)
_HEAT_TOLERANCE: Final = Fraction(1, 100)
_OF_GASES: Final = {
    "kg CO2e": 0,
    "kg CO2e of CO2 per unit": 1,
    "kg CO2e of CH4 per unit": 1,
    "kg CO2e of N2O per unit": 1,
}


@dataclass(frozen=True, slots=True)
class Invariant:
    """n: of how many places it was looked at. failed: in how many it does not hold; 0 of a mere count."""

    invariant: str
    n: int
    failed: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """loader: as it was told or recognised. dataset: None of a file of revisions."""

    loader: str
    dataset: Dataset | None
    invariants: tuple[Invariant, ...]


def check_file(path: Path, loader: str | None = None) -> CheckedFile:
    """Load a whole file and look at what must hold in it.

    Args:
        loader: None: recognised by its columns.
    Raises ConfigError: no such loader. InputError, SchemaError: as the loader does, or nobody's file.
    """
    if not path.is_file():
        raise InputError(f"{path} is not there", path=str(path))
    name = loader or recognised(path)
    if name == "naics":
        known = read_revisions(path).known
        return CheckedFile(
            name, None, tuple(Invariant(f"codes of NAICS {year}", len(codes)) for year, codes in known.items())
        )
    dataset = load_one(name, path)
    own = _OWN.get(name)
    return CheckedFile(name, dataset, (*_of_any(dataset), *(own(path) if own else ())))


def recognised(path: Path) -> str:
    """The loader of a file, by its ending and columns. Raises ConfigError: none of them knows it."""
    ending = path.suffix.casefold()
    if ending in {".xlsx", ".xlsm"}:
        return "desnz"
    if ending == ".json":
        return "epa-hub"
    columns = columns_of(path)
    for pattern, loader in _MARKS.items():
        if any(re.fullmatch(pattern, column) for column in columns):
            return loader
    raise ConfigError(
        f"{path} has the columns of no publisher that is known; say --loader: {', '.join(LOADERS)}, naics"
    )


_MARKS: Final = {
    r"GHG Conversion Factor \d{4}": "desnz",
    r"NAICS_2017_Code": "naics",
    r"2017 NAICS Code": "epa-supply-chain",
    r"\d{4} NAICS Code": "cornerstone",
    r"Activity UUID_Product UUID": "ecoinvent",
    r"scheme": "csv",
}


def _of_any(dataset: Dataset) -> Iterator[Invariant]:
    factors = dataset.factors
    yield Invariant("factors", len(factors))
    blank = sum(factor.value is None and not factor.gases for factor in factors)
    yield Invariant("blank, which is no 0", blank)
    zeros = [factor.key for factor in factors if factor.value is not None and Fraction(factor.value) == 0]
    yield Invariant("true zeros", len(zeros), note=", ".join(zeros[:4]))
    negative = [factor.key for factor in factors if factor.value is not None and Fraction(factor.value) < 0]
    yield Invariant("not below 0", len(factors), len(negative), ", ".join(negative[:3]))
    places = Counter((factor.scheme, factor.code, factor.unit, factor.region) for factor in factors)
    twice = [place for place, count in places.items() if count > 1]
    yield Invariant(
        "one factor a code, unit and region", len(factors), len(twice), ", ".join(code for _, code, *_ in twice[:2])
    )
    for notice in dataset.notices:
        yield Invariant("left out", 0, note=notice)


def _epa(path: Path) -> Iterator[Invariant]:
    table = read_table(path).select(EPA)
    figures = [
        (code, gas, *(_number(cell) for cell in cells), reference)
        for code, _, gas, _, *cells, reference in table.rows()
    ]
    by_gas = any(gas != "All GHGs" for _, gas, *_ in figures)
    whole = [row for row in figures if None not in row[2:5]]
    off = [
        row
        for row in whole
        if abs(row[2] + row[3] - row[4]) > (abs(row[4]) * _BY_GAS_TOLERANCE if by_gas else _EPA_TOLERANCE)
    ]
    within = "1 %" if by_gas else "0.001"
    yield Invariant(f"without margins + margins = with margins, within {within}", len(whole), len(off), _named(off))
    codes = {code for code, *_ in figures}
    odd = [code for code in codes if not re.fullmatch(r"\d{6}", code)]
    yield Invariant("codes of six digits", len(codes), len(odd), ", ".join(odd[:3]))
    references: dict[tuple[str, str], set[tuple[Any, ...]]] = {}
    for _, gas, *cells, reference in figures:
        references.setdefault((reference, gas), set()).add(tuple(cells))
    apart = [name for (name, _), found in references.items() if len(found) > 1]
    n_references = len({name for name, _ in references})
    yield Invariant(
        "codes of one reference commodity share its figures", n_references, len(set(apart)), ", ".join(apart[:3])
    )
    if by_gas:
        counts = Counter(code for code, *_ in figures)
        most = max(counts.values())
        short = [code for code, count in counts.items() if count != most]
        yield Invariant(f"{most} gases a code", len(counts), len(short), ", ".join(short[:3]))


def _desnz(path: Path) -> Iterator[Invariant]:
    if path.suffix.casefold() in {".xlsx", ".xlsm"}:
        return
    table = read_table(path)
    value = next(name for name in table.columns if name.startswith("GHG Conversion Factor"))
    totals: dict[str, Fraction] = {}
    gases: dict[str, list[Fraction | None]] = {}
    wrong_gas = []
    for key, gas, cell in table.select("ID", "GHG/Unit", value).rows():
        head, _, tail = key.rpartition("_")
        if gas not in _OF_GASES or (tail == "1") != (gas == "kg CO2e"):
            wrong_gas.append(key)
        elif gas == "kg CO2e":
            if (total := _number(cell)) is not None:
                totals[head] = total
        else:
            gases.setdefault(head, []).append(_number(cell))
    yield Invariant("rows", len(table))
    yield Invariant("blank cells", sum(_number(cell) is None for cell in table[value]))
    yield Invariant(
        "the last part of an id is its gas, 1 the total", len(table), len(wrong_gas), ", ".join(wrong_gas[:3])
    )
    all_three = {key: parts for key, parts in gases.items() if len(parts) == 3}
    whole = {
        key: sum(known)
        for key, parts in all_three.items()
        if key in totals and len(known := [p for p in parts if p is not None]) == 3
    }
    off = [key for key, parts in whole.items() if abs(parts - totals[key]) > _DESNZ_TOLERANCE]
    yield Invariant("keys with three gases", len(all_three))
    yield Invariant("CO2 + CH4 + N2O = total, within 0.00001", len(whole), len(off), ", ".join(off[:3]))
    lost = sum(any("\N{REPLACEMENT CHARACTER}" in (cell or "") for cell in row) for row in table.rows())
    yield Invariant("rows with a lost dash, read as a hyphen", lost)


def _hub(path: Path) -> Iterator[Invariant]:
    """Heat content x kg a mmBtu gives kg a unit, of every fuel."""
    tables = json.loads(path.read_text(encoding="utf-8"))["tables"]
    fuels = {name: row for name, row in tables.get("STATIONARY_COMBUSTION", {}).items() if row.get("heat_content")}
    off = [
        name
        for name, row in fuels.items()
        if abs(
            Fraction(str(row["heat_content"])) * Fraction(str(row["co2_per_mmbtu"]))
            - Fraction(str(row["co2_per_unit"]))
        )
        > Fraction(str(row["co2_per_unit"])) * _HEAT_TOLERANCE
    ]
    yield Invariant("tables", len(tables))
    yield Invariant("heat content x kg a mmBtu = kg a unit, within 1 %", len(fuels), len(off), ", ".join(off[:3]))


_OWN: Final[Mapping[str, Callable[[Path], Iterator[Invariant]]]] = {
    "epa-supply-chain": _epa,
    "desnz": _desnz,
    "epa-hub": _hub,
}


def _named(rows: Sequence[tuple[Any, ...]]) -> str:
    return ", ".join(str(code) for code, *_ in rows[:3])


def _number(cell: Any) -> Fraction | None:
    text = figure(cell, "a figure")
    return None if text is None else Fraction(text)
