"""Numbers as people and files write them: exact, never 0 for a blank, and none where two readings are possible."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final, Literal

from core.errors import InputError

BLANKS: Final = frozenset(
    {"", "-", "--", "\N{EN DASH}", "\N{EM DASH}", "..", "n/a", "na", "n.a.", "#n/a", "#ref!", "#value!", "#div/0!"}
    | {"nan", "null", "none", "#name?", "#num!"}
)
"""What stands for no figure, small letters."""
Mark = Literal[".", ","]
_PLAIN: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_GROUPED: Final = re.compile(
    r"[+-]?\d{1,3}(?:(?P<mark>[ '.,\u00a0\u202f\u2019])\d{3})(?:(?P=mark)\d{3})*(?P<rest>[.,]\d*)?",
    re.ASCII,
)
_DIGITS: Final = 40


def is_blank(text: str | None) -> bool:
    """Whether the text stands for no figure."""
    return text is None or text.strip().casefold() in BLANKS


def exact(text: str, what: str) -> Fraction:
    """A plain number of a factor file, exponent allowed. Raises InputError: `what` is none."""
    written = text.strip()
    if len(written) > _DIGITS or not _PLAIN.fullmatch(written):
        raise InputError(f"{what} is no number; a blank cell stands for no figure, and a true 0 is written 0")
    return Fraction(written)


def plain_of(text: str, mark: Mark | None) -> str | None:
    """A booked number as plain decimal text with a point; None: it may be read in two ways, or is no number.

    Args:
        mark: the decimal mark that the policy states. Without it a point is a decimal mark; so are a comma with other
            than three digits behind it, and the last of two different marks.
    """
    written = text.strip().replace("\N{MINUS SIGN}", "-")
    if len(written) > _DIGITS:
        return None
    if grouped := _GROUPED.fullmatch(written):
        return _ungrouped(written, grouped["mark"], grouped["rest"] or "", mark)
    sign, digits = (written[0], written[1:]) if written[:1] in {"+", "-"} else ("", written)
    if not re.fullmatch(r"\d+([.,]\d+)?|[.,]\d+", digits, re.ASCII):
        return None
    used = "," if "," in digits else "."
    if mark is not None and used in digits and used != mark:
        return None
    return sign.replace("+", "") + digits.replace(",", ".")


def _ungrouped(written: str, separator: str, rest: str, mark: Mark | None) -> str | None:
    """Of groups of three digits: `1,234` is clear only where the policy states the mark, `1.234` is what it is."""
    groups = written[: len(written) - len(rest)]
    n_groups = groups.count(separator)
    if separator in ".," and not rest and n_groups == 1:
        if mark is None:
            return written.lstrip("+") if separator == "." else None
        return (groups.replace(",", ".") if separator == mark else groups.replace(separator, "")).lstrip("+")
    if rest[:1] == separator or (mark is not None and (separator == mark or (rest and rest[0] != mark))):
        return None
    plain = groups.replace(separator, "") + (f".{rest[1:]}" if len(rest) > 1 else "")
    return plain.lstrip("+")
