"""A workbook of a spreadsheet program: whether it may be read, and which of its sheets is meant."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError

if TYPE_CHECKING:
    import fastexcel
    import polars as pl

# A sheet of 1,048,576 rows and a dozen columns has about 1 GB of XML, and needs about three times that in memory.
XML_BYTES_MAX = 3 << 29
OLD_BYTES_MAX = 1 << 29
_OLD_MARK = b"\xd0\xcf\x11\xe0"
_ZIP_MARK = b"PK\x03\x04"
_PROTECTED = "EncryptedPackage".encode("utf-16-le")
# What else looks like a workbook from outside, by a file inside.
_OTHERS = {
    "word/document.xml": "a text document",
    "ppt/presentation.xml": "a presentation",
    "Index/Document.iwa": "a document of Apple Numbers or Pages",
}
_ENDINGS = {"xl/workbook.xml": (".xlsx", ".xlsm"), "xl/workbook.bin": (".xlsb",), "content.xml": (".ods",)}


def is_workbook(path: Path, head: bytes) -> bool:
    """Whether a file is a workbook (or another document of an office program), by its first bytes and what is inside.

    Raises:
        InputError: it is a document, and none with sheets.
    """
    if head.startswith(_OLD_MARK):
        return True
    if not head.startswith(_ZIP_MARK):
        return False
    try:
        with zipfile.ZipFile(path) as packed:
            names = set(packed.namelist())
    except (zipfile.BadZipFile, OSError):
        # Cut short: only the name tells what it was.
        return path.suffix.lower() in {".xlsx", ".xlsm", ".xlsb", ".ods"}
    for name, what in _OTHERS.items():
        if name in names:
            raise InputError(f"{path} is {what}; export the table as CSV or .xlsx", path=str(path))
    return not names.isdisjoint(_ENDINGS)


class Workbook:
    """An opened workbook.

    Raises:
        InputError: it is protected by a password, damaged, or unpacks to more than may be read.
    """

    def __init__(self, path: Path) -> None:
        import fastexcel

        self.path = path
        self._refuse_large()
        try:
            self._reader = fastexcel.read_excel(self._named(path))
        except fastexcel.FastExcelError as error:
            raise self._unreadable(error) from None

    @property
    def sheets(self) -> list[str]:
        """Names of all sheets, in their order."""
        return list(self._reader.sheet_names)

    def table(self, sheet: str) -> pl.DataFrame:
        """All cells of a sheet from its first row and column on, as text; blank cells and errors as null."""
        import fastexcel

        try:
            frame: pl.DataFrame = self._load(sheet).to_polars()
            return frame
        except fastexcel.FastExcelError as error:
            raise self._unreadable(error) from None

    def choose(self, wanted: str | None) -> str:
        """The sheet of that name or number (from 1), or the only one that can be seen and has cells.

        Raises:
            InputError: there is no such sheet, or none is named and there are several. Lists them.
        """
        names = self.sheets
        if wanted is not None:
            if wanted in names:
                return wanted
            if wanted.isdecimal() and 1 <= int(wanted) <= len(names):
                return names[int(wanted) - 1]
            raise InputError(
                f"{self.path}: no sheet {wanted!r} (`sheet`); there are: {_listed(names)}",
                path=str(self.path),
                fields=("sheet",),
            )
        if len(names) == 1:
            return names[0]
        loaded = {name: self._look(name) for name in names}
        filled = [name for name, (has_cells, _) in loaded.items() if has_cells]
        seen = [name for name in filled if loaded[name][1]] or filled
        if len(seen) > 1:
            raise InputError(
                f"{self.path} has several sheets: {_listed(seen)}; say which one with `sheet`",
                path=str(self.path),
                fields=("sheet",),
            )
        return (seen or names)[0]

    def _look(self, sheet: str) -> tuple[bool, bool]:
        """Whether a sheet has any cell, and whether a person sees it."""
        import fastexcel

        try:
            found = self._load(sheet)
        except fastexcel.FastExcelError as error:
            raise self._unreadable(error) from None
        return found.height > 0 and found.width > 0, found.visible == "visible"

    def _load(self, sheet: str) -> fastexcel.ExcelSheet:
        # Titles and empty rows stay: a row has the number that the sheet shows.
        found: fastexcel.ExcelSheet = self._reader.load_sheet(
            sheet, header_row=None, skip_rows=0, dtypes="string", whitespace_as_null=True
        )
        return found

    def _named(self, path: Path) -> Path | bytes:
        """The path, or the bytes of a file whose ending is not that of its kind: readers go by the ending."""
        with path.open("rb") as file:
            is_old = file.read(4) == _OLD_MARK
        if is_old:
            return path if path.suffix.lower() == ".xls" else path.read_bytes()
        with zipfile.ZipFile(path) as packed:
            names = packed.namelist()
        endings = next((_ENDINGS[name] for name in _ENDINGS if name in names), ())
        return path if path.suffix.lower() in endings else path.read_bytes()

    def _refuse_large(self) -> None:
        with self.path.open("rb") as file:
            packed = file.read(4) == _ZIP_MARK
        try:
            if packed:
                with zipfile.ZipFile(self.path) as archive:
                    size, limit = sum(member.file_size for member in archive.infolist()), XML_BYTES_MAX
            else:
                size, limit = self.path.stat().st_size, OLD_BYTES_MAX
        except (zipfile.BadZipFile, OSError) as error:
            raise self._unreadable(error) from None
        if size > limit:
            raise InputError(
                f"{self.path}: the workbook unpacks to {size / 1e6:,.0f} MB; at most {limit / 1e6:,.0f} MB are read: "
                "save the sheet as CSV (UTF-8)",
                path=str(self.path),
                bytes=size,
                limit=limit,
            )

    def _unreadable(self, error: Exception) -> InputError:
        # The cause may quote a cell, so only its kind is told.
        with self.path.open("rb") as file:
            head = file.read(1 << 20)
        if "assword" in str(error) or (head.startswith(_OLD_MARK) and _PROTECTED in head):
            return InputError(
                f"{self.path} is protected by a password; save it without one, or save the sheet as CSV (UTF-8)",
                path=str(self.path),
            )
        kind = type(error).__name__
        return InputError(
            f"{self.path}: the workbook is damaged, cut short or of an unknown kind ({kind}); open it in a spreadsheet "
            "program and save it again",
            path=str(self.path),
            reason=kind,
        )


def _listed(names: list[str]) -> str:
    return ", ".join(f"{number} {name!r}" for number, name in enumerate(names, 1))
