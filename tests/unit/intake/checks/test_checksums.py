from __future__ import annotations

from collections.abc import Callable

import pytest

from core.intake.checks.checksums import checked_as


def _iban(number: int) -> str:
    body = f"{370400440532013000 + number:018d}"
    return f"DE{98 - int(body + '131400') % 97:02d}{body}"


def _lei(number: int) -> str:
    body = f"5493{number:014d}"
    return f"{body}{98 - int(body + '00') % 97:02d}"


def _gtin(number: int) -> str:
    body = f"{400638133300 + number}"
    total = sum(int(digit) * (3 if at % 2 == 0 else 1) for at, digit in enumerate(reversed(body)))
    return f"{body}{-total % 10}"


def _isbn(number: int) -> str:
    body = f"{306406150 + number:09d}"
    check = -sum((10 - at) * int(digit) for at, digit in enumerate(body)) % 11
    return body + ("X" if check == 10 else str(check))


@pytest.mark.parametrize(("made", "name"), [(_iban, "IBAN"), (_lei, "LEI"), (_gtin, "GTIN"), (_isbn, "ISBN")])
def test_number_is_known_by_its_check_digits(made: Callable[[int], str], name: str) -> None:
    values = [made(7 * number) for number in range(40)]
    assert checked_as(values) == name
    assert checked_as([f"{value[:4]} {value[4:]}" for value in values]) == name


def test_numbers_in_a_row_are_none_of_them() -> None:
    assert checked_as([str(10_000_000 + number) for number in range(100)]) is None


def test_few_values_say_nothing() -> None:
    assert checked_as([_iban(number) for number in range(9)]) is None
