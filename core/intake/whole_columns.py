"""Columns of a file read whole, as text or as hashes of it: for answers and decisions, which have no bad rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from core.intake.bad_rows import CORRECT
from core.intake.columnar.parquet_columns import collect, scan_trimmed, text_of
from core.intake.columns import check_header, known
from core.intake.decoding.plain_text import plain_text, unpacked
from core.intake.delimited.csv_file import CsvFile
from core.intake.file_kind import is_parquet
from core.intake.reading import NOTHING_SAID
from core.intake.tables.csv_for_excel import is_csv_for_excel, unescaped
from core.intake.tables.workbook import is_workbook, read_workbook

_LABEL_SEED = 43


def read_table(path: Path, wanted: Collection[str] | None = None) -> pl.DataFrame:
    """Columns of a CSV or Parquet file that fit in memory: String, names and values trimmed, empty as null.

    Args:
        wanted: columns to read, as far as the file has them; None: all.
    Raises:
        InputError, SchemaError, RowError: as `open_source`, but ids and dates are not looked at.
    """
    if is_workbook(path):
        return _read_workbook(path, wanted)
    if is_parquet(path):
        scan, types = scan_trimmed(path)
        texts = {name: text_of(name, dtype) for name, dtype in types.items() if wanted is None or name in wanted}
        return collect(scan.select(**texts), path)
    return _read_csv(path, wanted, lambda texts: texts)


def read_labels(path: Path, wanted: Collection[str]) -> pl.DataFrame:
    """Columns of a CSV or Parquet file as 64-bit hashes of what `read_table` gives: UInt64, null where that is null.

    Equal texts have equal hashes in every file; among a hundred million different ones, two that have the same occur
    once in 4,000 files. Cost: 8 bytes a cell. Raises as `read_table`.
    """
    if is_workbook(path):
        return _hashed(_read_workbook(path, wanted))
    if not is_parquet(path):
        return _read_csv(path, wanted, _hashed)
    scan, types = scan_trimmed(path)
    texts = {name: text_of(name, dtype) for name, dtype in types.items() if name in wanted}
    return collect(scan.select(**{name: _hash(text) for name, text in texts.items()}), path, streaming=True)


def columns_of(path: Path) -> list[str]:
    """Names of the columns of a CSV or Parquet file, trimmed. Raises as `read_table`."""
    if is_workbook(path):
        return _read_workbook(path, None).columns
    if is_parquet(path):
        return list(scan_trimmed(path)[1])
    with _opened(path) as csv:
        return list(csv.columns)


def _read_csv(
    path: Path, wanted: Collection[str] | None, change: Callable[[pl.DataFrame], pl.DataFrame]
) -> pl.DataFrame:
    """All blocks of the wanted columns, each changed as soon as it is read."""
    escaped = is_csv_for_excel(path)
    with _opened(path) as csv:
        names = [name for name in csv.columns if wanted is None or name in wanted]
        frames = [change(pl.DataFrame(schema=dict.fromkeys(names, pl.String)))]
        for block in csv.blocks(set(names)):
            if block.faults:
                raise block.faults[0][0].error(path, advice=CORRECT)
            frames.append(change(block.frame.with_columns(map(unescaped, names)) if escaped else block.frame))
    return pl.concat(frames)


def _read_workbook(path: Path, wanted: Collection[str] | None) -> pl.DataFrame:
    sheet = read_workbook(path)
    names = check_header(sheet.columns, path)
    texts = {name: known(pl.col(at).str.strip_chars()) for name, at in zip(names, sheet.columns, strict=True)}
    return sheet.select(**{name: text for name, text in texts.items() if wanted is None or name in wanted})


@contextmanager
def _opened(path: Path) -> Iterator[CsvFile]:
    with (
        unpacked(path, None) as (where, _),
        plain_text(path, where, NOTHING_SAID, None) as text,
        text.where.open("rb") as file,
    ):
        yield CsvFile(path, file)


def _hashed(texts: pl.DataFrame) -> pl.DataFrame:
    return texts.select(**{name: _hash(pl.col(name)) for name in texts.columns})


def _hash(text: pl.Expr) -> pl.Expr:
    return pl.when(text.is_not_null()).then(text.hash(_LABEL_SEED))
