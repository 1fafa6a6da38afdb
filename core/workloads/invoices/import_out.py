"""What was imported as the files of a folder; each appears whole or not at all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import polars as pl

from core.errors import ConfigError, HeadraceError
from core.workloads.invoices.readers.reading import Imported


def require_out(out: Path | None, *, dry_run: bool) -> Path | None:
    """The folder to write to; None with `dry_run`. Raise ConfigError: there is none, or it cannot become a folder."""
    if dry_run:
        return None
    if out is None:
        raise ConfigError(
            "importing writes tables: name a folder with --out DIR, or look only with --dry-run", option="out"
        )
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out} is a file; it must name a folder", option="out", got=str(out))
    if not out.absolute().parent.is_dir():
        raise ConfigError(f"--out {out}: there is no folder {out.absolute().parent}; make it first", option="out")
    return out


def write_imported(imported: Imported, out: Path) -> list[Path]:
    """Write receipts, advices and rejects as Parquet; the files written. Raises HeadraceError: they cannot be."""
    tables = {"receipts": imported.receipts, "advices": imported.advices, "rejects": imported.rejects}
    try:
        out.mkdir(exist_ok=True)
        return [_written(frame, out / f"{name}.parquet") for name, frame in tables.items()]
    except OSError as error:
        raise HeadraceError(f"{out} cannot be written: {error}", option="out") from error


def _written(frame: pl.DataFrame, path: Path) -> Path:
    partial = path.with_name(f".{path.name}.partial")
    try:
        frame.write_parquet(partial)
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    return path
