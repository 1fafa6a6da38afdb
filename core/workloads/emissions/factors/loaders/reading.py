"""What loaders share: rows of a CSV, figures of cells, and the edition that a file's name or columns tell."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence, Sized
from pathlib import Path
from typing import Any

import polars as pl

from core.errors import InputError, SchemaError
from core.intake.whole_columns import read_table
from core.workloads.emissions.rules.decimals import exact, is_blank

_DASHES = "\N{REPLACEMENT CHARACTER}\N{EN DASH}\N{EM DASH}\N{NON-BREAKING HYPHEN}\N{MINUS SIGN}"


def rows_of(path: Path, required: Collection[str]) -> pl.DataFrame:
    """All columns as text. Raises SchemaError: one of `required` is missing; InputError: the file cannot be read."""
    table = read_table(path)
    if missing := [name for name in required if name not in table.columns]:
        raise SchemaError(
            f"{path} has no column {missing[0]!r}; it has {', '.join(table.columns[:12])}: is it another publisher's?",
            column=missing[0],
            got=table.columns,
        )
    return table


def figure(cell: Any, where: str) -> str | None:
    """A figure as plain text; None where the cell is blank, `-` or an error of a spreadsheet. Raises InputError."""
    if cell is None:
        return None
    text = repr(cell) if isinstance(cell, float) else str(cell)
    if is_blank(text):
        return None
    exact(text, where)
    return text.strip()


def path_code(parts: Sequence[Any]) -> str:
    """Levels joined by ` > `: each trimmed, blanks left out, every dash a hyphen."""
    return " > ".join(cleaned for part in parts if part is not None and (cleaned := tidy(str(part))))


def tidy(text: str) -> str:
    """One blank between words, every dash (and what a lost one became) a hyphen."""
    for dash in _DASHES:
        text = text.replace(dash, "-")
    return " ".join(text.split())


def version_in(path: Path) -> str:
    """`v1.3.0` of a file's name; blank where it has none."""
    found = re.search(r"(?:^|[_\W])v_?(\d+(?:[._]\d+)+)", path.stem)
    return "v" + found[1].replace("_", ".") if found else ""


def refuse_empty(found: Sized, path: Path) -> None:
    """Raise InputError: there is nothing in the file."""
    if len(found) == 0:
        raise InputError(f"{path} has no factors", path=str(path))
