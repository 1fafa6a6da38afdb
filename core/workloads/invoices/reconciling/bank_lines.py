"""Payments and advices of the files that banks and payers send, as tables of a reconciliation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from core.currencies import exponents, to_minor
from core.errors import InputError
from core.intake.decoding.plain_text import unpacked
from core.intake.file_kind import kind_of
from core.intake.whole_columns import columns_of
from core.workloads.invoices.columns.served import Mapped, has_heading
from core.workloads.invoices.readers.detect import format_of
from core.workloads.invoices.readers.reading import Imported, read_files, refuse_faults

_TEXTS = ("id", "payer", "payer_account", "text", "reference", "end_to_end", "bank_reference", "own_account")


@dataclass(frozen=True, slots=True)
class BankLines:
    """payments: a table of `Tables`, but for what advices say. advices: of `ADVICES`, those that came with them."""

    payments: pl.DataFrame
    advices: pl.DataFrame
    notices: Sequence[str]


def is_one_table(paths: Sequence[Path], mapping: Mapped) -> bool:
    """Whether payments are one table that has ids of its own. Raises InputError: a file cannot be read."""
    if len(paths) > 1:
        return False
    (path,) = paths
    if path.is_file() and kind_of(path) == "text":
        with unpacked(path, None) as (where, _):
            if format_of(path, where) != "table":
                return False
    named = {**mapping.get("", {}), **mapping.get("payments", {})}
    return bool(named.get("id")) or has_heading("payments", "id", columns_of(path))


def read_bank_lines(paths: Sequence[Path], mapping: Mapped) -> BankLines:
    """Lines of all files, each once; those without an id get one.

    Raises:
        InputError: a file is refused, a statement does not hold, a row of a table cannot be read, or there is no line.
    """
    imported = _read(paths, {"": mapping.get("", {}), "payments": mapping.get("payments", {})})
    lines = imported.receipts
    if not len(lines):
        raise InputError(f"{', '.join(map(str, paths))}: no bank line in it", path=str(paths[0]))
    day = pl.coalesce("booked", "value_date").str.to_date("%Y-%m-%d").cast(pl.Int32)
    original = to_minor(pl.col("original_amount"), exponents(pl.coalesce("original_currency", "currency")))
    payments = lines.select(
        *_TEXTS,
        "currency",
        amount="amount_minor",
        date=day,
        original_amount=original,
        original_currency="original_currency",
        is_reversal=pl.col("is_reversal").fill_null(False),
    )
    return BankLines(payments, imported.advices, _notices(imported))


def read_advices(paths: Sequence[Path], mapping: Mapped) -> tuple[pl.DataFrame, list[str]]:
    """Advices of all files, and what was noticed. Raises as `read_bank_lines`."""
    imported = _read(paths, {"": mapping.get("", {}), "advices": mapping.get("advices", {})})
    if not len(imported.advices):
        raise InputError(f"{', '.join(map(str, paths))}: no advice that names documents in it", path=str(paths[0]))
    return imported.advices, _notices(imported)


def _read(paths: Sequence[Path], mapping: Mapped) -> Imported:
    imported = read_files(paths, mapping)
    refuse_faults(imported)
    return imported


def _notices(imported: Imported) -> list[str]:
    told = [f"{file.path.name}: {notice}" for file in imported.files for notice in file.notices]
    how = "`headrace invoices import FILE --dry-run` says what and why"
    aside = [f"{file.path.name}: {file.n_rejects:,} set aside; {how}" for file in imported.files if file.n_rejects]
    return [*told, *aside]
