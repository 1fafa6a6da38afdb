"""UK DESNZ, greenhouse gas conversion factors, the full set: many tables, side by side, on the sheets of a workbook."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from core.errors import InputError
from core.intake.file_digest import file_digest
from core.workloads.emissions.factors.dataset import Dataset, Edition, Factor, dataset_of
from core.workloads.emissions.factors.loaders.desnz_flat import LICENCE
from core.workloads.emissions.factors.loaders.reading import figure, path_code, refuse_empty, tidy
from core.workloads.emissions.rules.units import unit_of

UNPACKED_MAX: Final = 200_000_000
"""Bytes that a workbook may unpack to; the largest published has 12 million."""
_TOTALS: Final = ("kg CO2e", "Total kg CO2e per unit")
_TITLE_ROWS: Final = 8
_Row = Sequence[Any]


def load(path: Path) -> Dataset:
    """Totals of every table of every sheet.

    Raises InputError: no workbook, one that unpacks to more than `UNPACKED_MAX`, one without version and year, a unit
    or figure that cannot be read.
    Cost: some 2 s for 40 sheets.
    """
    sheets = dict(_sheets(path))
    version, year = _title(sheets, path)
    found: dict[tuple[str, str], Factor] = {}
    doubled: set[tuple[str, str]] = set()
    for name, rows in sheets.items():
        for factor in _factors(name, rows, path):
            place = (factor.code, factor.unit)
            if place in found and found[place].value != factor.value:
                doubled.add(place)
            found.setdefault(place, factor)
    made = [factor for place, factor in found.items() if place not in doubled]
    refuse_empty(made, path)
    edition = Edition(
        source="desnz",
        edition=year,
        patch=f"v{version}",
        year=int(year),
        region="GB",
        licence=LICENCE,
        gwp_set="AR5",
    )
    notices = [f"{len(doubled)} rows stand twice with different figures and are left out"] if doubled else []
    return dataset_of(edition, made, file_digest(path), notices)


def _sheets(path: Path) -> Iterator[tuple[str, list[_Row]]]:
    import fastexcel

    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(entry.file_size for entry in packed.infolist())
    except (OSError, zipfile.BadZipFile):
        raise InputError(f"{path} is no workbook (.xlsx)", path=str(path)) from None
    if size > UNPACKED_MAX:
        raise InputError(
            f"{path} would unpack to {size:,} bytes, over the {UNPACKED_MAX:,} that a workbook of factors may have",
            path=str(path),
            limit=UNPACKED_MAX,
        )
    try:
        book = fastexcel.read_excel(path)
        for name in book.sheet_names:
            yield name, list(book.load_sheet(name, header_row=None, dtypes="string").to_polars().iter_rows())
    except fastexcel.FastExcelError:
        raise InputError(f"{path} cannot be read as a workbook", path=str(path)) from None


def _title(sheets: dict[str, list[_Row]], path: Path) -> tuple[str, str]:
    """Version and year of the first sheet that states both."""
    for rows in sheets.values():
        facts: dict[str, str] = {}
        for row in rows[:_TITLE_ROWS]:
            cells = [_text(cell) for cell in row if _text(cell)]
            facts.update((name, value) for name, value in pairwise(cells) if name in {"Version:", "Year:"})
        if len(facts) == 2 and re.fullmatch(r"\d{4}", facts["Year:"]):
            return facts["Version:"], facts["Year:"]
    raise InputError(f"{path} states no version and year in its sheets; is it DESNZ's full set?", path=str(path))


def _factors(sheet: str, rows: list[_Row], path: Path) -> Iterator[Factor]:
    """Rows below each header: a row with `Unit`, with a total to the right of it."""
    unit_at, totals, carried = -1, list[tuple[int, str]](), list[str]()
    for number, row in enumerate(rows, 1):
        cells = [_text(cell) for cell in row]
        if "Unit" in cells and any(cell in _TOTALS for cell in cells):
            unit_at = cells.index("Unit")
            totals = _totals(cells, [_text(cell) for cell in rows[number - 2]] if number > 1 else [])
            carried = [""] * unit_at
            continue
        if unit_at < 0 or not (unit := cells[unit_at]):
            # A line of words ends the table; a blank one may stand inside.
            unit_at = -1 if any(cells) else unit_at
            continue
        carried = _carried(carried, cells[:unit_at])
        yield from _row_factors((sheet, number, carried, unit), [(row[at], text) for at, text in totals], path)


def _row_factors(place: tuple[str, int, list[str], str], values: list[tuple[Any, str]], path: Path) -> Iterator[Factor]:
    sheet, number, labels, unit = place
    try:
        unit_of(unit)
    except InputError:
        return
    for cell, text in values:
        code = path_code([sheet, *labels, text])
        yield Factor(
            key=f"{code} [{unit}]",
            locator=f"{sheet}!{number}",
            scheme="desnz",
            code=code,
            label=code,
            unit=unit,
            value=_value(cell, f"{path}, sheet {sheet!r}, row {number}, {text or 'the total'}"),
            region="GB",
            error_group=f"desnz {code}",
        )


def _totals(header: list[str], above: list[str]) -> list[tuple[int, str]]:
    """Columns of totals, each with the merged label above it, carried to the right."""
    found, label = [], ""
    for at, cell in enumerate(header):
        label = (above[at] if at < len(above) else "") or label
        if cell in _TOTALS:
            found.append((at, label))
    return found


def _carried(before: list[str], labels: list[str]) -> list[str]:
    """Labels of a row: what is blank is that of the row above, up to the first label that changed."""
    now, fresh = [], False
    for old, new in zip(before, labels, strict=True):
        fresh = fresh or (bool(new) and new != old)
        now.append(new or ("" if fresh else old))
    return now


def _value(cell: Any, where: str) -> str | None:
    return None if cell is None else figure(cell, where)


def _text(cell: Any) -> str:
    return "" if cell is None else tidy(str(cell))
