"""A closed set of units: exact sizes, dimensions that cannot be mixed, and no guess at what a spelling may mean."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Final

from core.currencies import EXPONENTS
from core.errors import InputError

_TABLE: Final = Path(__file__).with_name("units.csv")
_TOKEN: Final = re.compile(r"\s*([*/()]|[^*/()]+)")
_UNCLEAR: Final[Mapping[str, str]] = {
    **dict.fromkeys(("ton", "tons"), "may be a metric, a short or a long ton; write t, short_ton or long_ton"),
    **dict.fromkeys(("gallon", "gallons", "gal"), "may be of the US or of the UK; write US_gallon or UK_gallon"),
    **dict.fromkeys(
        ("barrel", "barrels", "bbl"), "may be of oil or of something else; write oil_barrel, or the litres"
    ),
    **dict.fromkeys(("mt",), "may be a metric ton or a million tons; write t"),
}


@dataclass(frozen=True, slots=True)
class Unit:
    """size: in kg, m3, km, m2, MJ, h, kg CO2e and single things. dimension: base -> exponent, none 0, sorted."""

    size: Fraction
    dimension: tuple[tuple[str, int], ...]

    def __mul__(self, other: Unit) -> Unit:
        """The product of two units."""
        return Unit(self.size * other.size, _joined(self.dimension, other.dimension, 1))

    def __truediv__(self, other: Unit) -> Unit:
        """The quotient of two units."""
        return Unit(self.size / other.size, _joined(self.dimension, other.dimension, -1))


ONE: Final = Unit(Fraction(1), ())


def unit_of(text: str) -> Unit:
    """The unit that a text names: a spelling of units.csv, an ISO currency, or a product, as `kgCO2e/(kg*km)`.

    Raises InputError: unknown, or one that may be several things (ton, gallon, barrel, mt, Ml); says what to write.
    """
    written = text.strip()
    found = _named(written)
    if found is not None:
        return found
    if not re.search(r"[*/()]", written):
        raise InputError(f"the unit {written!r} {_why(written)}", unit=written)
    words = [word.strip() for word in _TOKEN.findall(written) if word.strip()]
    unit, rest = _product(words, written)
    if rest:
        raise InputError(f"the unit {written!r} cannot be read behind {words[len(words) - len(rest) - 1]!r}")
    return unit


def ratio(given: Unit, wanted: Unit, what: str) -> Fraction:
    """What one `given` is in `wanted`, exactly.

    Args:
        what: begins the sentence of the error.
    Raises InputError: their dimensions differ.
    """
    if given.dimension != wanted.dimension:
        raise InputError(
            f"{what} is a {spelt(given.dimension)}, not a {spelt(wanted.dimension)}; these cannot be converted",
            expected=spelt(wanted.dimension),
            got=spelt(given.dimension),
        )
    return given.size / wanted.size


def spelt(dimension: tuple[tuple[str, int], ...]) -> str:
    """`mass*length/time`; `bare number` for none."""
    above = [base for base, power in dimension for _ in range(power)]
    below = [base for base, power in dimension for _ in range(-power)]
    if not above and not below:
        return "bare number"
    return "*".join(above or ["1"]) + "".join(f"/{base}" for base in below)


def spellings() -> tuple[str, ...]:
    """Every spelling but currencies."""
    return tuple(_by_spelling())


def _joined(
    left: tuple[tuple[str, int], ...], right: tuple[tuple[str, int], ...], sign: int
) -> tuple[tuple[str, int], ...]:
    powers = dict(left)
    for base, power in right:
        powers[base] = powers.get(base, 0) + sign * power
    return tuple(sorted((base, power) for base, power in powers.items() if power))


def _product(words: list[str], written: str) -> tuple[Unit, list[str]]:
    """Factors from the left, up to a closing bracket."""
    unit, words = _factor(words, written)
    while words and words[0] in "*/":
        sign = words[0]
        right, words = _factor(words[1:], written)
        unit = unit * right if sign == "*" else unit / right
    return unit, words


def _factor(words: list[str], written: str) -> tuple[Unit, list[str]]:
    if not words or words[0] in "*/)":
        raise InputError(f"the unit {written!r} lacks a factor", unit=written)
    if words[0] != "(":
        found = _named(words[0])
        if found is None:
            raise InputError(f"the unit {written!r}: {words[0]!r} {_why(words[0])}", unit=written)
        return found, words[1:]
    unit, rest = _product(words[1:], written)
    if not rest or rest[0] != ")":
        raise InputError(f"the unit {written!r} lacks a closing bracket", unit=written)
    return unit, rest[1:]


def _named(word: str) -> Unit | None:
    if word == "1":
        return ONE
    if word in EXPONENTS:
        return Unit(Fraction(1), ((word, 1),))
    if (exact := _by_spelling().get(word)) is not None:
        return exact
    # Other capitals, but of no prefix: Mg is a tonne and mg is not, and M alone is anything.
    alike = _folded().get(word.casefold(), ())
    found = {_by_spelling()[spelling] for spelling in alike}
    same_prefix = word[:1] not in "mM" or all(spelling[0] == word[0] for spelling in alike)
    return found.pop() if len(found) == 1 and len(word) > 1 and same_prefix else None


def _why(word: str) -> str:
    if reason := _UNCLEAR.get(word.casefold()):
        return reason
    if word.casefold() in _folded():
        return "is written with capitals that leave open which unit it is, as ml and ML differ"
    return "is not known; known are kg, t, L, m3, km, kWh, t*km, passenger*km, currencies and more"


@cache
def _by_spelling() -> dict[str, Unit]:
    found: dict[str, Unit] = {}
    with _TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            unit = Unit(Fraction(row["size"]), _dimension(row["dimension"]))
            found.update(dict.fromkeys((row["unit"], *row["spellings"].split("|")), unit))
    return found


@cache
def _folded() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for spelling in _by_spelling():
        key = spelling.casefold()
        found[key] = (*found.get(key, ()), spelling)
    return found


def _dimension(text: str) -> tuple[tuple[str, int], ...]:
    above, _, below = text.partition("/")
    unit: tuple[tuple[str, int], ...] = ()
    for base in above.split("*"):
        unit = _joined(unit, ((base, 1),), 1)
    return _joined(unit, ((below, 1),), -1) if below else unit
