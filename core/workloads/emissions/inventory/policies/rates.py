"""Rates of exchange and price indices of dated files: exact, and none where the file has none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Literal

from core.currencies import EXPONENTS
from core.errors import InputError
from core.workloads.emissions.factors.loaders.reading import rows_of
from core.workloads.emissions.rules.decimals import exact, is_blank

Basis = Literal["day", "month", "year"]
_PERIOD: Final = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_LENGTHS: Final[Mapping[Basis, int]] = {"day": 10, "month": 7, "year": 4}


@dataclass(frozen=True, slots=True)
class Rates:
    """by_pair: (base, quote) -> period -> how much of the quote one of the base is."""

    by_pair: Mapping[tuple[str, str], Mapping[str, Fraction]] = field(default_factory=dict)
    basis: Basis = "year"

    def period_of(self, day: str) -> str | None:
        """The period of a date (YYYY, YYYY-MM or YYYY-MM-DD) under the basis; None: the date is coarser than that."""
        length = _LENGTHS[self.basis]
        return day[:length] if len(day) >= length else None

    def rate(self, given: str, wanted: str, period: str) -> Fraction | None:
        """How much of `wanted` one `given` is: as stated, inverted, or both against one base; None: unknown."""
        if given == wanted:
            return Fraction(1)
        if (stated := self._stated(given, wanted, period)) is not None:
            return stated
        if inverse := self._stated(wanted, given, period):
            return 1 / inverse
        for base in sorted({base for base, _ in self.by_pair}):
            above, below = self._stated(base, wanted, period), self._stated(base, given, period)
            if above is not None and below:
                return above / below
        return None

    def _stated(self, base: str, quote: str, period: str) -> Fraction | None:
        """The rate of the very period; else the mean of all that the file has within it."""
        rates = self.by_pair.get((base, quote))
        if rates is None:
            return None
        if (found := rates.get(period)) is not None:
            return found
        if len(period) == _LENGTHS["day"]:
            return None
        within = [rate for key, rate in rates.items() if key.startswith(f"{period}-")]
        finest = [rate for key, rate in rates.items() if key.startswith(f"{period}-") and len(key) == 10]
        return sum(finest or within, Fraction(0)) / len(finest or within) if within else None


@dataclass(frozen=True, slots=True)
class PriceIndices:
    """by_series: (currency, scheme, prefix) -> year -> index."""

    by_series: Mapping[tuple[str, str, str], Mapping[int, Fraction]] = field(default_factory=dict)

    def ratio(self, currency: str, code: tuple[str, str], bought: int, wanted: int) -> Fraction | None:
        """index(wanted) / index(bought) of the series with the longest prefix of the code that has both; None: none."""
        if bought == wanted:
            return Fraction(1)
        scheme, number = code
        fits = [
            (len(prefix), years)
            for (unit, of_scheme, prefix), years in self.by_series.items()
            if unit == currency
            and number.startswith(prefix)
            and (not of_scheme or of_scheme.split("-")[0] == scheme.split("-")[0])
            and bought in years
            and wanted in years
        ]
        if not fits:
            return None
        years = max(fits, key=lambda fit: fit[0])[1]
        return years[wanted] / years[bought]


def read_rates(path: Path, basis: Basis) -> Rates:
    """Columns period, base, quote, rate. Raises SchemaError, or InputError: a cell cannot be read, or a rate twice."""
    by_pair: dict[tuple[str, str], dict[str, Fraction]] = {}
    for number, row in enumerate(rows_of(path, ("period", "base", "quote", "rate")).to_dicts(), 2):
        where = f"{path}, row {number}"
        period = str(row["period"] or "")
        if not _PERIOD.fullmatch(period):
            raise InputError(f"{where}, period: is no YYYY, YYYY-MM or YYYY-MM-DD", path=str(path), line=number)
        pair = (_currency(row["base"], where), _currency(row["quote"], where))
        if is_blank(row["rate"]):
            continue
        rates = by_pair.setdefault(pair, {})
        rate = _above_zero(row["rate"], f"{where}, rate")
        if rates.setdefault(period, rate) != rate:
            raise InputError(f"{where}: {pair[0]} to {pair[1]} of {period} has two rates", path=str(path), line=number)
    return Rates(by_pair, basis)


def read_prices(path: Path) -> PriceIndices:
    """Columns currency, code_scheme, code_prefix, year, index. Raises as `read_rates`."""
    columns = ("currency", "code_scheme", "code_prefix", "year", "index")
    by_series: dict[tuple[str, str, str], dict[int, Fraction]] = {}
    for number, row in enumerate(rows_of(path, columns).to_dicts(), 2):
        where = f"{path}, row {number}"
        series = (_currency(row["currency"], where), row["code_scheme"] or "", row["code_prefix"] or "")
        if not re.fullmatch(r"\d{4}", str(row["year"] or "")):
            raise InputError(f"{where}, year: is no year of four digits", path=str(path), line=number)
        if is_blank(row["index"]):
            continue
        index = _above_zero(row["index"], f"{where}, index")
        if by_series.setdefault(series, {}).setdefault(int(row["year"]), index) != index:
            raise InputError(f"{where}: {row['year']} has two indices", path=str(path), line=number)
    return PriceIndices(by_series)


def _currency(code: Any, where: str) -> str:
    if code not in EXPONENTS:
        raise InputError(f"{where}: {code!r} is no currency code of ISO 4217, such as EUR or JPY")
    return str(code)


def _above_zero(text: Any, where: str) -> Fraction:
    value = exact(str(text), where)
    if value <= 0:
        raise InputError(f"{where} must be above 0")
    return value
