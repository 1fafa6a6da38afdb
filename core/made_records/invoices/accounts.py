"""Numbers with check digits: accounts (IBAN), creditor references (RF) and Swiss payment references (QR)."""

from __future__ import annotations

_QR_TABLE = (0, 9, 4, 6, 8, 2, 7, 1, 3, 5)


def _rest(text: str) -> int:
    """Modulo 97 of digits and letters, of which A is 10. Source: ISO 7064, mod 97-10."""
    return int("".join(str(int(letter, 36)) for letter in text)) % 97


def iban(country: str, basic: str) -> str:
    """An account number with its check digits; `basic` is digits, or capitals and digits."""
    return f"{country}{98 - _rest(f'{basic}{country}00'):02d}{basic}"


def creditor_reference(number: str) -> str:
    """RF, two check digits, and what is left of an invoice's number without signs (at most 21). Source: ISO 11649."""
    body = "".join(letter for letter in number.upper() if letter.isascii() and letter.isalnum())[-21:]
    return f"RF{98 - _rest(f'{body}RF00'):02d}{body}"


def swiss_reference(number: str) -> str:
    """27 digits, the last a check digit. Source: Swiss Implementation Guidelines QR-bill, annex B (mod 10)."""
    body = "".join(letter for letter in number if letter.isdecimal())[-26:].zfill(26)
    carry = 0
    for digit in body:
        carry = _QR_TABLE[(carry + int(digit)) % 10]
    return f"{body}{(10 - carry) % 10}"
