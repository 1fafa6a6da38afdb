"""Columns of a file read whole, as text or as hashes of it: for answers and decisions, which have no bad rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import polars as pl

from core.intake.bad_rows import CORRECT
from core.intake.columnar.parquet_columns import collect, scan_trimmed, text_of
from core.intake.columns import known
from core.intake.delimited.row_files import RowParts
from core.intake.file_kind import is_columnar, one_kind
from core.intake.reading import NOTHING_SAID
from core.intake.tables.csv_for_excel import is_csv_for_excel, unescaped
from core.intake.tables.part_files import PartFile, part_files, refuse_others

_LABEL_SEED = 43


def read_table(path: Path, wanted: Collection[str] | None = None) -> pl.DataFrame:
    """Columns of a file, or of a folder or pattern of parts, that fit in memory: String, trimmed, empty as null.

    Args:
        wanted: columns to read, as far as the file has them; None: all.
    Raises:
        InputError, SchemaError, RowError: as `open_source`, but ids and dates are not looked at.
    """
    return _read(path, wanted, lambda texts: texts)


def read_first(path: Path, rows: int) -> pl.DataFrame:
    """The first rows of a file, or of a folder or pattern of parts, as `read_table` gives them; at least so many.

    Raises as `read_table`. Cost: what follows is not read, but that a packed file is unpacked.
    """
    parts, frames, n_read = part_files((path,)), [], 0
    if is_columnar(one_kind(parts)):
        scan, types = scan_trimmed(parts[0].path)
        return collect(scan.head(rows).select(**{name: text_of(name, types[name]) for name in types}), parts[0].path)
    with RowParts(parts, NOTHING_SAID, None) as table:
        names = table.columns
        frames.append(pl.DataFrame(schema=dict.fromkeys(names, pl.String)))
        for _, _, block in table.blocks(set(names)):
            frames.append(block.frame.select(known(pl.col(name)).alias(name) for name in names))
            n_read += len(block.frame)
            if n_read >= rows:
                break
    return pl.concat(frames)


def read_labels(path: Path, wanted: Collection[str]) -> pl.DataFrame:
    """Columns of a file as 64-bit hashes of what `read_table` gives: UInt64, null where that is null.

    Equal texts have equal hashes in every file; among a hundred million different ones, two that have the same occur
    once in 4,000 files. Cost: 8 bytes a cell. Raises as `read_table`.
    """
    return _read(path, wanted, _hashed)


def columns_of(path: Path) -> list[str]:
    """Names of the columns of a file, trimmed. Raises as `read_table`."""
    parts = part_files((path,))
    if is_columnar(one_kind(parts)):
        return list(scan_trimmed(parts[0].path)[1])
    with RowParts(parts, NOTHING_SAID, None) as table:
        return list(table.columns)


def _read(path: Path, wanted: Collection[str] | None, change: Callable[[pl.LazyFrame], pl.LazyFrame]) -> pl.DataFrame:
    parts = part_files((path,))
    if not is_columnar(one_kind(parts)):
        return _read_rows(parts, wanted, change)
    frames = []
    for part in parts:
        scan, types = scan_trimmed(part.path)
        texts = {name: text_of(name, dtype) for name, dtype in types.items() if wanted is None or name in wanted}
        frames.append(collect(change(scan.select(**texts)), part.path, streaming=True))
        refuse_others(part.path, set(frames[-1].columns), parts[0].path, set(frames[0].columns))
    return pl.concat([frame.select(frames[0].columns) for frame in frames])


def _read_rows(
    parts: Sequence[PartFile], wanted: Collection[str] | None, change: Callable[[pl.LazyFrame], pl.LazyFrame]
) -> pl.DataFrame:
    """All blocks of the wanted columns, each changed as soon as it is read."""
    with RowParts(parts, NOTHING_SAID, None) as table:
        names = [name for name in table.columns if wanted is None or name in wanted]
        frames = [change(pl.LazyFrame(schema=dict.fromkeys(names, pl.String))).collect()]
        for number, _, block in table.blocks(set(names)):
            if block.faults:
                raise block.faults[0][0].error(parts[number].path, advice=CORRECT)
            escaped = table.kind == "text" and is_csv_for_excel(parts[number].path)
            texts = block.frame.select(map(unescaped, names) if escaped else names)
            frames.append(change(texts.lazy()).collect())
    return pl.concat(frames)


def _hashed(texts: pl.LazyFrame) -> pl.LazyFrame:
    return texts.select(**{name: _hash(pl.col(name)) for name in texts.collect_schema().names()})


def _hash(text: pl.Expr) -> pl.Expr:
    return pl.when(text.is_not_null()).then(text.hash(_LABEL_SEED))
