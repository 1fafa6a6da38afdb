"""Small workbooks, written by hand: what is in them is what a test says, and no library's habit."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

# A cell: a text, a number, nothing, or its XML as bytes with {at} for its place.
Cell = str | int | float | bytes | None
Rows = Sequence[Sequence[Cell]]

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
# Styles 1 and 2: a date, five digits with zeros in front.
_STYLES = f"""<styleSheet xmlns="{_MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy-mm-dd"/>
<numFmt numFmtId="165" formatCode="00000"/></numFmts><fonts count="1"><font/></fonts><fills count="1"><fill/></fills>
<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3">
<xf numFmtId="0"/><xf numFmtId="164" applyNumberFormat="1"/><xf numFmtId="165" applyNumberFormat="1"/></cellXfs>
</styleSheet>"""


_MANIFEST = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'


def dated(day: int) -> bytes:
    """A cell that shows the day of that number as a date."""
    return f'<c r="{{at}}" s="1"><v>{day}</v></c>'.encode()


def padded(number: int) -> bytes:
    """A cell that shows a number with five digits."""
    return f'<c r="{{at}}" s="2"><v>{number}</v></c>'.encode()


def write_xlsx(
    path: Path, sheets: Mapping[str, Rows], *, hidden: Sequence[str] = (), merged: Sequence[str] = ()
) -> Path:
    """Sheets of rows; a row begins in column A, and an empty one is not written at all."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        named, related, types = "", "", ""
        for number, (name, rows) in enumerate(sheets.items(), 1):
            state = ' state="hidden"' if name in hidden else ""
            named += f'<sheet name={quoteattr(name)} sheetId="{number}" r:id="rId{number}"{state}/>'
            related += (
                f'<Relationship Id="rId{number}" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet{number}.xml"/>'
            )
            types += _override(f"/xl/worksheets/sheet{number}.xml", "worksheet")
            packed.writestr(f"xl/worksheets/sheet{number}.xml", _sheet(rows, merged))
        related += f'<Relationship Id="rId0" Type="{_RELATIONS}/styles" Target="styles.xml"/>'
        packed.writestr("xl/styles.xml", _STYLES)
        packed.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{named}</sheets></workbook>'
        )
        packed.writestr("xl/_rels/workbook.xml.rels", _relations(related))
        packed.writestr(
            "_rels/.rels",
            _relations(f'<Relationship Id="rId1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/>'),
        )
        types += _override("/xl/workbook.xml", "sheet.main") + _override("/xl/styles.xml", "styles")
        packed.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Default Extension="xml" ContentType="application/xml"/>{types}</Types>',
        )
    return path


def write_ods(path: Path, sheet: str, rows: Rows) -> Path:
    """A sheet of texts and numbers, with a million empty rows behind them, as office programs write it."""
    spaces = {"office": "office", "table": "table", "text": "text"}
    declared = " ".join(f'xmlns:{key}="urn:oasis:names:tc:opendocument:xmlns:{key}:1.0"' for key in spaces)
    body = "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows)
    body += (
        '<table:table-row table:number-rows-repeated="1000000"><table:table-cell table:number-columns-repeated="9"/>'
    )
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        packed.writestr("META-INF/manifest.xml", _MANIFEST)
        packed.writestr(
            "content.xml",
            f"<office:document-content {declared}><office:body><office:spreadsheet><table:table "
            f"table:name={quoteattr(sheet)}>{body}</table:table-row></table:table></office:spreadsheet></office:body>"
            "</office:document-content>",
        )
    return path


def _ods_cell(cell: Cell) -> str:
    if cell is None:
        return "<table:table-cell/>"
    if isinstance(cell, int | float):
        return f'<table:table-cell office:value-type="float" office:value="{cell}"/>'
    return f'<table:table-cell office:value-type="string"><text:p>{escape(str(cell))}</text:p></table:table-cell>'


def _sheet(rows: Rows, merged: Sequence[str]) -> bytes:
    text = b""
    for number, row in enumerate(rows, 1):
        cells = b"".join(_cell(cell, f"{chr(65 + column)}{number}") for column, cell in enumerate(row))
        text += f'<row r="{number}">'.encode() + cells + b"</row>" if row else b""
    spans = "".join(f'<mergeCell ref="{span}"/>' for span in merged)
    behind = f'<mergeCells count="{len(merged)}">{spans}</mergeCells>' if merged else ""
    return f'<worksheet xmlns="{_MAIN}"><sheetData>'.encode() + text + f"</sheetData>{behind}</worksheet>".encode()


def _cell(cell: Cell, at: str) -> bytes:
    if cell is None:
        return b""
    if isinstance(cell, bytes):
        return cell.replace(b"{at}", at.encode())
    if isinstance(cell, str):
        return f'<c r="{at}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>'.encode()
    return f'<c r="{at}"><v>{cell}</v></c>'.encode()


def _relations(inside: str) -> str:
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{inside}</Relationships>'


def _override(name: str, kind: str) -> str:
    content = f"application/vnd.openxmlformats-officedocument.spreadsheetml.{kind}+xml"
    return f'<Override PartName="{name}" ContentType="{content}"/>'
