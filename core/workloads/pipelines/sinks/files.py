"""Rows into a file: a part of its own, a note of it in the run's transaction, its name after the commit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import psycopg

from core.database.queries import load, run
from core.errors import InputError
from core.intake.tables.workbook import write_workbook
from core.pipelines.language.spec import FileSink

Q = load("pipelines_sinks")
_COMPUTED = r"^[=+\-@\t\r]"


@dataclass(frozen=True, slots=True)
class FileWriter:
    """A file below a root, resolved."""

    root: Path
    sink: FileSink

    @property
    def target(self) -> Path:
        """Where it will be. Raises InputError: a link leads out of the root."""
        path = (self.root / self.sink.file).resolve()
        if not path.is_relative_to(self.root):
            raise InputError(f"sink.file: {self.sink.file} leaves {self.sink.at}", path=self.sink.file)
        return path

    def write(self, conn: psycopg.Connection[Any], name: str, run_id: int, rows: pl.DataFrame) -> dict[str, int]:
        """Write a part beside the file, and note it. Cost: the rows once on disk beside the old file."""
        target = self.target
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.{run_id}.part")
        _written(rows, self.sink, part, target)
        given = {"name": name, "path": self.sink.file, "part": str(part.relative_to(self.root)), "run_id": run_id}
        run(conn, Q["sink_file_note"], given)
        return {"inserted": rows.height}

    def finish(self, conn: psycopg.Connection[Any], name: str) -> None:
        """Give the published part its name, also one that a killed run left; drop parts that are not published."""
        target = self.target
        for path, noted in run(conn, Q["sink_file_noted"], {"name": name}):
            part = self.root / noted
            if path == self.sink.file and part.is_file():
                part.replace(target)
        for left in target.parent.glob(f".{target.name}.*.part"):
            left.unlink()


def _written(rows: pl.DataFrame, sink: FileSink, part: Path, target: Path) -> None:
    match sink.format:
        case "parquet":
            rows.write_parquet(part)
        case "json":
            rows.with_columns(pl.col(pl.Decimal).cast(pl.String)).write_ndjson(part)
        case "excel":
            write_workbook(rows.lazy(), part, target)
        case "csv":
            texts = [name for name, dtype in rows.schema.items() if dtype == pl.String]
            escaped = rows.lazy().with_columns(_escaped(name) for name in texts)
            escaped.sink_csv(
                part, compression="gzip" if sink.file.endswith(".gz") else "uncompressed", check_extension=False
            )


def _escaped(name: str) -> pl.Expr:
    """An apostrophe before what a spreadsheet would compute."""
    column = pl.col(name)
    return pl.when(column.str.contains(_COMPUTED)).then("'" + column).otherwise(column).alias(name)
