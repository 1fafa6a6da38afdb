"""A column of whole names on its way in: where the surname stands in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import polars as pl

from core.errors import InputError
from core.intake.columns import plain
from core.intake.opening import Opening
from core.matching.standardise.full_names import PERSON_PARTS, order_votes
from core.matching.standardise.readings import ColumnReading

SINGLE_SHARE_MAX: Final = 0.5
SINGLE_ROWS_MIN: Final = 3
# So many more names must speak for an order than against it before they overrule what the column is called.
SURE_RATIO: Final = 2
_SURNAME: Final = (
    "surname|lastname|familyname|nachname|nom(?!bre|e)|apellidos?|cognome|sobrenome|apelido|achternaam|nazwisko"
)
_GIVEN: Final = "firstname|givenname|vorname|prenoms?|nombres?|nome|voornaam|imie"
_SURNAME_FIRST: Final = re.compile(rf"^(?:{_SURNAME}|last|name).*(?:{_GIVEN}|first)")


class WholeNameColumn:
    """Takes the values of a column that `first_name` and `last_name` are taken out of, batch by batch."""

    def __init__(self, column: str, opening: Opening) -> None:
        self.column = column
        known = (opening.readings or {}).get("last_name")
        self._known = known if known is not None and known.name_part is not None else None
        self._n_said = self._n_single = self._n_front = self._n_behind = 0
        self._line: int | None = None

    def take(self, texts: pl.Series, lines: pl.Series) -> None:
        """Count the names of good rows. Cost: 1 us a name."""
        said = texts.is_not_null()
        single = said & ~texts.str.contains(r"[\s,\u{3400}-\u{9fff}\u{ac00}-\u{d7af}]").fill_null(False)
        self._n_said += int(said.sum())
        if single.any():
            self._n_single += int(single.sum())
            self._line = self._line or int(lines.filter(single)[0])
        front, behind = order_votes(texts.drop_nulls())
        self._n_front, self._n_behind = self._n_front + front, self._n_behind + behind

    @property
    def surname_first(self) -> bool:
        """Whether the surname is the first word where nothing in a name tells: as names say, or else its header."""
        if self._known is not None:
            return self._known.surname_first
        by_header = _SURNAME_FIRST.search(plain(self.column)) is not None
        if by_header:
            return self._n_front <= SURE_RATIO * self._n_behind
        return self._n_behind > SURE_RATIO * self._n_front

    @property
    def readings(self) -> dict[str, ColumnReading]:
        """How the fields are read that are taken out of the column."""
        return {
            name: ColumnReading(name_part=part, surname_first=self.surname_first) for name, part in PERSON_PARTS.items()
        }

    def refuse_strangers(self, path: Path, unit: str) -> None:
        """Refuse a column that holds one word a row. Raises InputError: more than half of its values are."""
        if self._known is not None or self._n_single < SINGLE_ROWS_MIN:
            return
        if self._n_single <= SINGLE_SHARE_MAX * self._n_said:
            return
        raise InputError(
            f"{path}, column {self.column!r}: {self._n_single:,} of {self._n_said:,} values are one word, the first in "
            f"{unit} {self._line}, so it does not hold whole names; say what it holds with `mapping` first_name=COLUMN "
            "or last_name=COLUMN, and that there is no other name with `mapping` last_name= or first_name=",
            path=str(path),
            line=self._line,
            column=self.column,
            fields=("mapping", "spec"),
        )

    def notices(self, unit: str) -> list[str]:
        """What is to be said of the column."""
        place = "the first word" if self.surname_first else "the last word"
        return [
            f"column {self.column!r} holds whole names: first_name and last_name are taken out of it; where nothing in "
            f"a name tells, {place} is the surname"
        ]
