"""Made invoices and bank lines as the files of a folder; each appears whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import polars as pl

from core.errors import ConfigError, HeadraceError
from core.made_records.invoices.books import Books
from core.made_records.invoices.statements import FORMATS

TABLES = ("invoices", "payments", "customers", "rates", "truth")
CSV = "csv"


def require_folder(out: Path, form: str) -> None:
    """Raise ConfigError: no such format, or `out` cannot become a folder."""
    if form not in (CSV, *FORMATS):
        known = ", ".join((CSV, *FORMATS))
        raise ConfigError(f"--format {form}: there is no such format; there are {known}", option="format", got=form)
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out} is a file; it must name a folder", option="out", got=str(out))
    if not out.absolute().parent.is_dir():
        raise ConfigError(f"--out {out}: there is no folder {out.absolute().parent}; make it first", option="out")


def write_books(books: Books, out: Path, form: str = CSV) -> list[Path]:
    """Write the tables as CSV into the folder, which is made, and the bank lines as `form` beside; the files written.

    Raises:
        ConfigError: see `require_folder`.
        HeadraceError: a file cannot be written.
    Cost: some 3 us a row.
    """
    require_folder(out, form)
    try:
        out.mkdir(exist_ok=True)
        files = [_written(out / f"{name}.csv", _csv(getattr(books, name))) for name in TABLES]
        if form != CSV:
            name, encoding = FORMATS[form]
            pieces: Iterator[str] = import_module(f"core.made_records.invoices.statements.{form}").pieces(books)
            files.append(_written(out / name, _text(pieces, encoding)))
    except OSError as error:
        raise HeadraceError(f"{out} cannot be written: {error}", option="out") from error
    return files


def _csv(frame: pl.DataFrame) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        frame.write_csv(path)

    return write


def _text(pieces: Iterator[str], encoding: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with path.open("wb") as file:
            file.writelines(piece.encode(encoding) for piece in pieces)

    return write


def _written(path: Path, write: Callable[[Path], None]) -> Path:
    partial = path.with_name(f".{path.name}.partial")
    try:
        write(partial)
        partial.replace(path)
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
    return path
