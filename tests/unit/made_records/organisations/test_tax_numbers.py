"""VAT numbers pass the checks that others make of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from core.made_records.organisations.tax_numbers import vat_numbers


def luhn(text: str) -> bool:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(text))]
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0


def german(text: str) -> bool:
    product = 10
    for digit in text[:-1]:
        total = (int(digit) + product) % 10 or 10
        product = 2 * total % 11
    return (11 - product) % 10 == int(text[-1])


def british(text: str) -> bool:
    return (
        sum(int(digit) * weight for digit, weight in zip(text, (8, 7, 6, 5, 4, 3, 2), strict=False)) + int(text[-2:])
    ) % 97 == 0


def french(text: str) -> bool:
    return luhn(text[2:]) and int(text[:2]) == (12 + 3 * (int(text[2:]) % 97)) % 97


def eleven(weights: tuple[int, ...]) -> Callable[[str], bool]:
    return lambda text: (
        sum(int(digit) * weight for digit, weight in zip(text, weights, strict=False)) % 11 == int(text[len(weights)])
    )


# Numbers of firms that anybody can look up hold the checks against the world.
CHECKS = {
    1: (british, 9, "980780684"),
    2: (german, 9, "136695976"),
    3: (french, 11, "40303265045"),
    4: (luhn, 11, "00743110157"),
    5: (lambda text: text[0] == "B" and luhn(text[1:]), 9, "B58378431"),
    6: (eleven((9, 8, 7, 6, 5, 4, 3, 2)), 12, "004495445B01"),
    7: (eleven((6, 5, 7, 2, 3, 4, 5, 6, 7)), 10, "8567346215"),
}


@pytest.mark.parametrize("country", CHECKS)
def test_vat_numbers_have_the_check_digits_of_their_country(country: int) -> None:
    check, length, known = CHECKS[country]
    assert check(known)
    numbers = np.random.default_rng(country).integers(0, 10_000_000, 3000)
    found = vat_numbers(np.full(3000, country), numbers)
    assert found.n_unique() > 2900
    for text in found:
        assert len(text) == length
        assert check(text), text


def test_numbers_of_the_united_states_have_no_check_digit() -> None:
    assert vat_numbers(np.array([0, 2]), np.array([1234567, 1234567])).to_list() == ["46-1234567", "812345673"]
