"""Files of a bank and of payers as one frame of receipts, one of advices, and one of what was set aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import polars as pl

from core.errors import InputError
from core.intake.decoding.plain_text import plain_text, unpacked
from core.intake.file_digest import file_digest
from core.intake.file_kind import kind_of
from core.intake.reading import NOTHING_SAID
from core.workloads.invoices.columns.served import Mapped
from core.workloads.invoices.readers.amounts import plain
from core.workloads.invoices.readers.balances import Checked, check
from core.workloads.invoices.readers.detect import Format, format_of
from core.workloads.invoices.readers.records import ADVICES, RECEIPTS, REJECTS, Content, Reject, frame_of
from core.workloads.invoices.readers.repeats import give_ids, join_notifications, refuse_lines, refuse_statements

LINES_MAX: Final = 5_000_000
_FORMATS: Final = "core.workloads.invoices.readers.formats"
_OF_ROWS: Final = ("table", "advices")
_OF_TEXT: Final[Mapping[Format, str]] = {
    "mt": "swift_mt:read_mt",
    "bai2": "bai2:read_bai2",
    "lockbox": "lockbox:read_lockbox",
    "ofx": "ofx:read_ofx",
    "ach": "ach:read_ach",
}


@dataclass(slots=True)
class FileFound:
    """One file: its format, statements, and how much was taken and set aside. refused: why nothing was.

    unread: the first row of a table that cannot be read.
    """

    path: Path
    format: str = ""
    refused: str | None = None
    unread: Reject | None = None
    pages: list[Checked] = field(default_factory=list)
    n_advices: int = 0
    n_rejects: int = 0
    notices: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether all of it was taken."""
        return self.refused is None and not self.n_rejects and not any(each.page.fault for each in self.pages)

    def facts(self) -> dict[str, Any]:
        """For JSON; amounts as plain decimals of their currency."""
        return {
            "file": str(self.path),
            "format": self.format or None,
            "refused": self.refused,
            "statements": [_facts(each) for each in self.pages],
            "advices": self.n_advices,
            "rejects": self.n_rejects,
            "notices": self.notices,
        }


@dataclass(slots=True)
class Imported:
    """What was read, in the order of the files: frames of `RECEIPTS`, `ADVICES` and `REJECTS`."""

    receipts: pl.DataFrame
    advices: pl.DataFrame
    rejects: pl.DataFrame
    files: list[FileFound]


def _facts(each: Checked) -> dict[str, Any]:
    page = each.page
    currency = page.currency

    def money(minor: int | None) -> str | None:
        return None if minor is None or currency is None else plain(minor, currency)

    return {
        "statement": page.number,
        "page": page.nth,
        "account": page.account,
        "currency": currency,
        "opening": money(page.opening),
        "movements": money(page.moved) if page.fault is None else None,
        "closing": money(page.closing),
        "balanced": None if each.off is None else each.off == 0,
        "off_by": money(each.off or None),
        "lines": each.n_found,
        "taken": len(page.receipts) if page.fault is None else 0,
        "set_aside": page.fault,
    }


def read_files(paths: Sequence[Path], mapping: Mapped | None = None) -> Imported:
    """Read bank files and advices of any format together: pages and repeats are looked for over all of them.

    A file or statement that does not hold is set aside as a whole, and the others are taken.

    Args:
        mapping: of tables, payments or advices ("" for both) -> field -> column, where the headings do not tell.
    Raises:
        InputError: more than `LINES_MAX` lines.
    """
    found, contents, seen = [], [], dict[str, Path]()
    for path in paths:
        file, content = FileFound(path), Content("")
        try:
            content = _read(path, seen, mapping or {})
            file.format = content.format
            file.unread = content.rejects[0] if content.rejects and content.format in _OF_ROWS else None
        except InputError as error:
            file.refused = error.message
        file.pages = [Checked(page, path.name, content.format) for page in content.pages]
        file.notices.extend(content.notices)
        found.append(file)
        contents.append(content)
    pages = [each for file in found for each in file.pages]
    if sum(len(each.page.receipts) for each in pages) > LINES_MAX:
        raise InputError(f"more than {LINES_MAX:,} bank lines; import fewer files at once", limit=LINES_MAX)
    check(pages)
    refuse_statements(pages)
    if n_moved := join_notifications(pages):
        found[0].notices.append(f"{n_moved:,} payments of notifications stand in the place of their bookings")
    twice = refuse_lines(pages)
    give_ids(pages)
    return _imported(found, contents, twice)


def _imported(found: list[FileFound], contents: list[Content], twice: Sequence[tuple[str, Any]]) -> Imported:
    receipts, advices, rejects = [], [], []
    for file, content in zip(found, contents, strict=True):
        name = file.path.name
        own = [] if file.refused is None else [(1, file.refused)]
        own += [(each.line, each.reason) for each in content.rejects]
        own += [(each.page.line, f"set aside: {each.page.fault}") for each in file.pages if each.page.fault]
        own += [(each.line, each.reason) for where, each in twice if where == name]
        rejects += [{"file": name, "line": line, "reason": reason} for line, reason in sorted(own)]
        taken = [each for each in file.pages if each.page.fault is None]
        receipts += [receipt.row(each.page, each.form, name) for each in taken for receipt in each.page.receipts]
        told = [each for each in content.advices if each.receipt is None or each.receipt.id is not None]
        advices += [row for each in told for row in each.rows(content.format, name)]
        if n_off := sum(each.balanced is False for each in told):
            file.notices.append(f"{n_off:,} of {len(told):,} advices do not add up to their payment")
        file.n_advices, file.n_rejects = len(told), len(own)
    return Imported(frame_of(receipts, RECEIPTS), frame_of(advices, ADVICES), frame_of(rejects, REJECTS), found)


def read_receipts(path: Path, mapping: Mapped | None = None) -> pl.DataFrame:
    """The receipts of one file in any format, a row a bank line: columns of `RECEIPTS`.

    Raises:
        InputError: the file is refused, a statement does not balance, or a row of a table cannot be read: the first.
    """
    imported = read_files([path], mapping)
    refuse_faults(imported)
    return imported.receipts


def refuse_faults(imported: Imported) -> None:
    """Raise InputError for the first file, statement or row of a table that cannot be taken; repeats are no fault."""
    for file in imported.files:
        if file.refused is not None:
            raise InputError(file.refused, path=str(file.path))
        faults = [
            (each.page.line, each.page.fault) for each in file.pages if each.page.fault and not each.page.is_repeat
        ]
        faults += [] if file.unread is None else [(file.unread.line, file.unread.reason)]
        if faults:
            line, fault = faults[0]
            raise InputError(f"{file.path}, line {line}: {fault}", path=str(file.path), line=line)


def _read(path: Path, seen: dict[str, Path], mapping: Mapped) -> Content:
    """One file. Raises InputError: it cannot be read as a whole, or an earlier one has the same bytes."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; name its files", path=str(path))
    kind = kind_of(path)
    digest = file_digest(path)
    if digest in seen:
        raise InputError(f"{path}: the same file as {seen[digest]}", path=str(path))
    seen[digest] = path
    if kind != "text":
        return _table(path, mapping)
    with unpacked(path, None) as (where, _):
        form = format_of(path, where)
        if form == "table":
            return _table(path, mapping)
        if form == "camt":
            content: Content = import_module(f"{_FORMATS}.camt").read_camt(path, where)
            return content
        with plain_text(path, where, NOTHING_SAID, None) as text:
            return _of_text(form, path, text.where.read_text(encoding="utf-8"), list(text.notices))


def _of_text(form: Format, path: Path, text: str, notices: list[str]) -> Content:
    if form == "x12":
        content: Content = import_module(f"{_FORMATS}.x12").read_x12(text, str(path))
    else:
        module, function = _OF_TEXT[form].split(":")
        content = getattr(import_module(f"{_FORMATS}.{module}"), function)(text)
    content.notices.extend(notices)
    return content


def _table(path: Path, mapping: Mapped) -> Content:
    content: Content = import_module(f"{_FORMATS}.tables").read_rows(path, mapping)
    return content
