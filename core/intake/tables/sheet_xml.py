"""What only the XML of an .xlsx sheet tells: formulas without a result, numbers shown with leading zeros, merged cells.

Also how far its cells reach: every reader makes room for the whole rectangle from the first cell to the last.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

from core.errors import InputError

CELLS_MAX = 100_000_000
_BLOCK_BYTES = 4 << 20
# A cell is never longer in XML: 32,767 characters of text, a formula of 8,192.
_CELL_BYTES = 64 << 10
_SHEET = re.compile(rb"<(?:\w+:)?sheet\s([^>]*)>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s([^>]*)>")
_ATTRIBUTE = re.compile(rb'([\w:]+)\s*=\s*"([^"]*)"')
# `t="str"` is a result that is a text, be it an empty one.
_NO_RESULT = re.compile(
    rb'<c (?![^>]*t="str")[^>]*?r="([A-Z]+)(\d+)"[^>]*>\s*'
    rb"<f(?:[^>]*/>|[^>]*>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>"
)
_MERGED = re.compile(rb'<mergeCell [^>]*ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
_ROW = re.compile(rb'<row [^>]*?r="(\d+)"')
_FAR = re.compile(rb' r="([A-Z]{3})\d')
_STYLED = re.compile(rb'<c r="([A-Z]+)\d+" s="(\d+)"(?: t="n")?><v>')
_ZEROS = re.compile(r"^0{2,}(?:;.*|@)?$")
_SEEN_MAX = 250_000


@dataclass(slots=True)
class SheetFacts:
    """Of one sheet, columns counted from 0. unsolved: column -> row of its first formula without a result.

    padded: column -> digits that its numbers are shown with. merged: (first row, last row, column) of each cell that
    spans several rows, rows counted from 1.
    """

    unsolved: dict[int, int] = field(default_factory=dict)
    padded: dict[int, int] = field(default_factory=dict)
    merged: list[tuple[int, int, int]] = field(default_factory=list)


def sheet_facts(path: Path, sheet: str) -> SheetFacts:
    """Look at the XML of one sheet; of what is no .xlsx nothing is known.

    Raises:
        InputError: the sheet reaches further than can be read, or its XML is damaged.
    Cost: about a second for 300 MB of XML, a few MB of memory.
    """
    if not zipfile.is_zipfile(path):
        return SheetFacts()
    try:
        with zipfile.ZipFile(path) as packed:
            member = _member(packed, sheet)
            if member is None:
                return SheetFacts()
            looked = _Look(_padding_styles(packed))
            for text in _blocks(packed, member):
                looked.at(text)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, zipfile.LargeZipFile, NotImplementedError) as error:
        raise InputError(
            f"{path}: the workbook is damaged or cut short ({type(error).__name__})", path=str(path)
        ) from None
    _refuse_wide(path, sheet, looked.last_row, looked.far)
    return looked.facts()


class _Look:
    """What was seen of a sheet so far. last_row, far: of its last row, and of its columns from the 703rd on."""

    def __init__(self, widths: dict[int, int]) -> None:
        self.last_row = self.far = 0
        self._widths = widths
        self._facts = SheetFacts()
        self._shown: dict[int, dict[int, int]] = {}

    def at(self, text: bytes) -> None:
        """Look at a piece of its XML."""
        rows = _ROW.findall(text, max(len(text) - _CELL_BYTES, 0))
        self.last_row = max([self.last_row, *map(int, rows)])
        self.far = max([self.far, *map(_column, _FAR.findall(text)[:_SEEN_MAX])])
        for letters, row in _NO_RESULT.findall(text) if b"<f" in text else ():
            self._facts.unsolved.setdefault(_column(letters), int(row))
        self._facts.merged.extend(_spans(text))
        for letters, style in _STYLED.findall(text) if self._widths else ():
            found, width = self._shown.setdefault(_column(letters), {}), self._widths.get(int(style), 0)
            found[width] = found.get(width, 0) + 1

    def facts(self) -> SheetFacts:
        """All that was seen. Where other numbers of a column stand without zeros in front, none are put there."""
        for column, found in self._shown.items():
            if len(found) == 1 and 0 not in found:
                self._facts.padded[column] = next(iter(found))
        return self._facts


def _refuse_wide(path: Path, sheet: str, rows: int, far: int) -> None:
    if rows * far > CELLS_MAX:
        raise InputError(
            f"{path}, sheet {sheet!r}: its cells reach to row {rows:,} and column {far + 1:,}, {rows * far / 1e6:,.0f} "
            f"million cells; at most {CELLS_MAX // 10**6} million are read: delete what stands far from the table, or "
            "save the sheet as CSV (UTF-8)",
            path=str(path),
            rows=rows,
            columns=far + 1,
        )


def _member(packed: zipfile.ZipFile, sheet: str) -> str | None:
    """The file of a sheet inside an .xlsx."""
    names = set(packed.namelist())
    if "xl/workbook.xml" not in names or "xl/_rels/workbook.xml.rels" not in names:
        return None
    relation = None
    for found in _SHEET.findall(packed.read("xl/workbook.xml")):
        attributes = _attributes(found)
        if attributes.get("name") == sheet:
            relation = next((value for name, value in attributes.items() if name.endswith(":id")), None)
    for found in _RELATION.findall(packed.read("xl/_rels/workbook.xml.rels")):
        attributes = _attributes(found)
        if attributes.get("Id") == relation and relation is not None:
            target = attributes.get("Target", "")
            name = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
            return name if name in names else None
    return None


def _attributes(tag: bytes) -> dict[str, str]:
    return {name.decode(): unescape(value.decode()) for name, value in _ATTRIBUTE.findall(tag)}


def _blocks(packed: zipfile.ZipFile, member: str) -> Iterator[bytes]:
    """The XML in pieces that end behind a cell."""
    rest = b""
    with packed.open(member) as file:
        while block := file.read(_BLOCK_BYTES):
            rest += block
            end = max(rest.rfind(b"</c>") + 4, rest.rfind(b"</row>") + 6, len(rest) - _CELL_BYTES)
            yield rest[:end]
            rest = rest[end:]
    yield rest


def _spans(text: bytes) -> Iterator[tuple[int, int, int]]:
    for first, top, _, bottom in _MERGED.findall(text):
        if top != bottom:
            yield int(top), int(bottom), _column(first)


def _padding_styles(packed: zipfile.ZipFile) -> dict[int, int]:
    """Styles of cells that show a number with leading zeros: number of the style -> digits shown."""
    if "xl/styles.xml" not in packed.namelist():
        return {}
    styles = packed.read("xl/styles.xml")
    formats = {}
    for found in re.findall(rb"<numFmt\s([^>]*)>", styles):
        attributes = _attributes(found)
        if _ZEROS.match(attributes.get("formatCode", "")):
            formats[attributes.get("numFmtId", "")] = attributes["formatCode"].count("0")
    cells = re.search(rb"<cellXfs.*?</cellXfs>", styles, re.DOTALL)
    used = re.findall(rb"<xf\s([^>]*)>", cells.group()) if cells else []
    kinds = [_attributes(found).get("numFmtId", "") for found in used]
    return {number: formats[kind] for number, kind in enumerate(kinds) if kind in formats}


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1
