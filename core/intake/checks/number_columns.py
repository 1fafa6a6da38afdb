"""A column of numbers that name something, on its way in: what tools left behind, and whether letters belong to it."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.intake.columns import FieldHint
from core.intake.opening import Opening
from core.matching.standardise.readings import POINT_ZERO, ColumnReading

NUMBERED_KINDS: Final = frozenset({"digits", "identifier", "code", "category", "text", "street", "words"})
# Values with places behind the point that are not zero say that the point belongs to the number.
FRACTION_SHARE_MAX: Final = 0.01
_FRACTION: Final = r"^\d+\.\d*[1-9]\d*$"
# A number with letters: not a word alone, and not one whose digits are masked.
_LETTERED: Final = r"^(?:\P{L}*\d\P{N}*\p{L}|\P{N}*\p{L}\P{L}*\d)"
_MASK: Final = r"^[\dxX*\s./-]+$"


class NumberColumn:
    """Takes the values of one column batch by batch.

    n_lettered, n_filled: values that mix letters with digits, and values at all, where letters could belong to them.
    """

    def __init__(self, hint: FieldHint, opening: Opening) -> None:
        self.name = hint.name
        self._known = None if opening.readings is None else opening.readings.get(hint.name)
        self._may_have_letters = hint.kind in ("digits", "identifier") and hint.keep_last is None
        self._n_point_zero, self._n_fraction = 0, 0
        self.n_lettered, self.n_filled = 0, 0

    def take(self, texts: pl.Series, present: NDArray[np.bool_], sign: int = 1) -> None:
        """Count values that may have these bytes. sign: -1 takes them back.

        Cost: 30 ns a value if some have points or letters.
        """
        if present[ord(".")]:
            pointed = texts.filter(texts.str.contains(".", literal=True).fill_null(False))
            self._n_point_zero += sign * int(pointed.str.contains(POINT_ZERO).sum())
            self._n_fraction += sign * int(pointed.str.contains(_FRACTION).sum())
        if self._may_have_letters:
            self.n_filled += sign * (len(texts) - texts.null_count())
            if present[ord("A") : ord("Z") + 1].any() or present[ord("a") :].any():
                lettered = texts.filter(texts.str.contains(r"\p{L}").fill_null(False))
                mixed = lettered.str.contains(_LETTERED) & ~lettered.str.contains(_MASK)
                self.n_lettered += sign * int(mixed.sum())

    @property
    def reading(self) -> ColumnReading:
        """How the column is read."""
        if self._known is not None:
            return self._known
        left = self._n_point_zero > 0 and self._n_fraction <= FRACTION_SHARE_MAX * self._n_point_zero
        return ColumnReading(point_zero=left)

    def notices(self) -> list[str]:
        """What is to be said of the column."""
        if not (self.reading.point_zero and self._n_point_zero):
            return []
        return [f"{self.name}: {self._n_point_zero} numbers end in .0, as a tool left it; read without"]
