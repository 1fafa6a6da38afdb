"""VAT numbers of eight countries, with the check digits that their tax offices use."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from core.made_records.clerks import joined
from core.made_records.shapes import Ints


def vat_numbers(country: Ints, number: Ints) -> pl.Series:
    """(n,) numbers without the country's letters. country: (n,) as `words.COUNTRIES`; number: (n,) below 10^7.

    The United States have no check digit (EIN: two digits, a dash, seven).
    Source: the algorithms as the European Commission publishes them for VIES.
    """
    digits = np.stack([number // 10**place % 10 for place in range(6, -1, -1)], axis=1)
    texts = [make(digits) for make in _BY_COUNTRY]
    rows = np.arange(len(number))
    return pl.concat([text.alias("vat") for text in texts]).gather(country * len(number) + rows)


def _text(digits: Ints) -> pl.Series:
    """(n,) rows of digits as text."""
    return joined(*[pl.Series(str(place), digits[:, place]).cast(pl.String) for place in range(digits.shape[1])])


def _with(digits: Ints, *checks: Ints) -> Ints:
    return np.column_stack([digits, *checks])


def _led(digits: Ints, front: str) -> Ints:
    """Digits with the same ones before all of them."""
    return np.column_stack([np.full((len(digits), len(front)), [int(digit) for digit in front]), digits])


def _luhn(digits: Ints) -> Ints:
    doubled = digits.copy()
    doubled[:, ::-2] *= 2
    check: Ints = -np.sum(doubled // 10 + doubled % 10, axis=1) % 10
    return check


def _weighted(digits: Ints, weights: str) -> Ints:
    total: Ints = digits @ np.array([int(weight) for weight in weights])
    return total


def _america(digits: Ints) -> pl.Series:
    text = _text(_led(digits, "46"))
    return joined(text.str.slice(0, 2), "-", text.str.slice(2))


def _britain(digits: Ints) -> pl.Series:
    check = 97 - _weighted(digits, "8765432") % 97
    return _text(_with(digits, check // 10, check % 10))


def _germany(digits: Ints) -> pl.Series:
    """ISO 7064, MOD 11, 10."""
    digits, product = _led(digits, "8"), np.full(len(digits), 10)
    for place in range(8):
        total = (digits[:, place] + product) % 10
        product = np.where(total == 0, 10, total) * 2 % 11
    return _text(_with(digits, (11 - product) % 10))


def _france(digits: Ints) -> pl.Series:
    digits = _led(digits, "5")
    siren = _with(digits, _luhn(digits))
    value = siren @ 10 ** np.arange(8, -1, -1)
    check = (12 + 3 * (value % 97)) % 97
    return _text(np.column_stack([check // 10, check % 10, siren]))


def _italy(digits: Ints) -> pl.Series:
    digits = _with(digits, *(np.full(len(digits), part) for part in (0, 1, 5)))
    return _text(_with(digits, _luhn(digits)))


def _spain(digits: Ints) -> pl.Series:
    return joined("B", _text(_with(digits, _luhn(digits))))


def _netherlands(digits: Ints) -> pl.Series:
    digits = _led(digits, "8")
    check = _weighted(digits, "98765432") % 11
    # Ten is no digit: the one before the last steps on by one, which adds two.
    step = check == 10
    digits[:, 7] = np.where(step, (digits[:, 7] + 1) % 10, digits[:, 7])
    return joined(_text(_with(digits, _weighted(digits, "98765432") % 11 % 10)), "B01")


def _poland(digits: Ints) -> pl.Series:
    digits = _led(digits, "52")
    step = _weighted(digits, "657234567") % 11 == 10
    digits[:, 8] = np.where(step, (digits[:, 8] + 1) % 10, digits[:, 8])
    return _text(_with(digits, _weighted(digits, "657234567") % 11 % 10))


_BY_COUNTRY: tuple[Callable[[Ints], pl.Series], ...] = (
    _america, _britain, _germany, _france, _italy, _spain, _netherlands, _poland,
)  # fmt: skip
