"""Input from a table or view of the database: one snapshot of it as a Parquet file, streamed by COPY."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl

from core.database import DatabaseManager
from core.database.copy import copy_slices
from core.database.queries import load, run
from core.errors import InputError
from core.intake.file_digest import file_digest

Q = load("identity")


def export_table(db: DatabaseManager, table: str, folder: Path) -> Path:
    """Write all rows of a table or view into `folder`, as it is at this moment.

    The file is named after its content too, so that an unchanged table is the same input again and a finished job can
    still be explained when the table has moved on. Types without a column type of their own become text.

    Args:
        table: name as in SQL, `schema.name` or `name`; quoted if it has capitals.
    Returns:
        The Parquet file.
    Raises:
        InputError: there is no such table or view, or it is empty. StoreError: we may not read it.
    Cost: one COPY; some 64 MB of text in memory, and the file twice on disk for a moment.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    query = Q["input_table"]
    with db.transaction() as conn, tempfile.TemporaryDirectory(dir=folder, prefix=".table-") as scratch:
        named = run(conn, Q["input_table_name"], {"table": table})
        if not named:
            raise InputError(
                f"there is no table or view {table} in the database; write {TABLE}schema.name", table=table
            )
        # In the server's own words, which are one name and cannot be a statement.
        snapshot = replace(query, sql=query.sql.format(table=named[0][0]))
        parts = _written(copy_slices(conn, snapshot), Path(scratch))
        whole = Path(scratch) / "whole.parquet"
        pl.scan_parquet(parts).sink_parquet(whole, compression="lz4")
        digest = file_digest(whole)
        name = table.replace('"', "").replace("/", "_")
        return whole.rename(folder / f"{name}-{digest[:16]}.parquet")


def _written(frames: Iterator[pl.DataFrame], folder: Path) -> list[Path]:
    paths = []
    for number, frame in enumerate(frames):
        path = folder / f"{number:06d}.parquet"
        frame.write_parquet(path, compression="lz4", statistics=False)
        paths.append(path)
    return paths


TABLE = "table:"
"""What stands before the name of a table where a file could be."""


def named_table(text: str) -> str | None:
    """`crm.people` of `table:crm.people`; None for the name of a file."""
    return text.removeprefix(TABLE) if text.startswith(TABLE) else None
