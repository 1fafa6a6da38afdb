"""The rows of one file: texts of a CSV, of JSON and of a sheet; columns of a Parquet file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from core.errors import InputError, SchemaError
from core.intake.delimited.row_files import RowParts
from core.intake.reading import Reading
from core.intake.tables.part_files import PartFile
from core.pipelines.language.spec import CsvSource, ExcelSource, JsonSource, ParquetSource
from core.pipelines.types import JSON, ColumnType

FileSource = CsvSource | ExcelSource | JsonSource | ParquetSource


@dataclass(frozen=True, slots=True)
class Cells:
    """A file as it is written. frame: String columns, or those of Parquet with their own types.

    ragged: rows that have no such columns: of another number of fields, or bytes that are no text.
    """

    frame: pl.DataFrame
    ragged: int = 0


def read_cells(path: Path, source: FileSource, types: Mapping[str, ColumnType] | None) -> Cells:
    """All rows of a file.

    Args:
        types: the declared columns; of a CSV without a header they name its fields in order. None: as the file names.
    Raises InputError, SchemaError: it cannot be read, or is none of its kind.
    Cost: the file in memory.
    """
    match source:
        case ParquetSource():
            return Cells(_parquet(path))
        case JsonSource() if source.records is not None or JSON in (types or {}).values():
            return Cells(_records(path, source.records, types or {}))
        case CsvSource():
            reading = Reading(source.encoding, source.separator, headless=not source.header)
        case ExcelSource():
            reading = Reading(sheet=source.sheet, skip_lines=source.header_row - 1)
        case _:
            reading = Reading()
    cells = _rows(path, reading)
    if isinstance(source, CsvSource) and not source.header and types is not None:
        return Cells(_named(cells.frame, types, path), cells.ragged)
    return cells


def _rows(path: Path, reading: Reading) -> Cells:
    ragged = 0
    with RowParts((PartFile(path),), reading, None) as table:
        names = list(table.columns)
        frames = [pl.DataFrame(schema=dict.fromkeys(names, pl.String))]
        for _, _, block in table.blocks(set(names)):
            ragged += len(block.faults)
            frames.append(block.frame.select(names))
    return Cells(pl.concat(frames), ragged)


def _named(frame: pl.DataFrame, types: Mapping[str, ColumnType], path: Path) -> pl.DataFrame:
    if frame.width != len(types):
        raise SchemaError(
            f"{path.name} has {frame.width} fields a row, and {len(types)} columns are declared; a file without a "
            "header is read by their order",
            path=path.name,
            expected=len(types),
            got=frame.width,
        )
    return frame.rename(dict(zip(frame.columns, types, strict=True)))


def _parquet(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, glob=False)
    except (pl.exceptions.PolarsError, OSError):
        raise InputError(f"{path.name} cannot be read as Parquet; write it again", path=path.name) from None


def _records(path: Path, records: str | None, types: Mapping[str, ColumnType]) -> pl.DataFrame:
    """Objects of a document, or of its lines, as texts; what is nested stays JSON. Cost: some 2 us a value."""
    found = _objects(path, records)
    names = list(types) or list(dict.fromkeys(name for one in found for name in one))
    columns = {name: [_text(one.get(name), types.get(name)) for one in found] for name in names}
    return pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))


def _objects(path: Path, records: str | None) -> list[dict[str, Any]]:
    raw = path.read_bytes()
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:
        try:
            document = [orjson.loads(line) for line in raw.splitlines() if line.strip()]
        except orjson.JSONDecodeError as error:
            raise InputError(f"{path.name} is neither JSON nor lines of JSON ({error.msg})", path=path.name) from None
    for word in records.split(".") if records is not None else ():
        document = document.get(word) if isinstance(document, dict) else None
    found = document if isinstance(document, list) else [document]
    if not all(isinstance(one, dict) for one in found):
        where = f"at records {records}" if records is not None else "in it"
        raise InputError(f"{path.name}: there is no list of objects {where}", path=path.name)
    return found


def _text(value: Any, one: ColumnType | None) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, str) and one != JSON:
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
