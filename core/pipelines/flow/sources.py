"""What each source gives: columns, keys, and whether it is all of it."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import InputError
from core.pipelines.catalog import Catalog, Relation
from core.pipelines.flow.frame import Frame, Partial, Report
from core.pipelines.language.spec import CsvSource, HttpSource, Incremental, Source, TableSource
from core.pipelines.refusals import instead
from core.pipelines.types import ColumnType, parse_type

_PLACES: Final = {"table": ("postgres",), "http": ("http",)}
_FILES: Final = ("folder", "object_store")
_TABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,62}(\.[A-Za-z_][A-Za-z0-9_$]{0,62})?")


def frame_of(name: str, source: Source, catalog: Catalog, report: Report) -> Frame:
    """The rows that a source gives; open where they cannot be known, which is said."""
    path = f"sources.{name}"
    is_reached = _is_reached(path, source, catalog, report)
    relation = _relation(path, source, catalog, report) if is_reached else None
    columns = _declared(path, source, report) or (dict(relation.columns) if relation else None)
    if columns is None:
        return Frame({}, is_open=True, keys_unknown=True)
    is_table = isinstance(source, TableSource)
    keys = frozenset(frozenset(key) for key in relation.keys if set(key) <= columns.keys()) if relation else frozenset()
    partial = (Partial(name, source.incremental),) if source.incremental is not None else ()
    frame = Frame(columns, {column: (name, column) for column in columns}, keys, partial, keys_unknown=not is_table)
    if isinstance(source, TableSource) and source.where is not None:
        report.condition(f"{path}.where", source.where, frame)
    if source.incremental is not None:
        _incremental(f"{path}.incremental", source, source.incremental, frame, report)
    return frame


def called(source: Source) -> str:
    """How a sentence names what a source reads: `crm.leads`, `landing:orders/*.csv`."""
    if isinstance(source, TableSource):
        return source.table if source.at == "warehouse" else f"{source.at}:{source.table}"
    return f"{source.at}:{source.path}"


def _is_reached(path: str, source: Source, catalog: Catalog, report: Report) -> bool:
    """Whether the block is there, of the right kind, and the path stays within it."""
    block = catalog.blocks.get(source.at)
    if block is None:
        report.refuse(f"{path}.at", f"there is no block {source.at}{instead(source.at, catalog.blocks)}")
        return False
    fitting = _PLACES.get(source.kind, _FILES)
    if block.kind not in fitting:
        report.refuse(
            f"{path}.at", f"{source.at} is of kind {block.kind}; {source.kind} is read from {' or '.join(fitting)}"
        )
        return False
    if isinstance(source, TableSource):
        return True
    if leaves(source.path, from_root=isinstance(source, HttpSource)):
        report.refuse(f"{path}.path", f"{source.path} leaves {source.at}")
        return False
    return True


def leaves(path: str, *, from_root: bool = False) -> bool:
    """Whether a path could end outside of the root it is resolved under."""
    parts = PurePosixPath(path.replace("\\", "/"))
    is_absolute = parts.is_absolute() and not from_root
    return (
        is_absolute
        or ".." in parts.parts
        or "://" in path
        or path.startswith(("~", "//"))
        or bool(re.match(r"[A-Za-z]:", path))
    )


def _relation(path: str, source: Source, catalog: Catalog, report: Report) -> Relation | None:
    if isinstance(source, TableSource):
        return _table(path, source, catalog, report)
    if isinstance(source, HttpSource):
        found = catalog.endpoints.get((source.at, source.path))
        for name in (*source.params, *([source.since_param] if source.since_param else [])):
            if found is not None and found.params is not None and name not in found.params:
                report.refuse(f"{path}.params", f"{source.path} takes no {name}{instead(name, found.params)}")
    else:
        found = catalog.file(source.at, source.path)
        if isinstance(source, CsvSource):
            _csv(path, source, report)
    if found is not None and found.denied:
        report.refuse(f"{path}.path", f"{called(source)} may not be read")
        return None
    if found is None and source.columns is None:
        known = catalog.endpoints if isinstance(source, HttpSource) else catalog.files
        there = [place for at, place in known if at == source.at]
        report.refuse(path, f"nothing is known of {called(source)}: declare its columns{instead(source.path, there)}")
    return found


def _table(path: str, source: TableSource, catalog: Catalog, report: Report) -> Relation | None:
    if not _TABLE.fullmatch(source.table):
        report.refuse(f"{path}.table", f"{source.table[:80]} is no table; say schema.table")
        return None
    found = catalog.tables.get((source.at, source.table))
    if found is None:
        there = [table for at, table in catalog.tables if at == source.at and not catalog.tables[at, table].denied]
        report.refuse(f"{path}.table", f"there is no table {called(source)}{instead(source.table, there)}")
    elif found.denied:
        report.refuse(f"{path}.table", f"{called(source)} may not be read")
        return None
    return found


def _csv(path: str, source: CsvSource, report: Report) -> None:
    if source.thousands == source.decimal:
        report.refuse(f"{path}.thousands", f"{source.thousands} is the decimal mark, too; say another")
    try:
        "".encode(source.encoding)
    except LookupError:
        report.refuse(
            f"{path}.encoding", f"there is no encoding {source.encoding[:40]}; utf-8, cp1252 or latin-1 are usual"
        )
    if source.timezone is not None and not is_zone(source.timezone):
        report.refuse(f"{path}.timezone", f"there is no time zone {source.timezone[:40]}; Europe/Berlin is one")


def is_zone(name: str) -> bool:
    """Whether a time zone has this name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _declared(path: str, source: Source, report: Report) -> dict[str, ColumnType] | None:
    if source.columns is None:
        return None
    found: dict[str, ColumnType] = {}
    for column, written in source.columns.items():
        try:
            found[column] = parse_type(written)
        except InputError as error:
            report.refuse(f"{path}.columns.{column}", error.message)
    return found


def _incremental(path: str, source: Source, given: Incremental, frame: Frame, report: Report) -> None:
    is_file = not isinstance(source, TableSource | HttpSource)
    if (given.column is None) == (given.files is None):
        report.refuse(path, "say column or files, one of them")
    elif given.files is not None and not is_file:
        report.refuse(f"{path}.files", f"a {source.kind} has no files; say column")
    if given.column is not None and report.known(f"{path}.column", [given.column], frame):
        found = frame.columns[given.column]
        if found.kind not in {"int", "date", "timestamp", "decimal", "text"}:
            report.refuse(
                f"{path}.column", f"{given.column} is {found}; a column that grows is an int, a date or a timestamp"
            )
    report.known(f"{path}.whole", given.whole, frame)
    if given.whole and not isinstance(source, TableSource):
        report.refuse(f"{path}.whole", f"whole groups are read again of tables; {called(source)} is {source.kind}")
