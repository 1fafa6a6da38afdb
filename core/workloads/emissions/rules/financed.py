"""Emissions that an investment finances: the investor's share of what the borrower emits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from core.errors import InputError

_DENOMINATORS = (("evic",), ("equity", "debt"), ("value_at_origination",), ("ppp_gdp",))


def financed(outstanding: Fraction, emissions: Fraction, worth: Mapping[str, Fraction]) -> Fraction:
    """emissions x outstanding / worth, in the unit of the emissions.

    Args:
        worth: evic, equity and debt, value_at_origination or ppp_gdp; exactly one of these bases.
    Raises InputError: no base or several, or one that is not above 0.
    Source: PCAF (2022), Global GHG Accounting and Reporting Standard, part A.
    """
    bases = [names for names in _DENOMINATORS if set(names) <= set(worth)]
    if len(bases) != 1:
        raise InputError(
            "an investment needs exactly one of evic, equity and debt, value_at_origination, ppp_gdp; it has "
            f"{', '.join(sorted(worth)) or 'none'}"
        )
    total = sum((worth[name] for name in bases[0]), Fraction(0))
    if total <= 0:
        raise InputError(f"{' + '.join(bases[0])} must be above 0, and is {float(total):g}")
    return emissions * outstanding / total


def weighted_score(outstanding: Sequence[Fraction], scores: Sequence[int]) -> Fraction:
    """Data-quality score of a portfolio, 1 best to 5: its scores weighted by what is outstanding."""
    total = sum(outstanding, Fraction(0))
    if total <= 0:
        raise InputError("a portfolio's score needs something outstanding")
    return sum((amount * score for amount, score in zip(outstanding, scores, strict=True)), Fraction(0)) / total
