"""Investments: one base only, above 0."""

from __future__ import annotations

from fractions import Fraction

import pytest

from core.errors import InputError
from core.workloads.emissions.rules.financed import financed, weighted_score

ONE = Fraction(1)


@pytest.mark.parametrize("worth", [{}, {"equity": ONE}, {"evic": ONE, "ppp_gdp": ONE}, {"evic": Fraction(0)}])
def test_no_single_base_above_0_is_refused(worth: dict[str, Fraction]) -> None:
    with pytest.raises(InputError):
        financed(ONE, ONE, worth)


def test_share_is_exact() -> None:
    assert financed(Fraction(1), Fraction(1), {"equity": Fraction(1), "debt": Fraction(2)}) == Fraction(1, 3)


def test_score_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="outstanding"):
        weighted_score([], [])
