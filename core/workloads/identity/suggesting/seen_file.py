"""What the columns of a file look like, and which of them names its records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import polars as pl

from core.errors import InputError
from core.intake.checks.column_facts import ColumnFacts, facts_of
from core.intake.columns import FieldHint, find_column, plain
from core.intake.known_names.linked_columns import ID_NAMES
from core.intake.whole_columns import read_first
from core.linkage.description import hints_of
from core.matching.specs.spec import load_spec

ROWS_SEEN: Final = 100_000
# The answer of an earlier match, or the truth: nothing that a match may know.
_ANSWERS: Final = frozenset({"entityid", "clusterid", "matchid"})


@dataclass(frozen=True, slots=True)
class SeenFile:
    """The first rows of a file, as text, with what is to be said of each column but the id's."""

    path: Path
    id_column: str
    frame: pl.DataFrame
    facts: Mapping[str, ColumnFacts]

    @property
    def columns(self) -> list[str]:
        """Columns that records may be compared by, in the file's order."""
        return list(self.facts)


def see_file(path: Path, id_column: str | None, option: str) -> SeenFile:
    """Look at the first 100,000 rows of a file.

    Args:
        id_column: None: the column that is called as ids are, or else the first that names each row.
        option: what names the id's column on the command line.
    Raises:
        InputError: the file cannot be read, has no row or no two columns, or no column names its records.
    Cost: 1 us a value.
    """
    frame = read_first(path, ROWS_SEEN)
    if frame.is_empty():
        raise InputError(f"{path} has no rows; there is nothing to see of its columns", path=str(path))
    if frame.width < 2:
        raise InputError(
            f"{path} has one column, {frame.columns[0]!r}; a match needs one that names each record and one to compare",
            path=str(path),
        )
    facts = {name: facts_of(frame[name]) for name in frame.columns if plain(name) not in _ANSWERS}
    named = (
        _id_of(path, facts, option) if id_column is None else find_column(id_column, frame.columns, path, "id_column")
    )
    return SeenFile(path, named, frame, {name: each for name, each in facts.items() if name != named})


def _id_of(path: Path, facts: Mapping[str, ColumnFacts], option: str) -> str:
    single = [name for name, each in facts.items() if each.names_each]
    called = [name for name in single if plain(name) in ID_NAMES]
    other = [name for name in single if plain(name) not in _served() and facts[name].look not in {"words", "e-mail"}]
    if not called and not other:
        raise InputError(
            f"{path}: no column has a value of its own in every row, so none names the records; add one, or say with "
            f"{option} which does; there are: {', '.join(facts)}",
            path=str(path),
        )
    return (called or other)[0]


@cache
def built_in_hints(spec: str) -> tuple[FieldHint, ...]:
    """What columns of a built-in spec are found by."""
    return tuple(hints_of(load_spec(spec)))


@cache
def _served() -> frozenset[str]:
    """Names that columns have which persons and organisations are compared by."""
    hints = [hint for spec in ("persons", "organisations") for hint in built_in_hints(spec)]
    return frozenset(name for hint in hints for name in hint.names)
