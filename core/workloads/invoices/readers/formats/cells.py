"""Amounts and days in cells of tables, as people and programs write them: read for sure, or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

from core.currencies import EXPONENTS
from core.errors import RowError
from core.workloads.invoices.readers.amounts import minor_of

_BLANKS: Final = re.compile(r"[\s\u00a0\u202f\u2009'’_]")
_CURRENCY: Final = re.compile(r"^(?:[A-Za-z]{3}|[€$£¥])|(?:[A-Za-z]{3}|[€$£¥])$")
_SIGN: Final = re.compile(r"[-+−()]")
_FLOAT: Final = re.compile(r"[0-9]*\.[0-9]{7,}", re.ASCII)
_GROUPED: Final = re.compile(r"[0-9]{1,3}(?:[.,][0-9]{2,3})*[.,][0-9]{3}", re.ASCII)
_NEAR: Final = Decimal("1e-6")
_ISO: Final = re.compile(
    r"([0-9]{4})[-./]([0-9]{1,2})[-./]([0-9]{1,2})(?:[T ].*)?|([0-9]{4})([0-9]{2})([0-9]{2})", re.ASCII
)
_MARKED: Final = re.compile(r"([0-9]{1,2})([-./])([0-9]{1,2})[-./]([0-9]{4}|[0-9]{2})(?:[T ].*)?", re.ASCII)


def decimal_mark(cells: Iterable[str | None]) -> str | None:
    """The mark before decimals in a column, where some cell tells and none says otherwise."""
    told = {mark for cell in cells if cell and (mark := _mark_of(_bare(cell)[0])) is not None}
    return told.pop() if len(told) == 1 else None


def minor_of_cell(cell: str | None, currency: str, mark: str | None) -> int | None:
    """Minor units of `1.234,56`, `(12.00)`, `12-`, `1 234.56`, `EUR 5`; `1.234` as the column's `mark` tells.

    None: empty, no amount, more exact than its currency, with two signs, or it might be two amounts.
    """
    if not cell or currency not in EXPONENTS:
        return None
    bare, is_negative = _bare(cell)
    if _SIGN.search(bare):
        return None
    if _FLOAT.fullmatch(bare):
        # What a workbook holds as a float, within a millionth.
        value = Decimal(bare)
        near = round(value, EXPONENTS[currency])
        minor = minor_of(f"{near:f}", currency) if abs(value - near) < _NEAR else None
    else:
        decimals = _mark_of(bare) or (mark if bare.count(".") + bare.count(",") == 1 else None)
        minor = _read(bare, decimals, currency)
    return minor if minor is None or not is_negative else -minor


def _bare(cell: str) -> tuple[str, bool]:
    """Digits and marks alone, and whether the amount is negative."""
    text = _CURRENCY.sub("", _BLANKS.sub("", cell))
    is_negative = bool(re.fullmatch(r"\(.*\)|[-−].*|.*[-−]", text))
    # One sign, before or behind: another one stays, and makes it no amount.
    unsigned = re.sub(r"^\((.*)\)$|^[+−-](.*)$|^(.*)[+−-]$", r"\1\2\3", text, count=1)
    return _CURRENCY.sub("", unsigned), is_negative


def _mark_of(bare: str) -> str | None:
    """The decimal mark that an amount shows by itself: the last of two kinds, or one before other than three digits."""
    last = max(bare.rfind("."), bare.rfind(","))
    if last < 0 or bare.count(bare[last]) > 1:
        return None
    has_both = "." in bare and "," in bare
    return bare[last] if has_both or len(bare) - last - 1 != 3 else None


def _read(bare: str, mark: str | None, currency: str) -> int | None:
    if mark is None and bare.count(".") + bare.count(",") == 1:
        # One mark before three digits, and nothing tells which: only where the currency has three is it sure.
        return None if EXPONENTS[currency] != 3 else minor_of(bare, currency)
    whole, _, fraction = bare.rpartition(mark) if mark and mark in bare else (bare, "", "")
    if re.search(r"[.,]", whole):
        if not _GROUPED.fullmatch(whole) or ("." in whole and "," in whole):
            return None
        whole = re.sub(r"[.,]", "", whole)
    return minor_of(f"{whole}.{fraction}" if fraction else whole, currency)


def read_days(path: Path, column: str, cells: Iterable[str | None]) -> list[str | None]:
    """ISO days of a column; None where a cell is empty or no date. Day or month comes first as some cell tells.

    Raises:
        RowError: one cell has the day where another has the month.
    """
    texts = [(cell or "").strip() for cell in cells]
    order: dict[bool, int] = {}
    for place, text in enumerate(texts):
        found = _MARKED.fullmatch(text)
        if found and found[2] != "." and max(int(found[1]), int(found[3])) > 12:
            order.setdefault(int(found[1]) > 12, place + 2)
    if len(order) == 2:
        first, other = sorted(order.values())
        raise RowError(
            f"{path}, line {other}, column {column!r}: puts the day where line {first} puts the month; write all in "
            "one order, best as 2025-01-31",
            path=str(path),
            line=other,
            column=column,
            reason="two orders of day and month",
        )
    return [_day(text, day_first=order.get(True) is not None or not order) for text in texts]


def _day(text: str, *, day_first: bool) -> str | None:
    if found := _ISO.fullmatch(text):
        year, month, day = (int(each) for each in found.groups() if each is not None)
    elif found := _MARKED.fullmatch(text):
        first, other = int(found[1]), int(found[3])
        day, month = (first, other) if day_first or found[2] == "." else (other, first)
        year = int(found[4]) + (2000 if len(found[4]) == 2 else 0)
    else:
        return None
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None
