"""Numbers as they are written: read where there is one reading, and left alone elsewhere."""

from __future__ import annotations

from fractions import Fraction

import pytest

from core.errors import InputError
from core.workloads.emissions.rules.decimals import Mark, exact, is_blank, plain_of


@pytest.mark.parametrize(
    ("text", "mark", "plain"),
    [
        ("1234.50", None, "1234.50"),
        ("1,234.50", None, "1234.50"),
        ("1.234,50", None, "1234.50"),
        ("1 234,5", None, "1234.5"),
        ("12,5", None, "12.5"),
        ("-1.234.567", None, "-1234567"),
        ("1,234", None, None),
        ("1.234", None, "1.234"),
        ("1,234", ".", "1234"),
        ("1,234", ",", "1.234"),
        ("1.234", ",", "1234"),
        ("12.5", ",", None),
        ("12,50", ".", None),
        ("1,234.50", ",", None),
        ("1.23.4", None, None),
        ("12x", None, None),
        ("1e5", None, None),
        ("=1+1", None, None),
    ],
)
def test_plain_of_reads_what_has_one_reading(text: str, mark: Mark | None, plain: str | None) -> None:
    assert plain_of(text, mark) == plain


@pytest.mark.parametrize("text", ["", " - ", "#N/A", "n/a", "\N{EN DASH}", "NaN"])
def test_is_blank_of_what_stands_for_no_figure(text: str) -> None:
    assert is_blank(text)


def test_a_true_zero_is_no_blank() -> None:
    assert not is_blank("0")
    assert exact("0", "x") == 0


def test_exact_keeps_every_digit() -> None:
    assert exact("3.23e-09", "x") == Fraction("0.00000000323")
    with pytest.raises(InputError, match="row 3 is no number"):
        exact("1.5kg", "row 3")
