"""Single amounts and dates of bank formats: whole minor units and ISO days, or nothing."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from core.currencies import EXPONENTS, MINOR_MAX

_PLAIN: Final = re.compile(r"([+-]?)([0-9]*)(?:[.,]([0-9]*))?", re.ASCII)


def minor_of(text: str | None, currency: str | None) -> int | None:
    """Minor units of a decimal text with a point or a comma, and none between thousands ("-12.5", "1250,", "+3").

    None: no such number, more exact than its currency, further from 0 than `MINOR_MAX`, or an unknown currency.
    """
    places = EXPONENTS.get(currency or "")
    found = _PLAIN.fullmatch(text.strip()) if text else None
    if places is None or found is None:
        return None
    sign, whole, fraction = found[1], found[2], (found[3] or "").rstrip("0")
    if len(fraction) > places or len(whole) > 16 or not (whole or found[3]):
        return None
    minor = int((whole + fraction.ljust(places, "0")) or "0")
    if minor > MINOR_MAX:
        return None
    return -minor if sign == "-" else minor


def whole_minor(text: str | None) -> int | None:
    """Minor units that are written as such, with an optional sign."""
    if not text or not re.fullmatch(r"[+-]?[0-9]{1,18}", text, re.ASCII):
        return None
    return int(text) if abs(int(text)) <= MINOR_MAX else None


def plain(minor: int, currency: str) -> str:
    """Minor units as plain decimal text with all places of the currency ("-12.50", "1200")."""
    places = EXPONENTS[currency]
    digits = str(abs(minor)).rjust(places + 1, "0")
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"-{text}" if minor < 0 else text


def iso_day(text: str | None) -> str | None:
    """An ISO day of "20250131", "250131" (of this century) or "2025-01-31", with a time behind it or not."""
    digits = (text or "").strip().replace("-", "")[:8]
    if re.fullmatch(r"[0-9]{6}", digits, re.ASCII):
        digits = "20" + digits
    if not re.fullmatch(r"[0-9]{8}", digits, re.ASCII):
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).isoformat()
    except ValueError:
        return None
