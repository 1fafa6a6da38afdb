"""Numbers that check themselves: a column of them names what it stands for, whatever it is called."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

CHECKED_SHARE_MIN: Final = 0.95
"""Of values that hold by chance one in ten does, so a few slips leave no doubt."""
VALUES_MIN: Final = 10


def checked_as(values: Sequence[str]) -> str | None:
    """What nearly all values are by their check digits: IBAN, LEI, GTIN, ISBN or a number that holds by Luhn.

    Args:
        values: different ones; blanks, points and hyphens in them do not count. Fewer than ten say nothing.
    """
    if len(values) < VALUES_MIN:
        return None
    bare = [re.sub(r"[\s.-]", "", value).upper() for value in values]
    for name, (pattern, holds) in _NUMBERS.items():
        n_held = sum(re.fullmatch(pattern, value) is not None and holds(value) for value in bare)
        if n_held >= CHECKED_SHARE_MIN * len(bare):
            return name
    return None


def _mod_97(text: str) -> bool:
    return int("".join(str(int(sign, 36)) for sign in text)) % 97 == 1


def _iban(text: str) -> bool:
    return _mod_97(text[4:] + text[:4])


def _gtin(text: str) -> bool:
    return sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(reversed(text))) % 10 == 0


def _isbn(text: str) -> bool:
    return sum((10 - at) * (10 if sign == "X" else int(sign)) for at, sign in enumerate(text)) % 11 == 0


def _luhn(text: str) -> bool:
    doubled = (int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(text)))
    return sum(number - 9 * (number > 9) for number in doubled) % 10 == 0


_NUMBERS: Final[Mapping[str, tuple[str, Callable[[str], bool]]]] = {
    "IBAN": (r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", _iban),
    "LEI": (r"[A-Z0-9]{18}[0-9]{2}", _mod_97),
    "GTIN": (r"(?:[0-9]{8}|[0-9]{12,14})", _gtin),
    "ISBN": (r"[0-9]{9}[0-9X]", _isbn),
    "number with a check digit": (r"[0-9]{8,19}", _luhn),
}
