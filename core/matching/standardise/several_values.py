"""Cells that hold several values: "217-555-0142; 302-555-0188", "a@example.com or b@example.org".

A cell is divided only where each piece is a value by itself. A stroke inside one number ("217/555-0142") and a comma
before an extension stay what they are, and a cell that is not divided is read whole.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.matching.specs.levels import SEVERAL_KINDS, VALUES_MAX

SEPARATOR = "; "
"""What stands between the values of several columns, and of a list, when they are put into one cell."""
_CUT = "\x1f"
# Always a border, and a border only where every piece is as long as a number with all its digits.
_SURE = r"[;|\r\n]"
_PERHAPS = r"[;|\r\n,/&]|\s(?i:or|oder|ou|o|and|und|et|y|e|en|of|lub|i)\s"
_BORDERS, _BLANKS = list(b";|,/&\r\n"), list(b" \t\n\x0b\x0c\r")
_LETTERS = list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_NUMBERS_HINT, _MAILS_HINT = re.compile(_PERHAPS), re.compile(r"(?s)@.*@")
_MAIL_BORDER = r"[;|,\s]+"
# A domain has no stroke: one behind it is a border.
_MAIL_STROKE = r"(@[^@\s/;|,]+)/"
_MAIL_WRAPPING = "<>()[]\"'"
_MAIL = r"^[^@]+@[^@]+\.[^@]+$"
_EXTENSION = r"(?i)^(?:x|ext|extension|#)"
NUMBER_DIGITS = 7
"""Fewer digits are an area code or an ending, not a number of their own, unless a sure border stands there."""
TELEPHONE_DIGITS, IDENTIFIER_DIGITS = 6, 3
"""Digits that a piece between sure borders has at least."""


def may_hold_several(present: NDArray[np.bool_]) -> bool:
    """Whether a cell of a column with these bytes (`bytes_in`) may have what could divide it."""
    blank = present[_BLANKS].any() or present[128:].any()
    word = present[_LETTERS].any() or present[128:].any()
    return bool(present[_BORDERS].any() or (blank and word))


def may_be_several(column: pl.Series, kind: str) -> pl.Series:
    """(n,) whether a cell has what could divide it; false where it is null. Cost: 30 ns a cell."""
    hint = _MAILS_HINT if kind == "email" else _NUMBERS_HINT
    return column.str.contains(hint.pattern).fill_null(False)


def may_divide(text: str, kind: str) -> bool:
    """`may_be_several` of one cell."""
    return (_MAILS_HINT if kind == "email" else _NUMBERS_HINT).search(text) is not None


def split_values(column: pl.Series, kind: str, *, telephone: bool = False) -> pl.Series:
    """The values of each cell, as written, each once, in their order: List(String); null where the cell is.

    Args:
        kind: `digits` or `email`. telephone: whether the digits are a number to call, so that a short piece is none.
    Cost: 1 us a cell; choose cells by `may_be_several` before.
    """
    text = pl.col("cell")
    if kind == "email":
        mails = _pieces(text.str.replace_all(_MAIL_STROKE, "$1;"), _MAIL_BORDER, _MAIL_WRAPPING)
        found = [mails.list.eval(pl.element().filter(pl.element().str.contains(_MAIL)))]
    else:
        least = TELEPHONE_DIGITS if telephone else IDENTIFIER_DIGITS
        digits = pl.element().str.count_matches(r"[0-9]")
        perhaps = _pieces(text, _PERHAPS)
        whole = perhaps.list.eval(digits >= NUMBER_DIGITS).list.all()
        number = (digits >= least) & ~pl.element().str.contains(_EXTENSION)
        found = [pl.when(whole).then(perhaps), _pieces(text, _SURE).list.eval(pl.element().filter(number))]
    alone = pl.when(text.is_not_null()).then(pl.concat_list(text))
    several = [pl.when(pieces.list.len() > 1).then(pieces) for pieces in found]
    divided = pl.coalesce(*several, alone).list.unique(maintain_order=True)
    return column.alias("cell").to_frame().lazy().select(divided).collect().to_series().alias(column.name)


def _pieces(text: pl.Expr, borders: str, wrapping: str | None = None) -> pl.Expr:
    """What stands between borders, trimmed, nothing empty."""
    pieces = text.str.replace_all(borders, _CUT).str.split(_CUT)
    trimmed = pieces.list.eval(pl.element().str.strip_chars().str.strip_chars(wrapping))
    return trimmed.list.eval(pl.element().filter(pl.element() != ""))


class ValueCounts:
    """How many values the cells of some columns hold, read range by range.

    `several`: by field, see `count_values`. `divided`: by field of another kind how many cells seem to hold several.
    """

    def __init__(self, kinds: Mapping[str, str], telephones: Collection[str]) -> None:
        """`kinds`: by field; `telephones`: those whose digits are numbers to call."""
        self._kinds, self._telephones = dict(kinds), frozenset(telephones)
        self.names = tuple(kinds)
        self.several = {name: _no_counts() for name, kind in kinds.items() if kind in SEVERAL_KINDS}
        self.divided = dict.fromkeys((name for name, kind in kinds.items() if kind not in SEVERAL_KINDS), 0)

    def add(self, texts: pl.DataFrame, present: Mapping[str, NDArray[np.bool_]], sign: int = 1) -> None:
        """Count a range: one String column a field, and bytes that each may have. sign: -1 takes it back."""
        for name, counts in self.several.items():
            if not may_hold_several(present[name]):
                continue
            counts[:] += sign * count_values(texts[name], self._kinds[name], telephone=name in self._telephones)
        for name in self.divided:
            if not present[name][ord(SEPARATOR.strip())]:
                continue
            self.divided[name] += sign * int(texts[name].str.contains(SEPARATOR.strip(), literal=True).sum())

    def notices(self) -> list[str]:
        """Fields whose cells are compared whole though some seem to hold several values."""
        return [
            f"{name}: at least {count:,} cells seem to hold several values; each is compared whole"
            for name, count in self.divided.items()
            if count
        ]


def _no_counts() -> NDArray[np.int64]:
    return np.zeros(VALUES_MAX + 2, dtype=np.int64)


def count_values(column: pl.Series, kind: str, *, telephone: bool = False) -> NDArray[np.int64]:
    """(VALUES_MAX + 2,) how many cells hold so many values; in the last place more. One value and none are not counted.

    Args: as `split_values`.
    """
    column = column.filter(may_be_several(column, kind))
    counts = _no_counts()
    if len(column):
        values = split_values(column, kind, telephone=telephone)
        # A value that is written twice divides its cell as two would: read whole, it would be no value at all.
        twice = (values.list.len() == 1) & (values.list.first() != column)
        lengths = values.list.len().to_numpy() + twice.to_numpy()
        found = np.bincount(np.minimum(lengths, VALUES_MAX + 1), minlength=len(counts))
        counts[2:] = found[2:]
    return counts
