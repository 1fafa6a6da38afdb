"""A column of numbers, of digits that name something, or of mail addresses on its way in: what cannot be read in it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.errors import InputError
from core.intake.columns import FieldHint
from core.intake.opening import Opening
from core.matching.standardise.normalise import PLACEHOLDER_MAILS, fold
from core.matching.standardise.numbers import count_forms, number_of
from core.matching.standardise.readings import AS_WRITTEN, ColumnReading
from core.matching.standardise.unknown_words import UNKNOWN_WORDS

UNREADABLE_SHARE_MAX: Final = 0.2
UNREADABLE_ROWS_MIN: Final = 3
CHECKED_KINDS: Final = {"number": "numbers", "digits": "numbers with digits", "email": "mail addresses"}
# What values look like that are none of these, the first that most of them fit.
_LOOKS: Final = {
    "e-mail addresses": r"^[^@\s]+@[^@\s]+$",
    "web addresses": r"^(?:https?://|www\.)",
    "dates": r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:\D.*)?$",
    "telephone numbers": r"^\+?(?:\D?\d){7,}$",
    "text": r"^\D+$",
    "numbers": r"^[\d.,\s]+$",
    "codes of letters and digits": r"^(?:.*\d.*\p{L}.*|.*\p{L}.*\d.*)$",
}
# Marks alone, or letters that stand for digits, say that there is no value.
_NO_VALUE: Final = r"^(?:[^\p{L}\p{N}]|x)*$"
_LETTERS: Final = np.array([*range(ord("A"), ord("Z") + 1), *range(ord("a"), 256)])


class ValueColumn:
    """Takes the values of one column batch by batch. n_said: all but words for "missing"; n_lost: not to be read."""

    def __init__(self, hint: FieldHint, column: str, opening: Opening) -> None:
        self.name, self.column, self._kind = hint.name, column, hint.kind
        self._known = None if opening.readings is None else opening.readings.get(hint.name, AS_WRITTEN)
        # A file that is opened again was taken before.
        self._taken_before = opening.readings is not None and opening.years_until is None
        self.n_said = self.n_lost = 0
        self._n_comma = self._n_point = self._n_either = 0
        self._line: int | None = None
        self._looks = dict.fromkeys(_LOOKS, 0)

    def take(self, texts: pl.Series, lines: pl.Series, present: NDArray[np.bool_]) -> None:
        """Count the values of good rows, which may have these `bytes_in` them.

        Cost: 15 ns a value, 0.5 us one that is no plain number; nothing for digits without letters.
        """
        self.n_said += len(texts) - texts.null_count()
        if self._kind == "digits" and not present[_LETTERS].any():
            return
        texts = texts.alias("text")
        if self._kind == "number":
            comma, point, either = count_forms(texts)
            self._n_comma, self._n_point = self._n_comma + comma, self._n_point + point
            self._n_either += either
        strange = texts.is_not_null() & ~_readable(texts, self._kind)
        if not strange.any():
            return
        folded = fold(texts.filter(strange))
        words = folded.str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
        silent = folded.str.contains(_NO_VALUE) | words.is_in(list(UNKNOWN_WORDS))
        if self._kind == "email":
            silent |= words.is_in(list(PLACEHOLDER_MAILS))
        self.n_said -= int(silent.sum())
        lost = folded.filter(~silent)
        if len(lost):
            self.n_lost += len(lost)
            self._line = self._line or int(lines.filter(strange).filter(~silent)[0])
            for look, pattern in _LOOKS.items():
                self._looks[look] += int(lost.str.contains(pattern).sum())

    @property
    def reading(self) -> ColumnReading:
        """How the column is read."""
        return self._known or ColumnReading(decimal_comma=self._n_comma > self._n_point)

    def refuse_strangers(self, path: Path, unit: str) -> None:
        """Refuse a column of something else.

        Raises:
            InputError: more than a fifth of its values cannot be read.
        """
        few = self.n_lost < UNREADABLE_ROWS_MIN or self.n_lost <= UNREADABLE_SHARE_MAX * self.n_said
        if few or self._taken_before:
            return
        look = next((f"; they look like {look}" for look, n in self._looks.items() if 2 * n > self.n_lost), "")
        raise InputError(
            f"{path}, column {self.column!r}: {self.n_lost:,} of {self.n_said:,} values are no "
            f"{CHECKED_KINDS[self._kind]}, the first in {unit} {self._line}{look}; name the right column for "
            f"{self.name} with `mapping`, or leave the field out with `mapping` {self.name}=",
            path=str(path),
            line=self._line,
            column=self.column,
            field=self.name,
            values=self.n_lost,
            fields=("mapping",),
        )

    def notices(self, unit: str) -> list[str]:
        """What is to be said of the column."""
        found = []
        if self._kind == "number":
            if self._n_comma and self._n_point:
                mixed = "comma" if self.reading.decimal_comma else "point"
                found.append(f"the comma divides some numbers, the point others; unclear ones are read by the {mixed}")
            elif self.reading.decimal_comma:
                found.append(f"{self._n_comma} numbers have a decimal comma; read so")
            elif self._n_either and not self._n_point:
                found.append("no number tells whether comma or point divides whole from fraction; read by the point")
            if self.n_lost:
                found.append(f"{self.n_lost} values are no numbers; taken as missing (e.g. {unit} {self._line})")
        return [f"{self.name}: {each}" for each in found]


def _readable(texts: pl.Series, kind: str) -> pl.Series:
    """(n,) whether a value of the kind can be read in each."""
    if kind == "number":
        # The costly part runs over what is not plain.
        plain = texts.cast(pl.Float32, strict=False).is_finite().fill_null(False)
        odd = fold(texts.filter(~plain & texts.is_not_null())).alias("text").to_frame()
        read = odd.select(number_of(pl.col("text")).is_not_null()).to_series()
        return plain.scatter((~plain & texts.is_not_null()).arg_true(), read)
    # Of digits, other ones than these are looked for only in what has none of them.
    plain = texts.str.contains("@", literal=True) if kind == "email" else texts.str.contains("[0-9]")
    if kind == "email" or plain.all(ignore_nulls=True):
        return plain.fill_null(False)
    return (plain | texts.str.contains(r"\d")).fill_null(False)
