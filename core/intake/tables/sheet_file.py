"""A sheet of a workbook as checked blocks: cells as text, the way a person sees them.

Dates become 1985-05-04, whole numbers have no `.0`, what is shown with leading zeros keeps them, errors are missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from core.errors import InputError
from core.intake.columns import check_header, known
from core.intake.tables.block import Block, rows_as_json
from core.intake.tables.headings import TITLE_SHARE, proposed_header
from core.intake.tables.sheet_xml import sheet_facts
from core.intake.tables.workbook_sheets import Workbook

_SLICE_ROWS = 250_000
# A title stands within the first rows.
_LOOKED_AT = 1_000
_MIDNIGHT = r"^(\d{4}-\d\d-\d\d) 00:00:00$"
# A time without a day stands at the day that spreadsheets count from.
_TIME = r"^1899-12-3[01] (\d\d:\d\d:\d\d)$"


class SheetFile:
    """An opened sheet. Lines are the rows of the sheet, as it numbers them.

    Args:
        sheet: name or number (from 1); None where only one has cells. skip_lines: rows above the header.
    Raises:
        InputError: as `Workbook` and `sheet_facts`, or there is no row. SchemaError: doubled columns.
    Cost: the whole sheet is in memory, about 100 bytes a cell while it is read.
    """

    def __init__(self, path: Path, sheet: str | None = None, skip_lines: int = 0) -> None:
        self.path = path
        workbook = Workbook(path)
        self.sheet = workbook.choose(sheet)
        facts = sheet_facts(path, self.sheet)
        table = workbook.table(self.sheet).with_row_index("row", offset=1)
        cells = [name for name in table.columns if name != "row"]
        table = table.slice(skip_lines).filter(pl.any_horizontal(pl.col(cells).is_not_null())) if cells else table[:0]
        if not len(table):
            raise InputError(f"{path}, sheet {self.sheet!r} has no cells", path=str(path), line=1)
        self.header_row = int(table["row"][0])
        used = [name for name in cells if table[name].null_count() < len(table)]
        header = [str(table[name][0] or "") for name in used]
        self.rows = table["row"][1:].cast(pl.Int64)
        self.proposal = _proposal(table, used)
        self.columns = check_header(header, path)
        self._frame = table[1:].select(used).rename(dict(zip(used, self.columns, strict=True)))
        self._facts = facts
        self._at = {column: cells.index(name) for column, name in zip(self.columns, used, strict=True)}

    def blocks(self, wanted: set[str]) -> Iterator[Block]:
        """Every row that has a cell, once. Raises InputError: a formula in a wanted column has no result."""
        self._refuse_unsolved(wanted)
        columns = [column for column in self.columns if column in wanted]
        frame = self._filled(columns).select(_shown(column, self._padding(column)) for column in columns)
        for lo in range(0, len(frame), _SLICE_ROWS):
            lines = self.rows[lo : lo + _SLICE_ROWS].to_numpy().astype(np.int64)
            yield Block(frame[lo : lo + _SLICE_ROWS], lines, lines, np.zeros_like(lines), [])

    def detected(self) -> dict[str, str]:
        """Which sheet is read, and its header, in words for a person."""
        found = {"format": "workbook", "sheet": self.sheet}
        return found | ({"header_line": str(self.header_row)} if self.header_row > 1 else {})

    def notices(self) -> list[str]:
        """None: what is left out is empty."""
        return []

    def raws(self, offsets: Sequence[int], _sizes: Sequence[int]) -> list[bytes]:
        """The cells of rows, as JSON."""
        return rows_as_json(self._frame[np.searchsorted(self.rows.to_numpy(), offsets)])

    def _padding(self, column: str) -> int | None:
        return self._facts.padded.get(self._at[column])

    def _refuse_unsolved(self, wanted: set[str]) -> None:
        for column in self.columns:
            row = self._facts.unsolved.get(self._at[column])
            if column in wanted and row is not None and row > self.header_row:
                raise InputError(
                    f"{self.path}, sheet {self.sheet!r}, row {row}, column {column!r}: a formula without its result; "
                    "open the workbook in a spreadsheet program, save it, and try again",
                    path=str(self.path),
                    line=row,
                    column=column,
                )

    def _filled(self, columns: list[str]) -> pl.DataFrame:
        """The cells, with the value of a merged cell in each of its rows."""
        frame = self._frame
        for column in columns:
            spans = [span for span in self._facts.merged if span[2] == self._at[column] and span[0] > self.header_row]
            if spans:
                frame = frame.with_columns(_spread(frame[column], self.rows, spans))
        return frame


def _proposal(table: pl.DataFrame, used: list[str]) -> str | None:
    """Which later row looks like the header, where the first one looks like a title."""
    counted = table[:_LOOKED_AT].select("row", filled=pl.sum_horizontal(pl.col(used).is_not_null()))
    n_first, n_usual = int(counted["filled"][0]), max(counted["filled"].to_list())
    later = counted.filter(pl.col("filled") > TITLE_SHARE * n_usual)
    if n_usual < 2 or n_first > TITLE_SHARE * n_usual or not len(later):
        return None
    return proposed_header("row", (int(counted["row"][0]), n_first), (int(later["row"][0]), int(later["filled"][0])))


def _spread(cells: pl.Series, rows: pl.Series, spans: list[tuple[int, int, int]]) -> pl.Series:
    number = rows.to_numpy()
    source = np.arange(len(cells))
    for top, bottom, _ in spans:
        first, end = np.searchsorted(number, top), np.searchsorted(number, bottom, side="right")
        if first < len(number) and number[first] == top:
            source[first:end] = first
    return cells.gather(source).alias(cells.name)


def _shown(column: str, padding: int | None) -> pl.Expr:
    """A cell as the sheet shows it."""
    text = known(pl.col(column).str.strip_chars())
    if padding is not None:
        text = pl.when(text.str.contains(r"^\d+$")).then(text.str.zfill(padding)).otherwise(text)
    dated = pl.when(text.str.contains(_MIDNIGHT)).then(text.str.head(10)).otherwise(text)
    return pl.coalesce(dated.str.extract(_TIME), dated).alias(column)
