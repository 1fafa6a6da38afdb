from __future__ import annotations

import pytest

from core.deploying.cron import problem


@pytest.mark.parametrize("expression", ["* * * * *", "*/10 0-5 1,15 * 7", "17 * * * *", "0-30/5 23 31 12 0"])
def test_cron_takes(expression: str) -> None:
    assert problem(expression) is None


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("* * * *", "it has 4 fields"),
        ("60 * * * *", "no minute"),
        ("* 24 * * *", "no hour"),
        ("* * 0 * *", "no day of month"),
        ("* * * 13 *", "no month"),
        ("* * * * MON", "no day of week"),
        ("5-1 * * * *", "no minute"),
        ("*/0 * * * *", "no minute"),
        ("1,,2 * * * *", "no minute"),
    ],
)
def test_cron_refuses(expression: str, said: str) -> None:
    assert said in (problem(expression) or "")
